"""What seat status rests on: that everybody who changes a seat leaves word of it."""

import re
from datetime import UTC, datetime

import pytest

from config import ROOT
from services.seat_cursor import MOST_UNDER_WAY, Cursor, Snapshot
from utils.errors import Invalid

WRITERS = sorted((ROOT / "services").glob("*.py"))
CHANGES = re.compile(r"\bUPDATE\s+places\b(.*?)(?:\"\"\"|;|\bRETURNING\b|\Z)", re.DOTALL)


def statements():
    for path in WRITERS:
        for found in CHANGES.finditer(path.read_text()):
            yield path.name, found[1]


def silent(sql):
    """Whether a statement gives, frees or moves places and does not say in which transaction."""
    return bool(re.search(r"\b(booking_id|stock_id)\s*=\s", sql.split("WHERE")[0])) and (
        "changed_in = pg_current_xact_id()" not in sql
    )


def test_whoever_changes_who_has_a_seat_says_in_which_transaction():
    assert [name for name, sql in statements() if silent(sql)] == []


def test_there_are_such_statements():
    assert len([sql for _, sql in statements() if "changed_in" in sql]) >= 5
    assert silent(" SET booking_id = NULL, line_id = NULL WHERE id = 1")


class TestSnapshots:
    def test_know_what_they_had_not_seen(self):
        assert Snapshot.read("10:20:11,15", None) == Snapshot(20, (11, 15))
        assert Snapshot.read("10:10:", None) == Snapshot(10, ())

    def test_of_who_writes_have_its_own_writes_still_to_tell(self):
        assert Snapshot.read("10:20:11", "14") == Snapshot(20, (11, 14))
        assert Snapshot.read("10:20:11", "20") == Snapshot(20, (11,))

    def test_with_too_many_under_way_tell_too_much(self):
        """Everything from the first of them on, and never too little."""
        under_way = ",".join(str(n) for n in range(100, 101 + MOST_UNDER_WAY))
        assert Snapshot.read(f"100:9000:{under_way}", None) == Snapshot(100, ())


class TestCursors:
    def test_come_back_as_they_went(self):
        at = datetime(2027, 3, 1, 20, 0, 0, 123456, tzinfo=UTC)
        for xids in ((), (5,), tuple(range(2**40, 2**40 + MOST_UNDER_WAY))):
            cursor = Cursor(7, 3, True, at, Snapshot(2**63, xids))
            assert Cursor.read(str(cursor)) == cursor

    def test_fit_into_an_address(self):
        """gunicorn reads request lines of 4,094 bytes."""
        xids = tuple(range(10**6, 10**6 + MOST_UNDER_WAY))
        at = datetime(2027, 3, 1, tzinfo=UTC)
        cursor = Cursor(10**12, 10**6, True, at, Snapshot(10**6 + 60_000, xids))
        assert len(str(cursor)) < 3_000

    @pytest.mark.parametrize("text", ["", "1.2.3", "~", "MS4x", "1" * 20_000])
    def test_that_nobody_signed_are_none(self, text):
        with pytest.raises(Invalid, match="since"):
            Cursor.read(text)
