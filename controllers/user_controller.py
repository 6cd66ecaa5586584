"""/users: everybody's accounts, for admins."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from models import User
from models.permissions import Permission, authorize
from models.values import Caller
from schemas.user_schema import AccountReasonSchema, AccountSchema, ChangeRoleSchema, UserFilters
from services import user_service
from services.user_service import LastAdmin
from utils.http import Blueprint, if_match, refuses

users_bp = Blueprint("users", __name__, url_prefix="/users", description=__doc__)


@users_bp.get("/")
@users_bp.page(AccountSchema(), filters=UserFilters())
@for_caller(Permission.USER_READ)
def list_users(wanted: dict[str, Any], caller: Caller) -> Select[User]:
    """Accounts, the newest first; `q` finds part of a name or an address."""
    authorize(caller, Permission.USER_READ)
    return user_service.search(wanted)


@users_bp.get("/<id:user_id>")
@users_bp.response(200, AccountSchema())
@for_caller(Permission.USER_READ)
def show_user(user_id: int, caller: Caller) -> User:
    """One account."""
    authorize(caller, Permission.USER_READ)
    return user_service.find(user_id)


@users_bp.post("/<id:user_id>/ban")
@users_bp.arguments(AccountReasonSchema())
@users_bp.response(200, AccountSchema())
@refuses(LastAdmin)
@for_caller(Permission.USER_EDIT)
def ban_user(told: dict[str, str], user_id: int, caller: Caller) -> User:
    """Ban an account: its sign-ins end, and nobody signs in with it; may be repeated."""
    authorize(caller, Permission.USER_EDIT)
    return user_service.ban(user_service.find(user_id), by=caller, **told)


@users_bp.post("/<id:user_id>/unban")
@users_bp.arguments(AccountReasonSchema())
@users_bp.response(200, AccountSchema())
@for_caller(Permission.USER_EDIT)
def unban_user(told: dict[str, str], user_id: int, caller: Caller) -> User:
    """Let a banned account sign in again; may be repeated."""
    authorize(caller, Permission.USER_EDIT)
    return user_service.unban(user_service.find(user_id), **told)


@users_bp.put("/<id:user_id>/role")
@users_bp.arguments(ChangeRoleSchema())
@users_bp.response(200, AccountSchema())
@refuses(LastAdmin)
@for_caller(Permission.USER_EDIT)
def change_role(wanted: dict[str, Any], user_id: int, caller: Caller) -> User:
    """Give an account another role, from its next request on."""
    authorize(caller, Permission.USER_EDIT)
    return user_service.change_role(if_match(user_service.find(user_id)), by=caller, **wanted)
