"""Seating plans as pretix draws them, read as seat maps.

The format: https://github.com/pretix/pretix/blob/master/src/pretix/static/seating/seating-plan.schema.json
Zones become sections. Positions are in pixels, a seat's in its row and a row's in its zone; here a
seat's width is one. What is half as far again from the seat before it comes after a gap. Areas are
drawings and have no places.
"""

from itertools import pairwise
from math import hypot
from statistics import median
from typing import Any

from marshmallow import ValidationError

from models.layout import WantedMap
from schemas.seat_map_reading import read_map
from schemas.seat_map_rows import is_number

GAP = 1.5
Point = tuple[float, float]


def read_plan(plan: Any) -> WantedMap:
    """The map of a plan. Raises ValidationError where it is none, or where keys would meet."""
    try:
        zones = [_zone(zone) for zone in plan["zones"]]
        steps = [step for zone in zones for row in zone[1] for step in _steps(row[1])]
        width = median(steps) if steps else 1.0
        sections = [_section(n, name, rows, width) for n, (name, rows) in enumerate(zones) if rows]
        document = {"name": plan["name"], "sections": sections}
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValidationError({"plan": [f"Is no seating plan of pretix: {error!r}."]}) from None
    return read_map(document)


def _zone(zone: dict[str, Any]) -> tuple[str, list[tuple[str, list[tuple[str, Point]]]]]:
    """A zone's name, and its rows with their seats where they are in the whole plan."""
    at = _point(zone)
    rows = []
    for row in zone["rows"]:
        inside = _moved(at, _point(row)) if "position" in row else at
        seats = [(seat["seat_number"], _moved(inside, _point(seat))) for seat in row["seats"]]
        if seats:
            rows.append((row["row_number"], seats))
    return zone.get("name") or "", rows


def _point(thing: dict[str, Any]) -> Point:
    x, y = thing["position"]["x"], thing["position"]["y"]
    if not (is_number(x) and is_number(y)):
        raise TypeError("a position is no pair of numbers")
    return float(x), float(y)


def _moved(by: Point, point: Point) -> Point:
    return by[0] + point[0], by[1] + point[1]


def _steps(seats: list[tuple[str, Point]]) -> list[float]:
    return [_apart(one, other) for (_, one), (_, other) in pairwise(seats)]


def _apart(one: Point, other: Point) -> float:
    return hypot(one[0] - other[0], one[1] - other[1])


def _section(
    number: int, name: str, rows: list[tuple[str, list[tuple[str, Point]]]], width: float
) -> dict[str, Any]:
    return {
        "name": name or f"Zone {number + 1}",
        "kind": "seated",
        "rows": [{"row": label, "seats": _seats(seats, width)} for label, seats in rows],
    }


def _seats(seats: list[tuple[str, Point]], width: float) -> list[dict[str, Any]]:
    width = width or 1.0
    usual = median(_steps(seats)) if len(seats) > 1 else width
    told = []
    for n, (number, at) in enumerate(seats):
        seat: dict[str, Any] = {
            "number": number,
            "x": round(at[0] / width, 3),
            "y": round(at[1] / width, 3),
        }
        if n and _apart(seats[n - 1][1], at) > usual * GAP:
            seat["gap_before"] = True
        told.append(seat)
    return told
