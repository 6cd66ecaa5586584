"""A request id on every answer, and one structured line for every request."""

import re
import sys
import time
import uuid
from typing import Any

import structlog
from flask import Flask, Response, g, request

from config import settings

WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET = {"/health", "/ready"}

log = structlog.get_logger()


def configure_logging() -> None:
    """JSON lines to standard error; readable ones where a person watches."""
    watched = sys.stderr.isatty() and not settings.in_production
    renderer: Any = (
        structlog.dev.ConsoleRenderer() if watched else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level.lower()),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def register_request_log(app: Flask) -> None:
    @app.before_request
    def name_the_request() -> None:
        g.started = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if WELL_FORMED.fullmatch(given) else uuid.uuid4().hex

    @app.after_request
    def tell(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.get("request_id", "")
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.add("Vary", "Authorization, Booking-Secret")
        if request.path not in QUIET:
            caller = g.get("caller")
            log.info(
                "request",
                request_id=g.get("request_id"),
                method=request.method,
                path=request.path,
                status=response.status_code,
                problem=g.get("problem"),
                caller=getattr(caller, "key", None),
                ms=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
            )
        return response
