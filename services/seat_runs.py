"""Free seats as runs of neighbours, and the best block of a size in them: over plain values.

Seats come in the order in which they are to be sold: section by section, in each by `ordinal`, so
that the best row is first and neighbours differ by one. A *run* is a row of free neighbours; a
*block* is what a party takes of one run. Accessible and companion seats are walls to everybody
who does not ask for an accessible seat.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from typing import NamedTuple

from models.seat_map import SeatKind

Cost = tuple[int, ...]


class Seat(NamedTuple):
    """A free seat. `section` counts in the order in which sections are to be sold."""

    id: int
    stock_id: int
    section: int
    row: str
    ordinal: int
    off_centre: int
    kind: str | None
    key: str


class Run(NamedTuple):
    """Free neighbours, and how many rows come before theirs."""

    rank: int
    seats: list[Seat]


class Block(NamedTuple):
    """What a party would take of a run; the smaller `cost` is the better one."""

    cost: Cost
    seats: list[Seat]
    run: Run


def stranded(free: Iterable[Seat], taken: Iterable[Seat]) -> list[Seat]:
    """The seats that are left alone when `taken` go, and had a free neighbour before."""
    gone = {seat.id for seat in taken}
    return [
        left[0]
        for run in runs_of(free)
        if len(run.seats) > 1
        for left in _pieces(run.seats, gone)
        if len(left) == 1
    ]


def runs_of(seats: Iterable[Seat], *, any_kind: bool = False) -> list[Run]:
    """The runs of free seats, in order: of ordinary ones, or of those of any kind."""
    runs: list[Run] = []
    run: list[Seat] = []
    rank, row, section, expected = -1, None, -1, -1
    for seat in seats:
        if seat.row != row or seat.section != section:
            rank, row, section, expected = rank + 1, seat.row, seat.section, -1
        if not any_kind and seat.kind is not None:
            expected = -1
            continue
        if seat.ordinal != expected:
            run = []
            runs.append(Run(rank, run))
        run.append(seat)
        expected = seat.ordinal + 1
    return runs


def without(seats: Iterable[Seat], taken: Iterable[Seat]) -> list[Seat]:
    """The seats but for some of them, in the same order."""
    gone = {seat.id for seat in taken}
    return [seat for seat in seats if seat.id not in gone]


def best_block(
    runs: Iterable[Run], size: int, accessible: int = 0, *, is_all: bool = True
) -> Block | None:
    """The best block of a size; unless these are all runs, only one that strands nobody."""
    best: Block | None = None
    for _rank, row in groupby(
        (run for run in runs if len(run.seats) >= size), lambda run: run.rank
    ):
        blocks = (best_in(run, size, accessible) for run in row)
        of_row = min((block for block in blocks if block), default=None)
        if of_row is not None and not of_row.cost[0]:
            return of_row
        best = min((block for block in (best, of_row) if block), default=None)
    return best if is_all else None


def best_in(run: Run, size: int, accessible: int = 0) -> Block | None:
    """The best block of a size in a run that is long enough, with so many accessible seats."""
    if accessible:
        return _best_accessible_in(run, size, accessible)
    rank, seats = run
    last = len(seats) - size
    sums = list(accumulate((seat.off_centre for seat in seats), initial=0))
    strands, off_centre, start = min(
        ((begin == 1) + (begin == last - 1), abs(sums[begin + size] - sums[begin]), begin)
        for begin in range(last + 1)
    )
    cost = strands, int(size == 1), size * rank, off_centre, seats[start].ordinal
    return Block(cost, seats[start : start + size], run)


def _best_accessible_in(run: Run, size: int, accessible: int) -> Block | None:
    """The same among seats of any kind.

    Within a row it is better to leave no other accessible seat without its companion, then to
    have more companion seats; then as always.
    """
    best: Block | None = None
    for begin in range(len(run.seats) - size + 1):
        seats = run.seats[begin : begin + size]
        kinds = Counter(seat.kind for seat in seats)
        if kinds[SeatKind.ACCESSIBLE] != accessible:
            continue
        before, after = run.seats[:begin][::-1], run.seats[begin + size :]
        cost = (
            _strands(before, seats[0]) + _strands(after, seats[-1]),
            size * run.rank,
            _forsakes(before, seats[0]) + _forsakes(after, seats[-1]),
            kinds[None],
            abs(sum(seat.off_centre for seat in seats)),
            seats[0].ordinal,
        )
        best = min(each for each in (best, Block(cost, seats, run)) if each)
    return best


def _strands(beside: Sequence[Seat], edge: Seat) -> bool:
    """Whether the first seat beside a block is an ordinary one that loses its last neighbour."""
    if not beside or beside[0].kind is not None or edge.kind is not None:
        return False
    return len(beside) == 1 or beside[1].kind is not None


def _forsakes(beside: Sequence[Seat], edge: Seat) -> bool:
    """Whether the first seat beside a block is an accessible one that loses its last companion."""
    if edge.kind != SeatKind.COMPANION or not beside or beside[0].kind != SeatKind.ACCESSIBLE:
        return False
    return len(beside) == 1 or beside[1].kind != SeatKind.COMPANION


def _pieces(run: Sequence[Seat], gone: set[int]) -> Iterator[list[Seat]]:
    for is_gone, piece in groupby(run, lambda seat: seat.id in gone):
        if not is_gone:
            yield list(piece)
