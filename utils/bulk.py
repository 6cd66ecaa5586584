"""Loading whole tables: rows by COPY, and indexes and foreign keys made when all rows are there.

Everything here runs in the caller's transaction, so that a load that breaks off leaves nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg2
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

AT_ONCE = 1 << 16  # characters
NOTHING = "\\N"
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
AWKWARD = re.compile(r"[\\\t\n\r]")
DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK = [f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}+00" for second in range(DAY)]

Tell = Callable[[str, int, int], None]  # what is under way, how much of it is done, and of how much

FOREIGN_KEYS = text(
    """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
     WHERE contype = 'f' AND (conrelid = ANY(CAST(:tables AS regclass[]))
                              OR confrelid = ANY(CAST(:tables AS regclass[])))
     ORDER BY 1, 2
    """
)
UNIQUES = text(
    """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
     WHERE contype IN ('u', 'x') AND conrelid = ANY(CAST(:tables AS regclass[])) ORDER BY 1, 2
    """
)
INDEXES = text(
    """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
     WHERE indrelid = ANY(CAST(:tables AS regclass[])) AND NOT indisprimary
       AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
     ORDER BY 1
    """
)


def silently(_what: str, _done: int, _total: int) -> None:
    """Tell nobody how far it has come."""


def row(*values: object) -> str:
    """A line of COPY; None is NULL, a list an array of text."""
    return "\t".join(map(_written, values)) + "\n"


def _written(value: object) -> str:
    if isinstance(value, str):
        return value.translate(ESCAPES) if AWKWARD.search(value) else value
    if value is None:
        return NOTHING
    if value is True or value is False:
        return "t" if value else "f"
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    if isinstance(value, list):
        words = (str(word).replace("\\", "\\\\").replace('"', '\\"') for word in value)
        return _written("{" + ",".join(f'"{word}"' for word in words) + "}")
    return str(value)


class Stamps:
    """Instants as COPY reads them, from seconds since 1970; fast for those of a few years."""

    def __init__(self) -> None:
        self._days: dict[int, str] = {}

    def __call__(self, second: int) -> str:
        day, rest = divmod(second, DAY)
        date = self._days.get(day)
        if date is None:
            date = self._days[day] = f"{EPOCH + timedelta(days=day):%Y-%m-%d} "
        return date + CLOCK[rest]


class _Reader:
    """A file that psycopg2 can read, of lines that are made while it does."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._rest = ""
        self.failure: BaseException | None = None

    def read(self, size: int) -> str:
        parts, length = [self._rest], len(self._rest)
        try:
            while length < size and (line := next(self._lines, None)) is not None:
                parts.append(line)
                length += len(line)
        except BaseException as failure:
            self.failure = failure  # psycopg2 would report a cancelled query instead
            raise
        whole = "".join(parts)
        self._rest = whole[size:]
        return whole[:size]


def copy(connection: Connection, table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Load lines, as `row` makes them, into `columns` of a table; none is kept in memory."""
    named = ", ".join(f'"{column}"' for column in columns)
    statement = f'COPY "{table}" ({named}) FROM STDIN'
    reader = _Reader(lines)
    cursor: Any = connection.connection.cursor()
    try:
        cursor.copy_expert(statement, reader, AT_ONCE)
    except psycopg2.Error as error:
        if reader.failure is not None:
            raise reader.failure from None
        raise DBAPIError.instance(statement, None, error, psycopg2.Error) from error
    finally:
        cursor.close()


def counted(lines: Iterable[str], what: str, total: int, tell: Tell) -> Iterator[str]:
    """The same lines, telling now and then how many have gone by."""
    done = 0
    tell(what, 0, total)
    for done, line in enumerate(lines, 1):
        if not done % 10_000:
            tell(what, done, total)
        yield line
    tell(what, done, done)


@contextmanager
def without_indexes(connection: Connection, tables: Sequence[str], tell: Tell) -> Iterator[None]:
    """Let `tables` stand without indexes, uniqueness and foreign keys; then make all of them anew.

    They come back as the database described them, under the same names, and are checked against
    every row. Nobody else reads or writes these tables until the transaction ends.
    """
    of_tables = {"tables": list(tables)}
    foreign_keys = connection.execute(FOREIGN_KEYS, of_tables).all()
    uniques = connection.execute(UNIQUES, of_tables).all()
    indexes = connection.execute(INDEXES, of_tables).all()
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # what is deferred hinders ALTER
    for table, name, _ in (*foreign_keys, *uniques):
        connection.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
    for name, _ in indexes:
        connection.execute(text(f"DROP INDEX {name}"))
    yield
    statements = [
        *(definition for _, definition in indexes),
        *(
            f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}'
            for table, name, definition in (*uniques, *foreign_keys)
        ),
    ]
    connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
    for done, statement in enumerate(statements):
        tell("indexes and keys", done, len(statements))
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
    tell("indexes and keys", len(statements), len(statements))
