"""docs/clients: a Postman collection (v2.1, which Insomnia imports) and a local environment.

Both are made from the OpenAPI document and the rows of postman_examples; what is made of the same
two is the same to the byte.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid5

import orjson

from controllers import postman_scripts as scripts
from controllers.callers import SECRET_HEADER
from controllers.postman_answers import Answers
from controllers.postman_examples import (
    BASE_URL,
    DEFAULT,
    EXAMPLES,
    GUEST,
    KEPT,
    NEW_GUEST,
    NOBODY,
    NOT_SHOWN,
    SETTINGS,
    Example,
    Step,
)
from utils.http import LIMIT_HEADERS

Json = dict[str, Any]
Script = list[str]
SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
NAMESPACE = UUID("6f1c1f0e-5a51-4c0e-9a53-6a1f0c1d9e55")  # ids are the same in every copy
FORM = "application/x-www-form-urlencoded"
METHODS = ("get", "post", "put", "patch", "delete")

INTRODUCTION = f"""\
Every request of the API, made from its OpenAPI document, with examples that work on the demo data
of `make run`.

- Nothing has to be set up: `base_url` is {BASE_URL} until an environment says otherwise.
- Send `auth / Login` and the token is filled in, as {SETTINGS["email"]}; change `email` and
  `password` to be somebody else. A request that is another account's signs that account in by
  itself, and a guest's shows the secret of the booking that `Place booking` made. After another
  `base_url`, or a database made anew, send `Login` again.
- What a request makes, the next ones use: `Create venue` fills `venue_id`. Deleting it gives
  `venue_id` back its first value, which is one of the demo world's.
- Cancelling an event or a show is a preview until you untick `dry_run`.
- The whole collection can be run from top to bottom, as often as you like.
"""


class NotShown(ValueError):
    """The document and the examples do not fit together; the message says where."""


class Operation:
    """An operation of the document with the example that shows it."""

    def __init__(self, document: Json, method: str, path: str, example: Example) -> None:
        self.document, self.method, self.path, self.example = document, method, path, example
        self.spec: Json = document["paths"][path][method]
        shared = document["paths"][path].get("parameters", [])
        self.parameters: list[Json] = [*shared, *self.spec.get("parameters", [])]
        answered = max(status for status in self.spec["responses"] if status.startswith("2"))
        self.status = int(answered)
        self.answer: Json = self.spec["responses"][answered]

    @property
    def name(self) -> str:
        return str(self.spec["operationId"])

    def parameters_in(self, place: str) -> list[Json]:
        return [parameter for parameter in self.parameters if parameter["in"] == place]

    def body(self, overrides: Mapping[str, Any] | None = None) -> tuple[str, Json] | None:
        """The media type of its body, and an example of it."""
        content = self.spec.get("requestBody", {}).get("content", {})
        for media_type, described in content.items():
            known = self.resolved(described["schema"])
            if "examples" not in known:
                raise NotShown(f"The schema of the body of {self.name} has no example.")
            return media_type, {**known["examples"][0], **(overrides or {})}
        return None

    def answer_schema(self) -> Json | None:
        """The schema of its JSON, the example's choice where there are several."""
        if self.example.answers:
            return self.named(self.example.answers)
        described = self.answer.get("content", {}).get("application/json")
        return self.resolved(described["schema"]) if described else None

    def resolved(self, schema: Json) -> Json:
        return self.named(schema["$ref"].rsplit("/", 1)[1]) if "$ref" in schema else schema

    def named(self, schema: str) -> Json:
        found: Json = self.document["components"]["schemas"][schema]
        return found


def operations(document: Json) -> list[Operation]:
    """Every operation of the document, in the order of its examples.

    Raises NotShown where an operation has no example, or an example no operation.
    """
    where = {
        spec["operationId"]: (method, path)
        for path, methods in document["paths"].items()
        for method, spec in methods.items()
        if method in METHODS
    }
    shown = [example.operation for example in EXAMPLES]
    if sorted([*shown, *NOT_SHOWN]) != sorted(where):
        odd = set(where) ^ {*shown, *NOT_SHOWN} or {name for name in shown if shown.count(name) > 1}
        raise NotShown(f"postman_examples and the document differ in {', '.join(sorted(odd))}.")
    return [Operation(document, *where[example.operation], example) for example in EXAMPLES]


