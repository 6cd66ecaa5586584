"""Loading by COPY: what goes in comes out, and a load that breaks off leaves nothing."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from init import db
from utils.bulk import Stamps, copy, counted, row, silently, without_indexes

COLUMNS = ("number", "word", "flag", "bytes", "words", "at")
AWKWARD = 'tab\tline\nreturn\rback\\slash, \\N and "quotes", 日本武道館'


@pytest.fixture
def connection(app, session):
    connection = session.connection()
    connection.execute(
        text(
            "CREATE TABLE loaded (number bigint PRIMARY KEY, word text, flag boolean, bytes bytea,"
            " words text[], at timestamptz, CONSTRAINT uq_loaded_word UNIQUE (word));"
            " CREATE INDEX ix_loaded_at ON loaded (at) WHERE word LIKE 'a%' OR flag;"
            " CREATE TABLE pointing (number bigint CONSTRAINT fk_pointing REFERENCES loaded"
            " DEFERRABLE INITIALLY DEFERRED);"
        )
    )
    return connection


def described(connection):
    return connection.execute(
        text(
            "SELECT indexdef FROM pg_indexes WHERE tablename IN ('loaded', 'pointing')"
            " UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE conrelid IN ('loaded'::regclass, 'pointing'::regclass) ORDER BY 1"
        )
    ).all()


def test_what_goes_in_comes_out(connection):
    at = datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
    lines = [
        row(1, AWKWARD, True, b"\x00\\x\xff", [AWKWARD, "", "{,}"], Stamps()(int(at.timestamp()))),
        row(2, None, False, None, [], None),
    ]

    copy(connection, "loaded", COLUMNS, lines)

    first, second = connection.execute(text("SELECT * FROM loaded ORDER BY number")).all()
    assert (first[:3], first[4:]) == ((1, AWKWARD, True), ([AWKWARD, "", "{,}"], at))
    assert bytes(first[3]) == b"\x00\\x\xff"
    assert tuple(second) == (2, None, False, None, [], None)


def test_any_number_of_rows_is_read_as_it_is_made(connection):
    told = []
    lines = (row(number, f"a{number}") for number in range(25_000))

    copy(
        connection,
        "loaded",
        COLUMNS[:2],
        counted(lines, "loaded", 30_000, lambda *step: told.append(step)),
    )

    assert connection.scalar(text("SELECT count(*) FROM loaded")) == 25_000
    assert told == [
        ("loaded", 0, 30_000),
        ("loaded", 10_000, 30_000),
        ("loaded", 20_000, 30_000),
        ("loaded", 25_000, 25_000),
    ]


def test_whoever_stops_making_rows_is_heard_by_their_own_name(connection):
    def lines():
        yield row(1, "one")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(connection, "loaded", COLUMNS[:2], lines())


def test_what_the_database_refuses_is_its_usual_error(connection):
    with pytest.raises(DBAPIError, match="duplicate key"):
        copy(connection, "loaded", COLUMNS[:2], [row(1, "one"), row(1, "two")])


def test_indexes_and_keys_come_back_as_they_were(connection):
    before = described(connection)
    connection.execute(text("INSERT INTO loaded VALUES (7); INSERT INTO pointing VALUES (7)"))

    with without_indexes(connection, ["loaded"], silently):
        assert len(described(connection)) < len(before)
        copy(connection, "loaded", COLUMNS[:2], [row(1, "one"), row(2, "two")])

    assert described(connection) == before


@pytest.mark.parametrize(
    ("table", "lines"), [("loaded", [row(1, "same"), row(2, "same")]), ("pointing", [row(9)])]
)
def test_every_row_is_checked_when_they_do(connection, table, lines):
    refused = pytest.raises(DBAPIError, match=r"could not create unique|violates foreign key")
    with refused, without_indexes(connection, ["loaded"], silently):
        copy(connection, table, COLUMNS[: lines[0].count("\t") + 1], lines)
    db.session.rollback()
