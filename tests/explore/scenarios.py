"""Who meets whom, and in which world."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations_with_replacement

from tests.explore.worlds import Layout

PAIRED = (
    "claim",
    "reap",
    "confirm",
    "extend",
    "change",
    "cancel",
    "cancel show",
    "raise capacity",
    "lower capacity",
    "check in",
)
ON_THE_HOLD = {"confirm", "extend", "change", "shrink", "cancel"}
OVER = {"hold-expired", "booking-moved-on", "show-cancelled"}
TAKERS = {"claim", "change"}  # of one place


@dataclass(frozen=True)
class Scenario:
    """Two operations in a world; perhaps a hold runs out at some moment of it."""

    operations: tuple[str, str]
    layout: Layout
    strikes: bool = False
    note: str = ""

    def allows(self, told: tuple[str, ...], serial: list[tuple[str, ...]]) -> bool:
        """Whether what both were told is as good as one of `serial`, that end in the same state.

        What refuses because the thing is over may say so in any of the words for it.
        """
        return any(
            all(one == other or {one, other} <= OVER for one, other in zip(told, also, strict=True))
            for also in serial
        )

    @property
    def name(self) -> str:
        name = "+".join(self.operations).replace(" ", "-")
        extra = [self.note.replace(" ", "-")] if self.note else []
        extra += ["time-runs-out"] if self.strikes else []
        return "@".join([name, *extra])

    @property
    def pair(self) -> str:
        return ", ".join(self.operations)


def all_scenarios() -> list[Scenario]:
    """Every pair of PAIRED, those whose hold can run out once more so, and some of their kin."""
    found: dict[str, Scenario] = {}
    for one, other in combinations_with_replacement(PAIRED, 2):
        for scenario in _of_pair(one, other):
            found[scenario.name] = scenario
    for scenario in _kin():
        found[scenario.name] = scenario
    return list(found.values())


def _of_pair(one: str, other: str) -> Iterator[Scenario]:
    """One place too few for both, where both take; else none free but what somebody lets go."""
    pair = (one, other)
    both = set(pair)
    dead = "reap" in both
    takes = [name for name in pair if name in TAKERS]
    contended = len(takes) == 2 or both & {"cancel show", "lower capacity"}
    yield Scenario(pair, Layout(free=int(bool(contended)) if not dead else 0, dead=dead))
    if both & ON_THE_HOLD:
        yield Scenario(pair, Layout(free=int("change" in both)), strikes=True)


def _kin() -> Iterator[Scenario]:
    """What is near to the pairs, and has gone wrong elsewhere."""
    yield Scenario(("claim", "claim"), Layout(free=2), note="one each")
    yield Scenario(("claim", "claim"), Layout(dead=True), note="a dead hold")
    yield Scenario(("claim at the limit",) * 2, Layout(free=4, limit=3))
    yield Scenario(("claim with key",) * 2, Layout(free=2))
    yield Scenario(("claim", "claim as guest"), Layout(free=1))
    yield Scenario(("claim", "shrink"), Layout())
    yield Scenario(("change", "shrink"), Layout(free=1))
    yield Scenario(("claim", "cancel sold"), Layout())
    yield Scenario(("cancel sold", "check in"), Layout())
    yield Scenario(("claim as guest", "delete organiser"), Layout(free=1))
    yield Scenario(("confirm", "rename holder"), Layout())