def collection(document: Json, answers: Answers) -> Json:
    """The collection: a folder for each tag, and in it each operation once, with saved answers."""
    known = operations(document)
    by_name = {operation.name: operation for operation in known}
    folders = [
        {
            "id": _id("folder", tag["name"]),
            "name": tag["name"],
            "description": tag["description"],
            "item": [
                _item(operation, by_name, answers.get(_id("operation", operation.name)))
                for operation in known
                if operation.spec["tags"] == [tag["name"]]
            ],
        }
        for tag in document["tags"]
    ]
    return {
        "info": {
            "_postman_id": _id("collection"),
            "name": document["info"]["title"],
            "description": INTRODUCTION + _missing(),
            "version": document["info"]["version"],
            "schema": SCHEMA,
        },
        "item": folders,
        "auth": _bearer("access_token"),
        "event": [_event("prerequest", scripts.sign_in_first())],
        "variable": [
            {"key": name, "value": value, "type": "string"}
            for name, value in {**SETTINGS, **KEPT}.items()
        ],
    }


def environment() -> Json:
    """What a local installation may set; what scripts fill in is the collection's."""
    return {
        "id": _id("environment"),
        "name": "GigMate, local",
        "values": [
            {"key": name, "value": value, "type": "default", "enabled": True}
            for name, value in SETTINGS.items()
        ],
        "_postman_variable_scope": "environment",
    }


def text_of(made: Json) -> str:
    """A collection or an environment as its file has it."""
    return orjson.dumps(made, option=orjson.OPT_INDENT_2).decode() + "\n"


def _item(operation: Operation, by_name: Mapping[str, Operation], answer: Json | None) -> Json:
    request = _request(operation)
    events = [_event("test", _checks(operation))]
    if operation.example.before:
        steps = [_step(step, by_name[step.operation]) for step in operation.example.before]
        events.insert(0, _event("prerequest", scripts.make_first(steps)))
    return {
        "id": _id("operation", operation.name),
        "name": operation.name.replace("_", " ").capitalize(),
        "event": events,
        "request": request,
        "response": [_saved(operation, request, answer)] if answer else [],
    }


def _request(operation: Operation) -> Json:
    request: Json = {"method": operation.method.upper(), "header": _headers(operation)}
    if auth := _auth(operation.example.by):
        request["auth"] = auth
    if body := operation.body(operation.example.body):
        request["body"] = _body(*body)
    return {**request, "url": _url(operation), "description": _description(operation)}


def _auth(by: str) -> Json | None:
    """How the request says who sends it; None for the collection's own account."""
    if by == DEFAULT:
        return None
    if by == NOBODY:
        return {"type": "noauth"}
    if by in (GUEST, NEW_GUEST):
        # Empty, and not noauth, which Insomnia would take for the collection's token.
        secret = "{{booking_secret}}" if by == GUEST else ""
        return _auth_of("apikey", key=SECRET_HEADER, value=secret, **{"in": "header"})
    return _bearer(_token(by))


def _token(account: str) -> str:
    return "access_token" if account == DEFAULT else f"{account}_token"


def _bearer(variable: str) -> Json:
    return _auth_of("bearer", token=f"{{{{{variable}}}}}")


def _auth_of(kind: str, **facts: str) -> Json:
    listed = [{"key": key, "value": value, "type": "string"} for key, value in facts.items()]
    return {"type": kind, kind: listed}


def _headers(operation: Operation) -> list[Json]:
    body = operation.body()
    headers: list[Json] = [{"key": "Content-Type", "value": body[0]}] if body else []
    for header in operation.parameters_in("header"):
        once = header["name"] == "Idempotency-Key"
        headers.append(
            {
                "key": header["name"],
                "value": "{{$guid}}" if once else "{{etag}}",
                "description": header["description"],
                **({} if once else {"disabled": True}),
            }
        )
    return headers


def _body(media_type: str, example: Json) -> Json:
    if media_type == FORM:
        return {
            "mode": "urlencoded",
            "urlencoded": [{"key": key, "value": value} for key, value in example.items()],
        }
    return {"mode": "raw", "raw": _json(example), "options": {"raw": {"language": "json"}}}


def _json(example: Any) -> str:
    """An example as JSON text; a variable that is an id stands for a number."""
    text = orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
    return re.sub(r'"(\{\{\w+_id\}\})"', r"\1", text)


