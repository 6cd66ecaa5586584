"""What can go wrong, in the words of the API. Raised anywhere, rendered in one place.

A refusal of one thing is declared beside the code that raises it; here are the ones that
every resource shares. Each class is documented at /problems/<code> and in docs/problems.md.
"""

from collections.abc import Iterator
from http import HTTPStatus
from math import ceil
from typing import Any, Self


class ApiError(Exception):
    """The request is malformed in a way that has no code of its own."""

    status = HTTPStatus.BAD_REQUEST
    code, title = "bad-request", "The request cannot be served"
    headers: dict[str, str] = {}

    def __init__(self, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.detail, self.facts = detail, facts


class Invalid(ApiError):
    """The body, a query parameter or a header is malformed or breaks a rule of its field.

    `errors` lists `{field, detail}` for each mistake.
    """

    code, title = "invalid", "The request does not validate"

    @classmethod
    def at(cls, field: str, detail: str) -> "Invalid":
        """One mistake in one field."""
        return cls(f"{field}: {detail}", errors=[{"field": field, "detail": detail}])


class Unauthenticated(ApiError):
    """No credentials where some are needed, or credentials that do not hold.

    Sign in at /auth/login and send `Authorization: Bearer <access_token>`.
    """

    status = HTTPStatus.UNAUTHORIZED
    code, title = "unauthenticated", "Sign in first"
    headers = {"WWW-Authenticate": 'Bearer realm="gigmate"'}


class Forbidden(ApiError):
    """You may see this, but not do that to it."""

    status = HTTPStatus.FORBIDDEN
    code, title = "forbidden", "Yours to see, not yours to do"


class NotFound(ApiError):
    """There is no such thing, or it is not yours to see."""

    status = HTTPStatus.NOT_FOUND
    code, title = "not-found", "No such thing, or not yours to see"


class MethodNotAllowed(ApiError):
    """The path exists and does not know this method; the `Allow` header lists what it knows."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    code, title = "method-not-allowed", "This path does not know that method"


class Conflict(ApiError):
    """The current state refuses the change."""

    status = HTTPStatus.CONFLICT
    code, title = "conflict", "The current state refuses this"


class PreconditionFailed(ApiError):
    """The resource changed since the ETag in `If-Match` was read; read it again."""

    status = HTTPStatus.PRECONDITION_FAILED
    code, title = "precondition-failed", "It has changed since you read it"


class TooLarge(ApiError):
    """The body is larger than this API reads; `limit` is in bytes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code, title = "too-large", "The body is too large"


class UnsupportedMediaType(ApiError):
    """The body has a media type that this endpoint does not read."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code, title = "unsupported-media-type", "That media type is not read here"


class KeyReused(ApiError):
    """The Idempotency-Key was used before with another method, path or body."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code, title = "idempotency-key-reused", "The key belongs to another request"


class TooManyRequests(ApiError):
    """You asked too often; try again after `Retry-After` seconds."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code, title = "too-many-requests", "Too many requests"
    headers = {"Retry-After": "1"}

    @classmethod
    def until(cls, seconds: float, detail: str, **facts: Any) -> Self:
        """A refusal that says in how many seconds it is over."""
        refusal = cls(detail, **facts)
        refusal.headers = cls.headers | {"Retry-After": str(max(1, ceil(seconds)))}
        return refusal


class Busy(ApiError):
    """Somebody else holds what this needs for a moment; the same request may succeed at once."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code, title = "busy", "Busy, try again"
    headers = {"Retry-After": "1"}


class Unavailable(ApiError):
    """The database cannot be reached, or went away before it said that a change was made.

    Repeat what you sent with the same `Idempotency-Key`: then it happens once, whether or not it
    had happened already.
    """

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code, title = "unavailable", "The database is not reachable"
    headers = {"Retry-After": "2"}


class InternalError(ApiError):
    """Our bug. Report it with the `request_id`."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code, title = "internal-error", "Something went wrong on our side"


def every_problem(base: type[ApiError] = ApiError) -> Iterator[type[ApiError]]:
    """Each refusal that the loaded code can raise, `base` itself included."""
    yield base
    for subclass in base.__subclasses__():
        yield from every_problem(subclass)


CONSTRAINTS: dict[str, ApiError] = {}


def constraint(name: str, refusal: ApiError) -> None:
    """Answer a violation of the named constraint with `refusal`: a race got past the check."""
    CONSTRAINTS[name] = refusal
