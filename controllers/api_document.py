"""What the OpenAPI document says once for all endpoints."""

import inspect
from pathlib import Path
from typing import Any

import click
import orjson
from apispec import BasePlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from flask import Flask
from flask_smorest import Api
from marshmallow import fields
from werkzeug.routing import BaseConverter

from config import ROOT
from controllers import postman_answers, postman_collection
from controllers.callers import KEY_HEADER, SECRET_HEADER
from controllers.problem_controller import catalogue
from schemas.seat_map_document import SCHEMA
from utils.error_handlers import ProblemSchema
from utils.http import LARGEST_ID, IdConverter

CLIENTS = ROOT / "docs" / "clients"
COLLECTION = CLIENTS / "gigmate.postman_collection.json"
ENVIRONMENT = CLIENTS / "local.postman_environment.json"

DESCRIPTION = """\
The box office for live music, from the first announcement to the last scan at the door.

- Money is `{"amount", "currency"}`: whole minor units and an ISO 4217 code.
- Times are RFC 3339 with an offset, in the years 2000 to 2199. Text is UTF-8
  without NUL; what is up to 200 characters long is one line, without control characters.
- Lists take `page` and `per_page`, or `after` where they grow without end.
- Fields and query parameters that are not listed are refused.
- Every refusal is `application/problem+json`; its `code` is explained at `/problems/<code>`.
- POSTs that sell or admit take an `Idempotency-Key`.
- What people edit has an `ETag` and takes `If-Match`.
"""

PROBLEMS_HEAD = """\
# Problems

Every refusal is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`,
`instance`, `code` and `request_id`, and sometimes facts of its own. A refusal changes nothing.
This page is written by `flask docs`; the API serves the same at `/problems`.

"""


class BeyondFields(BasePlugin):
    """Adds to each schema its docstring, its `example`, and the `rules` across its fields."""

    def schema_helper(self, name: str, definition: Any, **kwargs: Any) -> dict[str, Any]:
        if "schema" not in kwargs:
            return {}
        kind = type(resolve_schema_instance(kwargs["schema"]))
        told: dict[str, Any] = {}
        if sentence := vars(kind).get("__doc__"):
            told["description"] = inspect.cleandoc(sentence)
        if example := vars(kind).get("example"):
            told["examples"] = [example]
        rules = getattr(kind, "rules", ())
        if rules:
            told |= rules[0] if len(rules) == 1 else {"allOf": list(rules)}
        return told


INFO: dict[str, Any] = {
    "info": {"description": DESCRIPTION},
    "extra_plugins": [BeyondFields()],
}


def describe(api: Api) -> None:
    """Say how to sign in, what an error looks like and what an id in a path is."""
    components = api.spec.components
    components.security_scheme(
        "bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    )
    components.security_scheme(
        "booking_secret",
        {
            "type": "apiKey",
            "in": "header",
            "name": SECRET_HEADER,
            "description": "The secret of a guest's booking, from the answer that made it",
        },
    )
    components.security_scheme(
        "api_key",
        {
            "type": "apiKey",
            "in": "header",
            "name": KEY_HEADER,
            "description": "A program's key, `gm_live_…` or `gm_test_…`, for one organiser; "
            "`Authorization: Bearer …` carries it as well. A test key reads, quotes, and holds, "
            "changes and cancels its holds; what lasts, it is refused with `test-key`",
        },
    )
    for unused in ("Error", "PaginationMetadata"):  # flask-smorest's own
        components.schemas.pop(unused, None)
    components.schema("Problem", schema=ProblemSchema)
    api.ma_plugin.converter.add_attribute_function(_words_of_an_enum)
    api.register_converter(IdConverter, _path_id)


def _words_of_an_enum(_self: Any, field: fields.Field[Any], **_kwargs: Any) -> dict[str, Any]:
    """An enum is text; where only some of it can be chosen, the metadata say which."""
    if not isinstance(field, fields.Enum):
        return {}
    some = {"enum": field.metadata["enum"]} if "enum" in field.metadata else {}
    return {"type": ["string", "null"] if field.allow_none else "string", **some}


def _path_id(_converter: BaseConverter) -> dict[str, Any]:
    return {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID}


def openapi_text(api: Api) -> str:
    """The OpenAPI document as docs/openapi.json has it."""
    return orjson.dumps(api.spec.to_dict(), option=orjson.OPT_INDENT_2).decode() + "\n"


def problems_text() -> str:
    """docs/problems.md: every refusal, from the sentences beside the code that raises it."""
    rows = [
        f"### {known['code']}\n\n{known['status']} · {known['title']}\n\n{known['description']}\n"
        for known in catalogue()
    ]
    return PROBLEMS_HEAD + "\n".join(rows)


def seat_map_schema_text() -> str:
    """docs/seat_map.schema.json: what the API serves at /seat_maps/schema."""
    return orjson.dumps(SCHEMA, option=orjson.OPT_INDENT_2).decode() + "\n"


def register_commands(app: Flask, api: Api) -> None:
    @app.cli.command("docs")
    def write_docs() -> None:
        """Write docs/openapi.json, problems.md and seat_map.schema.json anew from the code."""
        (ROOT / "docs" / "openapi.json").write_text(openapi_text(api))
        (ROOT / "docs" / "problems.md").write_text(problems_text())
        (ROOT / "docs" / "seat_map.schema.json").write_text(seat_map_schema_text())
        click.echo("Wrote docs/openapi.json, docs/problems.md and docs/seat_map.schema.json.")

    @app.cli.command("clients")
    @click.option(
        "--answers",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A JSON report of newman: save its answers where they look different now.",
    )
    def write_clients(answers: Path | None) -> None:
        """Write the Postman collection and the environment in docs/clients anew from the code."""
        document = orjson.loads(openapi_text(api))
        before = orjson.loads(COLLECTION.read_bytes()) if COLLECTION.exists() else {"item": []}
        saved = postman_answers.saved_in(before)
        if answers:
            seen = postman_answers.seen_in(orjson.loads(answers.read_bytes()))
            saved = postman_answers.refreshed(saved, seen)
        try:
            made = postman_collection.collection(document, saved)
        except postman_collection.NotShown as odd:
            raise click.ClickException(str(odd)) from None
        COLLECTION.write_text(postman_collection.text_of(made))
        ENVIRONMENT.write_text(postman_collection.text_of(postman_collection.environment()))
        click.echo("Wrote the collection and the environment in docs/clients.")
