"""What an endpoint takes and what it returns, said above the function that does the work.

flask-smorest documents; this reads and answers: strict input, problem details instead of its own
errors, pages in the body, conditional requests by version.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import wraps
from http import HTTPStatus
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote_to_bytes

import flask_smorest
import orjson
from apispec import APISpec
from flask import Flask, Response, current_app, g, request
from gunicorn.http.errors import ParseException
from marshmallow import Schema, ValidationError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import ClientDisconnected
from werkzeug.routing import IntegerConverter

from utils import pagination, strict_json
from utils.errors import (
    ApiError,
    Forbidden,
    Invalid,
    KeyReused,
    NotFound,
    PreconditionFailed,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMediaType,
)
from utils.prepared_schema import dumped, read

View = Callable[..., Any]
LARGEST_ID = 2**63 - 1
MOST_ERRORS = 100
HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})(:[0-9]{1,5})?")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PROBLEM = "application/problem+json"


class Editable(Protocol):
    """A row that people edit: models.columns.Versioned, seen from below."""

    @property
    def etag(self) -> str: ...

    def expect(self, version: int | None = None) -> None: ...


Edited = TypeVar("Edited", bound=Editable)


class IdConverter(IntegerConverter):
    """A 64-bit key in a path; a number that no row can have is read as 0, which is not found."""

    regex = r"[1-9][0-9]{0,18}"

    def to_python(self, value: str) -> int:
        # Refusing it here would have werkzeug answer 405 where the path knows other methods.
        number = int(value)
        return number if number <= LARGEST_ID else 0


def has_body() -> bool:
    """Whether the request carries a body: of a known length, or in chunks."""
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def whole_body() -> bytes:
    """The request's body, whole.

    Raises Invalid where it is cut short or not framed as HTTP says, TooLarge, and
    UnsupportedMediaType for a coding that nobody here undoes.
    """
    coding = request.headers.get("Transfer-Encoding")
    plain = request.headers.get("Content-Encoding", "identity").lower() == "identity"
    if not plain or (coding or "chunked").lower() != "chunked":
        raise UnsupportedMediaType("Send the body as it is, in no coding.")
    try:
        data = request.get_data(cache=True)
        # At its limit werkzeug stops reading chunks, as if the body ended there.
        more = coding and request.environ["wsgi.input"].read(1)
    except (ParseException, ClientDisconnected):
        raise Invalid("The body is cut short, or not framed as HTTP says.") from None
    if more:
        limit = request.max_content_length
        raise TooLarge(f"The body is larger than {limit} bytes.", limit=limit)
    if len(data) < (request.content_length or 0):
        raise Invalid("The body ends before the Content-Length that it is said to have.")
    return data


def json_body() -> Any:
    """The request's JSON, read strictly; Invalid or UnsupportedMediaType otherwise."""
    if request.mimetype != JSON or request.mimetype_params.get("charset", "utf-8") not in (
        "utf-8",
        "UTF-8",
    ):
        raise UnsupportedMediaType("Send the body as application/json in UTF-8.")
    return strict_json.loads(whole_body())


def loaded(schema: Schema, data: Any) -> Any:
    """`data` as `schema` understands it; Invalid names every field that is wrong, up to 100."""
    try:
        return read(schema, data)
    except ValidationError as error:
        found = _flat(error.messages)[:MOST_ERRORS]
        errors = [{"field": path, "detail": detail} for path, detail in found]
        raise Invalid(
            "; ".join(f"{e['field']}: {e['detail']}" for e in errors[:3]), errors=errors
        ) from None


def query_string(schema: Schema) -> Any:
    """The query parameters as `schema` understands them."""
    try:
        unquote_to_bytes(request.query_string).decode()
    except UnicodeDecodeError:  # werkzeug would leave what is no text as it was sent
        raise Invalid("The query string is not UTF-8 text.") from None
    return once_each(request.args, schema)


def once_each(parameters: MultiDict[str, str], schema: Schema) -> Any:
    """Parameters as `schema` understands them; each may be given once, as UTF-8 text."""
    for name, values in parameters.lists():
        if len(values) > 1:
            raise Invalid.at(name[:100], "Given more than once.")
        if strict_json.unprintable(name + values[0]) or "\ufffd" in name + values[0]:
            raise Invalid.at(ascii(name[:100]), "Is not UTF-8 text without NUL.")
    return loaded(schema, parameters.to_dict())


def rendered(schema: Schema | None, result: Any) -> bytes:
    """The JSON text of an answer."""
    return orjson.dumps(
        dumped(schema, result) if schema else result, option=orjson.OPT_NON_STR_KEYS
    )


