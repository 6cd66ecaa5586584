"""A seat map document, read: its sections in any of their forms, and all that is wrong with them.

It is read by hand, because a stadium has 80,000 seats and somebody waits; the JSON Schema that is
published (seat_map_document) says the same, and a test holds the two together.
"""

from typing import Any

from models.layout import WantedMap, WantedSection
from models.seat_map import SectionKind
from models.stock import seat_prefix
from models.venue import LARGEST_VENUE
from schemas.fields import IN_A_LINE, VISIBLE
from schemas.seat_map_checks import MARKS, check_companions, check_keys, mark
from schemas.seat_map_mistakes import Mistakes
from schemas.seat_map_rows import FARTHEST, Reading, is_list, is_number, members, point, whole
from schemas.seat_map_seated import rows_of
from schemas.seat_map_tables import tables_of

MOST_SECTIONS = 500
LONGEST_NAME, LONGEST_NOTE = 100, 200
MOST_CORNERS, LARGEST_STAGE = 100, 10_000
KINDS = [kind.value for kind in SectionKind]
SECTION = {"name", "kind", "outline"}
SEATED = SECTION | {"rows", "seats", "seats_per_row", "aisles_after", "exceptions", *MARKS}
TABLES = SECTION | {"tables", "seats_per_table", *MARKS}


def read_map(document: Any) -> WantedMap:
    """The map that a document describes. Raises ValidationError with each mistake at its path."""
    reading = Reading()
    mistakes = reading.mistakes
    names = {"name", "note", "stage", "sections"}
    if not members(document, "body", names, mistakes):
        mistakes.end()
    name = _line(document, "name", LONGEST_NAME, mistakes, required=True)
    note = _line(document, "note", LONGEST_NOTE, mistakes)
    stage = _stage(document["stage"], mistakes) if document.get("stage") is not None else None
    sections = _sections(document.get("sections"), reading)
    mistakes.require_none()
    return WantedMap(name or "", note, stage, tuple(sections))


def _line(
    document: dict[str, Any], name: str, longest: int, mistakes: Mistakes, *, required: bool = False
) -> str | None:
    value = document.get(name)
    if value is None and not required:
        return None
    sentence = name_is_wrong(value, longest)
    if name not in document:
        mistakes.at(name, "Missing data for required field.")
    elif sentence:
        mistakes.at(name, sentence)
    return value


def name_is_wrong(value: Any, longest: int = LONGEST_NAME) -> str | None:
    """What is wrong with a name, if anything is."""
    if not isinstance(value, str):
        return "Not a valid string."
    if not 1 <= len(value) <= longest:
        return f"Length must be between 1 and {longest}."
    if IN_A_LINE.search(value):
        return "Contains a control character."
    return None if VISIBLE.search(value) else "Must not be blank."


def _stage(value: Any, mistakes: Mistakes) -> dict[str, Any] | None:
    names = {"x", "y", "width", "height", "label"}
    if not members(value, "stage", names, mistakes, required=("x", "y", "width", "height")):
        return None
    point(value, "stage", mistakes)
    for name in ("width", "height"):
        if name in value and not (is_number(value[name]) and 0 < value[name] <= LARGEST_STAGE):
            mistakes.at(f"stage.{name}", f"Must be more than 0, and at most {LARGEST_STAGE:,}.")
    if "label" in value and (wrong := name_is_wrong(value["label"])):
        mistakes.at("stage.label", wrong)
    return {name: value[name] for name in ("x", "y", "width", "height", "label") if name in value}


def _sections(value: Any, reading: Reading) -> list[WantedSection]:
    if not is_list(value, "sections", 1, MOST_SECTIONS, reading.mistakes):
        return []
    sections = []
    known: set[str] = set()
    for n, each in enumerate(value):
        path = f"sections.{n}"
        section = _section(each, path, reading)
        if isinstance(each, dict) and isinstance(each.get("name"), str):
            prefix = seat_prefix(each["name"])
            if prefix in known:  # its seats would have the same keys
                told = f"There is another section {prefix[:-1]}."
                reading.mistakes.at(f"{path}.name", told)
            known.add(prefix)
        if section is not None:
            sections.append(section)
    return sections


def _section(value: Any, path: str, reading: Reading) -> WantedSection | None:
    mistakes = reading.mistakes
    if not isinstance(value, dict):
        mistakes.at(path, "Must be an object.")
        return None
    kind = value.get("kind")
    if kind not in KINDS:
        mistakes.at(f"{path}.kind", f"Must be one of: {', '.join(KINDS)}.")
        return None
    names = {
        SectionKind.STANDING: SECTION | {"capacity"},
        SectionKind.SEATED: SEATED,
        SectionKind.TABLES: TABLES,
    }[SectionKind(kind)]
    members(value, path, names, mistakes, required=("name",))
    name = value.get("name", "?")
    if wrong := name_is_wrong(name):
        mistakes.at(f"{path}.name", wrong)
    outline = (
        _outline(value["outline"], f"{path}.outline", mistakes) if "outline" in value else None
    )
    if kind == SectionKind.STANDING:
        capacity = whole(value.get("capacity"), 1, LARGEST_VENUE)
        if capacity is None:
            told = f"A standing section holds 1 to {LARGEST_VENUE:,} people."
            mistakes.at(f"{path}.capacity", told)
        else:
            reading.count(capacity)
        return WantedSection(name, SectionKind.STANDING, capacity or 1, outline=outline)
    if kind == SectionKind.TABLES:
        rows = tables_of(value, path, reading)
    else:
        rows = rows_of(value, path, reading)
    check_keys(rows, mistakes)
    told_at = mark(value, rows, path, mistakes)
    check_companions(rows, told_at, mistakes)
    capacity = sum(len(row.seats) for row in rows)
    return WantedSection(
        name, SectionKind(kind), capacity, tuple(row.value for row in rows), outline
    )


def _outline(value: Any, path: str, mistakes: Mistakes) -> tuple[tuple[float, float], ...] | None:
    if not is_list(value, path, 3, MOST_CORNERS, mistakes):
        return None
    for n, corner in enumerate(value):
        if not (isinstance(corner, list) and len(corner) == 2 and all(map(is_number, corner))):
            told = f"A corner is [x, y], two numbers from -{FARTHEST:,} to {FARTHEST:,}."
            mistakes.at(f"{path}.{n}", told)
            return None
    return tuple((float(x), float(y)) for x, y in value)
