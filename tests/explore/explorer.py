"""A scenario explored: all its orderings, and those among them that must not be."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import permutations

from tests.explore.laboratory import Laboratory
from tests.explore.ordering import Choose, Moment, Ordering
from tests.explore.scenarios import Scenario
from tests.explore.search import orderings

Told = tuple[str, ...]
End = tuple[Told, str]  # what both were told, and what the database has come to


@dataclass(frozen=True)
class Finding:
    """An ordering that must not be, and why."""

    scenario: str
    schedule: str
    reasons: tuple[str, ...]


@dataclass
class Explored:
    """What exploring a scenario has shown."""

    scenario: str
    pair: str
    orderings: int = 0
    repeated: int = 0  # broken off, as they repeated another
    steps: int = 0
    waits: int = 0
    capped: bool = False
    seconds: float = 0.0
    ends: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def note(self, ordering: Ordering, reasons: list[str]) -> None:
        """Count an ordering, and keep what speaks against it."""
        self.orderings += 1
        self.steps += len(ordering.events)
        self.waits += any(event.waited for event in ordering.events)
        self.ends[" | ".join(ordering.outcomes[:2])] += 1
        if reasons:
            self.findings.append(Finding(self.scenario, ordering.schedule, tuple(reasons)))


def explore(
    laboratory: Laboratory,
    scenario: Scenario,
    *,
    reduced: bool = True,
    first_only: bool = False,
    at_most: int | None = None,
    sabotaged: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> Explored:
    """Run all orderings of a scenario; `first_only` stops at the first that must not be."""
    explored = Explored(scenario.name, scenario.pair)
    started = time.perf_counter()
    serial = set(serial_ends(laboratory, scenario))
    with sabotaged():
        for ordering in orderings(lambda c: laboratory.play(scenario, c), reduced=reduced):
            if not ordering.complete:
                explored.repeated += 1
                continue
            explored.note(ordering, against(laboratory, scenario, ordering, serial))
            if first_only and explored.findings:
                break
            if explored.orderings == at_most:
                explored.capped = True
                break
    explored.seconds = time.perf_counter() - started
    return explored


def against(
    laboratory: Laboratory, scenario: Scenario, ordering: Ordering, serial: set[End]
) -> list[str]:
    """What speaks against an ordering that has just been run."""
    if not laboratory.judge.looked:  # each commit was followed by a look
        laboratory.judge.look()
    reasons = list(laboratory.judge.breaches)
    reasons += [f"500: {crash}" for crash in ordering.crashes]
    if ordering.deadlock:
        reasons.append("deadlock")
    end = end_of(laboratory, ordering)
    if not reasons and end not in serial and not scenario.allows(end[0], serial_told(end, serial)):
        told, state = end
        reasons.append(f"no serial order ends so: {' | '.join(told)}: {state}")
    return reasons


def serial_told(end: End, serial: set[End]) -> list[Told]:
    """What both are told in the serial orders after which the database is the same."""
    return [told for told, state in serial if state == end[1]]


def end_of(laboratory: Laboratory, ordering: Ordering) -> End:
    """How an ordering ended, comparable with others."""
    return tuple(ordering.outcomes), laboratory.judge.state()


def serial_ends(laboratory: Laboratory, scenario: Scenario) -> Iterator[End]:
    """How it ends when the operations, and the clock, come one after the other."""
    for order in permutations(range(3 if scenario.strikes else 2)):
        ordering = laboratory.play(scenario, one_after_the_other(order))
        yield end_of(laboratory, ordering)


def one_after_the_other(order: tuple[int, ...]) -> Choose:
    """Let each finish before the next begins."""

    def choose(moment: Moment) -> int:
        return next(actor for actor in order if actor in moment.ready)

    return choose