def answer(schema: Schema, result: Any) -> Response:
    """A ready answer of another shape than the endpoint's usual one."""
    return Response(rendered(schema, result), HTTPStatus.OK, content_type=JSON)


def if_match(row: Edited) -> Edited:
    """Hold `row` to the version that the caller read, if `If-Match` names one.

    Raises PreconditionFailed at once when it is stale; `lock(row)` looks again under the lock.
    """
    wanted = request.headers.get("If-Match")
    if wanted is not None and wanted.strip() != "*":
        if not request.if_match.is_strong(row.etag):
            raise PreconditionFailed("It has changed since you read it; read it again.")
        row.expect()
    return row


class Blueprint(flask_smorest.Blueprint):
    """A blueprint whose decorators are the contract of each endpoint."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks = [
            self._prepare_arguments_doc,
            self._prepare_response_doc,
            _document_conditions,
            _document_limits,
            _document_refusals,
            _document_names,
        ]

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: View | None = None, **options: Any
    ) -> None:
        """Register a view under its own name; one that looks for a row may find none."""
        if view_func is not None:
            view_func._apidoc = {**getattr(view_func, "_apidoc", {}), "name": view_func.__name__}  # type: ignore[attr-defined]
            if "<" in rule:
                view_func = refuses(NotFound)(_for_ids_that_can_be(view_func))
        super().add_url_rule(rule, endpoint, view_func, **options)

    def arguments(
        self, schema: Schema, *, required: bool = True, largest: Callable[[], int] | None = None
    ) -> Callable[[View], View]:
        """Take a JSON body; the view gets what `schema` loads as its first argument.

        `largest` says how many bytes this caller may send, where that is not the usual limit.
        """

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(*before: Any, **path: Any) -> Any:
                if largest is not None:
                    request.max_content_length = largest()
                absent = not required and not (has_body() and whole_body())
                return view(loaded(schema, {} if absent else json_body()), *before, **path)

            body = {"in": "json", "required": required, "schema": schema}
            _document(wrapper, "arguments", parameters=[body])
            return refuses(Invalid, UnsupportedMediaType, TooLarge)(wrapper)

        return decorate

    def form(self, schema: Schema) -> Callable[[View], View]:
        """Take an application/x-www-form-urlencoded body, as OAuth2 clients send it."""

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(**path: Any) -> Any:
                if request.mimetype != FORM:
                    raise UnsupportedMediaType(f"Send the body as {FORM}.")
                whole_body()
                return view(once_each(request.form, schema), **path)

            body = {"in": "form", "required": True, "schema": schema}
            _document(wrapper, "arguments", parameters=[body])
            return refuses(Invalid, UnsupportedMediaType, TooLarge)(wrapper)

        return decorate

    def query(self, schema: Schema) -> Callable[[View], View]:
        """Take query parameters; the view gets what `schema` loads as its first argument, or after
        the body's.
        """

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(*body: Any, **path: Any) -> Any:
                return view(*body, query_string(schema), **path)

            parameters = [{"in": "query", "schema": schema}]
            _document(wrapper, "arguments", parameters=parameters)
            return refuses(Invalid)(wrapper)

        return decorate

    def response(
        self,
        status: int,
        schema: Schema | None = None,
        *,
        description: str | None = None,
        content_type: str | None = None,
        location: str | None = None,
        or_else: Schema | None = None,
        versioned: bool = False,
        conditional: bool = False,
    ) -> Callable[[View], View]:
        """Answer with what `schema` dumps, its ETag if it has one, and where it now lives.

        A view may return a ready Response instead; `or_else` documents what that is then, see
        `answer`. `location` is a path with `{attributes}` of the result, for 201. Without a schema,
        `versioned` says that the view takes If-Match; `conditional` says it of a POST.
        """

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> Response:
                g.render = lambda result: rendered(schema, result)
                result = view(*args, **kwargs)
                if isinstance(result, Response):
                    return result
                etag = getattr(result, "etag", None)
                if etag and request.method == "GET" and request.if_none_match.contains_weak(etag):
                    return _marked(Response(status=HTTPStatus.NOT_MODIFIED), etag)
                if status == HTTPStatus.NO_CONTENT:
                    response = Response(status=status)
                    del response.headers["Content-Type"]
                    return response
                body = rendered(schema, result)
                response = Response(body, status, content_type=content_type or JSON)
                if etag:
                    _marked(response, etag)
                if getattr(schema, "secret", False):
                    response.headers["Cache-Control"] = "no-store"
                if location:
                    response.headers["Location"] = location.format(o=result)
                return response

            described: dict[str, Any] = {
                "description": description or HTTPStatus(status).phrase,
                "content_type": content_type,
            }
            if schema is not None:
                described["schema"] = {"oneOf": [schema, or_else]} if or_else else schema
            elif content_type:
                described["schema"] = {"type": "string"}
            _document(wrapper, "response", responses={status: [described]})
            wrapper._apidoc["versioned"] = getattr(schema, "versioned", versioned)  # type: ignore[attr-defined]
            wrapper._apidoc["conditional"] = conditional  # type: ignore[attr-defined]
            wrapper._apidoc["has_location"] = location is not None  # type: ignore[attr-defined]
            return wrapper

        return decorate

    def page(
        self,
        schema: Schema,
        *,
        filters: Schema | None = None,
        endless: bool = False,
        read: Callable[[list[Any]], list[Any]] | None = None,
    ) -> Callable[[View], View]:
        """Run the Select that the view returns one page at a time.

        With `filters`, the view gets what they load as its first argument. An `endless` list is
        ordered by descending id and also takes `?after=<cursor>`, which costs the same anywhere.
        With `read`, the Select finds keys, and `read` makes of them what is shown, in their order.
        """
        parameters = pagination.parameters(filters, endless=endless)
        envelope = pagination.envelope(schema, endless=endless)

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(**path: Any) -> Response:
                wanted = query_string(parameters)
                paging = pagination.Paging.taken_from(wanted)
                query = view(wanted, **path) if filters is not None else view(**path)
                items, facts = paging.run(query)
                items = read(items) if read is not None else items
                body = {"items": [dumped(schema, item) for item in items], "pagination": facts}
                return Response(orjson.dumps(body), content_type=JSON)

            _document(wrapper, "arguments", parameters=[{"in": "query", "schema": parameters}])
            described = {"description": "One page", "content_type": None, "schema": envelope}
            _document(wrapper, "response", responses={200: [described]})
            return refuses(Invalid)(wrapper)

        return decorate


def register_strictness(app: Flask) -> None:
    """Refuse query parameters and bodies at endpoints that take none, and requests to no host."""

    @app.before_request
    def refuse_what_names_no_host() -> None:
        host = request.headers.get("Host")
        if host is None and request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0":
            return
        if host is None or not HOST.fullmatch(host):
            raise Invalid.at("Host", "Is not a host, perhaps with a port.")

    @app.before_request
    def refuse_what_nobody_reads() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        documented = getattr(view, "_apidoc", None)
        if documented is None:
            return
        places = {p["in"] for p in documented.get("arguments", {}).get("parameters", ())}
        if request.args and "query" not in places:
            raise Invalid.at(next(iter(request.args))[:100], "Unknown query parameter.")
        takes_body = request.method == "GET" or places & {"json", "form"}
        if not takes_body and has_body() and whole_body() and (unread := json_body()):
            name = next(iter(unread)) if isinstance(unread, dict) else "body"
            raise Invalid.at(name, "Unknown field.")


def _for_ids_that_can_be(view: View) -> View:
    @wraps(view)
    def wrapper(**path: Any) -> Any:
        if 0 in path.values():
            raise NotFound("No row has a key as large as this.")
        return view(**path)

    return wrapper


def refuses(*errors: type[ApiError]) -> Callable[[View], View]:
    """Document what an endpoint may refuse with, beyond what every one may."""

    def decorate(view: View) -> View:
        known = dict(getattr(view, "_apidoc", {}))
        known["refusals"] = [*known.get("refusals", ()), *errors]
        view._apidoc = known  # type: ignore[attr-defined]
        return view

    return decorate


def or_answers(status: int, schema: Schema) -> Callable[[View], View]:
    """Document what a ready answer of a view is, where it is none of its usual status."""
    described = {"description": HTTPStatus(status).phrase, "content_type": None, "schema": schema}

    def decorate(view: View) -> View:
        _document(view, "response", responses={status: [described]})
        return view

    return decorate


def takes_header(name: str, description: str, schema: Mapping[str, Any]) -> Callable[[View], View]:
    """Document an optional request header."""
    parameter = {"in": "header", "name": name, "description": description, "schema": schema}

    def decorate(view: View) -> View:
        _document(view, "arguments", parameters=[{**parameter, "required": False}])
        return view

    return decorate


def _marked(response: Response, etag: str) -> Response:
    response.set_etag(etag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _document(view: View, part: str, **facts: Any) -> None:
    """Add to what flask-smorest will write into the OpenAPI document about `view`."""
    known = deepcopy(getattr(view, "_apidoc", {}))
    section = known.setdefault(part, {})
    for name, value in facts.items():
        if isinstance(value, list):
            section.setdefault(name, []).extend(value)
        else:
            section.setdefault(name, {}).update(value)
    view._apidoc = known  # type: ignore[attr-defined]


def _flat(messages: Any, path: str = "") -> list[tuple[str, str]]:
    """marshmallow's nested messages as (path, sentence) pairs, in reading order."""
    if isinstance(messages, dict):
        pairs: list[tuple[str, str]] = []
        for name, inner in messages.items():
            here = path if name == "_schema" else f"{path}.{name}".lstrip(".")
            pairs += _flat(inner, here)
        return pairs
    if isinstance(messages, list):
        return [pair for inner in messages for pair in _flat(inner, path)]
    return [(path or "body", str(messages))]


