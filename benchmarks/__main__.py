"""`make bench`: what GigMate costs beside a bare program, on this machine, in this run."""

import argparse
import json
import os
import pickle
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg2
from flask import Flask
from sqlalchemy import make_url

from benchmarks import load, machine, report
from benchmarks.scenarios import SCENARIOS, SIDES, Scenario, Stage
from benchmarks.server import NO_END, Server
from config import ENVIRONMENT, ROOT, STATE
from utils import dev_database

HOME = STATE / "bench-postgres"
CONNECTIONS = 16
# Nobody sells as much as a load; what is counted is counted all the same.
WORLDS = {"small": 10_000, "large": 1_000_000}
GROWS = ("hot_hold", "refused", "event_list", "event_detail", "booking_list", "check_in")
Result = dict[str, Any]


def main() -> int:
    """Measure, and say what came of it; 1 when a bar is missed."""
    asked = _arguments()
    if shutil.which("wrk") is None:
        print("Skipped: wrk, the load generator, is not installed (on Debian: apt install wrk).")
        return 0
    for variable in ENVIRONMENT:
        os.environ.pop(variable, None)
    if asked.list:
        print("\n".join([*SCENARIOS, *report.STUDIES]))
        return 0
    if asked.report_only:
        report.write(json.loads(asked.json.read_text()), ROOT / "docs")
        return 0
    worlds = {name: count for name, count in WORLDS.items() if name in asked.worlds}
    result: Result = {"machine": machine.described(), "seconds": asked.seconds, "worlds": {}}
    result |= {"rounds": asked.rounds, "connections": CONNECTIONS}
    started = time.monotonic()
    for name, bookings in worlds.items():
        only = asked.only or (GROWS if name == "large" else ())
        result["worlds"][name] = _measured(
            bookings, asked.seconds, asked.rounds, only, fresh=asked.fresh
        )
    result["took_seconds"] = round(time.monotonic() - started)
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(json.dumps(result, indent=2))
    print(report.table(result))
    if asked.report:
        report.write(result, ROOT / "docs")
    missed = report.missed(result)
    for line in missed:
        print(f"MISSED: {line}")
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="of each load (default 4)")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds (default 3)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="some scenarios")
    parser.add_argument("--list", action="store_true", help="name the scenarios and stop")
    parser.add_argument(
        "--worlds",
        nargs="+",
        choices=WORLDS,
        default=["small"],
        help="10,000 or 1,000,000 bookings (default: small)",
    )
    parser.add_argument("--fresh", action="store_true", help="seed anew what earlier runs left")
    parser.add_argument(
        "--json", type=Path, default=STATE / "bench.json", help="where the figures go"
    )
    parser.add_argument("--report", action="store_true", help="write docs/performance.md")
    parser.add_argument(
        "--report-only", action="store_true", help="write it from the figures of the last run"
    )
    return parser.parse_args()


def _measured(
    bookings: int, seconds: float, rounds: int, only: Collection[str], *, fresh: bool
) -> Result:
    with ExitStack() as stack:
        uri, postmaster = stack.enter_context(_database(bookings, fresh=fresh))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        app = _app(uri)
        with app.app_context():
            stage = Stage(app.test_client(), rounds, _tell)
            scenarios = stage.build(name for name in only or SCENARIOS if name in SCENARIOS)
        recipes = folder / "recipes"
        kept = {each.name: each.recipe for each in scenarios if each.recipe}
        kept["confirm"] = stage.confirm
        people = [person.facts for person in stage.people]
        things = {each.name: each.things for each in scenarios}
        things["confirm"] = things.get("hold_and_confirm", [])
        recipes.write_bytes(pickle.dumps((kept, people, things)))
        log = STATE / "bench.log"
        settings = {"DATABASE_URI": uri, "SECRET_KEY": app.config["SECRET_KEY"]} | NO_END
        bare = {"BARE_RECIPES": str(recipes), "BARE_DATABASE": _plain(uri), "DATABASE_URI": uri}
        servers = {
            "bare": Server("benchmarks.bare:app", "/", log, **bare),
            "gigmate": Server("main:create_app()", "/ready", log, **settings),
        }
        for server in servers.values():
            stack.enter_context(server)
        found: Result = {"bookings": bookings, "scenarios": {}}
        for scenario in scenarios:
            _tell(f"measuring {scenario.name}")
            loaded = _loaded(scenario, servers, postmaster, seconds, rounds)
            found["scenarios"][scenario.name] = loaded
        for name, study in report.STUDIES.items():
            if not only or name in only:
                _tell(f"measuring {name}")
                found[name] = study.measured(app, _plain(uri))
        found["worker_mb"] = round(servers["gigmate"].resident_mb(), 1)
        found["bare_worker_mb"] = round(servers["bare"].resident_mb(), 1)
        return found


