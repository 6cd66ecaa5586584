"""Best available against a search that tries everything, on halls small enough for it."""

from itertools import combinations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services import seat_runs
from services.best_seats import Party, can_take, choose, largest
from services.seat_runs import Seat, runs_of, stranded

LETTERS = "ABCDEFGH"
FREE, GONE, AISLE, ACCESSIBLE, COMPANION = ".x|ac"
KINDS = {FREE: None, ACCESSIBLE: "accessible", COMPANION: "companion"}
ORDINARY = FREE * 3 + GONE + AISLE
OF_ALL_KINDS = FREE * 2 + GONE + ACCESSIBLE + COMPANION


def hall(*sections):
    """Free seats of rows drawn as `..x.|..`: free, taken, an aisle; `a` and `c` are accessible
    and companion seats."""
    seats = []
    for section, rows in enumerate(sections):
        ordinal = 0
        for label, row in zip(LETTERS, rows.split("/"), strict=False):
            ordinal += 1
            first = ordinal + 1
            last = ordinal + len(row)
            for number, drawn in enumerate(row, start=1):
                ordinal += 1
                if drawn in KINDS:
                    facts = (label, ordinal, 2 * ordinal - first - last, KINDS[drawn])
                    seats.append(
                        Seat(len(seats), 1, section, *facts, f"{section}/{label}-{number}")
                    )
    return seats


def keys(seats):
    return None if seats is None else [seat.key for seat in seats]


def rows(drawn):
    return st.lists(st.text(drawn, min_size=1, max_size=7), min_size=1, max_size=4).map("/".join)


def halls(drawn=ORDINARY):
    return st.lists(rows(drawn), min_size=1, max_size=2).map(lambda sections: hall(*sections))


def blocks_of(seats):
    """Chosen seats, in order, as groups of neighbours."""
    return [run.seats for run in runs_of(seats, any_kind=True)]


def cost_of_block(seats, block):
    """What the module says a block is judged by, worked out from all free seats."""
    ranks = list(dict.fromkeys((seat.section, seat.row) for seat in seats))
    return (
        len(stranded(seats, block)),
        int(len(block) == 1),
        len(block) * ranks.index((block[0].section, block[0].row)),
        abs(sum(seat.off_centre for seat in block)),
        block[0].ordinal,
    )


def every_block(seats, size):
    for run in runs_of(seats):
        for begin in range(len(run.seats) - size + 1):
            yield run.seats[begin : begin + size]


def cost_of(seats, choice):
    costs = [cost_of_block(seats, block) for block in blocks_of(choice)]
    return tuple(map(sum, zip(*costs, strict=True)))


@given(halls(), st.integers(1, 5))
def test_no_block_is_better_than_the_one_chosen(seats, people):
    every = list(every_block(seats, people))

    chosen = choose(seats, Party(people, together=True))

    if not every:
        assert chosen is None
    else:
        assert cost_of_block(seats, chosen) == min(cost_of_block(seats, each) for each in every)


@given(halls(), st.integers(1, 5))
def test_nobody_is_stranded_where_a_block_strands_nobody(seats, people):
    assume(any(not stranded(seats, block) for block in every_block(seats, people)))

    assert stranded(seats, choose(seats, Party(people))) == []


@settings(max_examples=60)
@given(halls(), st.integers(2, 6))
def test_no_split_has_fewer_blocks_or_better_ones(seats, people):
    assume(len(seats) <= 16)
    every = list(combinations(seats, people))
    chosen = choose(seats, Party(people))
    if not every:
        assert chosen is None
        return

    fewest = min(len(blocks_of(choice)) for choice in every)
    fewest_of_all = [choice for choice in every if len(blocks_of(choice)) == fewest]

    assert len(set(chosen)) == people
    assert len(blocks_of(chosen)) == fewest
    if fewest <= 3:
        assert cost_of(seats, chosen) == min(cost_of(seats, each) for each in fewest_of_all)
    strands = min(len(stranded(seats, each)) for each in fewest_of_all)
    assert len(stranded(seats, chosen)) == strands


@settings(max_examples=40)
@given(st.lists(st.integers(1, 3), min_size=4, max_size=7), st.data())
def test_many_blocks_are_as_few_as_they_can_be_and_strand_nobody_needlessly(lengths, data):
    seats = hall("x".join(FREE * length for length in lengths))
    assume(len(seats) <= 14)
    people = data.draw(st.integers(4, len(seats)))
    every = list(combinations(seats, people))
    fewest = min(len(blocks_of(choice)) for choice in every)

    chosen = choose(seats, Party(people))

    assert len(set(chosen)) == people
    assert len(blocks_of(chosen)) == fewest
    assert len(stranded(seats, chosen)) == min(
        len(stranded(seats, choice)) for choice in every if len(blocks_of(choice)) == fewest
    )


@given(halls(), st.integers(1, 5), st.integers(0, 60))
def test_what_is_found_before_all_is_read_is_what_would_be_found_after(seats, people, read):
    party = Party(people)

    early = choose(seats[:read], party, is_all=False)

    assert early is None or early == choose(seats, party)