def _document_conditions(
    doc: dict[str, Any], info: dict[str, Any], *, method: str, **_kwargs: Any
) -> dict[str, Any]:
    created = doc["responses"].get("201", {})
    if info.get("has_location"):
        where = {"description": "The path of what was made", "schema": {"type": "string"}}
        created.setdefault("headers", {})["Location"] = where
    if not info.get("versioned"):
        return doc
    header = {"description": "The version of this representation", "schema": {"type": "string"}}
    reading = method == "get"
    name, meaning = (
        ("If-None-Match", "The ETag that you have; 304 if it is still the one")
        if reading
        else ("If-Match", "The ETag that you read; 412 if it has changed since")
    )
    for status, response in doc["responses"].items():
        if str(status).startswith("2") and response.get("content"):
            response.setdefault("headers", {})["ETag"] = header
    if method == "post" and not info.get("conditional"):
        return doc
    if reading:
        have = {"description": "You have this version", "headers": {"ETag": header}}
        doc["responses"]["304"] = have
    else:
        info.setdefault("refusals", []).append(PreconditionFailed)
    condition = {"in": "header", "name": name, "description": meaning, "required": False}
    doc.setdefault("parameters", []).append({**condition, "schema": {"type": "string"}})
    return doc


LIMIT_HEADERS = {
    "RateLimit-Limit": "How often in a window",
    "RateLimit-Remaining": "How often still in this one",
    "RateLimit-Reset": "Seconds until the next one begins",
}


