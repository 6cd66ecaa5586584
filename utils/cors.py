"""Which pages of other origins may call the API from a browser: none, unless configured."""

import re

from flask import Flask, Response
from flask_cors import CORS

from config import ConfigurationError, settings

ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,255})(:[0-9]{1,5})?")
MAY_SEND = [
    "Authorization",
    "Booking-Secret",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Refresh-Token",
    "X-API-Key",
    "X-Request-ID",
]
MAY_READ = [
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Request-ID",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
A_DAY = 86_400


def register_cors(app: Flask) -> None:
    """Let pages of settings.cors_origins in, without cookies. Raises ConfigurationError."""
    if origins := _origins():
        CORS(
            app,
            origins=origins,
            methods=METHODS,
            allow_headers=MAY_SEND,
            expose_headers=MAY_READ,
            max_age=A_DAY,
            send_wildcard=True,
            supports_credentials=False,
        )

        @app.after_request
        def differ_by_origin(response: Response) -> Response:
            """Whoever keeps an answer keeps it for the origin that asked."""
            response.headers.add("Vary", "Origin")
            return response


def _origins() -> list[str]:
    """The configured origins, each as a browser sends it."""
    origins = [each.strip() for each in settings.cors_origins.split(",") if each.strip()]
    if origins == ["*"]:
        return origins
    for origin in origins:
        if not ORIGIN.fullmatch(origin):
            raise ConfigurationError(
                f"CORS_ORIGINS: {origin!r} is not an origin like `https://shop.example.com`"
                + (", and * stands alone." if origin == "*" else ".")
            )
    return origins