def _loaded(
    scenario: Scenario, servers: dict[str, Server], postmaster: int, seconds: float, rounds: int
) -> Result:
    """The medians of alternating rounds.

    The other side of a scenario that has something `beside` it is GigMate left alone.
    """
    if scenario.beside:
        servers = dict.fromkeys(SIDES, servers["gigmate"])
    measured: dict[str, list[Result]] = {side: [] for side in scenario.sides}
    for side in scenario.sides:
        warm = scenario.script(side, rounds)
        server = servers.get(side, servers["gigmate"])
        load.run(server.address, warm, seconds=1, connections=CONNECTIONS)
    for number in range(rounds):
        for side in scenario.sides:
            server = servers.get(side, servers["gigmate"])
            script = scenario.script(side, number)
            before = server.cpu(), machine.cpu_of(postmaster)
            with ExitStack() as stack:
                if scenario.beside and side == "gigmate":
                    stack.enter_context(scenario.beside(server.address))
                outcome = load.run(server.address, script, seconds=seconds, connections=CONNECTIONS)
            after = server.cpu(), machine.cpu_of(postmaster)
            per_request = 1000 / max(outcome.requests, 1)
            measured[side].append(
                asdict(outcome)
                | {
                    "client_ms": outcome.client_cpu * per_request,
                    "server_ms": (after[0] - before[0]) * per_request,
                    "database_ms": (after[1] - before[1]) * per_request,
                }
            )
    facts: Result = {"title": scenario.title, "bar": scenario.bar}
    facts["statements"] = len(scenario.recipe.steps) if scenario.recipe else None
    for side, outcomes in measured.items():
        facts[side] = {
            name: round(statistics.median(each[name] for each in outcomes), 3)
            for name in outcomes[0]
        }
        facts[side]["rates"] = [round(each["rate"], 1) for each in outcomes]
        wrong = [each for each in outcomes if _is_wrong(scenario, side, each)]
        facts[side]["wrong_rounds"] = len(wrong)
    if "bare" in facts:
        facts["ratio"] = round(facts["gigmate"]["rate"] / facts["bare"]["rate"], 3)
    facts["others"] = {
        side: {
            "title": f"… with {title}",
            "bar": scenario.share,
            "ratio": round(facts[side]["rate"] / facts["gigmate"]["rate"], 3),
            "statements": None,
            "gigmate": facts.pop(side),
        }
        for side, title in scenario.others.items()
    }
    return facts


def _is_wrong(scenario: Scenario, side: str, outcome: Result) -> bool:
    """Whether answers were not those that the scenario is about."""
    meant = outcome["requests"] if scenario.refused else 0
    return bool(outcome["failed"]) or abs(outcome["refused"] - meant) > outcome["requests"] * 0.01


@contextmanager
def _database(bookings: int, *, fresh: bool) -> Iterator[tuple[str, int]]:
    """A seeded database of its own, on a server with the settings of production."""
    server = dev_database.start(HOME)
    seeded, name = f"seeded_{bookings}", f"bench_{bookings}"
    admin = psycopg2.connect(_plain(server))
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname = %s", [seeded])
        known = cursor.fetchone() is not None
        if known and fresh:
            cursor.execute(f"DROP DATABASE {seeded} WITH (FORCE)")
        if fresh or not known:
            _tell(f"seeding a world of {bookings:,} bookings (kept for the next run)")
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}")
            uri = make_url(server).set(database=name).render_as_string(hide_password=False)
            _flask(uri, "db", "create")
            _flask(uri, "db", "seed", "--size", "large", "--bookings", str(bookings))
            cursor.execute(f"ALTER DATABASE {name} RENAME TO {seeded}")
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {seeded}")
    uri = make_url(server).set(database=name).render_as_string(hide_password=False)
    _flask(uri, "db", "create")  # what was kept may lack a migration
    yield uri, _parent(admin)
    with admin.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    admin.close()


def _plain(uri: str) -> str:
    """An address as psycopg2 reads it."""
    return make_url(uri).set(drivername="postgresql").render_as_string(hide_password=False)


def _parent(admin: Any) -> int:
    """The process that all of PostgreSQL's others are children of."""
    with admin.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [(backend,)] = cursor.fetchall()
    return machine.parent(backend)


def _app(uri: str) -> Flask:
    from main import create_app

    endless = {"sell_limit": NO_END["SELL_LIMIT"]}
    endless |= {"hold_budget_minutes": int(NO_END["HOLD_BUDGET_MINUTES"])}
    return create_app({"database_uri": uri, "log_level": "ERROR", **endless})


def _flask(uri: str, *arguments: str) -> None:
    environment = {**os.environ, "DATABASE_URI": uri}
    command = [sys.executable, "-m", "flask", *arguments]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
