"""The OpenAPI document against the API: every operation, with every check that schemathesis has.

Each case is sent by one of several callers to a world in which most of what it names exists, and
leaves no trace. Everything is derived from one seed.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.meta import TestPhase
from schemathesis.pytest._test_builder import build_operation_test
from schemathesis.specs.openapi.checks import positive_data_acceptance, use_after_free

from tests.factories.worlds import World

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_bytes())
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if method != "parameters"
}
CALLERS = ("admin", "admin", "admin", "owner", "owner", "attendee", "door", "stranger")
PLENTY = 40
CONFIG = {
    "seed": 1,
    "generation": {
        "deterministic": True,
        "max-examples": 8,
        # A made-up token is 401 and nothing more; the callers' own are sent instead.
        "with-security-parameters": False,
        # NUL is refused in any text: see BEYOND_SCHEMA, and test_hostile_requests.
        "allow-x00": False,
    },
    "checks": {
        # A well-formed If-Match may be stale, a well-formed Idempotency-Key taken.
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "304", "401", "403", "404", "409", "412", "422"]
        },
        # More items than are allowed may be more bytes than are read: 413.
        "negative_data_rejection": {
            "expected-statuses": ["400", "401", "403", "404", "409", "412", "413", "415", "422"]
        },
    },
}
# A 400 that says only what JSON Schema has no words for is not held against the document.
BEYOND_SCHEMA = (
    # what exists, and what of it belongs together
    "There is no ",
    "You have no such ",
    "No account has this address",
    "Is not a (place of this booking|price of this tier|cursor of (this list|seat status))",
    "(This|The) show has no ",
    r"Tier \d+ (has|does not) ",
    "Name one of this map's sections",
    "Its places are in ",
    r"\S+ is a \w+ section",
    r".+ is (not )?in this booking",
    "The house does not sell ",
    "The new map has no section ",
    r".+ is (standing|seated|tables), and ",
    "That (venue|map) has no ",
    "The show is at no venue",
    "Say how many places a standing section gives",
    "A show stays with its event",
    "A show has a date; ",
    "A price list has no (stocks|rows|seats)",
    "It has places already",
    ".* sells .* already",
    "Only the desk may choose ",
    # the clock, lists that the world keeps, and what Python takes for a blank and ECMA-262 does not
    "This is past",
    "Is not in the past",
    "Is among the first that anybody would try",
    "Is your own name or address",
    "Must be in the years ",
    "Is not an (ISO|IANA) ",
    "Not a valid URL",
    "Must not be blank",
    "Contains a control character",
    "Must have no slash, and no space",
    # what the rows and seats of a map are to each other
    "There is another ",
    "(No row|Nothing|An accessible seat|A map|Rows have|A (row|section|table) has) ",
    "(Describes none|Is longer than|Is not a range)",
    r".+ (is (the last seat|a companion seat|no range|longer than)|runs backwards)",
    r".+ can be read in two ways|.+: (only numbers|Must be 1 to 10)",
    "1 to 100 of them",
    # NUL in any text: the document says it once, in its description
    "Contains NUL or a lone surrogate",
    "A name contains NUL or a lone surrogate",
    "Is not UTF-8 text without NUL",
    # how two values compare
    "Lists are .* rows deep",
    "Give either page or after",
    "Without a venue, say whose ",
    "The show (ends|sells) ",
    "The (doors open|sale ends|fee is|tiers would) ",
    "Is more than anyone may buy",
    "Are more than the quantity",
    "A show lasts ",
    "A tag is given twice",
    "A seat cannot be swapped for itself",
    "The same (seat|place) is ",
    "There (is another such|are two) ",
    "They hold ",
    "Is not the currency of the price",
    "This grant needs ",
)
# DELETE keeps these: cancelled, they can be read, and deleted again with the same answer.
CANCELLED_NOT_GONE = ("/events/{event_id}", "/shows/{show_id}", "/bookings/{booking_id}")


def _instant(year: int, day: int, hours: int) -> str:
    clock = timezone(timedelta(hours=hours))
    return (datetime(year, 1, 1, 20, 30, tzinfo=clock) + timedelta(days=day)).isoformat()


FORMATS = {
    "date-time": st.builds(
        _instant, st.integers(2030, 2150), st.integers(0, 364), st.integers(-11, 13)
    ),
    "currency": st.sampled_from(["KES", "EUR", "JPY"]),
    "country": st.sampled_from(["KE", "DE", "BR"]),
    "time-zone": st.sampled_from(["Africa/Nairobi", "Europe/Berlin"]),
    "uri": st.sampled_from(["https://example.com/1.jpg", "http://example.org"]),
}
for name, strategy in FORMATS.items():
    schemathesis.openapi.format(name, strategy)


@cache
def document() -> Any:
    return schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_dict(CONFIG))


def test_the_document_is_valid_openapi():
    document().validate()


def test_every_operation_has_a_name_of_its_own():
    names = Counter(operation["operationId"] for operation in OPERATIONS.values())

    assert [name for name, times in names.items() if times > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+)*", name)] == []


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_operation_says_what_it_is_for(label):
    operation = OPERATIONS[label]

    assert operation["summary"].endswith(".")
    assert operation["tags"]
    assert "security" in operation
    assert any(status.startswith("4") for status in operation["responses"])


def test_every_component_is_used():
    told = json.dumps(DOCUMENT)

    unused = [
        f"{kind}/{name}"
        for kind in ("schemas", "responses")
        for name in DOCUMENT["components"][kind]
        if f'"#/components/{kind}/{name}"' not in told
    ]
    assert unused == []


def test_no_list_of_the_world_is_repeated():
    def lists(part: Any) -> list[int]:
        if isinstance(part, dict):
            own = [len(part["enum"])] if isinstance(part.get("enum"), list) else []
            return own + [n for inner in part.values() for n in lists(inner)]
        return [n for inner in part for n in lists(inner)] if isinstance(part, list) else []

    assert max(lists(DOCUMENT)) <= 12


@pytest.mark.parametrize("label", OPERATIONS)
def test_it_does_what_the_document_says(app: Flask, world: World, undone: Any, label: str):
    method, path = label.split()
    schema = document()
    schema.app = app
    numbers = count()

    def one(case: Any) -> None:
        settle(case, world)
        lot = crc32(repr(case).encode())
        if case.meta.phase.name == TestPhase.COVERAGE and next(numbers) > PLENTY and lot % 3:
            return  # large bodies have hundreds of boundary values that are much alike
        # who does not unpack compressed answers reads no JSON in them
        headers = {
            **world.callers[CALLERS[lot // 3 % len(CALLERS)]],
            "Accept-Encoding": "identity",
        }
        with undone():
            response = case.call(headers=headers)
            case.validate_response(
                response,
                headers=headers,
                excluded_checks=[positive_data_acceptance] if is_beyond_schema(response) else [],
            )

    every_phase(schema, method, path, one)()


def every_phase(schema: Any, method: str, path: str, test: Callable[[Any], None]) -> Any:
    """One operation's examples, boundary values and random cases, without collecting them first.

    `schema.parametrize()` makes them for all operations while pytest collects, in each process.
    """
    return build_operation_test(
        config=schema.config,
        operation=schema[path][method],
        test_func=test,
        given_kwargs={},
        feedback=NO_FEEDBACK,
    )


def test_what_one_operation_makes_the_next_ones_find(app: Flask, world: World, undone: Any):
    """Scenarios along inferred links, with the checks of what was made or freed."""
    schema = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_dict(CONFIG))
    schema.app = app

    class Scenario(schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            self.undone = undone()
            self.undone.__enter__()

        def teardown(self) -> None:
            self.undone.__exit__(None, None, None)
            super().teardown()

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": world.callers["admin"] | {"Accept-Encoding": "identity"}}

        def before_call(self, case: Any) -> None:
            if isinstance(case.body, dict):
                case.body = _settled(case.body, world)

        def validate_response(self, response: Any, case: Any, **kwargs: Any) -> None:
            beyond = [positive_data_acceptance] if is_beyond_schema(response) else []
            if case.path.startswith(CANCELLED_NOT_GONE):
                beyond.append(use_after_free)
            case.validate_response(
                response,
                headers=kwargs["headers"],
                excluded_checks=beyond,
                recorder=self.recorder,
            )

    run_state_machine_as_test(
        Scenario,
        settings=settings(
            max_examples=15,
            stateful_step_count=10,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def is_beyond_schema(response: Any) -> bool:
    """Whether a 400 says only what no schema could."""
    if response.status_code != 400:
        return False
    errors = response.json().get("errors", [])
    return bool(errors) and all(
        re.match("|".join(BEYOND_SCHEMA), error["detail"]) for error in errors
    )


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
    ids = world.ids.get({"then": "tier_id", "ticket_holder_id": "holder_id"}.get(name, name), [])
    match name, value:
        case "code", str() if len(value) == 1:
            return world.code
        case "section", str() if len(value) < 100:
            return "Floor"
        case "seats", [str(), *_] if len(value) < 5:
            return world.seats[4 : 4 + len(value)]
        case _, int() if ids and 0 < value < 2**63 and value % 5:
            return ids[value % len(ids)]
    return value
