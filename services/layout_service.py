"""How the hall of a show is laid out: what a buyer's page draws, the same for ever.

A version of a map never changes, so each process reads it once, and keeps a few: the text that it
answers with, and where each seat is, for those who draw it here.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from models.seat_map import SectionKind
from models.stock import seat_prefix
from services.seen_show_service import SeenShow
from utils.errors import NotFound
from utils.ready_text import ReadyText
from utils.statement import Statement
from utils.ttl_cache import TtlCache

FORMAT = 1  # counted up when the text of a layout changes, so that nobody keeps an old one
LAYOUTS_REMEMBERED = 4
TENTHS = 10  # of a seat's width, in which pictures are drawn
REACH = 1.0  # how far a section goes beyond the middle of its outer seats, in seats' widths
PEOPLE_TO_A_SEAT = 2.0  # who stand where one would sit
STANDING_DEPTH, STANDING_APART = 4.0, 2.0
RESTRICTED = "restricted view"
DEEPEST = 0.4  # of its width

Point = tuple[float, float]

SECTIONS = Statement(
    "layout_sections",
    """
    SELECT c.id, c.name, c.kind, c.capacity, c.outline, v.number, v.stage, v.name
      FROM seat_map_versions v LEFT JOIN sections c ON c.seat_map_version_id = v.id
     WHERE v.id = :version_id ORDER BY c.position, c.id
    """,
)
SEATS = Statement(
    "layout_seats",
    """
    SELECT s.section_id, s."row", s.number, s.position, s.x, s.y, s.kind, s.restricted_view
      FROM map_seats s JOIN sections c ON c.id = s.section_id
     WHERE c.seat_map_version_id = :version_id
     ORDER BY c.position, c.id, s.position, s.id
    """,
)


@dataclass(frozen=True, slots=True)
class LaidOutRow:
    """A row, or a table: the keys of its seats as people sit, and where each is, in tenths."""

    label: str
    keys: tuple[str, ...]
    xs: "array[int]"
    ys: "array[int]"


@dataclass(frozen=True, slots=True)
class LaidOutSection:
    """A part of the hall; `outline` goes round it, `is_drawn` where somebody has drawn that."""

    id: int
    name: str
    kind: SectionKind
    capacity: int
    rows: tuple[LaidOutRow, ...]
    outline: tuple[Point, ...]
    is_drawn: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """A version of a map, as those see it who choose seats. `bounds`: x, y, width and height.

    `special` says of seats that are not like others what they are.
    """

    version_id: int | None
    sections: tuple[LaidOutSection, ...]
    stage: dict[str, Any] | None
    bounds: tuple[float, float, float, float]
    text: ReadyText = field(repr=False)
    etag: str
    special: Mapping[str, str] = field(default_factory=dict)

    @property
    def seat_count(self) -> int:
        return sum(len(row.keys) for section in self.sections for row in section.rows)


_kept: TtlCache[tuple[int, datetime | None], Layout] = TtlCache(
    lambda: math.inf, largest=LAYOUTS_REMEMBERED
)


def of_show(show: SeenShow, version_id: int | None = None) -> Layout:
    """The layout of a show's map; one without a map has no sections.

    Raises NotFound when `version_id` is not the version that it pins.
    """
    if version_id is not None and version_id != show.map_id:
        raise NotFound(f"The show has no version {version_id} of a seat map; see its seat_status.")
    if show.map_id is None:
        return NOWHERE
    map_id = show.map_id
    return _kept.get((map_id, show.map_made_at), lambda: _read(map_id, show.map_made_at))


def _read(version_id: int, made_at: datetime | None) -> Layout:
    facts = SECTIONS.all(version_id=version_id)
    seats = iter(SEATS.all(version_id=version_id))
    by_section = {
        section_id: list(_rows(of_it)) for section_id, of_it in groupby(seats, itemgetter(0))
    }
    *_, number, stage, map_name = facts[0]
    drawn: list[LaidOutSection] = []
    special: dict[str, str] = {}
    told: list[dict[str, Any]] = []
    for section_id, name, kind, capacity, outline, *_ in facts:
        if section_id is None:
            continue  # a version without any
        prefix = seat_prefix(name)
        rows, texts = [], []
        for label, in_row in by_section.pop(section_id, ()):
            row, seats_told = _row(prefix, label, in_row, special)
            rows.append(row)
            texts.append({"label": label, "seats": orjson.Fragment(seats_told)})
        corners = tuple((float(x), float(y)) for x, y in outline or ())
        drawn.append(
            LaidOutSection(section_id, name, SectionKind(kind), capacity, tuple(rows), corners)
        )
        told.append({"id": section_id, "name": name, "kind": kind, "capacity": capacity})
        if rows:
            told[-1]["rows"] = texts
    sections = tuple(_with_outlines(drawn))
    for facts_of, section in zip(told, sections, strict=True):
        facts_of["outline"] = section.outline
    bounds = _bounds(sections, stage)
    body = {
        "seat_map_version_id": version_id,
        "name": map_name,
        "number": number,
        "bounds": bounds,
        "stage": stage,
        "sections": told,
    }
    made = f"{made_at.timestamp():.0f}" if made_at else ""
    text = ReadyText(orjson.dumps(body), level=6)
    etag = f"{version_id}.{FORMAT}-{made}"
    return Layout(version_id, sections, stage, bounds, text, etag, special)


def _rows(seats: Iterable[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Rows with their seats; one whose seats are not together in the order still is one."""
    rows: dict[str, list[Any]] = {}
    for seat in seats:
        rows.setdefault(seat[1], []).append(seat)
    yield from rows.items()


