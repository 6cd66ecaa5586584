"""Several processes that explore at once, each on a database of its own."""

import multiprocessing
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import click

from tests.explore.controls import CONTROLS, Control
from tests.explore.databases import application, ignore_the_environment
from tests.explore.explorer import Explored, Finding, explore
from tests.explore.laboratory import Laboratory, laboratory
from tests.explore.scenarios import Scenario


@dataclass(frozen=True)
class Controlled:
    """What became of a control."""

    name: str
    orderings: int
    finding: Finding | None
    applied: bool

    @property
    def good(self) -> bool:
        return self.finding is not None and self.applied


@dataclass
class Report:
    """All that was found."""

    seed: int
    jobs: int
    full: bool
    seconds: float = 0.0
    explored: list[Explored] = field(default_factory=list)
    controls: list[Controlled] = field(default_factory=list)

    @property
    def orderings(self) -> int:
        return sum(one.orderings for one in self.explored)

    @property
    def findings(self) -> list[Finding]:
        return [finding for one in self.explored for finding in one.findings]

    @property
    def good(self) -> bool:
        return not self.findings and all(control.good for control in self.controls)


class Company:
    """Processes that take scenarios from one list; use it as a context."""

    def __init__(self, uris: Sequence[str], *, seed: int, full: bool) -> None:
        context = multiprocessing.get_context("spawn")
        addresses = context.SimpleQueue()
        for uri in uris:
            addresses.put(uri)
        self.report = Report(seed, len(uris), full)
        self._pool = ProcessPoolExecutor(
            len(uris), mp_context=context, initializer=_begin, initargs=(addresses, seed)
        )

    def __enter__(self) -> "Company":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def explore(
        self, scenarios: Sequence[Scenario], controls: Sequence[Control], *, at_most: int | None
    ) -> Report:
        """Everything explored; progress goes to stderr."""
        # The long ones first, so that nobody is left alone with one at the end.
        ordered = sorted(scenarios, key=lambda scenario: not scenario.strikes)
        started = time.perf_counter()
        jobs: list[Future[Any]] = [
            self._pool.submit(_explore, scenario, self.report.full, at_most) for scenario in ordered
        ]
        jobs += [self._pool.submit(_control, control.name) for control in controls]
        for number, job in enumerate(as_completed(jobs), 1):
            done = job.result()
            kept: list[Any] = (
                self.report.controls if isinstance(done, Controlled) else self.report.explored
            )
            kept.append(done)
            self.report.seconds = time.perf_counter() - started
            _tell(self.report, number, len(jobs))
        order = {scenario.name: n for n, scenario in enumerate(scenarios)}
        self.report.explored.sort(key=lambda one: order[one.scenario])
        return self.report


def _tell(report: Report, number: int, of: int) -> None:
    line = f"{number}/{of} scenarios, {report.orderings} orderings, {report.seconds:.0f} s"
    line += f", {len(report.findings)} findings" if report.findings else ""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{line}", nl=number == of, err=True)
    elif number == of or number % 10 == 0:
        click.echo(line, err=True)


# --- In the processes

_room: list[Laboratory] = []
_open = ExitStack()


def _begin(addresses: Any, seed: int) -> None:
    ignore_the_environment()
    app = application(addresses.get())
    _room.append(_open.enter_context(laboratory(app, seed=seed)))


def _explore(scenario: Scenario, full: bool, at_most: int | None) -> Explored:
    return explore(_room[0], scenario, reduced=not full, at_most=at_most)


def _control(name: str) -> Controlled:
    control = next(control for control in CONTROLS if control.name == name)
    return run_control(_room[0], control)


def run_control(room: Laboratory, control: Control) -> Controlled:
    """Explore a control up to the first ordering that goes wrong."""
    explored = explore(room, control.scenario, sabotaged=control.on, first_only=True)
    finding = explored.findings[0] if explored.findings else None
    if finding is not None:
        finding = Finding(control.name, finding.schedule, finding.reasons)
    return Controlled(control.name, explored.orderings, finding, control.applied)
