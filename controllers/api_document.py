"""What the OpenAPI document says once for all endpoints."""

from typing import Any

from flask_smorest import Api
from werkzeug.routing import BaseConverter

from controllers.callers import SECRET_HEADER
from utils.error_handlers import ProblemSchema
from utils.http import LARGEST_ID, IdConverter

DESCRIPTION = """\
The box office for live music, from the first announcement to the last scan at the door.

- Money is `{"amount", "currency"}`: whole minor units and an ISO 4217 code.
- Times are RFC 3339 with an offset.
- Lists take `page` and `per_page`, or `after` where they grow without end.
- Every refusal is `application/problem+json`; its `code` is explained at `/problems/<code>`.
- POSTs that sell or admit take an `Idempotency-Key`.
- What people edit has an `ETag` and takes `If-Match`.
"""

INFO: dict[str, Any] = {"info": {"description": DESCRIPTION}}


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
    components.schema("Problem", schema=ProblemSchema)
    api.register_converter(IdConverter, _path_id)


def _path_id(_converter: BaseConverter) -> dict[str, Any]:
    return {"type": "integer", "format": "int64", "minimum": 1, "maximum": LARGEST_ID}
