"""The seam: connections that stop before every statement of an actor, whoever sends it.

It sits under SQLAlchemy, in psycopg2's own connection and cursor classes, so that statements of
the ORM, of SQLAlchemy's core and of a raw cursor are all seen. Threads that are no actors pass.
"""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from psycopg2.extensions import TRANSACTION_STATUS_IDLE, connection, cursor
from sqlalchemy import Engine, event

COMMIT, ROLLBACK = "COMMIT", "ROLLBACK"
PREPARE = re.compile(r"\s*PREPARE\s+(\w+)(?:\s*\([^)]*\))?\s+AS\s+(.*)", re.DOTALL | re.IGNORECASE)
EXECUTE = re.compile(r"\s*EXECUTE\s+(\w+)\s*(?:\((.*)\))?\s*$", re.DOTALL | re.IGNORECASE)
_here = threading.local()


class Stops(Protocol):
    """Who wants to be asked before a thread's statements."""

    def before(self, sql: str, parameters: Any, backend: int) -> None: ...

    def after(self, notices: list[str]) -> None: ...

    def nap(self, seconds: float) -> None: ...


@dataclass(frozen=True)
class Rewriting:
    """A guard taken out of the statements that `where` matches, on their way to the database."""

    where: str
    cut: str
    put: str = ""

    def applied(self, sql: str) -> str:
        if not re.search(self.where, sql, re.DOTALL):
            return sql
        return re.sub(self.cut, self.put, sql, flags=re.DOTALL)


class Sabotage:
    """The rewritings that are on, and how often each met a statement."""

    def __init__(self) -> None:
        self.rewritings: Sequence[Rewriting] = ()
        self.met: list[int] = []

    def __call__(self, sql: str) -> str:
        for number, rewriting in enumerate(self.rewritings):
            changed = rewriting.applied(sql)
            self.met[number] += changed != sql
            sql = changed
        return sql

    @contextmanager
    def on(self, rewritings: Sequence[Rewriting]) -> Iterator[None]:
        self.rewritings, self.met = rewritings, [0] * len(rewritings)
        try:
            yield
        finally:
            self.rewritings = ()


sabotage = Sabotage()


class SteppedCursor(cursor):
    """A cursor that asks before it executes.

    The text of what is prepared is kept, as a name says nothing of what a statement touches; and
    where a guard has been taken out of it, it is the text that is sent.
    """

    def execute(self, query: Any, vars: Any = None) -> None:
        text = query.decode() if isinstance(query, bytes) else query
        if isinstance(text, str) and (prepare := PREPARE.match(text)):
            self.connection.prepared[prepare[1]] = prepare[2]
            super().execute(text)
            return
        if isinstance(text, str) and (call := EXECUTE.match(text)):
            query = _unprepared(self.connection.prepared[call[1]], call[2] or "")
        sql = _announced(self, query, vars)
        super().execute(text if sql == query else sql, vars)
        _done(self)

    def executemany(self, query: Any, vars_list: Any) -> None:
        rows = list(vars_list)
        sql = _announced(self, query, rows)
        super().executemany(sql, rows)
        _done(self)


class SteppedConnection(connection):
    """A connection whose cursors, commits and rollbacks ask first."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.prepared: dict[str, str] = {}

    def cursor(self, *args: Any, **options: Any) -> Any:
        options.setdefault("cursor_factory", SteppedCursor)
        return super().cursor(*args, **options)

    def commit(self) -> None:
        self._ask(COMMIT)
        super().commit()

    def rollback(self) -> None:
        self._ask(ROLLBACK)
        super().rollback()

    def _ask(self, ending: str) -> None:
        actor = current()
        if actor is not None and self.info.transaction_status != TRANSACTION_STATUS_IDLE:
            actor.before(ending, None, self.info.backend_pid)


def _unprepared(sql: str, arguments: str) -> str:
    """A prepared statement's text with the arguments of a call in place of its numbers."""
    given = re.findall(r"%\(\w+\)s|%s", arguments)
    text = sql.replace("%", "%%") if given else sql
    return re.sub(r"\$(\d+)", lambda number: given[int(number[1]) - 1], text)


def _announced(of: Any, query: Any, parameters: Any) -> Any:
    actor = current()
    if actor is None:
        return query
    plain = query.decode() if isinstance(query, bytes) else str(query)
    sql = sabotage(plain)
    of.connection.notices = []
    actor.before(sql, parameters, of.connection.info.backend_pid)
    return sql


def _done(of: Any) -> None:
    actor = current()
    if actor is not None:
        actor.after(of.connection.notices)


def current() -> Stops | None:
    """The actor that this thread plays, if any."""
    return getattr(_here, "actor", None)


@contextmanager
def playing(actor: Stops) -> Iterator[None]:
    """Let this thread be `actor`."""
    _here.actor = actor
    try:
        yield
    finally:
        _here.actor = None


@contextmanager
def stepped(engine: Engine, *, options: str) -> Iterator[None]:
    """Make the engine's connections ask, and give the server `options` for each."""

    def connect(_dialect: Any, _record: Any, _args: Any, facts: dict[str, Any]) -> None:
        facts["connection_factory"] = SteppedConnection
        facts["options"] = f"{facts.get('options', '')} {options}".strip()

    engine.dispose()
    event.listen(engine, "do_connect", connect)
    try:
        yield
    finally:
        event.remove(engine, "do_connect", connect)
        engine.dispose()


@contextmanager
def instead(module: Any, name: str, of_actor: Callable[..., Any]) -> Iterator[None]:
    """Replace a function for actors: `of_actor(actor, *args)`; others keep the real one."""
    real = getattr(module, name)

    def either(*args: Any, **options: Any) -> Any:
        actor = current()
        return real(*args, **options) if actor is None else of_actor(actor, *args, **options)

    setattr(module, name, either)
    try:
        yield
    finally:
        setattr(module, name, real)