@given(halls(), st.integers(1, 6))
def test_the_largest_block_is_as_large_as_there_is_one(seats, people):
    sizes = [n for n in range(1, people + 1) if list(every_block(seats, n))]

    assert largest(seats, Party(people)) == max(sizes, default=0)


def accessible_in(seats):
    return sum(seat.kind == "accessible" for seat in seats)


def every_accessible_block(seats, size, accessible):
    for run in runs_of(seats, any_kind=True):
        for begin in range(len(run.seats) - size + 1):
            block = run.seats[begin : begin + size]
            if accessible_in(block) == accessible:
                yield block


@given(halls(OF_ALL_KINDS), st.integers(1, 6))
def test_nobody_gets_an_accessible_or_companion_seat_unasked(seats, people):
    chosen = choose(seats, Party(people))

    assert all(seat.kind is None for seat in chosen or ())
    assert (chosen is None) == (can_take(seats, Party(people)) < people)


@given(
    halls(OF_ALL_KINDS),
    st.integers(1, 5),
    st.integers(1, 3),
    st.booleans(),
)
def test_a_party_gets_as_many_accessible_seats_as_it_asks_for(seats, people, accessible, together):
    assume(accessible <= people)
    party = Party(people, together, accessible)
    blocks = list(every_accessible_block(seats, people, accessible))

    chosen = choose(seats, party)

    if chosen is None:
        assert not blocks
        assert together or can_take(seats, party) < people
        assert largest(seats, party) < people
    else:
        assert len(set(chosen)) == people
        assert accessible_in(chosen) == accessible
        assert not blocks or len(blocks_of(chosen)) == 1


def test_an_accessible_seat_has_its_companion_beside_it():
    assert keys(choose(hall("..ac.."), Party(2, accessible=1))) == ["0/A-3", "0/A-4"]


def test_one_pair_is_not_taken_from_between_two():
    assert keys(choose(hall("acac"), Party(2, accessible=1))) == ["0/A-1", "0/A-2"]


def test_companions_are_taken_before_other_neighbours():
    assert keys(choose(hall("..ac"), Party(2, accessible=1))) == ["0/A-3", "0/A-4"]


def test_whom_the_accessible_block_does_not_hold_sits_elsewhere():
    seats = hall("ac/....")

    chosen = choose(seats, Party(4, accessible=1))

    assert keys(chosen) == ["0/A-1", "0/A-2", "0/B-1", "0/B-2"]
    assert choose(seats, Party(4, together=True, accessible=1)) is None
    assert largest(seats, Party(4, together=True, accessible=1)) == 2


def test_accessible_seats_apart_are_taken_a_few_at_a_time():
    chosen = choose(hall("ac|.|ca"), Party(4, accessible=2))

    assert keys(chosen) == ["0/A-1", "0/A-2", "0/A-6", "0/A-7"]


def test_only_runs_with_accessible_seats_are_searched_for_them(monkeypatch):
    """In a stadium there are thousands of others, and a party is tried in many sizes."""
    real, looked_into = seat_runs._best_accessible_in, []

    def watched(run, *wanted):
        looked_into.append(run)
        return real(run, *wanted)

    monkeypatch.setattr(seat_runs, "_best_accessible_in", watched)
    seats = hall("/".join(["........"] * 6 + ["ac..|ac"]))

    assert len(choose(seats, Party(8, accessible=2))) == 8
    assert all(any(seat.kind for seat in run.seats) for run in looked_into)
    assert len(looked_into) < 10


def test_companion_seats_seat_whom_nothing_else_does():
    chosen = choose(hall("ac|cc"), Party(4, accessible=1))

    assert keys(chosen) == ["0/A-1", "0/A-2", "0/A-4", "0/A-5"]
    assert [seat.kind for seat in chosen] == ["accessible", "companion", "companion", "companion"]


def test_the_best_row_comes_first_and_its_middle():
    seats = hall("......./.......")

    assert keys(choose(seats, Party(3))) == ["0/A-3", "0/A-4", "0/A-5"]
    assert keys(choose(seats, Party(2))) == ["0/A-3", "0/A-4"]


def test_an_aisle_parts_whom_it_lies_between():
    assert choose(hall("..|.."), Party(3, together=True)) is None
    assert keys(choose(hall("..|../..."), Party(3))) == ["0/B-1", "0/B-2", "0/B-3"]


def test_a_later_row_is_better_than_a_single_seat_left():
    assert keys(choose(hall(".../.."), Party(2))) == ["0/B-1", "0/B-2"]
    assert keys(choose(hall(".../..."), Party(2))) == ["0/A-1", "0/A-2"]


def test_nobody_sits_alone_where_two_and_two_do():
    assert keys(choose(hall("...x./../.."), Party(4))) == ["0/B-1", "0/B-2", "0/C-1", "0/C-2"]
