"""Explore every interleaving of two operations of the box office: `python -m tests.explore`.

Exits 0 when every ordering ended well and every control went wrong, 1 when not, 2 for a mistake
on the command line.
"""

import argparse
import sys
from pathlib import Path

from tests.explore import report
from tests.explore.company import Company
from tests.explore.controls import CONTROLS, Control
from tests.explore.databases import application, databases, ignore_the_environment
from tests.explore.laboratory import laboratory
from tests.explore.replay import replay
from tests.explore.scenarios import Scenario, all_scenarios

AT_MOST = 100  # orderings of a scenario: most have fewer


def main(arguments: list[str] | None = None) -> int:
    parser = _parser()
    wanted = parser.parse_args(arguments)
    scenarios = _chosen(parser, wanted.pair)
    if wanted.list:
        report.list_scenarios(scenarios, CONTROLS)
        return 0
    ignore_the_environment()
    if wanted.replay:
        return _replay(parser, wanted)
    controls = CONTROLS if wanted.controls and not wanted.pair else ()
    jobs = max(1, min(wanted.jobs, len(scenarios)))
    with databases(jobs) as uris, Company(uris, seed=wanted.seed, full=wanted.full) as company:
        found = company.explore(scenarios, controls, at_most=wanted.at_most or None)
    report.print_table(found)
    if wanted.json:
        report.write_json(found, Path(wanted.json))
    return 0 if found.good else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.explore",
        description="Run pairs of operations on two real sessions, in every order of their "
        "statements that can make a difference, and look after each commit whether all is well.",
    )
    parser.add_argument(
        "--pair", action="append", metavar="A,B", help="only this pair, as claim,reap; may repeat"
    )
    parser.add_argument("--list", action="store_true", help="list the scenarios and the controls")
    parser.add_argument("--replay", metavar="NAME:STEPS", help="run one ordering, step by step")
    parser.add_argument(
        "--seed", type=int, default=0, help="of what claims draw by lot (%(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes (%(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write the figures and findings here")
    parser.add_argument(
        "--at-most",
        type=int,
        default=AT_MOST,
        metavar="N",
        help="of one scenario run no more orderings than this, 0 for all; the table says where"
        " it did so (%(default)s)",
    )
    parser.add_argument(
        "--full",
        action="store_true",
        help="run also the orderings that only swap steps which commute: very many",
    )
    parser.add_argument(
        "--no-controls", dest="controls", action="store_false", help="leave the controls out"
    )
    return parser


def _chosen(parser: argparse.ArgumentParser, pairs: list[str] | None) -> list[Scenario]:
    scenarios = all_scenarios()
    if not pairs:
        return scenarios
    wanted = {frozenset(name.strip().replace("-", " ") for name in p.split(",")) for p in pairs}
    chosen = [scenario for scenario in scenarios if frozenset(scenario.operations) in wanted]
    if not chosen:
        parser.error("no scenario has this pair; see --list")
    return chosen


def _replay(parser: argparse.ArgumentParser, wanted: argparse.Namespace) -> int:
    name, _, schedule = wanted.replay.rpartition(":")
    known: dict[str, Scenario | Control] = {scenario.name: scenario for scenario in all_scenarios()}
    known |= {control.name: control for control in CONTROLS}
    if name not in known or not schedule or set(schedule) - set("abt"):
        parser.error("--replay wants the name of a scenario or control, a colon, and steps: aabbt")
    with databases(1) as [uri], laboratory(application(uri), seed=wanted.seed) as room:
        return replay(room, known[name], schedule)


if __name__ == "__main__":
    sys.exit(main())
