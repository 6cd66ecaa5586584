"""Versions of seat maps: which there are, and each as the document that would make it again."""

import math
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

import orjson
from sqlalchemy import BigInteger, Select, cast, func, select
from sqlalchemy.orm import with_expression

from init import db
from models import MapSeat, SeatMap, SeatMapVersion, Section
from models.seat_map import SeatKind, SectionKind
from utils.errors import NotFound
from utils.ttl_cache import TtlCache

DOCUMENTS_REMEMBERED = 4
FORMAT = 1  # of the documents: whoever writes them otherwise counts it up, for caches

_kept: TtlCache[tuple[int, datetime], bytes] = TtlCache(
    lambda: math.inf, largest=DOCUMENTS_REMEMBERED
)


def of_map(seat_map: SeatMap) -> Select[SeatMapVersion]:
    """A map's versions with what each holds, the newest first."""
    sections = select(cast(func.coalesce(func.sum(Section.capacity), 0), BigInteger))
    sections = sections.where(Section.seat_map_version_id == SeatMapVersion.id)
    seats = sections.where(Section.kind != SectionKind.STANDING)
    return (
        select(SeatMapVersion)
        .options(
            with_expression(SeatMapVersion.capacity, sections.scalar_subquery()),
            with_expression(SeatMapVersion.seats, seats.scalar_subquery()),
        )
        .where(SeatMapVersion.seat_map_id == seat_map.id)
        .order_by(SeatMapVersion.number.desc())
    )


def find(seat_map: SeatMap, number: int) -> SeatMapVersion:
    """One version of a map."""
    query = of_map(seat_map).where(SeatMapVersion.number == number)
    version = db.session.scalar(query.execution_options(populate_existing=True))
    if version is None:
        raise NotFound(f"The seat map has no version {number}.")
    return version


def etag(version: SeatMapVersion) -> str:
    """What stands for the document of a version, which never changes."""
    return f"{version.id}.{FORMAT}"


def rendered(version: SeatMapVersion) -> bytes:
    """The JSON of its document; each process keeps a few, because anyone may ask for a stadium."""
    return _kept.get((version.id, version.created_at), lambda: orjson.dumps(document(version)))


def document(version: SeatMapVersion) -> dict[str, Any]:
    """The whole of a version, seat by seat, in the form in which it can be sent in again."""
    seats = select(
        MapSeat.section_id,
        MapSeat.row,
        MapSeat.number,
        MapSeat.position,
        MapSeat.x,
        MapSeat.y,
        MapSeat.kind,
        MapSeat.restricted_view,
    )
    seats = seats.join(Section, Section.id == MapSeat.section_id)
    seats = seats.where(Section.seat_map_version_id == version.id)
    found = db.session.execute(seats.order_by(Section.position, MapSeat.position))
    by_section = {key: list(group) for key, group in groupby(found, lambda seat: seat.section_id)}
    told: dict[str, Any] = {"name": version.name}
    if version.note is not None:
        told["note"] = version.note
    if version.stage is not None:
        told["stage"] = version.stage
    told["sections"] = [
        _section(section, by_section.get(section.id, [])) for section in version.sections
    ]
    return told


def _section(section: Section, seats: list[Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"name": section.name, "kind": section.kind.value}
    if section.outline is not None:
        told["outline"] = section.outline
    if section.kind == SectionKind.STANDING:
        return told | {"capacity": section.capacity}
    rows, row = ("tables", "table") if section.kind == SectionKind.TABLES else ("rows", "row")
    by_row = groupby(seats, lambda seat: seat.row)
    return told | {rows: [{row: label, "seats": list(_seats(group))} for label, group in by_row]}


def _seats(row: Iterator[Any]) -> Iterator[dict[str, Any]]:
    """Seats with what is not so of every seat."""
    before = None
    for _, _, number, position, x, y, kind, restricted_view in row:
        seat: dict[str, Any] = {"number": number, "x": x, "y": y}
        if before is not None and position != before + 1:
            seat["gap_before"] = True
        if kind is not None:
            seat["accessible" if kind == SeatKind.ACCESSIBLE else "companion"] = True
        if restricted_view:
            seat["restricted_view"] = True
        before = position
        yield seat
