"""A corpus of hostile requests, as raw bytes, through the server that `make serve` runs.

None gets a 500, none is accepted that is wrong, and afterwards the tables hold what they held, the
log tells of no accident, and the server serves. The tables are in the modules beside this one;
`HOSTILE=chunk` sends only the cases whose group or name contains the word.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from config import settings
from tests.evidence import INSIDES, rows
from tests.hostile import contents, framing, identity, welcome
from tests.hostile.conftest import PUBLIC_URL, Server
from tests.hostile.wire import Answer, Case, request, send, with_credentials

pytestmark = pytest.mark.xdist_group("hostile")  # one server is enough
WANTED = os.environ.get("HOSTILE", "")
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}
ACCIDENTS = (
    "Traceback",
    "unexpected error",
    "Error handling request",
    "Socket error",
    '"status": 5',
)


def cases_of(*modules: Any) -> Iterator[tuple[str, Case]]:
    for module in modules:
        for group, cases in module.GROUPS.items():
            for case in cases:
                title = f"{group}: {case.name}"
                if WANTED in title:
                    yield title, case


HOSTILE = list(cases_of(framing, contents, identity))
RIGHT = list(cases_of(welcome))


@pytest.fixture(scope="module")
def credentials(world) -> dict[str, dict[str, str]]:
    """The header of each person, and of each forged token."""
    true = world.callers["owner"]["Authorization"].removeprefix("Bearer ")
    forged = {
        f"forged: {name}": {"Authorization": f"Bearer {forge(true, settings.secret_key)}"}
        for name, forge in identity.FORGED.items()
    }
    return {**world.callers, **forged, "small owner": {"Authorization": f"bearer  {true}"}}


@pytest.fixture(scope="module")
def answers_to(server, credentials) -> Callable[[Case], list[Answer]]:
    return lambda case: send(server.port, with_credentials(case.sent, credentials))


def test_no_hostile_request_does_harm(app, server, answers_to):
    before = rows(app)

    wrong = [line for title, case in HOSTILE for line in faults(title, case, answers_to(case))]

    assert not wrong, "\n".join(["", *wrong])
    assert rows(app) == before
    assert_healthy(server)


def test_odd_requests_that_are_right_are_served(app, server, answers_to):
    """The control: a server that refuses everything would pass the test above."""
    before = rows(app)

    heard = [(title, case, answers_to(case)) for title, case in RIGHT]

    wrong = [line for title, case, answers in heard for line in faults(title, case, answers)]
    assert not wrong, "\n".join(["", *wrong])
    made = Counter(
        table_of(answer) for _, _, answers in heard for answer in answers if is_new(answer)
    )
    after = rows(app)
    assert made == {table: after[table][0] - before[table][0] for table in made}
    assert_healthy(server)


def faults(title: str, case: Case, answers: list[Answer]) -> Iterator[str]:
    """What is wrong with the answers to a case, a line for each fault."""
    statuses = tuple(answer.status for answer in answers)
    if statuses not in case.allowed:
        bodies = [answer.body[:300] for answer in answers]
        yield f"{title}: {statuses}, and not {sorted(case.allowed)}: {bodies}"
    for answer in answers:
        try:
            require_manners(answer)
        except (AssertionError, KeyError, ValueError) as fault:
            yield f"{title}: {fault!r}: {answer}"


def require_manners(answer: Answer) -> None:
    """Hold an answer to the manners of its kind, whatever its status."""
    if answer.status < 400:
        assert "evil.example" not in f"{answer.headers}{answer.body!r}"
        return
    if not answer.is_ours:  # but the server's in front of it, which then gives the client up
        assert answer.headers["connection"] == "close"
        assert not INSIDES.search(answer.body.decode("latin-1"))
        return
    problem = json.loads(answer.body)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.keys() >= MEMBERS
    assert problem["type"] == f"/problems/{problem['code']}"
    assert problem["status"] == answer.status
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert problem["title"]
    assert problem["detail"]
    del problem["instance"]  # what was asked for
    assert not INSIDES.search(json.dumps(problem))
    assert "evil.example" not in json.dumps(problem)


def is_new(answer: Answer) -> bool:
    return answer.status == 201 and "idempotent-replayed" not in answer.headers


def table_of(answer: Answer) -> str:
    return answer.headers["location"].split("/")[1]


def assert_healthy(server: Server) -> None:
    """It serves, and nothing went wrong inside."""
    [answer] = send(server.port, request("GET /seats?show_id=1&per_page=1"))
    assert answer.status == 200
    assert json.loads(answer.body)["pagination"]["next"].startswith(PUBLIC_URL)
    told = server.log.read_text(errors="replace")
    assert [line for line in told.splitlines() if any(word in line for word in ACCIDENTS)] == []
