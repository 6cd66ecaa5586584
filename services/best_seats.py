"""The best seats for a party among those that are free: a search over plain values.

`seat_runs` says what runs and blocks are, and in which order seats come. Of all blocks that hold a
party the best one is, in this order: one that leaves no single seat alone (of a run; who was alone
before does not count); in the first section; in the first row of it; nearest to the middle of its
row; with the smallest ordinal. So the search may end at the first row with a block that strands
nobody.

A party that fits no single block is split, if it may be: into the fewest blocks, and of those the
ones that strand the fewest seats, leave the fewest people on their own, and then have the smallest
sum of rows over all people. That is exact for up to `EXACT_BLOCKS` blocks; a party that needs more,
or has more than `EXACT_PEOPLE`, takes the longest runs whole, the best of them first, until what
is left of it is that small: still in the fewest blocks, and stranding nobody where that can be.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from models.seat_map import SeatKind
from services.seat_runs import Block, Cost, Run, Seat, best_block, best_in, runs_of, without

EXACT_BLOCKS, EXACT_PEOPLE = 3, 40


@dataclass(frozen=True, slots=True)
class Party:
    """People who come together. `together` leaves them one block, or nothing.

    Exactly `accessible` of their seats are accessible ones, with companion seats beside them as
    far as there are, and then ordinary neighbours.
    """

    quantity: int
    together: bool = False
    accessible: int = 0


def choose(
    seats: Sequence[Seat], party: Party, *, is_all: bool = True, has_whole_rows: bool = False
) -> list[Seat] | None:
    """The best seats for a party, block after block; None where it cannot be seated.

    Unless `seats` is all there is, others may follow, and the last row may go on if it is not said
    to be whole: then the answer is what no later seat can change, and None means that more has to
    be read. Without `together`
    a party is never refused while as many seats are free as it needs. If no block holds its
    accessible seats with everybody, the largest block that holds them is taken and the others sit
    elsewhere; if no block holds all of those seats, they are taken a few at a time, each group
    with as many of its people as fit; the others take free companion seats when no others are left.
    """
    if not is_all and not has_whole_rows:
        seats = _without_last_row(seats)
    if party.accessible:
        return _choose_accessible(seats, party, is_all)
    runs = runs_of(seats)
    block = best_block(runs, party.quantity, is_all=is_all)
    if block is not None:
        return block.seats
    if party.together or not is_all:
        return None
    return _fewest_blocks(runs, party.quantity)


def largest(seats: Sequence[Seat], party: Party) -> int:
    """How many of a party one block could hold; with accessible seats, all of them at least."""
    if not party.accessible:
        longest = max((len(run.seats) for run in runs_of(seats)), default=0)
        return min(longest, party.quantity)
    runs = _with_accessible(seats)
    longest = max((len(run.seats) for run in runs), default=0)
    sizes = range(min(party.quantity, longest), party.accessible - 1, -1)
    return next((n for n in sizes if best_block(runs, n, party.accessible)), 0)


def can_take(seats: Iterable[Seat], party: Party) -> int:
    """How many people of a party's kind there are free seats for, wherever they are."""
    if not party.accessible:
        return sum(seat.kind is None for seat in seats)
    kinds = Counter(seat.kind for seat in seats)
    accessible = kinds.pop(SeatKind.ACCESSIBLE, 0)
    return kinds.total() + party.accessible if accessible >= party.accessible else accessible


def _without_last_row(seats: Sequence[Seat]) -> Sequence[Seat]:
    end = len(seats)
    while end and (seats[end - 1].section, seats[end - 1].row) == (
        seats[-1].section,
        seats[-1].row,
    ):
        end -= 1
    return seats[:end]


def _with_accessible(seats: Iterable[Seat]) -> list[Run]:
    """The runs of seats of any kind with accessible ones: in a stadium, few of many."""
    runs = runs_of(seats, any_kind=True)
    return [run for run in runs if any(seat.kind == SeatKind.ACCESSIBLE for seat in run.seats)]


def _choose_accessible(seats: Sequence[Seat], party: Party, is_all: bool) -> list[Seat] | None:
    block = best_block(_with_accessible(seats), party.quantity, party.accessible, is_all=is_all)
    if block is not None:
        return block.seats
    if party.together or not is_all:
        return None
    return _split_accessible(seats, party)


