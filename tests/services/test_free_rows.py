"""What is remembered of rows never changes what is found, whoever changes seats meanwhile."""

import random
from itertools import product

import pytest
from sqlalchemy import text

from init import db
from models.sale import SaleStock
from models.seat_map import SectionKind
from services import free_rows
from services.best_seats import Party, choose
from services.seat_choice_service import Hall, Search
from tests.controllers.test_best_available import set_apart
from tests.factories import ShowFactory, StockFactory, claims


@pytest.fixture
def stock(committed):
    """Six rows of seven seats."""
    show = ShowFactory(venue__layout=[("Stalls", dict.fromkeys("ABCDEF", 7))])
    return StockFactory(show=show, section_name="Stalls")


def hall_of(stock):
    return Hall([SaleStock(stock.id, "Stalls", SectionKind.SEATED, "Stalls", 42)])


def found(stock, size, **options):
    search = Search(stock.show_id, hall_of(stock), **options)
    best = search.best(Party(size, together=True))
    db.session.rollback()
    return best


def by_reading_all(stock, size):
    seats = hall_of(stock).read(1000)
    db.session.rollback()
    return choose(seats, Party(size, together=True))


def change(stock, dice):
    """Somebody takes some seats, or gives some back."""
    keys = [f"STALLS/{row}-{n}" for row in "ABCDEF" for n in range(1, 8)]
    free = text("SELECT key FROM places WHERE stock_id = :id AND booking_id IS NULL")
    left = sorted(db.session.scalars(free, {"id": stock.id}))
    wanted = dice.sample(left, min(len(left), dice.randint(0, 6)))
    if wanted:
        claims.claim(stock, len(wanted), seats=wanted)
    given_back = dice.sample(keys, dice.randint(0, 3))
    db.session.execute(
        text(
            "UPDATE places SET booking_id = NULL, line_id = NULL,"
            " changed_in = pg_current_xact_id() WHERE stock_id = :id AND key = ANY(:keys)"
        ),
        {"id": stock.id, "keys": given_back},
    )
    db.session.execute(
        text("UPDATE places SET changed_in = pg_current_xact_id() WHERE key = ANY(:keys)"),
        {"keys": wanted},
    )
    db.session.commit()


KINDS = """
    UPDATE places SET seat_kind = CASE WHEN random() < 0.6 THEN NULL WHEN random() < 0.5
                                       THEN 'accessible' ELSE 'companion' END
     WHERE stock_id = :id AND row IN ('B', 'D', 'F')
"""


@pytest.mark.parametrize("seed", range(4))
def test_accessible_seats_are_found_as_by_reading_every_seat(stock, seed):
    dice = random.Random(seed)
    for _ in range(8):
        db.session.execute(text(f"SELECT setseed({dice.random()})"))
        db.session.execute(text(KINDS), {"id": stock.id})
        change(stock, dice)
        seats = hall_of(stock).read(1000)
        for people, accessible, together in product((1, 3, 5), (1, 2, 4), (True, False)):
            if accessible <= people:
                party = Party(people, together, accessible)
                assert Search(stock.show_id, hall_of(stock)).best(party) == choose(seats, party)
        db.session.rollback()


def test_without_accessible_seats_no_other_is_read(stock, monkeypatch):
    monkeypatch.setattr(Hall, "read", lambda *_: pytest.fail("read every seat"))

    assert Search(stock.show_id, hall_of(stock)).best(Party(2, accessible=1)) is None


def long_ago(stock):
    """No seat has changed since any transaction began that is open now, in whatever database."""
    db.session.execute(
        text("UPDATE places SET changed_in = '1' WHERE stock_id = :id"), {"id": stock.id}
    )
    db.session.commit()


@pytest.mark.parametrize("seed", range(6))
def test_a_search_finds_what_reading_every_seat_would(stock, seed):
    dice = random.Random(seed)
    for _ in range(25):
        change(stock, dice)
        for size in (1, 2, 3, 4):
            assert found(stock, size, remember=True) == by_reading_all(stock, size)


def test_rows_that_hold_no_party_are_not_read_again(stock, monkeypatch):
    claims.claim(stock, 30)  # rows A to D, and two of E
    long_ago(stock)
    assert found(stock, 5, remember=True)[0].key == "STALLS/E-3"
    read = []
    real = free_rows.FREE_IN_ROWS

    class Watched:
        def all(self, **facts):
            read.append(len(facts["firsts"]))
            return real.all(**facts)

    monkeypatch.setattr(free_rows, "FREE_IN_ROWS", Watched())

    found(stock, 5, remember=True)

    assert read == [1]


def test_what_only_one_transaction_sees_is_not_remembered(stock):
    hall = hall_of(stock)
    found(stock, 7, remember=True)
    db.session.execute(
        text("DELETE FROM places WHERE stock_id = :id AND row IN ('A', 'B')"), {"id": stock.id}
    )
    Search(stock.show_id, hall).best(Party(7))
    db.session.rollback()

    assert found(stock, 7, remember=True)[0].row == "A"


def touched(show):
    db.session.execute(
        text("UPDATE shows SET version = version + 1 WHERE id = :id"), {"id": show.id}
    )


def test_another_map_is_learnt_anew_though_its_seats_say_nothing(stock):
    assert found(stock, 3, remember=True)[0].key.startswith("STALLS/A")
    new = {row: number * 20 for number, row in enumerate("FEDCBA", start=1)}
    for row, first in new.items():
        db.session.execute(
            text(
                "UPDATE places SET ordinal = :first + CAST(number AS int)"
                " WHERE stock_id = :id AND row = :row"
            ),
            {"id": stock.id, "row": row, "first": first},
        )
    placed = "UPDATE map_seats m SET position = p.ordinal FROM places p WHERE p.row = m.row"
    db.session.execute(
        text(f"{placed} AND p.number = m.number AND p.stock_id = :id"), {"id": stock.id}
    )
    touched(stock.show)
    db.session.commit()

    best = found(stock, 3, remember=True)

    assert best == by_reading_all(stock, 3)
    assert best[0].row == "F"


def test_a_row_that_is_better_for_what_left_its_stock_is_seen(stock):
    claims.claim(
        stock, 5, seats=[f"STALLS/A-{n}" for n in (1, 2, 3)] + ["STALLS/B-1", "STALLS/B-2"]
    )
    assert found(stock, 3, remember=True)[0].row != "A"  # of four, one would be alone
    set_apart(db.session, stock, "STALLS/A-7")
    touched(stock.show)
    db.session.commit()

    assert found(stock, 3, remember=True)[0].row == "A"


def test_without_telling_what_changed_it_would_go_wrong(stock):
    """The control: what is freed without a word stays unseen."""
    booking = claims.claim(stock, 35)
    assert found(stock, 7, remember=True)[0].row == "F"
    long_ago(stock)
    found(stock, 7, remember=True)
    free = "UPDATE places SET booking_id = NULL, line_id = NULL WHERE booking_id = :id"
    db.session.execute(text(free), {"id": booking.id})
    db.session.commit()

    assert found(stock, 7, remember=True)[0].row == "F"
