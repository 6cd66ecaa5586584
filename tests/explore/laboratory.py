"""A database in which time stands still until the clock strikes, and a world is put back at once.

Everything of ours is in the schema `explore`: a `clock_timestamp()` that the product's statements
find before PostgreSQL's, a copy of each world's rows, and the functions that put them back.
"""

import contextlib
import random
import time
from collections.abc import Callable, Collection, Iterator
from queue import SimpleQueue
from typing import Any

import psycopg2
from flask import Flask
from psycopg2.extensions import connection, make_dsn
from sqlalchemy import text

from config import settings
from init import db
from services import booking_service, free_rows, inventory_service, seat_choice_service
from tests.explore import statements, wire, worlds
from tests.explore.actors import Clock, Session
from tests.explore.judge import Judge
from tests.explore.operations import OPERATIONS
from tests.explore.ordering import Choose, Ordering, Stage
from tests.explore.scenarios import Scenario
from tests.explore.worlds import Layout, World

PATH = "explore,public,pg_catalog"  # pg_catalog last: or nobody looks before it
STRIKE = 2  # minutes: past the end of the hold that is about to run out, and of no other
PLANNED_ONCE = " -c jit=off -c plan_cache_mode=force_generic_plan"
WITHOUT_END_MS = 60_000  # no claim gives up waiting, or orderings would depend on this machine

MAKE = """
DROP SCHEMA IF EXISTS explore CASCADE;
CREATE SCHEMA explore;
CREATE SEQUENCE explore.minutes MINVALUE 0 START 0;
CREATE FUNCTION explore.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT timestamptz '{instant}' + last_value * interval '1 minute' FROM explore.minutes
$$;
CREATE FUNCTION explore.statement_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
    SELECT explore.clock_timestamp()
$$;
CREATE FUNCTION explore.tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'explore %', json_build_array(TG_TABLE_NAME,
        (SELECT json_object_agg(key, value) FROM jsonb_each_text(to_jsonb(OLD))),
        (SELECT json_object_agg(key, value) FROM jsonb_each_text(to_jsonb(NEW))));
    RETURN NULL;
END $$;
"""
TELL = """
CREATE TRIGGER explore_tells AFTER INSERT OR UPDATE OR DELETE ON public.{table} FOR EACH ROW
  WHEN (current_setting('explore.sessions', true) = 'tell') EXECUTE FUNCTION explore.tell();
"""
STORED = """
SELECT p.proname, p.prosrc FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname = 'public'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
"""


