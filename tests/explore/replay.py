"""One ordering again, step by step, with the statements."""

from contextlib import nullcontext

import click

from tests.explore.controls import Control
from tests.explore.explorer import against, serial_ends
from tests.explore.laboratory import Laboratory
from tests.explore.ordering import LETTERS, Moment, Ordering
from tests.explore.scenarios import Scenario

WIDTH = 150


def replay(laboratory: Laboratory, of: Scenario | Control, schedule: str) -> int:
    """Run and print an ordering; 1 if it must not be."""
    scenario = of.scenario if isinstance(of, Control) else of
    serial = set(serial_ends(laboratory, scenario))
    with of.on() if isinstance(of, Control) else nullcontext():
        ordering = laboratory.play(scenario, following(schedule))
        reasons = against(laboratory, scenario, ordering, serial)
    _print(scenario, ordering)
    for reason in reasons:
        click.echo(f"  must not be: {reason}")
    return 1 if reasons else 0


def following(schedule: str):
    """Choose as the schedule says, and beyond its end whoever can go."""

    def choose(moment: Moment) -> int:
        if moment.number < len(schedule):
            actor = LETTERS.index(schedule[moment.number])
            if actor in moment.ready:
                return actor
        return moment.last if moment.last in moment.ready else moment.ready[0]

    return choose


def _print(scenario: Scenario, ordering: Ordering) -> None:
    click.echo(f"{scenario.name}:{ordering.schedule}")
    for name, letter in zip(scenario.operations, LETTERS, strict=False):
        click.echo(f"  {letter} = {name}")
    for number, event in enumerate(ordering.events):
        words = " ".join(event.step.sql.split())
        waits = "  (waits for a lock)" if event.waited else ""
        indent = "    " * event.actor
        click.echo(f"{number:4} {indent}{LETTERS[event.actor]}  {words[:WIDTH]}{waits}")
    for letter, outcome in zip(LETTERS, ordering.outcomes, strict=False):
        click.echo(f"  {letter}: {outcome}")