def _row(
    prefix: str, label: str, seats: Sequence[Any], special: dict[str, str]
) -> tuple[LaidOutRow, bytes]:
    """A row, and the JSON of its seats, which say what they are only where they are special."""
    keys = tuple(f"{prefix}{label}-{seat[2]}" for seat in seats)
    told = []
    for seat_key, (_, _, number, position, x, y, kind, restricted) in zip(keys, seats, strict=True):
        seat = {"key": seat_key, "number": number, "position": position}
        seat |= {"x": _round(x), "y": _round(y)}
        if kind is not None:
            seat["kind"] = special[seat_key] = kind
        if restricted:
            seat["restricted_view"] = True
            words = (special[seat_key], RESTRICTED) if kind is not None else (RESTRICTED,)
            special[seat_key] = ", ".join(words)
        told.append(seat)
    xs, ys = (array("i", (round(seat[n] * TENTHS) for seat in seats)) for n in (4, 5))
    return LaidOutRow(label, keys, xs, ys), orjson.dumps(told)


def _with_outlines(sections: Sequence[LaidOutSection]) -> Iterator[LaidOutSection]:
    """Sections that have none get an outline: round their seats, or a place of their own."""
    known = [_hull(section) if section.rows else section.outline for section in sections]
    known = [section.outline or outline for section, outline in zip(sections, known, strict=True)]
    points = [point for outline in known for point in outline]
    left, right = min((x for x, _ in points), default=-10), max((x for x, _ in points), default=10)
    width = max(right - left, 20.0)
    left = (left + right - width) / 2
    above, below = min((y for _, y in points), default=0), max((y for _, y in points), default=0)
    first = next((n for n, outline in enumerate(known) if outline), 0)  # before it is in front
    front = above - sum(_depth(each, width) + STANDING_APART for each in sections[:first])
    behind = below + STANDING_APART
    for number, (section, outline) in enumerate(zip(sections, known, strict=True)):
        corners = outline
        if not outline:
            depth = _depth(section, width)
            top = front if number < first else behind
            if number < first:
                front += depth + STANDING_APART
            else:
                behind += depth + STANDING_APART
            bottom, end = _round(top + depth), _round(left + width)
            top, begin = _round(top), _round(left)
            corners = ((begin, top), (end, top), (end, bottom), (begin, bottom))
        yield replace(section, outline=corners, is_drawn=bool(section.outline))


def _depth(section: LaidOutSection, width: float) -> float:
    """How deep an area of that width is for people to stand in."""
    return min(max(section.capacity / PEOPLE_TO_A_SEAT / width, STANDING_DEPTH), width * DEEPEST)


def _hull(section: LaidOutSection) -> tuple[Point, ...]:
    """The corners round a section's seats (the convex hull, by Andrew's monotone chain)."""
    corners = {
        (row.xs[n] / TENTHS + dx, row.ys[n] / TENTHS + dy)
        for row in section.rows
        for n in {
            0,
            len(row.xs) - 1,
            *(at.index(pick(at)) for at in (row.xs, row.ys) for pick in (min, max)),
        }
        for dx in (-REACH, REACH)
        for dy in (-REACH, REACH)
    }
    points = sorted(corners)
    return tuple(
        (_round(x), _round(y)) for x, y in [*_chain(points)[:-1], *_chain(points[::-1])[:-1]]
    )


def _chain(points: Iterable[Point]) -> list[Point]:
    chain: list[Point] = []
    for x, y in points:
        while len(chain) > 1:
            (ax, ay), (bx, by) = chain[-2:]
            if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                break
            chain.pop()
        chain.append((x, y))
    return chain


def _bounds(
    sections: Sequence[LaidOutSection], stage: dict[str, Any] | None
) -> tuple[float, float, float, float]:
    points = [point for section in sections for point in section.outline]
    if stage:
        x, y = stage["x"], stage["y"]
        points += [(x, y), (x + stage["width"], y + stage["height"])]
    if not points:
        return 0.0, 0.0, 0.0, 0.0
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, top = min(xs), min(ys)
    return left, top, _round(max(xs) - left), _round(max(ys) - top)


def _round(number: float) -> float | int:
    """Hundredths of a seat's width; whole numbers as such."""
    rounded = round(number, 2)
    return int(rounded) if rounded == int(rounded) else rounded


NOWHERE = Layout(
    None,
    (),
    None,
    (0.0, 0.0, 0.0, 0.0),
    ReadyText(
        orjson.dumps(
            {
                "seat_map_version_id": None,
                "name": None,
                "number": None,
                "bounds": (0.0, 0.0, 0.0, 0.0),
                "stage": None,
                "sections": [],
            }
        )
    ),
    f"none.{FORMAT}",
)