class Laboratory:
    """Where scenarios are played."""

    def __init__(self, app: Flask, watch: connection, *, seed: int) -> None:
        self.app, self.watch, self.seed = app, watch, seed
        self.worlds: dict[str, World] = {}
        self.judge = Judge(watch)
        self._there: str | None = None  # the world that the tables hold
        self._changed: set[str] = set()  # tables, since it was put there

    def play(self, scenario: Scenario, choose: Choose) -> Ordering:
        """One ordering of a scenario from the start, judged as far as it went."""
        world = self.world(scenario.layout)
        self._restore(scenario.layout.name)
        inventory_service.lately_short.clear()  # what this process remembers is of the last one
        seat_choice_service.lately_contended.clear()
        free_rows.forget()
        arrivals: SimpleQueue[Session] = SimpleQueue()
        sessions = [
            Session(
                f"{'ab'[number]}: {name}",
                lambda deed=OPERATIONS[name], number=number: deed(world, number),
                self.app.app_context,
                arrivals,
                seed=self.seed + number,
            )
            for number, name in enumerate(scenario.operations)
        ]
        clock = [Clock(self._strike, world.hold)] if scenario.strikes else []
        self.judge.begin()
        try:
            return Stage([*sessions, *clock], arrivals, self.watch).run(choose, self.judge.look)
        finally:
            self._changed.update(*(session.wrote for session in sessions))

    def world(self, layout: Layout) -> World:
        """The world of a layout, made and copied at its first use."""
        if layout.name not in self.worlds:
            with self.app.app_context():
                self._ask("SELECT setval('explore.minutes', 0)")
                self._empty()
                self.worlds[layout.name] = worlds.build(layout)
            self._ask(";".join(_copying(layout.name, self._filled())))
            self._there = None
        return self.worlds[layout.name]

    def _restore(self, name: str) -> None:
        """Put back what the last ordering has changed; everything, if it was in another world."""
        changed = _tables() if name != self._there else sorted(self._changed)
        takes = [f"EXECUTE take_{name}_{table}" for table in changed]
        puts = [f"EXECUTE put_{name}_{table}" for table in changed]
        self._ask(";".join([*takes, *puts, "EXECUTE start"]))
        self._there = name
        self._changed.clear()

    def _filled(self) -> set[str]:
        """The tables with rows in them."""
        some = [f"SELECT '{t}' WHERE EXISTS (SELECT FROM public.{t})" for t in _tables()]
        with self.watch.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(some))
            return {table for (table,) in cursor.fetchall()}

    def _empty(self) -> None:
        tables = ", ".join(f'"{table.name}"' for table in db.metadata.sorted_tables)
        self._ask(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")

    def _strike(self) -> None:
        self._ask(f"SELECT setval('explore.minutes', {STRIKE})")

    def _ask(self, sql: str) -> None:
        with self.watch.cursor() as cursor:
            cursor.execute(sql)


def _tables() -> list[str]:
    return [table.name for table in db.metadata.sorted_tables]


def _starting() -> str:
    """SQL that sets time and every counter back."""
    counters = [f"public.{t.name}_id_seq" for t in db.metadata.sorted_tables if "id" in t.columns]
    sets = ", ".join(f"setval('{counter}', 1000, false)" for counter in counters)
    return f"PREPARE start AS SELECT setval('explore.minutes', 0), {sets}"


def _copying(name: str, filled: Collection[str]) -> Iterator[str]:
    """SQL that copies every table and prepares to make it again what it was.

    Rows that are as they were stay, or each ordering would leave dead ones behind.
    """
    for table in _tables():
        now, copy = f"public.{table}", f"explore.{name}_{table}"
        if table not in filled:
            yield f"PREPARE take_{name}_{table} AS DELETE FROM {now}"
            yield f"PREPARE put_{name}_{table} AS SELECT"
            continue
        yield f"CREATE TABLE {copy} AS TABLE {now}"
        gone = f"NOT EXISTS (SELECT FROM {copy} AS was WHERE was *= now)"
        missing = f"NOT EXISTS (SELECT FROM {now} AS now WHERE was *= now)"
        yield f"PREPARE take_{name}_{table} AS DELETE FROM {now} AS now WHERE {gone}"
        yield (
            f"PREPARE put_{name}_{table} AS"
            f" INSERT INTO {now} SELECT * FROM {copy} AS was WHERE {missing}"
        )


@contextlib.contextmanager
def laboratory(app: Flask, *, seed: int = 0) -> Iterator[Laboratory]:
    """A laboratory in the app's database, which it takes over; all rows are gone afterwards."""
    # No waiting for locks ends by itself: what an ordering does is not this machine's business.
    options = f"-c search_path={PATH} -c lock_timeout=0 -c statement_timeout={WITHOUT_END_MS}"
    options += PLANNED_ONCE
    patient = settings.claim_wait_ms
    with app.app_context():
        engine = db.engine
        url = engine.url.set(drivername="postgresql")
        watch = psycopg2.connect(
            make_dsn(url.render_as_string(hide_password=False), options=options)
        )
    watch.autocommit = True
    with contextlib.ExitStack() as stack:
        stack.callback(watch.close)
        with watch.cursor() as cursor:
            cursor.execute("SELECT pg_catalog.clock_timestamp()")
            (instant,) = cursor.fetchone()
            cursor.execute(MAKE.format(instant=instant.isoformat()))
            for table in db.metadata.sorted_tables:
                cursor.execute(TELL.format(table=table.name))
            cursor.execute(STORED)
            statements.know(dict(cursor.fetchall()))
            cursor.execute(_starting())
            # Tables are put back in any order: no foreign key is looked up, and nothing told.
            cursor.execute("SET session_replication_role = replica")
        stack.callback(_remove, watch)
        stack.enter_context(wire.stepped(engine, options=f"{options} -c explore.sessions=tell"))
        settings.update(claim_wait_ms=WITHOUT_END_MS)
        stack.callback(settings.update, claim_wait_ms=patient)
        for name in ("randint", "random", "randrange", "choice"):
            stack.enter_context(wire.instead(random, name, _dice(name)))
        stack.enter_context(wire.instead(time, "sleep", lambda actor, pause: actor.nap(pause)))
        stack.enter_context(wire.instead(booking_service, "find", _find(booking_service.find)))
        with app.app_context():
            _connect(3)
        room = Laboratory(app, watch, seed=seed)
        yield room


def _find(real: Callable[..., Any]) -> Any:
    """Read a booking; for an answer without all that is in it, as nobody here looks at answers."""

    def find(actor: Session, booking_id: int, **facts: Any) -> Any:
        read = booking_service.find_hold if actor.answers else real
        return read(booking_id, **facts)

    return find


def _dice(name: str) -> Any:
    return lambda actor, *args: getattr(actor.dice, name)(*args)


def _connect(number: int) -> None:
    """Open as many connections as there are sessions, so that none connects in an ordering."""
    connections = [db.engine.connect() for _ in range(number)]
    for one in connections:
        one.execute(text("SELECT 1"))
        one.close()


def _remove(watch: connection) -> None:
    tables = ", ".join(f'"{table.name}"' for table in db.metadata.sorted_tables)
    with watch.cursor() as cursor:
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")
        cursor.execute("DROP SCHEMA explore CASCADE")
