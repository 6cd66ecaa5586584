"""Who asks: read from the request once, before anything else looks at it."""

import functools
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import jwt
from flask import Flask, current_app, g, request
from flask_jwt_extended import create_access_token, create_refresh_token
from jwt.exceptions import PyJWTError

from config import settings
from models.permissions import (
    RULES,
    Permission,
    anyone,
    guest,
    require_identity,
    scopes_for,
)
from models.values import STRANGER, Actor, Caller
from services import api_key_service, audit_service, auth_service
from services.auth_service import Identity, SignedIn
from utils.errors import Unauthenticated
from utils.http import LARGEST_ID
from utils.tokens import digest

View = Callable[..., Any]
SECRET_HEADER = "Booking-Secret"  # noqa: S105 (the name of the header)
KEY_HEADER = "X-API-Key"
LONGEST_TOKEN = 4096
TOKENS_REMEMBERED = 5_000
ISSUER = "gigmate"


def for_caller(permission: Permission) -> Callable[[View], View]:
    """Pass `caller` to the view, and turn away at the door whom no rule could let in."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return view(*args, caller=g.caller, **kwargs)

        known = dict(getattr(view, "_apidoc", {}))
        known["permission"] = permission
        rules = RULES[permission]
        schemes: list[dict[str, list[str]]] = [{"bearer": []}]
        if scopes_for(permission):
            schemes.append({"api_key": []})
        if guest in rules:
            schemes.append({"booking_secret": []})
        if anyone in rules:
            schemes.append({})
        known["manual_doc"] = {
            "security": schemes,
            "description": _told(view, permission),
        }
        wrapper._apidoc = known  # type: ignore[attr-defined]
        wrapper.permission = permission  # type: ignore[attr-defined]
        return wrapper

    return decorate


def _told(view: View, permission: Permission) -> str:
    """What a view's docstring says beyond its first sentence, and who may."""
    more = inspect.cleandoc(view.__doc__ or "").partition("\n")[2].strip()
    rules = ", ".join(rule.__name__.replace("_", " ") for rule in RULES[permission])
    may = f"Permission `{permission}`: {rules}."
    if scopes := scopes_for(permission):
        may += f" An API key needs the scope {' or '.join(f'`{scope}`' for scope in scopes)}."
    return f"{more}\n\n{may}" if more else may


def register_callers(app: Flask) -> None:
    @app.before_request
    def find_out_who_asks() -> None:
        g.caller = STRANGER
        g.caller = _caller()
        audit_service.acting(Actor(g.caller, "api", g.get("request_id")))
        view = current_app.view_functions.get(request.endpoint or "")
        permission = getattr(view, "permission", None)
        if permission is not None and request.method != "OPTIONS":  # as a browser asks beforehand
            require_identity(g.caller, permission)

    @app.teardown_request
    def nobody_asks_any_more(_error: BaseException | None) -> None:
        audit_service.acting(Actor())


def tokens_for(signed_in: SignedIn) -> dict[str, Any]:
    """What a login answers: a short-lived access token and a refresh token."""
    claims: dict[str, Any] = {"sid": signed_in.sign_in_id}
    spent_once = {**claims, "gen": signed_in.generation}
    subject = str(signed_in.user.id)
    lifetime = signed_in.access_lifetime
    return {
        "access_token": create_access_token(
            subject, expires_delta=lifetime, additional_claims=claims
        ),
        "refresh_token": create_refresh_token(
            subject, expires_delta=signed_in.refresh_lifetime, additional_claims=spent_once
        ),
        "token_type": "bearer",
        "expires_in": int(lifetime.total_seconds()),
        "user": signed_in.user,
    }


def identity_in(token: str, kind: str) -> Identity:
    """Whom a token of `kind` names; Unauthenticated if it is not one."""
    try:
        if len(token) > LONGEST_TOKEN:
            raise ValueError
        signed_for, identity = _signed(token, settings.secret_key)
        if signed_for != kind:
            raise ValueError
        return identity
    except (PyJWTError, ValueError, KeyError, TypeError, OverflowError):
        raise Unauthenticated("The token is not valid, or has expired.") from None


# A signature that was right stays right. Whether its time is up, and whether the sign-in stands,
# the database is asked each time.
@functools.lru_cache(TOKENS_REMEMBERED)
def _signed(token: str, secret_key: str) -> tuple[str, Identity]:
    claims = jwt.decode(
        token,
        secret_key,
        algorithms=["HS256"],
        audience=ISSUER,
        issuer=ISSUER,
        options={"require": ["exp", "sub", "iss", "aud"], "verify_exp": False},
    )
    numbers = [int(claims[name]) for name in ("sub", "sid", "exp")]
    if claims["type"] == "refresh":
        numbers.append(int(claims["gen"]))
    if not all(0 < number <= LARGEST_ID for number in numbers):
        raise ValueError
    return claims["type"], Identity(*numbers)


def _caller() -> Caller:
    key = request.headers.get(KEY_HEADER)
    if key is not None:
        if "Authorization" in request.headers:
            raise Unauthenticated("Send an API key or another credential, and not both.")
        return api_key_service.caller_with(key)
    if header := request.headers.get("Authorization"):
        scheme, _, token = header.partition(" ")
        if scheme.lower() == "basic" and request.endpoint == "auth.token":
            return STRANGER  # an OAuth2 client names itself so; we know people, not clients
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("The Authorization header is not `Bearer <access_token>`.")
        token = token.strip()
        if api_key_service.looks_like_one(token):
            return api_key_service.caller_with(token)
        return auth_service.caller_of(identity_in(token, "access"))
    if secret := request.headers.get(SECRET_HEADER):
        return auth_service.guest_with(digest(secret[:200]))
    return STRANGER
