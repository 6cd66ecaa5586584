"""Who sits where in another hall, and how many of them still together."""

import random

import pytest

from models import SeatKind
from models.layout import WantedRow, WantedSeat, plain_row, seated, seats_of
from models.relocation import Outcome
from services.relocation_plan import Person, Seat, Share, blocks, parties_of, share_out
from services.relocation_seating import settle

SOLD = 2000
AISLES = {34: (8, 26), 40: (20,), 28: (14,), 22: ()}


def hall(*sizes, label=str):
    """The seats of a section with rows of these sizes, and their aisles."""
    rows = [
        plain_row(
            label(n), [str(i + 1) for i in range(size)], gaps_after=AISLES.get(size, (size // 2,))
        )
        for n, size in enumerate(sizes)
    ]
    return [
        Seat(n + 1, f"S/{s.row}-{s.number}", s.row, s.position, s.off_centre, s.kind)
        for n, s in enumerate(seats_of([seated("S", rows)]))
    ]


def crowd(seats, sold, dice):
    """Parties of one to six who bought the best seats together, until so many are sold."""
    depth = {row: n for n, row in enumerate(dict.fromkeys(seat.row for seat in seats))}
    people, taken, booking, at = [], 0, 0, 0
    while taken < sold:
        size = min(dice.choice((1, 2, 2, 2, 3, 4, 4, 5, 6)), sold - taken)
        while at + size <= len(seats) and blocks(s.position for s in seats[at : at + size]) > 1:
            at += 1  # a seat stays free at the end of a row, as in life
        booking += 1
        for seat in seats[at : at + size]:
            people.append(
                Person(
                    place_id=seat.id,
                    booking_id=booking,
                    stock_id=1,
                    key=seat.key,
                    same=seat.key,
                    depth=depth[seat.row] / max(len(depth) - 1, 1),
                    position=seat.position,
                    off_centre=seat.off_centre,
                    kind=seat.kind,
                )
            )
        at, taken = at + size, taken + size
    return parties_of(people)


def share_together(placed):
    """Of the parties of two and more, those that are as near to each other as before."""
    groups = [each for each in placed if len(each.party.people) > 1]
    fine = [each for each in groups if each.outcome in (Outcome.KEPT, Outcome.TOGETHER)]
    return len(fine) / len(groups)


def require_sound(placed, seats):
    taken = [seat.id for each in placed for seat in each.seats]
    assert len(set(taken)) == len(taken)
    assert set(taken) <= {seat.id for seat in seats}
    for each in placed:
        assert len(each.seats) in (0, len(each.party.people))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("there", "least"),
    [
        ([22] * 110, 0.95),  # 2,420 seats, other rows and other names
        ([40] * 30 + [28] * 45, 0.95),  # 2,460
        ([22] * 94, 0.95),  # 2,068: three in a hundred are left over
    ],
)
def test_two_thousand_in_parties_stay_together(seed, there, least):
    old = hall(*([34] * 70), label=lambda n: f"R{n}")
    parties = crowd(old, SOLD, random.Random(seed))
    new = hall(*there, label=lambda n: f"N{n}")

    placed = settle(parties, new, {})

    require_sound(placed, new)
    assert all(each.seats for each in placed)
    assert share_together(placed) >= least


def test_they_sit_as_far_from_the_stage_as_they_did():
    old, new = hall(*([22] * 100)), hall(*([28] * 60), label=lambda n: f"N{n}")
    parties = crowd(old, 1000, random.Random(1))  # the front half

    placed = settle(parties, new, {})

    rows = {row: n / 59 for n, row in enumerate(dict.fromkeys(seat.row for seat in new))}
    away = sorted(abs(rows[each.seats[0].row] - each.party.depth) for each in placed)
    assert away[len(away) * 95 // 100] < 0.17  # a thousand need three fifths of these seats
    assert away[-1] < 0.3


def test_who_can_stay_does_and_the_plan_of_before_holds():
    old = hall(10, 10, 10)
    parties = crowd(old, 20, random.Random(2))
    new = [seat for seat in hall(10, 10, 10) if seat.row != "0"]

    first = settle(parties, new, {})
    known = {
        person.place_id: seat.key
        for each in first
        for person, seat in zip(each.party.people, each.seats, strict=True)
    }
    fewer = parties[1:]
    again = settle(fewer, new, known)

    assert all(each.outcome == Outcome.KEPT for each in first if each.party.depth > 0)
    assert [each.seats for each in again] == [each.seats for each in first[1:]]


def test_an_aisle_that_comes_between_them_moves_them():
    old = hall(22)  # none
    people = crowd(old, 4, random.Random(4))
    row = [WantedSeat(str(n), after_gap=n == 2) for n in range(1, 23)]
    new = [
        Seat(n + 1, f"S/{s.row}-{s.number}", s.row, s.position, s.off_centre, s.kind)
        for n, s in enumerate(seats_of([seated("S", [WantedRow("0", tuple(row))])]))
    ]

    placed = settle(people, new, {})

    for each in placed:
        assert blocks(seat.position for seat in each.seats) == 1


def test_nobody_sits_on_an_accessible_seat_who_did_not():
    new = [
        Seat(n, f"S/A-{n}", "A", n, 0, SeatKind.ACCESSIBLE if n < 9 else None) for n in range(1, 11)
    ]
    parties = crowd(hall(10, 10), 3, random.Random(9))

    placed = settle(parties, new, {})

    for each in placed:
        assert all(seat.kind is None for seat in each.seats)
    assert sum(len(each.seats) for each in placed) <= 2


class TestSharing:
    SEATS = hall(10, 10, 10, label=lambda n: "XYZ"[n])

    @staticmethod
    def stock(stock_id, capacity, sold=0, middle=0.0):
        return Share(stock_id, middle, {None: capacity}, {None: sold})

    def counts(self, *stocks, before=None):
        shared = share_out(self.SEATS, stocks, before or {})
        return {of.stock_id: list(shared.values()).count(of.stock_id) for of in stocks}

    def test_each_gets_as_many_as_it_loses_and_the_largest_the_rest(self):
        assert self.counts(self.stock(1, 4), self.stock(2, 12)) == {1: 4, 2: 26}

    def test_of_too_few_what_is_sold_comes_first(self):
        assert self.counts(self.stock(1, 20, sold=20), self.stock(2, 40, sold=2)) == {1: 20, 2: 10}

    def test_of_far_too_few_everybody_lacks_some(self):
        counts = self.counts(self.stock(1, 40, sold=40), self.stock(2, 20, sold=20))
        assert sum(counts.values()) == 30
        assert min(counts.values()) == 10

    def test_the_better_seats_go_to_those_who_had_them(self):
        stocks = self.stock(1, 10, middle=50.0), self.stock(2, 10, middle=5.0)
        shared = share_out(self.SEATS, stocks, {})
        assert {shared[seat.id] for seat in self.SEATS if seat.row == "X"} == {2}

    def test_what_was_there_before_stays_where_it_was_or_out_of_the_sale(self):
        before = {seat.key: 1 if seat.row == "X" else None for seat in self.SEATS}
        assert self.counts(self.stock(1, 10), self.stock(2, 5), before=before) == {1: 10, 2: 0}
