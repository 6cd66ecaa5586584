"""Who sits where in another hall, worked out over plain values.

A party keeps its seats where the new hall has them and they are as near to each other as they
were. The others move as little as they can: to a row as far from the stage as theirs was, as far
from its middle, and together; the largest first, since small ones find room between them. If some
must be split, all are placed once more into the gaps that fit them best, and the better of both
plans is taken.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from models.relocation import Outcome
from models.seat_map import SeatKind
from services.relocation_plan import Party, Placed, Seat, blocks

PARTIES_TRIED_TWICE = 5_000
ROWS_FOR_NOBODY_ALONE = 4  # how much further to go so that no single seat is left over


@dataclass(frozen=True, slots=True)
class Mover:
    """A party, which of all it is, and how far from the stage it should sit: 0 to 1."""

    n: int
    party: Party
    depth: float


def settle(
    parties: Sequence[Party], seats: Sequence[Seat], known: Mapping[int, str]
) -> list[Placed]:
    """Every party of a stock with its seats of the new hall, in the order of `parties`.

    `known` are places with the seats that a former plan gave them: it holds for every party whose
    seats are still to be had.
    """
    hall = _Hall(seats)
    placed: dict[int, Placed] = {}
    for n, party in enumerate(parties):
        stay = _stays(party, hall)
        if stay:
            placed[n] = _put(party, stay, hall)
    for n, party in enumerate(parties):
        if n not in placed:
            foretold = _as_known(party, hall, known)
            if foretold:
                placed[n] = _put(party, foretold, hall)
    movers = _aimed([(n, party) for n, party in enumerate(parties) if n not in placed], hall)
    movers.sort(key=lambda mover: (not mover.party.is_special, -len(mover.party.people), mover.n))
    found = _place_all(movers, hall.copy(), snug=False)
    worse = [p for p in found.values() if p.outcome in (Outcome.SPLIT, Outcome.UNPLACED)]
    if worse and len(movers) <= PARTIES_TRIED_TWICE:
        again = _place_all(movers, hall.copy(), snug=True)
        found = min(found, again, key=_harm)
    placed |= found
    return [placed[n] for n in range(len(parties))]


def _aimed(movers: Iterable[tuple[int, Party]], hall: "_Hall") -> list[Mover]:
    """Who moves, each aiming for the depth that it had; or further on, or less far, where as many
    people go before it, or after it, as there are seats on that side.
    """
    ordered = sorted(movers, key=lambda each: (each[1].depth, each[1].people[0].position, each[0]))
    left = sum(len(party.people) for _, party in ordered)
    free, before, found = max(len(hall.by_id), 1), 0, []
    for n, party in ordered:
        depth = max(min(max(party.depth, before / free), 1 - left / free), 0)
        found.append(Mover(n, party, depth))
        before, left = before + len(party.people), left - len(party.people)
    return found


def _harm(found: Mapping[int, Placed]) -> tuple[int, int]:
    counts = Counter(placed.outcome for placed in found.values())
    return counts[Outcome.UNPLACED], counts[Outcome.SPLIT]


class _Hall:
    """The seats of a stock that nobody has yet, row by row, the best row first."""

    def __init__(self, seats: Iterable[Seat]) -> None:
        ordered = sorted(seats, key=lambda seat: seat.position)
        self.rows = [list(row) for _, row in groupby(ordered, key=lambda seat: seat.row)]
        self.row_of = {seat.id: n for n, row in enumerate(self.rows) for seat in row}
        self.by_key = {seat.key: seat for seat in ordered}
        self.by_id = {seat.id: seat for seat in ordered}
        self._runs: dict[int, list[list[Seat]]] = {}

    def copy(self) -> "_Hall":
        """The same rows with the same seats free, to be given away apart from these."""
        other = _Hall(())
        other.rows, other.row_of = self.rows, self.row_of
        other.by_key, other.by_id = dict(self.by_key), dict(self.by_id)
        other._runs = dict(self._runs)
        return other

    def take(self, seats: Iterable[Seat]) -> None:
        for seat in seats:
            del self.by_key[seat.key], self.by_id[seat.id]
            self._runs.pop(self.row_of[seat.id], None)

    def runs(self, row: int) -> list[list[Seat]]:
        """The ordinary free seats of a row, in groups of neighbours."""
        if row not in self._runs:
            self._runs[row] = self._groups(row, any_kind=False)
        return self._runs[row]

    def groups(self, row: int) -> list[list[Seat]]:
        """The free seats of a row of whatever kind, in groups of neighbours."""
        return self._groups(row, any_kind=True)

    def _groups(self, row: int, *, any_kind: bool) -> list[list[Seat]]:
        found: list[list[Seat]] = []
        for seat in self.rows[row]:
            if seat.id not in self.by_id or (seat.kind is not None and not any_kind):
                continue
            if found and found[-1][-1].position + 1 == seat.position:
                found[-1].append(seat)
            else:
                found.append([seat])
        return found

    def from_depth(self, depth: float) -> Iterator[int]:
        """All rows, the nearest to this depth first, and the better one of two."""
        start = round(depth * (len(self.rows) - 1))
        for step in range(len(self.rows)):
            for row in dict.fromkeys((start - step, start + step)):
                if 0 <= row < len(self.rows):
                    yield row


def _stays(party: Party, hall: _Hall) -> list[Seat]:
    """The seats of the same names, if all are there and no less together."""
    seats = [hall.by_key.get(person.same) for person in party.people]
    there = [
        seat
        for seat, person in zip(seats, party.people, strict=True)
        if seat is not None and seat.kind == person.kind
    ]
    if len({seat.id for seat in there}) < len(party.people) or not _as_near(party, there):
        return []
    return there


def _as_near(party: Party, seats: Sequence[Seat]) -> bool:
    before = blocks(person.position for person in party.people)
    return blocks(seat.position for seat in seats) <= before


def _as_known(party: Party, hall: _Hall, known: Mapping[int, str]) -> list[Seat]:
    """The seats that a former plan gave to all of a party, if they are still there."""
    seats = [hall.by_key.get(known.get(person.place_id, "")) for person in party.people]
    there = [seat for seat in seats if seat is not None]
    return there if len(there) == len(party.people) else []


def _put(party: Party, seats: Sequence[Seat], hall: _Hall) -> Placed:
    hall.take(seats)
    if all(seat.key == person.same for seat, person in zip(seats, party.people, strict=True)):
        return Placed(party, tuple(seats), Outcome.KEPT)
    near = _as_near(party, seats)
    return Placed(party, tuple(seats), Outcome.TOGETHER if near else Outcome.SPLIT)


def _place_all(movers: Sequence[Mover], hall: _Hall, *, snug: bool) -> dict[int, Placed]:
    """Places for all parties: first those that can be together, then the others."""
    found: dict[int, Placed] = {}
    later = []
    for mover in movers:
        party = mover.party
        seats = _special(mover, hall) if party.is_special else _together(mover, hall, snug=snug)
        if seats:
            found[mover.n] = _put(party, seats, hall)
        else:
            later.append(mover)
    for mover in later:
        seats = _apart(mover, hall)
        nowhere = Placed(mover.party, (), Outcome.UNPLACED)
        found[mover.n] = _put(mover.party, seats, hall) if seats else nowhere
    return found


def _together(mover: Mover, hall: _Hall, *, snug: bool) -> list[Seat]:
    size = len(mover.party.people)
    find = _snug_block if snug else _near_block
    return find(hall, size, mover.depth, mover.party.off_centre)


def _near_block(hall: _Hall, size: int, depth: float, off_centre: float) -> list[Seat]:
    """Neighbours in the nearest row that has so many; in one a little further, if that leaves
    no single seat over.
    """
    best: tuple[tuple[bool, int, float], list[Seat]] | None = None
    further = 0
    for row in hall.from_depth(depth):
        further += best is not None
        for run in hall.runs(row):
            for at in range(len(run) - size + 1):
                alone = at == 1 or len(run) - at - size == 1
                window = run[at : at + size]
                off = abs((window[0].off_centre + window[-1].off_centre) / 2 - off_centre)
                cost = (alone, further, off)
                if best is None or cost < best[0]:
                    best = cost, window
        if best is not None and (not best[0][0] or further >= ROWS_FOR_NOBODY_ALONE):
            break
    return best[1] if best else []


def _snug_block(hall: _Hall, size: int, depth: float, off_centre: float) -> list[Seat]:
    """Neighbours at the end of the run that they fill best, the nearest of those."""
    best: tuple[tuple[bool, int, int], list[Seat]] | None = None
    for distance, row in enumerate(hall.from_depth(depth)):
        for run in hall.runs(row):
            left = len(run) - size
            cost = (left == 1, left, distance)
            if left >= 0 and (best is None or cost < best[0]):
                best = cost, run
        if best is not None and best[0][1] == 0:
            break
    if best is None:
        return []
    run = best[1]
    right = abs(run[-1].off_centre - off_centre) < abs(run[0].off_centre - off_centre)
    return run[-size:] if right else run[:size]


def _apart(mover: Mover, hall: _Hall) -> list[Seat]:
    """Seats for a party that finds no block, in few blocks near each other; none if too few."""
    party, depth, off_centre = mover.party, mover.depth, mover.party.off_centre
    needed = sum(person.kind == SeatKind.ACCESSIBLE for person in party.people)
    accessible = _singles(hall, SeatKind.ACCESSIBLE, needed, depth)
    if len(accessible) < needed:
        return []
    rest = hall.copy()
    rest.take(accessible)
    others: list[Seat] = []
    left = len(party.people) - needed
    while left:
        block = _largest_block(rest, left, depth, off_centre)
        if not block:
            break
        rest.take(block)
        others += block
        left -= len(block)
        depth = rest.row_of[block[0].id] / max(len(rest.rows) - 1, 1)
    others += _singles(rest, SeatKind.COMPANION, left, depth)
    if len(others) < len(party.people) - needed:
        return []
    return _in_turn(party, accessible, others)


def _largest_block(hall: _Hall, most: int, depth: float, off_centre: float) -> list[Seat]:
    longest = max((len(run) for n in range(len(hall.rows)) for run in hall.runs(n)), default=0)
    size = min(most, longest)
    if most - size == 1 and size > 2:
        size -= 1  # rather two and two than three and one
    return _near_block(hall, size, depth, off_centre) if size else []


def _singles(hall: _Hall, kind: SeatKind, count: int, depth: float) -> list[Seat]:
    """Up to `count` free seats of a kind, the nearest rows first."""
    found: list[Seat] = []
    for row in hall.from_depth(depth) if count else ():
        found += [s for s in hall.rows[row] if s.id in hall.by_id and s.kind == kind]
        if len(found) >= count:
            break
    return found[:count]


def _special(mover: Mover, hall: _Hall) -> list[Seat]:
    """Neighbours with as many accessible seats as the party has, and companions beside them."""
    party = mover.party
    size = len(party.people)
    wanted = Counter(person.kind for person in party.people)
    best: tuple[tuple[int, int, float], list[Seat]] | None = None
    for distance, row in enumerate(hall.from_depth(mover.depth)):
        for run in hall.groups(row):
            for at in range(len(run) - size + 1):
                window = run[at : at + size]
                kinds = Counter(seat.kind for seat in window)
                if kinds[SeatKind.ACCESSIBLE] != wanted[SeatKind.ACCESSIBLE]:
                    continue
                off = abs((window[0].off_centre + window[-1].off_centre) / 2 - party.off_centre)
                more = kinds[SeatKind.COMPANION] - wanted[SeatKind.COMPANION]
                cost = (abs(more), distance, off)
                if best is None or cost < best[0]:
                    best = cost, window
    if best is None:
        return []
    accessible = [seat for seat in best[1] if seat.kind == SeatKind.ACCESSIBLE]
    others = [seat for seat in best[1] if seat.kind != SeatKind.ACCESSIBLE]
    return _in_turn(party, accessible, others)


def _in_turn(party: Party, accessible: Sequence[Seat], others: Sequence[Seat]) -> list[Seat]:
    """The seats person by person: accessible ones to those who had one, in the order they sit."""
    by_position = {
        True: iter(sorted(accessible, key=lambda seat: seat.position)),
        False: iter(sorted(others, key=lambda seat: seat.position)),
    }
    return [next(by_position[person.kind == SeatKind.ACCESSIBLE]) for person in party.people]
