"""Seat maps as spreadsheets have them: a line for each seat, and one for each standing section.

The stage and the outlines of sections have no place in it; all else comes back as it went out.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

from marshmallow import ValidationError

from models.layout import WantedMap
from schemas.seat_map_mistakes import MOST, each_of
from schemas.seat_map_reading import read_map
from utils.spreadsheet import FORMULA, csv_lines

FLAGS = ("gap_before", "accessible", "companion", "restricted_view")
HEADER = ("section", "kind", "row", "seat", *FLAGS, "x", "y", "capacity")
YES, NO = {"yes", "true", "1", "x", "y"}, {"", "no", "false", "0", "n"}
ROWS = {"seated": ("rows", "row"), "tables": ("tables", "table")}


class WrongLines(Exception):
    """What is wrong in a file: (line, sentence) for each mistake; line 0 is of the whole."""

    def __init__(self, mistakes: list[tuple[int, str]]) -> None:
        super().__init__(f"{len(mistakes)} mistakes")
        self.mistakes = sorted(mistakes)[:MOST]


def lines_of(document: dict[str, Any]) -> Iterator[str]:
    """The lines of a file that says what a document of seat_map_versions does."""
    yield from csv_lines(HEADER, ())
    for section in document["sections"]:
        kind = section["kind"]
        start = section["name"], kind
        if kind == "standing":
            blank = [None] * (len(HEADER) - 3)
            yield _line(*start, *blank, section["capacity"])
            continue
        rows, label = ROWS[kind]
        for row in section[rows]:
            for seat in row["seats"]:
                flags = ["yes" if seat.get(name) else None for name in FLAGS]
                where = seat["x"], seat["y"]
                yield _line(*start, row[label], seat["number"], *flags, *where, None)


def _line(*cells: Any) -> str:
    """A line in which only text is kept from being a formula: -1.5 is a number."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(
        f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell for cell in cells
    )
    return buffer.getvalue()


def read_lines(text: str, name: str) -> WantedMap:
    """The map that a file describes. Raises WrongLines with each mistake at its line."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), restval="")
    file = _File(name)
    try:
        columns = set(reader.fieldnames or ())
        if columns - set(HEADER) or not {"section", "kind"} <= columns:
            told = f"The columns are {', '.join(HEADER)}; section and kind are needed."
            raise WrongLines([(1, told)])
        for cells in reader:
            if any(cells.values()):
                file.take(reader.line_num, cells)
    except csv.Error as error:
        raise WrongLines([(reader.line_num, f"Is no CSV: {error}.")]) from None
    return file.read()


class _File:
    """A document in the making, and the line that each part of it comes from."""

    def __init__(self, name: str) -> None:
        self.document: dict[str, Any] = {"name": name, "sections": []}
        self.sections: dict[str, int] = {}
        self.rows: dict[tuple[str, str], int] = {}
        self.lines: dict[str, int] = {}
        self.mistakes: list[tuple[int, str]] = []

    def take(self, line: int, cells: dict[str, Any]) -> None:
        if None in cells:
            self.mistakes.append((line, "Has more cells than there are columns."))
            return
        cells = {name: _text(value) for name, value in cells.items()}
        name, kind = cells["section"], cells["kind"].lower()
        if name not in self.sections:
            self.sections[name] = len(self.sections)
            self.document["sections"].append({"name": name, "kind": kind})
            self.lines[f"sections.{self.sections[name]}"] = line
        number = self.sections[name]
        section = self.document["sections"][number]
        if section["kind"] != kind:
            self.mistakes.append((line, f"{name} is {section['kind']} in an earlier line."))
        elif kind == "standing":
            self._take_standing(line, section, cells)
        elif kind in ROWS:
            self._take_seat(line, section, f"sections.{number}", cells)

    def _take_standing(self, line: int, section: dict[str, Any], cells: dict[str, str]) -> None:
        if "capacity" in section:
            self.mistakes.append((line, f"There is another line of {section['name']}."))
        elif not cells.get("capacity", "").isdecimal() or len(cells["capacity"]) > 9:
            self.mistakes.append((line, "capacity: Say how many stand there."))
        else:
            section["capacity"] = int(cells["capacity"])

    def _take_seat(
        self, line: int, section: dict[str, Any], path: str, cells: dict[str, str]
    ) -> None:
        rows, label = ROWS[section["kind"]]
        row = cells.get("row", "")
        known = section["name"], row
        there = section.setdefault(rows, [])
        if known not in self.rows:
            self.rows[known] = len(there)
            there.append({label: row, "seats": []})
            self.lines[f"{path}.{rows}.{self.rows[known]}"] = line
        seats = there[self.rows[known]]["seats"]
        self.lines[f"{path}.{rows}.{self.rows[known]}.seats.{len(seats)}"] = line
        seats.append(self._seat(line, cells))

    def _seat(self, line: int, cells: dict[str, str]) -> dict[str, Any]:
        seat: dict[str, Any] = {"number": cells.get("seat", "")}
        for name in FLAGS:
            word = cells.get(name, "").lower()
            if word in YES:
                seat[name] = True
            elif word not in NO:
                self.mistakes.append((line, f"{name}: {word[:20]!r} is neither yes nor no."))
        for name in ("x", "y"):
            if word := cells.get(name, ""):
                try:
                    seat[name] = float(word)
                except ValueError:
                    self.mistakes.append((line, f"{name}: {word[:20]!r} is no number."))
        return seat

    def read(self) -> WantedMap:
        """The map, if all is well with it."""
        found = None
        try:
            found = read_map(self.document)
        except ValidationError as error:
            for path, sentence in each_of(error):
                line = self._line_of(path)
                told = f"{_last(path)}{sentence}" if line else f"{path}: {sentence}"
                self.mistakes.append((line, told))
        if self.mistakes or found is None:
            raise WrongLines(self.mistakes)
        return found

    def _line_of(self, path: str) -> int:
        while path and path not in self.lines:
            path = path.rpartition(".")[0]
        return self.lines.get(path, 0)


def _last(path: str) -> str:
    """The column that a path ends in, if it does."""
    name = path.rpartition(".")[2]
    column = {"number": "seat", "table": "row", "name": "section"}.get(name, name)
    return f"{column}: " if column in HEADER else ""


def _text(cell: str) -> str:
    """What was in a cell before it was kept from being a formula."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell
