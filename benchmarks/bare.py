"""The bare program: WSGI and psycopg2, and nothing between them.

It sends what GigMate sends for the same request (`recipe.py` has recorded it), hands the rows of the
last statement out as JSON, and checks nothing: neither who asks nor what is asked for. What GigMate
takes longer is what it does besides.
"""

import os
import pickle
import random
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import psycopg2

from benchmarks.recipe import Facts, Recipe

SYMBOLS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
RECIPES: dict[str, Recipe]
PEOPLE: list[Facts]
THINGS: dict[str, list[Facts]]
RECIPES, PEOPLE, THINGS = pickle.loads(Path(os.environ["BARE_RECIPES"]).read_bytes())

_here = threading.local()


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """/<recipe>/<person>/<thing>: runs the recipe for one of the people and one of its things."""
    if environ["PATH_INFO"] == "/":
        start_response("204 No Content", [])
        return []
    _, name, person, thing, *rest = environ["PATH_INFO"].split("/")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    asked = orjson.loads(body) if body else {}
    facts = {**PEOPLE[(int(person) - 1) % len(PEOPLE)], "person": int(person), "by_name": FRESH}
    if THINGS.get(name):
        facts |= THINGS[name][int(thing) % len(THINGS[name])]
    if rest:
        ids = ("booking_id", "line_id", "first_place_id", "second_place_id")
        facts |= dict(zip(ids, map(int, rest), strict=True))
    if "items" in asked and "seats" in asked["items"][0]:
        facts |= dict(zip(("first_seat", "second_seat"), asked["items"][0]["seats"], strict=True))
    answer = orjson.dumps(run(RECIPES[name], facts), default=str)
    status = {"not_modified": "304 Not Modified", "refused": "409 Conflict"}.get(name, "200 OK")
    answer = b"" if name == "not_modified" else answer
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
    start_response(status, headers)
    return [answer]


def run(recipe: Recipe, facts: Facts) -> Any:
    """The statements of a recipe in one transaction; the rows of the last one, by column."""
    connection, prepared = _connection()
    rows: list[Any] = []
    columns: list[str] = []
    facts |= {name: _code() for name in recipe.facts if name.startswith("code_")}
    with connection, connection.cursor() as cursor:
        for step in recipe.steps:
            if step.prepare and step.name not in prepared:
                cursor.execute(step.prepare)
                prepared.add(step.name)
            cursor.execute(step.text, recipe.filled(step.values, facts))
            if cursor.description:
                rows, columns = cursor.fetchall(), [each.name for each in cursor.description]
            if step.name.startswith("gate_"):
                _version, _free, _seats, facts["booking_id"], line_ids = rows[0]
                facts["line_id"] = line_ids[0]
    items = [dict(zip(columns, row, strict=True)) for row in rows]
    return {**{key: facts.get(key) for key in ("booking_id", "line_id", "person")}, "items": items}


def _reference() -> str:
    return "".join(random.choices(SYMBOLS, k=10))


def _code() -> str:
    return "".join(random.choices(SYMBOLS, k=32))


FRESH: dict[str, Callable[[], Any]] = {
    "reference": _reference,
    "start": lambda: random.randint(1, 20_000),
    "keys": lambda: sorted((random.getrandbits(62), random.getrandbits(62))),
}


def _connection() -> tuple[Any, set[str]]:
    if not hasattr(_here, "connection"):
        _here.connection = psycopg2.connect(os.environ["BARE_DATABASE"])
        _here.prepared = set()
    return _here.connection, _here.prepared
