"""The OpenAPI document against the API: every operation, with every check that schemathesis has.

A case of it is sent by one of several callers to a world in which most of what it names exists,
and leaves no trace. Everything is derived from one seed.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from flask import Flask
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.factories.worlds import World

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_bytes())
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if method != "parameters"
}
CALLERS = ("admin", "admin", "admin", "owner", "owner", "attendee", "door", "stranger")
CONFIG = {
    "seed": 1,
    "generation": {
        "deterministic": True,
        "max-examples": 12,
        # A stranger's made-up token is 401 and nothing more: the callers' headers are real.
        "with-security-parameters": False,
        # NUL is refused wherever text is taken, which the document says once, in its description.
        "allow-x00": False,
    },
    "checks": {
        # An If-Match or an Idempotency-Key is well formed and may still not be the right one.
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "304", "401", "403", "404", "409", "412", "422"]
        },
        # More items than allowed may be more bytes than are read.
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "409", "412", "413", "415", "422"]
        },
    },
}
# What JSON Schema cannot say: a 400 for nothing else than these is not held against the document.
BEYOND_SCHEMA = re.compile(
    r"""^(
    # what exists
      There\ is\ no\ .* | You\ have\ no\ such\ .* | No\ account\ has\ this\ address.*
    | Is\ not\ a\ place\ of\ this\ booking\. | This\ show\ has\ no\ such\ .* | Tier\ \d+\ (has|does).*
    | Is\ not\ a\ cursor\ of\ this\ list\. | Name\ one\ of\ this\ map's\ sections.*
    | Its\ places\ are\ in\ .* | \S+\ is\ a\ standing\ section\.
    # the clock, and the lists of the world
    | This\ is\ past\. | Must\ be\ in\ the\ years\ .* | Is\ not\ an\ (ISO|IANA)\ .*
    # two fields at once
    | Lists\ are\ .*\ rows\ deep.* | Give\ either\ page\ or\ after\.
    | Without\ a\ venue,\ say\ whose\ clocks.* | The\ show\ (ends|sells)\ .*
    | A\ tag\ is\ given\ twice\. | The\ same\ seat\ is\ .*
    )$""",
    re.VERBOSE,
)


def _instants() -> st.SearchStrategy[str]:
    years = st.integers(2030, 2150)
    hours = st.integers(-11, 13).map(lambda h: timezone(timedelta(hours=h)))
    from datetime import datetime

    return st.builds(
        lambda y, m, d, tz: datetime(y, m, d, 20, 30, tzinfo=tz).isoformat(),
        years, st.integers(1, 12), st.integers(1, 28), hours,
    )


schemathesis.openapi.format("date-time", _instants())
schemathesis.openapi.format("currency", st.sampled_from(["KES", "EUR", "JPY"]))
schemathesis.openapi.format("country", st.sampled_from(["KE", "DE", "BR"]))
schemathesis.openapi.format("time-zone", st.sampled_from(["Africa/Nairobi", "Europe/Berlin"]))
schemathesis.openapi.format("uri", st.sampled_from(["https://example.com/1.jpg", "http://a.de"]))


@cache
def document() -> BaseSchema:
    return schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_dict(CONFIG))


@pytest.mark.parametrize("label", OPERATIONS)
def test_it_does_what_the_document_says(app: Flask, world: World, undone: Any, label: str) -> None:
    schema = document()
    schema.app = app
    method, path = label.split()
    seen = []

    def one(case: Any) -> None:
        settle(case, world)
        who = CALLERS[crc32(repr(case).encode()) % len(CALLERS)]
        headers = world.callers[who]
        with undone():
            try:
                response = case.call(headers=headers)
                seen.append(response.status_code)
                beyond = [positive_data_acceptance] if is_beyond_schema(response) else []
                case.validate_response(response, headers=headers, excluded_checks=beyond)
            except Exception as e:
                if not os.environ.get("COLLECT"): raise
                for f in getattr(e, "exceptions", [e]):
                    m = case.meta
                    with open("/tmp/fails.jsonl", "a") as out:
                        print(json.dumps({"op": case.operation.label, "caller": who, "kind": type(f).__name__, "msg": str(f)[:600],
                            "phase": m.phase.name.value, "data": str(m.phase.data)[:400], "full": str(e)[-1800:]}), file=out)

    build_operation_test(
        config=schema.config,
        operation=schema[path][method],
        test_func=one,
        given_kwargs={},
        feedback=NO_FEEDBACK,
    )()
    if os.environ.get("COLLECT"):
        from collections import Counter
        with open("/tmp/seen", "a") as out: print(label, len(seen), sorted(Counter(seen).items()), file=out)


def is_beyond_schema(response: Any) -> bool:
    """Whether a 400 says only what no schema could."""
    if response.status_code != 400:
        return False
    errors = response.json().get("errors", [])
    return bool(errors) and all(BEYOND_SCHEMA.match(error["detail"]) for error in errors)


def settle(case: Any, world: World) -> None:
    """Let most of the ids and names that a case made up be those of rows that exist."""
    for name, value in case.path_parameters.items():
        case.path_parameters[name] = _known(name, value, world)
    if isinstance(case.body, dict):
        case.body = _settled(case.body, world)


def _settled(body: Any, world: World) -> Any:
    if isinstance(body, dict):
        return {name: _known(name, _settled(value, world), world) for name, value in body.items()}
    return [_settled(item, world) for item in body] if isinstance(body, list) else body


def _known(name: str, value: Any, world: World) -> Any:
    name = {"then": "tier_id", "ticket_holder_id": "holder_id"}.get(name, name)
    if name == "code" and isinstance(value, str) and len(value) == 1:
        return world.code
    if name == "seats" and isinstance(value, list) and value and value == [*map(str, value)]:
        return world.seats[: len(value)] if len(value) < len(world.seats) else value
    if type(value) is int and 0 < value < 2**63 and value % 5 and name in world.ids:
        return world.ids[name][value % len(world.ids[name])]
    return value
