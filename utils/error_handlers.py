"""Every error leaves as one shape: RFC 9457 problem details."""

import re
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, request
from marshmallow import INCLUDE, Schema, fields
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from utils.errors import (
    CONSTRAINTS,
    ApiError,
    Busy,
    Conflict,
    InternalError,
    Invalid,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    Unavailable,
    UnsupportedMediaType,
)

log = structlog.get_logger()

# SQLSTATE classes and codes that a request may meet through nobody's fault.
LOST_DATABASE = re.compile(r"08|57P0|53")
GIVE_WAY = ("40001", "40P01", "55P03", "57014", "25P03")


class ErrorItemSchema(Schema):
    """One mistake in a request."""

    field = fields.String(required=True, metadata={"description": "Where, as items.0.quantity"})
    detail = fields.String(required=True)


class ProblemSchema(Schema):
    """RFC 9457 problem details; a problem may carry facts of its own besides these."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True, metadata={"description": "Where it is documented"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    code = fields.String(required=True)
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(ErrorItemSchema))


def problem(error: ApiError) -> Response:
    """An application/problem+json response."""
    body = {
        **error.facts,
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": int(error.status),
        "detail": error.detail,
        "instance": request.path,
        "code": error.code,
        "request_id": g.get("request_id", ""),
    }
    response = Response(
        orjson.dumps(body, default=str), error.status, content_type="application/problem+json"
    )
    response.headers.update(error.headers)
    g.problem = error.code
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    detail = error.description or HTTPStatus(status).phrase
    known: dict[int, type[ApiError]] = {
        404: NotFound,
        405: MethodNotAllowed,
        413: TooLarge,
        415: UnsupportedMediaType,
    }
    if status == 404:
        detail = "There is nothing at this path."
    if status >= 500:
        return problem(InternalError("This is our bug; the log knows it by its request_id."))
    if status < 400 and error.response is not None:
        return error.response  # type: ignore[return-value]
    kind = known.get(status, Invalid if status == 400 else ApiError)
    facts = {"limit": request.max_content_length} if kind is TooLarge else {}
    response = problem(kind(detail, **facts))
    response.status_code = status
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after", "www-authenticate"):
            response.headers[name] = value
    return response


def _collided(error: IntegrityError) -> Response:
    name = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    refusal = CONSTRAINTS.get(name or "")
    if refusal is None:
        return _bug(error)
    return problem(refusal)


def _undone(error: DBAPIError) -> Response:
    state = getattr(error.orig, "pgcode", None) or ""
    if isinstance(error, IntegrityError):
        return _collided(error)
    if isinstance(error, DataError):
        return problem(Invalid("A value is outside what can be stored."))
    if state in GIVE_WAY:
        return problem(Busy("Another request holds what this one needs; try again."))
    lost = error.connection_invalidated or LOST_DATABASE.match(state)
    if lost or (isinstance(error, OperationalError) and not state):
        log.error("database lost", error=str(error.orig))
        return problem(Unavailable("The database is away for the moment; try again."))
    return _bug(error)


def _bug(error: Exception) -> Response:
    log.exception("unexpected error", exc_info=error)
    return problem(InternalError("This is our bug; the log knows it by its request_id."))


def _out_of_connections(_error: PoolTimeout) -> Response:
    return problem(Busy("Every database connection is in use; try again."))


def _stale(_error: StaleDataError) -> Response:
    return problem(Conflict("Somebody else changed it at the same moment; read it again."))


def register_error_handlers(app: Flask) -> None:
    handlers: dict[type[Exception], Any] = {
        ApiError: problem,
        HTTPException: _http,
        DBAPIError: _undone,
        PoolTimeout: _out_of_connections,
        StaleDataError: _stale,
        Exception: _bug,
    }
    for kind, handler in handlers.items():
        app.register_error_handler(kind, handler)
