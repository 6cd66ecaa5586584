"""The seat maps of the demo world's halls, drawn: in the likeness of the real ones.

The front of the stage is at (0, 0), in seats' widths; y grows away from it.
"""

from collections.abc import Callable, Iterable, Sequence
from math import cos, pi, sin, tau
from typing import Any

from models import layout
from models.layout import WantedRow, WantedSeat, WantedSection
from models.seat_map import SeatKind, SectionKind

ROWS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # as in most theatres, no row is called I or O
ROW_APART, AISLE = 1.1, 1.4
Drawn = Callable[[float, float], tuple[float, float]]  # along its row, and which row it is
Corners = tuple[tuple[float, float], ...]


def stage(width: float, depth: float, label: str = "Stage") -> dict[str, Any]:
    """A stage whose front is in the middle of all."""
    return {"x": -width / 2, "y": -depth, "width": width, "height": depth, "label": label}


def box(x: float, y: float, width: float, depth: float) -> Corners:
    """The corners of a floor."""
    return (x, y), (x + width, y), (x + width, y + depth), (x, y + depth)


def standing(name: str, capacity: int, outline: Corners | None = None) -> WantedSection:
    """A floor."""
    return WantedSection(name, SectionKind.STANDING, capacity, outline=outline)


def seated(
    name: str,
    widths: Iterable[int],
    drawn: Drawn,
    *,
    aisles: int = 0,
    labels: Sequence[str] = ROWS,
    wheelchairs: int | None = None,
) -> WantedSection:
    """Rows from the stage back, each with so many seats and aisles.

    Row `wheelchairs` (-1: the last) has an accessible seat at either end, each with a companion's.
    """
    widths = list(widths)
    special = None if wheelchairs is None else wheelchairs % len(widths)
    rows = []
    for depth, (label, width) in enumerate(zip(labels, widths, strict=False)):
        after = {round(width * (n + 0.5) / aisles) for n in range(aisles)} if aisles > 1 else set()
        if aisles == 1:
            after = {width // 2}
        along = 0.0
        places = []
        for n in range(width):
            along += AISLE if n in after else 0.0
            places.append(along + n)
        middle = (places[0] + places[-1]) / 2
        kinds: dict[int, SeatKind] = {}
        if depth == special:
            kinds = {0: SeatKind.ACCESSIBLE, width - 1: SeatKind.ACCESSIBLE}
            kinds |= {1: SeatKind.COMPANION, width - 2: SeatKind.COMPANION}
        seats = []
        for n, place in enumerate(places):
            x, y = drawn(place - middle, depth * ROW_APART)
            seats.append(
                WantedSeat(str(n + 1), n in after, kinds.get(n), False, round(x, 2), round(y, 2))
            )
        rows.append(WantedRow(label, tuple(seats)))
    return layout.seated(name, rows)


def arc(front: float, *, flatter: float = 1.0) -> Drawn:
    """Rows on circles round the stage, the first so far from it."""

    def drawn(along: float, depth: float) -> tuple[float, float]:
        radius = (front + depth) * flatter
        return radius * sin(along / radius), radius * cos(along / radius) - radius + front + depth

    return drawn


def behind(front: float) -> Drawn:
    """Straight rows behind the stage, looking at its back."""
    return lambda along, depth: (-along, -front - depth)


def sides(x: float, y: float) -> Drawn:
    """Rows of which one half is on the left of the hall and the other on the right."""

    def drawn(along: float, depth: float) -> tuple[float, float]:
        if along < 0:
            return -x - depth, y - along
        return x + depth, y + along

    return drawn


def turned(x: float, y: float, angle: float) -> Drawn:
    """Straight rows from (x, y) on, their backs in this direction; 0 is away from the stage."""

    def drawn(along: float, depth: float) -> tuple[float, float]:
        return (
            x + along * cos(angle) + depth * sin(angle),
            y - along * sin(angle) + depth * cos(angle),
        )

    return drawn


def bowl(
    names: Sequence[str],
    widths: Sequence[int],
    *,
    across: float,
    deep: float,
    middle: float,
    opening: float = 0.9,
) -> list[WantedSection]:
    """Blocks round an oval, from the left of the stage to its right; none behind it.

    `across` and `deep` are half its axes, `middle` is how far its centre is from the stage, and
    `opening` is the angle to either side of the stage that is left free.
    """
    blocks = []
    span = tau - 2 * opening
    for n, name in enumerate(names):
        # Beyond the stage is the angle 0, clockwise from the left.
        angle = -pi + opening + span * (n + 0.5) / len(names)
        x, y = across * sin(angle), middle + deep * cos(angle)
        outward = turned(x, y, angle)
        labels = [str(row + 1) for row in range(len(widths))]
        blocks.append(seated(name, widths, outward, aisles=1, labels=labels, wheelchairs=0))
    return blocks


def tables(name: str, *, count: int, seats: int, at: tuple[float, float]) -> WantedSection:
    """Tables side by side from here to the right, with seats round each."""
    rows = []
    for n in range(count):
        drawn = layout.round_table(seats, (at[0] + n * 4.0, at[1]))
        placed = [WantedSeat(str(seat + 1), x=x, y=y) for seat, (x, y) in enumerate(drawn)]
        rows.append(WantedRow(f"T{n + 1}", tuple(placed)))
    return WantedSection(name, SectionKind.TABLES, count * seats, tuple(rows))