def _split_accessible(seats: Sequence[Seat], party: Party) -> list[Seat] | None:
    """A party that no block holds: most of its accessible seats at once, with most people."""
    taken: list[Seat] = []
    people, accessible = party.quantity, party.accessible
    near = [seat for run in _with_accessible(seats) for seat in run.seats]
    while accessible:
        runs = _with_accessible(without(near, taken))
        block = _largest_accessible(runs, people, accessible)
        if block is None:
            return None
        taken += block.seats
        people -= len(block.seats)
        accessible -= sum(seat.kind == SeatKind.ACCESSIBLE for seat in block.seats)
    if not people:
        return _in_order(taken)
    left = [seat for seat in without(seats, taken) if seat.kind != SeatKind.ACCESSIBLE]
    others = choose(left, Party(people))
    if others is None:
        known = {seat.id: seat for seat in left}
        others = choose([seat._replace(kind=None) for seat in left], Party(people))
        others = [known[seat.id] for seat in others or ()]
    return _in_order([*taken, *others]) if others else None


def _largest_accessible(runs: Sequence[Run], people: int, accessible: int) -> Block | None:
    longest = max((len(run.seats) for run in runs), default=0)
    for count in range(min(accessible, longest), 0, -1):
        # Nobody who needs one of the other accessible seats may lose a place to who does not.
        for size in range(min(people - (accessible - count), longest), count - 1, -1):
            block = best_block(runs, size, count)
            if block is not None:
                return block
    return None


def _fewest_blocks(runs: Sequence[Run], people: int) -> list[Seat] | None:
    """The best way to seat people in the fewest blocks; None where too few seats are free.

    No two of the fewest blocks are in one run: if they were, the longest runs, one fewer, would
    hold everybody.
    """
    lengths = sorted((len(run.seats) for run in runs), reverse=True)
    sums = list(accumulate(lengths))
    if not sums or sums[-1] < people:
        return None
    count = next(n for n, seats in enumerate(sums, start=1) if seats >= people)
    if sums[count - 1] == people + 1 and not _is_exact(count, people):
        whole = _one_shorter(lengths[:count], lengths[count:])
        if whole is not None:
            return _take_whole(runs, whole)[0]
    whole = []
    for length in lengths:
        if _is_exact(count, people):
            break
        whole.append(length)
        people, count = people - length, count - 1
    taken, left = _take_whole(runs, whole)
    return _in_order(taken + _exactly(left, people, count))


def _is_exact(count: int, people: int) -> bool:
    return count <= 1 or (count <= EXACT_BLOCKS and people <= EXACT_PEOPLE)


def _one_shorter(lengths: Sequence[int], others: Sequence[int]) -> list[int] | None:
    """Lengths that together hold one seat fewer, with one of them replaced from `others`."""
    known = set(others)
    for number, length in enumerate(lengths):
        if length - 1 in known:
            return [*lengths[:number], length - 1, *lengths[number + 1 :]]
    return None


def _take_whole(runs: Iterable[Run], lengths: Iterable[int]) -> tuple[list[Seat], list[Run]]:
    """The seats of the first runs of these lengths, and the runs that are left."""
    wanted = Counter(lengths)
    taken: list[Seat] = []
    left: list[Run] = []
    for run in runs:
        if wanted[len(run.seats)]:
            wanted[len(run.seats)] -= 1
            taken += run.seats
        else:
            left.append(run)
    return taken, left


def _exactly(runs: Sequence[Run], people: int, count: int) -> list[Seat]:
    """The best `count` blocks for people whom fewer would not hold.

    Costs add up, part by part, and are compared so: whatever a choice has of a size may be
    exchanged for a better block of that size, and no more than the `count` best of each matter.
    """
    best: tuple[Cost, list[Block]] | None = None
    offers: dict[int, list[Block]] = {}

    def extend(chosen: list[Block], left: int, most: int) -> None:
        nonlocal best
        blocks_left = count - len(chosen)
        if not blocks_left:
            cost = tuple(map(sum, zip(*(block.cost for block in chosen), strict=True)))
            if best is None or cost < best[0]:
                best = cost, chosen
            return
        for size in range(min(left - blocks_left + 1, most), (left - 1) // blocks_left, -1):
            if size not in offers:
                offers[size] = _first_blocks(runs, size, count)
            for block in offers[size]:
                if all(block.run is not other.run for other in chosen):
                    extend([*chosen, block], left - size, size)

    extend([], people, people)
    return [seat for block in best[1] for seat in block.seats] if best else []


def _first_blocks(runs: Iterable[Run], size: int, count: int) -> list[Block]:
    """The best blocks of a size, at most so many, each of another run."""
    found: list[Block] = []
    for strands in (False, True):
        of_kind: list[Block] = []
        for run in runs:
            if len(of_kind) >= count and run.rank > of_kind[-1].run.rank:
                break  # whoever sits further back is never better
            if len(run.seats) >= size and (len(run.seats) == size + 1) is strands:
                block = best_in(run, size)
                if block is not None:
                    of_kind.append(block)
        found += of_kind
        if len(found) >= count:
            break  # and these strand nobody
    return sorted(found)[:count]


def _in_order(seats: Iterable[Seat]) -> list[Seat]:
    return sorted(seats, key=lambda seat: (seat.section, seat.ordinal))
