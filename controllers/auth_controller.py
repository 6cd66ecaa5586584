"""/auth: register, sign in, stay signed in, sign out."""

from typing import Any

from flask import request

from controllers.callers import for_caller, identity_in, tokens_for
from models.permissions import Permission
from models.values import Caller
from schemas.user_schema import (
    LoginSchema,
    PasswordGrantSchema,
    RefreshSchema,
    RegisterSchema,
    TokensSchema,
)
from services import auth_service
from services.auth_service import EmailTaken, SignedIn, WrongPassword
from utils.errors import Busy, Invalid, Unauthenticated
from utils.http import Blueprint, refuses

auth_bp = Blueprint("auth", __name__, url_prefix="/auth", description=__doc__)


@auth_bp.post("/register")
@auth_bp.arguments(RegisterSchema())
@auth_bp.response(201, TokensSchema())
@refuses(EmailTaken, Busy)
def register(account: dict[str, Any]) -> dict[str, Any]:
    """Open an account, as an attendee or an organiser, and be signed in."""
    return tokens_for(auth_service.register(**account))


@auth_bp.post("/login")
@auth_bp.arguments(LoginSchema())
@auth_bp.response(200, TokensSchema())
@refuses(WrongPassword, Busy)
def login(credentials: dict[str, Any]) -> dict[str, Any]:
    """Sign in with an e-mail address and a password."""
    return tokens_for(auth_service.sign_in(**credentials))


@auth_bp.post("/token")
@auth_bp.form(PasswordGrantSchema())
@auth_bp.response(200, TokensSchema())
@refuses(WrongPassword, Busy)
def token(form: dict[str, Any]) -> dict[str, Any]:
    """Sign in with the OAuth2 password form (RFC 6749, 4.3), or with a refresh token (6).

    The e-mail address goes in `username` or in `email`. Refusals carry the RFC's `error`.
    """
    try:
        if form["grant_type"] == "refresh_token":
            return tokens_for(_renewed(form.get("refresh_token")))
        email = form.get("username") or form.get("email")
        if not email or not form.get("password"):
            field = "password" if email else "username"
            raise Invalid.at(field, f"This grant needs a {field}.")
        return tokens_for(auth_service.sign_in(email=email, password=form["password"]))
    except Unauthenticated as refusal:
        refusal.facts["error"] = "invalid_grant"
        raise


@auth_bp.post("/refresh")
@auth_bp.arguments(RefreshSchema(), required=False)
@auth_bp.response(200, TokensSchema())
def refresh(body: dict[str, Any]) -> dict[str, Any]:
    """Swap a refresh token, in the body or as `Refresh-Token` header, for a new access token."""
    return tokens_for(_renewed(body["refresh_token"] or request.headers.get("Refresh-Token")))


@auth_bp.post("/logout")
@auth_bp.response(204)
@for_caller(Permission.PROFILE_EDIT)
def logout(caller: Caller) -> None:
    """End this sign-in: its access and refresh tokens stop working at once."""
    auth_service.sign_out(caller)


def _renewed(refresh_token: str | None) -> SignedIn:
    if not refresh_token:
        raise Unauthenticated("Send the refresh token in the body.")
    return auth_service.renew(identity_in(refresh_token, "refresh"))
