"""The rows of a seated section, in whichever form a seat map document gives them."""

from typing import Any

from schemas.seat_labels import Labels, is_label, lettered
from schemas.seat_map_mistakes import Mistakes
from schemas.seat_map_rows import (
    MOST_IN_ROW,
    MOST_ROWS,
    NOT_A_LABEL,
    Reading,
    Row,
    Usual,
    aisles,
    described,
    described_rows,
    is_list,
    listed_seats,
    members,
    plain,
    whole,
    with_aisles,
)


def rows_of(section: dict[str, Any], path: str, reading: Reading) -> list[Row]:
    """The rows of a seated section, in whichever form they are given."""
    mistakes = reading.mistakes
    rows, seats = section.get("rows"), section.get("seats")
    if isinstance(seats, list) and rows is None:
        _only(section, path, {"seats"}, mistakes)
        return _listed(seats, f"{path}.seats", reading)
    if rows is not None and not isinstance(rows, str | list):
        _only(section, path, {"rows", "seats_per_row"}, mistakes)
        return _counted(section, path, reading)
    if rows is None:
        told = "A seated section has rows: how many, which, or each with its seats."
        mistakes.at(f"{path}.rows", told)
        return []
    _only(section, path, {"rows", "seats", "aisles_after", "exceptions"}, mistakes)
    usual = _usual(section, path, reading)
    if isinstance(rows, str):
        labels = described_rows(rows, f"{path}.rows", mistakes)
        found = [_usual_row(label, f"{path}.rows", usual, reading) for label in labels]
    elif is_list(rows, f"{path}.rows", 1, MOST_ROWS, mistakes):
        found = [_row(each, f"{path}.rows.{n}", usual, reading) for n, each in enumerate(rows)]
    else:
        return []
    _check_aisles(found, usual, mistakes)
    return [row for row in found if row is not None]


def _only(section: dict[str, Any], path: str, form: set[str], mistakes: Mistakes) -> None:
    """Refuse members of a form that goes with another one."""
    forms = {"rows", "seats", "seats_per_row", "aisles_after", "exceptions"}
    for name in sorted((section.keys() & forms) - form):
        mistakes.at(f"{path}.{name}", "Does not go with the way in which the rows are given.")


def _counted(section: dict[str, Any], path: str, reading: Reading) -> list[Row]:
    rows = whole(section.get("rows"), 1, MOST_ROWS)
    seats = whole(section.get("seats_per_row"), 1, MOST_IN_ROW)
    for name, value, most in (("rows", rows, MOST_ROWS), ("seats_per_row", seats, MOST_IN_ROW)):
        if value is None:
            reading.mistakes.at(f"{path}.{name}", f"Must be a whole number from 1 to {most:,}.")
    if rows is None or seats is None:
        return []
    reading.count(rows * seats)
    labels = numbered(seats)
    return [Row(f"{path}.rows", lettered(n), plain(labels)) for n in range(rows)]


def _listed(value: list[Any], path: str, reading: Reading) -> list[Row]:
    """The form of old: each row with the numbers of its seats."""
    mistakes = reading.mistakes
    if not is_list(value, path, 1, MOST_ROWS, mistakes):
        return []
    rows = []
    for n, each in enumerate(value):
        here = f"{path}.{n}"
        if not members(each, here, {"row", "numbers"}, mistakes, required=("row", "numbers")):
            continue
        label, numbers = each.get("row"), each.get("numbers")
        if "row" in each and not is_label(label):
            mistakes.at(f"{here}.row", NOT_A_LABEL)
        if "numbers" in each and is_list(numbers, f"{here}.numbers", 1, MOST_IN_ROW, mistakes):
            for at, number in enumerate(numbers):
                if not is_label(number):
                    mistakes.at(f"{here}.numbers.{at}", NOT_A_LABEL)
            reading.count(len(numbers))
            if is_label(label) and all(map(is_label, numbers)):
                rows.append(Row(here, label, plain(Labels(tuple(numbers)))))
    return rows