def _document_limits(doc: dict[str, Any], info: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    if info.get("limited"):
        for status, response in doc["responses"].items():
            if str(status).startswith("2"):
                response.setdefault("headers", {}).update(
                    {
                        name: {"description": meaning, "schema": {"type": "integer"}}
                        for name, meaning in LIMIT_HEADERS.items()
                    }
                )
    return doc


def _document_refusals(
    doc: dict[str, Any], info: dict[str, Any], *, spec: APISpec, **_kwargs: Any
) -> dict[str, Any]:
    errors = [*info.get("refusals", ()), Invalid, Unauthenticated, Unavailable]
    if "permission" in info:
        errors.append(Forbidden)
    if info.get("idempotent"):
        errors += [KeyReused, Invalid]
    by_status: dict[int, dict[str, type[ApiError]]] = {}
    for error in errors:
        by_status.setdefault(int(error.status), {})[error.code] = error
    for status, same in sorted(by_status.items()):
        response: dict[str, Any] = {
            "description": "; ".join(f"`{code}`: {error.title}" for code, error in same.items()),
            "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        headers = {name for error in same.values() for name in error.headers}
        if headers:
            response["headers"] = {name: {"schema": {"type": "string"}} for name in sorted(headers)}
        if len(same) == 1:
            response = _shared(spec, next(iter(same.values())).__name__, response)
        doc.setdefault("responses", {})[str(status)] = response
    return doc


def _shared(spec: APISpec, name: str, response: dict[str, Any]) -> dict[str, str]:
    """A reference to the one copy of `response` that the document has."""
    if name not in spec.components.responses:
        spec.components.response(name, response)
    return {"$ref": f"#/components/responses/{name}"}


def _document_names(doc: dict[str, Any], info: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """An operation is called what its view is called; what names no permission needs no sign-in."""
    return {"operationId": info["name"], "security": [], **doc}


__all__ = [
    "Blueprint",
    "IdConverter",
    "NotFound",
    "answer",
    "if_match",
    "json_body",
    "loaded",
    "or_answers",
    "query_string",
    "refuses",
    "rendered",
    "takes_header",
]
