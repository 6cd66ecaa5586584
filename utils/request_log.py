"""A request id on every answer, and one structured line for every request."""

import re
import secrets
import sys
import time
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
        cache_logger_on_first_use=settings.in_production,
    )


def register_request_log(app: Flask) -> None:
    @app.before_request
    def name_the_request() -> None:
        g.started = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if WELL_FORMED.fullmatch(given) else secrets.token_hex(16)

    @app.after_request
    def tell(response: Response) -> Response:
        facts = g._get_current_object()
        headers = response.headers
        headers.add("X-Request-ID", facts.get("request_id", ""))
        headers.add("Vary", "Authorization, Booking-Secret, X-API-Key")
        if request.path not in QUIET:
            now = time.perf_counter()
            log.info(
                "request",
                request_id=facts.get("request_id"),
                method=request.method,
                path=request.path,
                status=response.status_code,
                problem=facts.get("problem"),
                caller=getattr(facts.get("caller"), "key", None),
                ms=round((now - facts.get("started", now)) * 1000, 1),
            )
        return response
