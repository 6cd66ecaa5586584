"""The tables of a section: a table is a row whose seats stand round it."""

from typing import Any

from schemas.seat_labels import is_label
from schemas.seat_map_rows import (
    MOST_AT_TABLE,
    MOST_ROWS,
    NOT_A_LABEL,
    Reading,
    Row,
    at_table,
    described_rows,
    is_list,
    members,
    plain,
    point,
    whole,
)
from schemas.seat_map_seated import numbered, own_row


def tables_of(section: dict[str, Any], path: str, reading: Reading) -> list[Row]:
    """The tables of a section as rows, their seats round them where it is said where they stand."""
    mistakes = reading.mistakes
    tables: Any = section.get("tables")
    size = section.get("seats_per_table")
    usual = whole(size, 1, MOST_AT_TABLE)
    if usual is None and "seats_per_table" in section:
        told = f"Must be a whole number from 1 to {MOST_AT_TABLE}."
        mistakes.at(f"{path}.seats_per_table", told)
    if isinstance(tables, str):
        tables = list(described_rows(tables, f"{path}.tables", mistakes))
        if not tables:
            return []
    if not is_list(tables, f"{path}.tables", 1, MOST_ROWS, mistakes):
        return []
    found = [_table(each, f"{path}.tables.{n}", usual, reading) for n, each in enumerate(tables)]
    return [row for row in found if row is not None]


def _table(value: Any, path: str, usual: int | None, reading: Reading) -> Row | None:
    mistakes = reading.mistakes
    if isinstance(value, str):
        value = {"table": value}
    names = {"table", "seats", "x", "y"}
    if not members(value, path, names, mistakes, required=("table",)):
        return None
    label = value.get("table")
    if not is_label(label):
        if "table" in value:
            mistakes.at(f"{path}.table", NOT_A_LABEL)
        label = "?"
    centre = point(value, path, mistakes)
    seats = value.get("seats", usual)
    row: Row | None
    if isinstance(seats, str | list):
        row = own_row(label, seats, path, reading)
    elif (size := whole(seats, 1, MOST_AT_TABLE)) is not None:
        reading.count(size)
        row = Row(path, label, plain(numbered(size)))
    else:
        told = f"1 to {MOST_AT_TABLE} of them, or which; or say seats_per_table."
        mistakes.at(f"{path}.seats", told)
        return None
    if row is not None and len(row.seats) > MOST_AT_TABLE:
        mistakes.at(f"{path}.seats", f"A table has {MOST_AT_TABLE} seats at most.")
    if row is not None and centre is not None:
        row.seats = at_table(row.seats, centre)
    return row