def _usual(section: dict[str, Any], path: str, reading: Reading) -> Usual:
    """What a section says of all its rows, and of some."""
    mistakes = reading.mistakes
    seats = None
    if "seats" in section:
        seats = described(section["seats"], f"{path}.seats", mistakes)
    after: tuple[tuple[str, str], ...] = ()
    if "aisles_after" in section:
        after = aisles(section["aisles_after"], f"{path}.aisles_after", mistakes)
    exceptions: dict[str, Usual] = {}
    if "exceptions" in section and is_list(
        section["exceptions"], f"{path}.exceptions", 1, MOST_ROWS, mistakes
    ):
        for n, each in enumerate(section["exceptions"]):
            _except(each, f"{path}.exceptions.{n}", Usual(seats, after, {}), exceptions, reading)
    return Usual(seats, after, exceptions)


def _except(value: Any, path: str, usual: Usual, known: dict[str, Usual], reading: Reading) -> None:
    mistakes = reading.mistakes
    names = {"rows", "seats", "aisles_after"}
    if not members(value, path, names, mistakes, required=("rows",)):
        return
    if not value.keys() & {"seats", "aisles_after"}:
        mistakes.at(path, "Say which seats its rows have, or which aisles.")
    seats, after = usual.seats, usual.aisles
    if "seats" in value:
        seats = described(value["seats"], f"{path}.seats", mistakes)
        reading.count_excepted(len(seats.names) if seats else 0, path)
    if "aisles_after" in value:
        after = aisles(value["aisles_after"], f"{path}.aisles_after", mistakes)
    if "rows" in value:
        labels = described_rows(value["rows"], f"{path}.rows", mistakes)
        reading.count_excepted(len(labels), path)
        for label in labels:
            if label in known:
                mistakes.at(f"{path}.rows", f"There is another exception for row {label}.")
            known[label] = Usual(seats, after, {}, path)


def _usual_row(label: str, path: str, usual: Usual, reading: Reading) -> Row | None:
    """A row that is as its section says."""
    of_it = usual.exceptions.get(label, usual)
    if of_it.seats is None:
        if not reading.mistakes.found:
            reading.mistakes.at(path, f"Nothing says which seats row {label} has.")
        return None
    reading.count(len(of_it.seats.names))
    return Row(path, label, plain(of_it.seats))


def _row(value: Any, path: str, usual: Usual, reading: Reading) -> Row | None:
    """A row of a list: a label, or an object with what is its own."""
    mistakes = reading.mistakes
    if isinstance(value, str):
        if not is_label(value):
            mistakes.at(path, NOT_A_LABEL)
            return None
        return _usual_row(value, path, usual, reading)
    if not members(value, path, {"row", "seats", "aisles_after"}, mistakes, required=("row",)):
        return None
    label = value.get("row")
    if not is_label(label):
        if "row" in value:
            mistakes.at(f"{path}.row", NOT_A_LABEL)
        label = "?"
    if "seats" not in value:
        row = _usual_row(label, path, usual, reading)
    else:
        row = own_row(label, value["seats"], path, reading)
    if row is not None and "aisles_after" in value:
        row.after = aisles(value["aisles_after"], f"{path}.aisles_after", mistakes)
        with_aisles(row, row.after, mistakes, strict=True)
    return row


def own_row(label: str, seats: Any, path: str, reading: Reading) -> Row | None:
    """A row, or a table, with seats of its own."""
    if isinstance(seats, str):
        labels = described(seats, f"{path}.seats", reading.mistakes)
        if labels is None:
            return None
        reading.count(len(labels.names))
        return Row(path, label, plain(labels))
    found = listed_seats(seats, f"{path}.seats", reading.mistakes)
    reading.count(len(found))
    return Row(path, label, found, exact=True) if found else None


def _check_aisles(rows: list[Row | None], usual: Usual, mistakes: Mistakes) -> None:
    """Put the section's aisles into its rows; refuse those that no row has, and odd exceptions."""
    if mistakes.found:
        return  # what is wrong already may be why these would be
    used: set[str] = set()
    for row in rows:
        if row is not None and row.after is None:
            after = usual.exceptions.get(row.label, usual).aisles
            used |= with_aisles(row, after, mistakes, strict=False)
    labels = {row.label for row in rows if row is not None}
    for label, exception in usual.exceptions.items():
        if label not in labels:
            mistakes.at(f"{exception.path}.rows", f"There is no row {label}.")
    everywhere = [usual, *usual.exceptions.values()]
    for path, number in dict.fromkeys(one for each in everywhere for one in each.aisles):
        if path not in used:
            mistakes.at(path, f"No row has a seat {number} that another one follows.")


def numbered(seats: int) -> Labels:
    return Labels(tuple(str(number + 1) for number in range(seats)))
