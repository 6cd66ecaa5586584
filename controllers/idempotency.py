"""`Idempotency-Key`: a retry of something that worked gets the answer that it missed."""

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, g, request

from models.values import Once
from services.idempotency_service import Replay
from utils.errors import Invalid
from utils.http import takes_header

View = Callable[..., Any]
WELL_FORMED = re.compile(r"[\x21-\x7e]{1,255}")


def idempotent(status: int, *, location: str | None = None) -> Callable[[View], View]:
    """Pass `once` to the view: None, or the key and how to write the answer down."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            key = request.headers.get("Idempotency-Key")
            if key is None:
                return view(*args, once=None, **kwargs)
            if not WELL_FORMED.fullmatch(key):
                raise Invalid.at("Idempotency-Key", "Must be 1 to 255 visible ASCII characters.")
            render = g.render

            def written(result: Any) -> tuple[int, str | None, bytes]:
                where = location.format(o=result) if location else None
                return status, where, render(result)

            once = Once(key, g.caller.key, _fingerprint(), written)
            try:
                result = view(*args, once=once, **kwargs)
            except Replay as replay:
                response = _response(replay.status, replay.location, replay.body)
                response.headers["Idempotent-Replayed"] = "true"
                return response
            if once.answer is None:
                return result
            response = _response(*once.answer)
            if etag := getattr(result, "etag", None):
                response.set_etag(etag)
            return response

        known = dict(getattr(wrapper, "_apidoc", {}))
        wrapper._apidoc = {**known, "idempotent": True}  # type: ignore[attr-defined]
        return takes_header(
            "Idempotency-Key",
            "Names this request, so that its retry within 24 hours gets the same answer",
            {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
        )(wrapper)

    return decorate


def _response(status: int, location: str | None, body: bytes) -> Response:
    response = Response(body, status, content_type="application/json")
    if location:
        response.headers["Location"] = location
    return response


def _fingerprint() -> bytes:
    parts = (
        request.method.encode(),
        request.path.rstrip("/").encode(),
        request.get_data(cache=True),
    )
    return hashlib.sha256(b"\x00".join(parts)).digest()
