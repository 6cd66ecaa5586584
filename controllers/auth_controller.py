"""/auth: register, sign in, stay signed in, sign out."""

from typing import Any

from flask import request

from controllers.callers import for_caller, identity_in, tokens_for
from controllers.rate_limits import limit_asking
from models.permissions import Permission
from models.values import Caller
from schemas.booking_schema import AcceptedSchema
from schemas.user_schema import (
    ForgotPasswordSchema,
    LoginSchema,
    PasswordGrantSchema,
    RefreshSchema,
    RegisterSchema,
    ResetPasswordSchema,
    TokensSchema,
    VerifyEmailSchema,
)
from services import account_service, auth_service, email_service, password_service
from services.account_service import UserNameTaken
from services.auth_service import Banned, RefreshReused, SignedIn, WrongPassword
from services.email_service import EmailTaken
from services.link_service import LinkNotValid
from utils.errors import Busy, Invalid, TooManyRequests, Unauthenticated
from utils.http import Blueprint, refuses

auth_bp = Blueprint("auth", __name__, url_prefix="/auth", description=__doc__)


@auth_bp.post("/register")
@auth_bp.arguments(RegisterSchema())
@auth_bp.response(201, TokensSchema())
@limit_asking
@refuses(EmailTaken, UserNameTaken, Busy)
def register(account: dict[str, Any]) -> dict[str, Any]:
    """Open an account, as an attendee or an organiser, and be signed in."""
    return tokens_for(account_service.register(**account, **_whence()))


@auth_bp.post("/login")
@auth_bp.arguments(LoginSchema())
@auth_bp.response(200, TokensSchema())
@limit_asking
@refuses(WrongPassword, Banned, TooManyRequests, Busy)
def login(credentials: dict[str, Any]) -> dict[str, Any]:
    """Sign in with an e-mail address and a password."""
    return tokens_for(auth_service.sign_in(**credentials, **_whence()))


@auth_bp.post("/token")
@auth_bp.form(PasswordGrantSchema())
@auth_bp.response(200, TokensSchema())
@limit_asking
@refuses(WrongPassword, Banned, RefreshReused, TooManyRequests, Busy)
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
        credentials = {"email": email, "password": form["password"]}
        return tokens_for(auth_service.sign_in(**credentials, **_whence()))
    except Unauthenticated as refusal:
        refusal.facts["error"] = "invalid_grant"
        raise


@auth_bp.post("/refresh")
@auth_bp.arguments(RefreshSchema(), required=False)
@auth_bp.response(200, TokensSchema())
@limit_asking
@refuses(RefreshReused)
def refresh(body: dict[str, Any]) -> dict[str, Any]:
    """Swap a refresh token, in the body or as `Refresh-Token` header, for two new tokens.

    Each is good once: one that was spent before ends its sign-in, but for a repetition within
    seconds.
    """
    return tokens_for(_renewed(body["refresh_token"] or request.headers.get("Refresh-Token")))


@auth_bp.post("/logout")
@auth_bp.response(204)
@for_caller(Permission.PROFILE_EDIT)
def logout(caller: Caller) -> None:
    """End this sign-in: its access and refresh tokens stop working at once."""
    auth_service.sign_out(caller)


@auth_bp.post("/logout_everywhere")
@auth_bp.response(204)
@for_caller(Permission.PROFILE_EDIT)
def logout_everywhere(caller: Caller) -> None:
    """End all of your sign-ins, this one too."""
    auth_service.sign_out_everywhere(caller)


@auth_bp.post("/verify_email")
@auth_bp.arguments(VerifyEmailSchema())
@auth_bp.response(204)
@limit_asking
@refuses(LinkNotValid, EmailTaken)
def verify_email(link: dict[str, str]) -> None:
    """Show that you read the mailbox of your account, or of the address that it is to have."""
    email_service.verify(link["token"])


@auth_bp.post("/forgot_password")
@auth_bp.arguments(ForgotPasswordSchema())
@auth_bp.response(202, AcceptedSchema())
@limit_asking
def forgot_password(account: dict[str, str]) -> dict[str, str]:
    """Mail a link to set a new password; the answer is the same whether the account exists."""
    password_service.forgot(account["email"])
    return {"detail": "If there is such an account, a link is on its way by mail."}


@auth_bp.post("/reset_password")
@auth_bp.arguments(ResetPasswordSchema())
@auth_bp.response(204)
@limit_asking
@refuses(LinkNotValid, Busy)
def reset_password(wanted: dict[str, str]) -> None:
    """Set a new password with the link that was mailed; all sign-ins of the account end."""
    password_service.reset(**wanted)


def _whence() -> dict[str, Any]:
    """Where a sign-in is from, for its owner to recognise it."""
    return {"address": request.remote_addr, "agent": request.headers.get("User-Agent")}


def _renewed(refresh_token: str | None) -> SignedIn:
    if not refresh_token:
        raise Unauthenticated("Send the refresh token in the body.")
    return auth_service.renew(identity_in(refresh_token, "refresh"))
