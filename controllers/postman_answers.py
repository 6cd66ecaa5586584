"""The answers that docs/clients shows: real ones, taken over from a run of the collection.

A newer answer takes a saved one's place only where its shape is another, so that a run which finds
nothing new changes nothing.
"""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import orjson

from controllers.postman_examples import BASE_URL

Json = dict[str, Any]
Answers = dict[str, Json]  # by the id of the request
SHOWN = ("Content-Type", "ETag", "Location", "Content-Disposition")
SECRETS = ("access_token", "refresh_token", "secret")
LISTS = {"items", "problems"}
ENOUGH_ITEMS = 2
ENOUGH_LINES = 4
LONGEST_LINE = 400
ENOUGH_OF_A_LINE = 60
HALLS = {"sections", "rows", "seats"}  # of which there are too many to read


def saved_in(collection: Json) -> Answers:
    """The answers that a collection has."""
    return {
        item["id"]: {name: answer[name] for name in ("code", "status", "header", "body")}
        for folder in collection["item"]
        for item in folder["item"]
        for answer in item["response"]
    }


def seen_in(report: Json) -> Answers:
    """The answers in newman's JSON report, shortened, without secrets and the server's address."""
    answers: Answers = {}
    for execution in report["run"]["executions"]:
        response, url = execution["response"], execution["request"]["url"]
        address = f"{url['protocol']}://{'.'.join(url['host'])}:{url['port']}"
        body = bytes(response["stream"]["data"]).decode().replace(address, BASE_URL)
        headers = {header["key"].lower(): header["value"] for header in response["header"]}
        answers[execution["item"]["id"]] = {
            "code": response["code"],
            "status": HTTPStatus(response["code"]).phrase,
            "header": [
                {"key": name, "value": headers[name.lower()]}
                for name in SHOWN
                if name.lower() in headers
            ],
            "body": _shortened(body),
        }
    return answers


def refreshed(saved: Answers, seen: Answers) -> Answers:
    """The saved answers, with those seen in the place of what has another shape now."""
    return {
        key: saved[key] if key in saved and _shape(saved[key]) == _shape(seen[key]) else seen[key]
        for key in seen
    }


def _shortened(body: str) -> str:
    """The beginning of a list, or of a hall, and the whole of anything else."""
    if not body.startswith("{"):
        lines = body.splitlines(keepends=True)[:ENOUGH_LINES]
        return "".join(
            line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…\n" for line in lines
        )
    facts = _without_secrets(_abridged(orjson.loads(body)))
    for name in LISTS & facts.keys():
        facts[name] = facts[name][:ENOUGH_ITEMS]
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def _abridged(value: Any, name: str = "") -> Any:
    """A value whose halls have but a few sections, rows and seats."""
    if isinstance(value, dict):
        some = list(value.items())[: ENOUGH_ITEMS if name in HALLS else None]
        return {each: _abridged(inner, each) for each, inner in some}
    if isinstance(value, list):
        return [_abridged(each) for each in (value[:ENOUGH_ITEMS] if name in HALLS else value)]
    return value


def _without_secrets(facts: Json) -> Json:
    return {name: "…" if name in SECRETS else value for name, value in facts.items()}


def _shape(answer: Json) -> Any:
    """What of an answer is the same from day to day."""
    names = [header["key"] for header in answer["header"]]
    body = answer["body"]
    inside = (
        sorted(_paths(orjson.loads(body)))
        if body.startswith("{")
        else body.split("\n")[0][:ENOUGH_OF_A_LINE]
    )
    return answer["code"], names, inside


def _paths(value: Any, path: str = "") -> Iterator[str]:
    """Where something is in a JSON value, and what kind of thing."""
    if isinstance(value, dict):
        for name, inner in value.items():
            by_seat = path.endswith(".seats")  # which ones differs from day to day
            yield from _paths(inner, f"{path}.{'a seat' if by_seat else name}")
    elif isinstance(value, list):
        yield f"{path} list"
        for inner in value[:1]:
            yield from _paths(inner, f"{path}.0")
    else:
        yield f"{path} {type(value).__name__}"
