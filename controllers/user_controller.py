"""/users: your own account."""

from typing import Any

from controllers.callers import for_caller
from models import User
from models.permissions import Permission
from models.values import Caller
from schemas.user_schema import EditUserSchema, UserSchema
from services import user_service
from utils.http import Blueprint, if_match

users_bp = Blueprint("users", __name__, url_prefix="/users", description=__doc__)


@users_bp.get("/me")
@users_bp.response(200, UserSchema())
@for_caller(Permission.PROFILE_EDIT)
def show_me(caller: Caller) -> User:
    """Your account."""
    return user_service.me(caller)


@users_bp.patch("/me")
@users_bp.arguments(EditUserSchema())
@users_bp.response(200, UserSchema())
@for_caller(Permission.PROFILE_EDIT)
def edit_me(changes: dict[str, Any], caller: Caller) -> User:
    """Change what you name."""
    return user_service.edit(if_match(user_service.me(caller)), changes)
