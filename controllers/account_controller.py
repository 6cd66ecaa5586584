"""/users/me: your own account."""

from typing import Any

from flask import Response
from sqlalchemy import Select

from controllers.callers import for_caller
from controllers.rate_limits import limit_asking
from models import SignIn, User
from models.permissions import Permission
from models.values import Caller
from schemas.booking_schema import AcceptedSchema
from schemas.user_schema import (
    ChangeEmailSchema,
    ChangePasswordSchema,
    EditUserSchema,
    ExportSchema,
    LeaveSchema,
    ReplaceUserSchema,
    SignInSchema,
    UserSchema,
)
from services import (
    account_service,
    email_service,
    export_service,
    leaving_service,
    password_service,
    sign_in_service,
)
from services.account_service import UserNameTaken
from services.auth_service import WrongPassword
from services.leaving_service import HasUpcomingBookings
from services.member_service import LastOwner
from services.user_service import LastAdmin
from utils.errors import Busy, TooManyRequests
from utils.http import Blueprint, answer, if_match, refuses

account_bp = Blueprint("account", __name__, url_prefix="/users/me", description=__doc__)


@account_bp.get("")
@account_bp.response(200, UserSchema())
@for_caller(Permission.PROFILE_EDIT)
def show_me(caller: Caller) -> User:
    """Your account."""
    return account_service.me(caller)


@account_bp.patch("")
@account_bp.arguments(EditUserSchema(partial=True))
@account_bp.response(200, UserSchema())
@refuses(UserNameTaken)
@for_caller(Permission.PROFILE_EDIT)
def edit_me(changes: dict[str, Any], caller: Caller) -> User:
    """Change what you name."""
    return account_service.edit(if_match(account_service.me(caller)), changes)


@account_bp.put("")
@account_bp.arguments(ReplaceUserSchema())
@account_bp.response(200, UserSchema())
@refuses(UserNameTaken)
@for_caller(Permission.PROFILE_EDIT)
def replace_me(facts: dict[str, Any], caller: Caller) -> User:
    """Write the whole profile; what you leave out is emptied."""
    return account_service.edit(if_match(account_service.me(caller)), facts)


@account_bp.delete("")
@account_bp.arguments(LeaveSchema())
@account_bp.response(204)
@refuses(WrongPassword, TooManyRequests, HasUpcomingBookings, LastOwner, LastAdmin, Busy)
@for_caller(Permission.PROFILE_EDIT)
def leave(shown: dict[str, str], caller: Caller) -> None:
    """Leave for good: who you are is forgotten, and what you bought stays in the books.

    Not while you have bookings for shows to come, or are the only owner of an organiser.
    """
    leaving_service.leave(caller, **shown)


@account_bp.put("/password")
@account_bp.arguments(ChangePasswordSchema())
@account_bp.response(204)
@refuses(WrongPassword, TooManyRequests, Busy)
@for_caller(Permission.PROFILE_EDIT)
def change_password(passwords: dict[str, str], caller: Caller) -> None:
    """Change your password; every other sign-in of yours ends."""
    password_service.change(caller, **passwords)


@account_bp.put("/email")
@account_bp.arguments(ChangeEmailSchema())
@account_bp.response(202, AcceptedSchema())
@limit_asking
@refuses(WrongPassword, TooManyRequests, Busy)
@for_caller(Permission.PROFILE_EDIT)
def change_email(wanted: dict[str, str], caller: Caller) -> dict[str, str]:
    """Change your address: it is yours when the link that is mailed there is used."""
    email_service.change(caller, **wanted)
    return {"detail": "If the address can be yours, a link is on its way there by mail."}


@account_bp.post("/verification")
@account_bp.response(202, AcceptedSchema())
@limit_asking
@for_caller(Permission.PROFILE_EDIT)
def send_verification(caller: Caller) -> dict[str, str]:
    """Mail another link that verifies your address; one that is verified gets none."""
    email_service.send_again(caller)
    return {"detail": "Unless your address is verified, a link is on its way by mail."}


@account_bp.get("/export")
@account_bp.response(200, ExportSchema())
@for_caller(Permission.PROFILE_EDIT)
def export_me(caller: Caller) -> Response:
    """Everything that is kept of you, as one document."""
    document = answer(EXPORT, export_service.export(caller))
    document.headers["Content-Disposition"] = 'attachment; filename="gigmate-export.json"'
    document.headers["Cache-Control"] = "no-store"
    return document


@account_bp.get("/sign_ins")
@account_bp.page(SignInSchema())
@for_caller(Permission.PROFILE_EDIT)
def list_sign_ins(caller: Caller) -> Select[SignIn]:
    """Where you are signed in, the newest first."""
    return sign_in_service.standing(caller)


@account_bp.delete("/sign_ins/<id:sign_in_id>")
@account_bp.response(204)
@for_caller(Permission.PROFILE_EDIT)
def end_sign_in(sign_in_id: int, caller: Caller) -> None:
    """End one of your sign-ins: its tokens stop working at once; may be repeated."""
    sign_in_service.end(sign_in_id, caller=caller, reason="ended")


EXPORT = ExportSchema()
