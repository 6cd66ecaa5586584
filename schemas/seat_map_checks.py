"""What is checked across the seats of a section, and what a section says of some of them."""

from typing import Any

from models.seat_map import SeatKind
from schemas.seat_map_mistakes import Mistakes
from schemas.seat_map_rows import Row, is_list, marked, neighbours

MOST_MARKED = 20_000
MARKS: dict[str, dict[str, Any]] = {
    "accessible": {"kind": SeatKind.ACCESSIBLE},
    "companion": {"kind": SeatKind.COMPANION},
    "restricted_view": {"restricted_view": True},
}


def check_keys(rows: list[Row], mistakes: Mistakes) -> None:
    """Refuse rows of one name, and seats that would have the same key."""
    labels: set[str] = set()
    keys: set[str] = set()
    for row in rows:
        twice = row.label in labels and row.label != "?"
        if twice:
            mistakes.at(row.path, f"There is another {row.label} in this section.")
        labels.add(row.label)
        for n, seat in enumerate(row.seats):
            key = f"{row.label}-{seat.number}"
            if key in keys and not twice and seat.number != "?":
                path = f"{row.path_of(n)}.number" if row.exact else row.path
                mistakes.at(path, f"There is another {key} in this section.")
            keys.add(key)


def mark(section: dict[str, Any], rows: list[Row], path: str, mistakes: Mistakes) -> dict[str, str]:
    """Make the seats that a section names what it says; where it named each companion seat."""
    named = [name for name in MARKS if name in section]
    told_at: dict[str, str] = {}
    if not named:
        return told_at
    there = {f"{row.label}-{seat.number}": seat for row in rows for seat in row.seats}
    changes: dict[str, dict[str, Any]] = {}
    for name in named:
        here = f"{path}.{name}"
        if not is_list(section[name], here, 0, MOST_MARKED, mistakes):
            continue
        for n, key in enumerate(section[name]):
            if not isinstance(key, str):
                mistakes.at(f"{here}.{n}", "Must name a seat, such as A-12.")
                continue
            seat = there.get(key)
            if seat is None:
                told = f"There is no seat {key[:50]} in this section."
                mistakes.at(f"{here}.{n}", told)
                continue
            change = changes.setdefault(key, {})
            kind = MARKS[name].get("kind")
            if kind is not None and change.get("kind", seat.kind) not in (None, kind):
                mistakes.at(f"{here}.{n}", "An accessible seat is nobody's companion seat.")
            change.update(MARKS[name])
            if kind == SeatKind.COMPANION:
                told_at[key] = f"{here}.{n}"
    marked(rows, changes)
    return told_at


def check_companions(rows: list[Row], told_at: dict[str, str], mistakes: Mistakes) -> None:
    """Refuse companion seats that no accessible seat, nor another of its companions, is beside."""
    for row in rows:
        if not any(seat.kind == SeatKind.COMPANION for seat in row.seats):
            continue
        for block in neighbours(row):
            run: list[int] = []
            for n in block:
                if row.seats[n].kind is not None:
                    run.append(n)
                else:
                    _check_run(row, run, told_at, mistakes)
                    run = []
            _check_run(row, run, told_at, mistakes)


def _check_run(row: Row, run: list[int], told_at: dict[str, str], mistakes: Mistakes) -> None:
    kinds = {row.seats[n].kind for n in run}
    if kinds == {SeatKind.COMPANION}:
        seat = f"{row.label}-{row.seats[run[0]].number}"
        path = f"{row.path_of(run[0])}.companion" if row.exact else row.path
        mistakes.at(
            told_at.get(seat, path),
            f"{seat} is a companion seat with no accessible seat beside it.",
        )
