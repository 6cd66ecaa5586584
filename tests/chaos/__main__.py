"""The command line of `make chaos`."""

import argparse
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import event

import config
from init import db
from tests.chaos import report
from tests.chaos.report import Played, Run
from tests.chaos.result import Result, played
from tests.chaos.scenarios import Scenario, scenarios
from tests.chaos.server import DoesNotStart, House, house
from tests.chaos.stage import Play, Stage
from utils.dev_database import NoPostgres

HELP = """\
Sell under fire: crowds, duplicates, killed workers, a killed PostgreSQL, deployments.

Runs its own PostgreSQL (durable settings) and gunicorn, looks at the invariants every 250 ms
meanwhile, and afterwards holds the books against what every buyer was told. Each scenario has a
control, something deliberately broken in which the same checks must notice it."""

EPILOGUE = """\
exit code: 0 when every number holds and every control failed; 1 when not, with the lines that say
which; 2 for a wrong command line, or where nothing can be started; 130 when interrupted. Leaves
nothing behind."""

FILES_NEEDED = 4096


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; the exit code."""
    parser = _parser()
    wanted = parser.parse_args(arguments)
    everything = scenarios(quick=wanted.quick)
    if wanted.list:
        for scenario in everything:
            print(f"{scenario.name:<16} {scenario.title}; control: {scenario.control.title}")
        return 0
    names = [scenario.name for scenario in everything]
    for name in wanted.only or ():
        if name not in names:
            parser.error(f"there is no scenario {name}: choose from {', '.join(names)}")
    chosen = [s for s in everything if not wanted.only or s.name in wanted.only]
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        run = _run(chosen, wanted)
    except (DoesNotStart, NoPostgres) as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted; nothing is left behind.", file=sys.stderr)
        return 130
    text = json.dumps(report.as_json(run), indent=2) + "\n"
    if wanted.json == "-":
        sys.stdout.write(text)
    else:
        print(report.as_text(run))
        if wanted.json:
            Path(wanted.json).write_text(text)
    return 1 if run.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=HELP,
        epilog=EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1, help="repeats a run (default: %(default)s)")
    parser.add_argument("--only", action="append", metavar="NAME", help="one scenario; repeatable")
    parser.add_argument("--json", metavar="FILE", help="also write JSON; `-` prints it instead")
    parser.add_argument("--list", action="store_true", help="list the scenarios and stop")
    parser.add_argument("--quick", action="store_true", help="shorter plays, for a first look")
    return parser


def _run(chosen: Sequence[Scenario], wanted: argparse.Namespace) -> Run:
    _allow_many_files()
    began = time.monotonic()
    _tell("PostgreSQL and the API are starting.")
    with house() as opened:
        app = _app(opened)
        stage = Stage(opened, app, seed=wanted.seed, quick=wanted.quick)
        ((version,),) = opened.postgres.run("SHOW server_version")
        run = Run(wanted.seed, wanted.quick, version.split()[0])
        for number, scenario in enumerate(chosen, 1):
            _tell(f"{number}/{len(chosen)} {scenario.name}: {scenario.title}")
            one = Played(scenario, _play(stage, scenario), _play_control(stage, scenario))
            for line in one.failures:
                _tell(f"  {line}")
            run.played.append(one)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
    run.seconds = time.monotonic() - began
    return run


def _play(stage: Stage, scenario: Scenario) -> Result:
    play = Play(scenario.name, stage, stage.real())
    return played(scenario.name, scenario.title, play, scenario.play)


def _play_control(stage: Stage, scenario: Scenario) -> Result:
    control = scenario.control
    play = Play(f"{scenario.name}-control", stage, control.seller(stage))
    return played(play.name, control.title, play, control.play)


def _app(opened: House) -> Flask:
    """The application in this process: it makes the tables and what is for sale, and verifies."""
    for variable in (*config.ENVIRONMENT, "FLASK_DEBUG"):
        os.environ.pop(variable, None)
    config.load_dotenv = lambda *_args: False  # a developer's .env is not our business
    from main import create_app  # reads the environment

    app = create_app(
        {
            "database_uri": opened.postgres.uri,
            "secret_key": opened.secret,
            "log_level": "CRITICAL",
        }
    )
    with app.app_context():
        upgrade()

        @event.listens_for(db.engine, "connect")
        def name_ourselves(connected, _record) -> None:
            """What cuts the API's connections must not cut the watcher's."""
            with connected.cursor() as cursor:
                cursor.execute("SET application_name = 'chaos'")
            connected.commit()

        db.engine.dispose()
    return app


def _allow_many_files() -> None:
    """A thousand buyers are a thousand sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_NEEDED if hard == resource.RLIM_INFINITY else min(FILES_NEEDED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _interrupted(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