def _url(operation: Operation) -> Json:
    example = operation.example
    path = re.sub(r"\{(\w+)\}", r":\1", operation.path)
    variables = [
        {
            "key": parameter["name"],
            "value": example.path.get(parameter["name"], f"{{{{{parameter['name']}}}}}"),
        }
        for parameter in operation.parameters_in("path")
    ]
    query = [_query_parameter(parameter, example) for parameter in operation.parameters_in("query")]
    sent = "&".join(f"{part['key']}={part['value']}" for part in query if "disabled" not in part)
    return {
        "raw": "{{base_url}}" + path + (f"?{sent}" if sent else ""),
        "host": ["{{base_url}}"],
        "path": path.removeprefix("/").split("/"),
        **({"query": query} if query else {}),
        **({"variable": variables} if variables else {}),
    }


def _query_parameter(parameter: Json, example: Example) -> Json:
    name = parameter["name"]
    usual = parameter["schema"].get("default", "")
    told: Json = {"key": name, "value": example.query.get(name, str(usual).lower())}
    if sentence := parameter.get("description"):
        told["description"] = sentence
    return told if name in example.query else {**told, "disabled": True}


def _description(operation: Operation) -> str:
    example = operation.example
    parts = [operation.spec["summary"], operation.spec.get("description", "")]
    if example.before:
        steps = ", ".join(f"`{step.operation}`" for step in example.before)
        parts.append(f"A script makes first what it is about: {steps}.")
    if codes := list(_refusals(operation)):
        parts.append("Refuses with " + ", ".join(codes) + ".")
    return "\n\n".join(part for part in parts if part)


def _refusals(operation: Operation) -> Iterable[str]:
    """The codes that say something about this operation, beyond what any may answer."""
    for status, response in operation.spec["responses"].items():
        if status in ("404", "409", "412", "422"):
            if "$ref" in response:
                name = response["$ref"].rsplit("/", 1)[1]
                response = operation.document["components"]["responses"][name]
            yield from (f"{status} {code}" for code in re.findall("`.*?`", response["description"]))


def _checks(operation: Operation) -> Script:
    example, answer = operation.example, operation.answer
    lines = scripts.check_status(operation.status)
    for media_type in answer.get("content", {}):
        lines += scripts.check_media_type(media_type)
    if schema := operation.answer_schema():
        names = schema.get("required", [])
        lines += scripts.check_fields(names)
        lines += scripts.check_page() if "pagination" in names else []
    if not example.answers:
        for header in answer.get("headers", {}):
            if header in LIMIT_HEADERS:  # where limits are on, and for an account
                continue
            lines += scripts.check_header(header)
            lines += scripts.keep_etag() if header == "ETag" else []
    if example.keep:
        lines += scripts.keep(operation.status, example.keep)
    if example.forget:
        first = {name: KEPT[name] for name in example.forget}
        lines += scripts.reset(operation.status, first)
    return lines


def _step(step: Step, operation: Operation) -> Json:
    path = re.sub(r"\{(\w+)\}", lambda name: step.path[name[1]], operation.path)
    return {
        "method": operation.method.upper(),
        "url": "{{base_url}}" + path,
        "token": _token(step.by),
        "body": step.body,
        "keep": dict(step.keep),
    }


def _saved(operation: Operation, request: Json, answer: Json) -> Json:
    kind = "json" if answer["body"].startswith(("{", "[")) else "text"
    return {
        "id": _id("answer", operation.name),
        "name": f"{answer['code']} {answer['status']}",
        "originalRequest": _sent(request),
        "status": answer["status"],
        "code": answer["code"],
        "_postman_previewlanguage": kind,
        "header": answer["header"],
        "cookie": [],
        "body": answer["body"],
    }


def _sent(request: Json) -> Json:
    """A request without what is not sent, and without its description."""
    url = dict(request["url"])
    if query := [part for part in url.pop("query", ()) if "disabled" not in part]:
        url["query"] = query
    headers = [header for header in request["header"] if "disabled" not in header]
    kept = {name: part for name, part in request.items() if name != "description"}
    return {**kept, "header": headers, "url": url}


def _event(listen: str, lines: Script) -> Json:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}


def _missing() -> str:
    lines = [f"- `{name}` is not here: {reason}\n" for name, reason in NOT_SHOWN.items()]
    return "".join(lines)


def _id(*names: str) -> str:
    return str(uuid5(NAMESPACE, "/".join(names)))
