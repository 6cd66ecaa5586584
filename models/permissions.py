"""Who may do what: one table, read top to bottom.

A rule answers yes or no for a caller and a target; one yes is enough. Whether the target can be
seen at all is not asked here: a query that starts from `visible_to(caller)` has answered that.
"""

import functools
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from models.api_key import Scope
from models.organiser import MemberRole
from models.user import Role
from models.values import Caller
from utils.errors import Forbidden, Unauthenticated


class Permission(StrEnum):
    CATALOGUE_READ = "catalogue:read"
    PROFILE_EDIT = "profile:edit"
    USER_READ = "user:read"
    USER_EDIT = "user:edit"
    ORGANISER_CREATE = "organiser:create"
    ORGANISER_EDIT = "organiser:edit"
    ORGANISER_DELETE = "organiser:delete"
    ORGANISER_APPLY = "organiser:apply"
    ORGANISER_VERIFY = "organiser:verify"
    MEMBER_READ = "member:read"
    MEMBER_EDIT = "member:edit"
    MEMBER_ADD = "member:add"
    INVITATION_ACCEPT = "invitation:accept"
    KEY_EDIT = "key:edit"
    AUDIT_READ = "audit:read"
    VENUE_EDIT = "venue:edit"
    EVENT_EDIT = "event:edit"
    EVENT_MODERATE = "event:moderate"
    SHOW_EDIT = "show:edit"
    STOCK_READ = "stock:read"
    STOCK_EDIT = "stock:edit"
    SALES_READ = "sales:read"
    HOLDER_EDIT = "holder:edit"
    BOOKING_PLACE = "booking:place"
    BOOKING_SELL = "booking:sell"
    BOOKING_READ = "booking:read"
    BOOKING_CHANGE = "booking:change"
    BOOKING_CANCEL = "booking:cancel"
    DOOR_LIST = "door:list"
    DOOR_ADMIT = "door:admit"


Rule = Callable[[Caller, Any], bool]


def anyone(caller: Caller, _target: Any) -> bool:
    """Whoever asks; but a key may only do what its scopes name."""
    return caller.api_key_id is None


def signed_in(caller: Caller, _target: Any) -> bool:
    return caller.user_id is not None


def admin(caller: Caller, _target: Any) -> bool:
    return caller.is_admin


def organiser_account(caller: Caller, _target: Any) -> bool:
    return caller.role == Role.ORGANISER


def owner(caller: Caller, target: Any) -> bool:
    return _works_as(caller, target, MemberRole.OWNER)


def manager(caller: Caller, target: Any) -> bool:
    return _works_as(caller, target, MemberRole.OWNER, MemberRole.MANAGER)


def staff(caller: Caller, target: Any) -> bool:
    return _works_as(caller, target, *MemberRole)


def buyer(caller: Caller, target: Any) -> bool:
    """The user who made the booking or keeps the ticket holder."""
    return caller.user_id is not None and target is not None and target.user_id == caller.user_id


def guest(caller: Caller, target: Any) -> bool:
    """Whoever shows the booking's secret."""
    return caller.booking_id is not None and target is not None and target.id == caller.booking_id


def catalogue_key(caller: Caller, target: Any) -> bool:
    return _works_for(caller, target, Scope.CATALOGUE)


def shop_key(caller: Caller, target: Any) -> bool:
    return _works_for(caller, target, Scope.SELL)


def seller_key(caller: Caller, target: Any) -> bool:
    """A shop's key, for what keys of its organiser and its mode have sold."""
    if not shop_key(caller, target) or target.sold_by_key is None:
        return False
    sold_by = target.sold_by_key.organiser_id, target.sold_by_key.mode
    return bool(sold_by == (caller.api_key_organiser_id, caller.api_key_mode))


def door_key(caller: Caller, target: Any) -> bool:
    return _works_for(caller, target, Scope.DOOR)


def reports_key(caller: Caller, target: Any) -> bool:
    return _works_for(caller, target, Scope.REPORTS)


def _works_for(caller: Caller, target: Any, scope: Scope) -> bool:
    """Whether a key has `scope`, and `target` is its organiser's."""
    if scope not in caller.scopes or target is None:
        return False
    return bool(target.organiser_id == caller.api_key_organiser_id)


# Which scope a key needs for each rule that can let one through.
SCOPES: dict[Rule, Scope] = {
    catalogue_key: Scope.CATALOGUE,
    shop_key: Scope.SELL,
    seller_key: Scope.SELL,
    door_key: Scope.DOOR,
    reports_key: Scope.REPORTS,
}


def _works_as(caller: Caller, target: Any, *roles: MemberRole) -> bool:
    """`target` is anything with an `organiser_id`."""
    if target is None or target.organiser_id is None:
        return False
    return caller.memberships.get(target.organiser_id) in roles


RULES: dict[Permission, tuple[Rule, ...]] = {
    Permission.CATALOGUE_READ: (anyone, catalogue_key, shop_key, reports_key),
    Permission.PROFILE_EDIT: (signed_in,),
    Permission.USER_READ: (admin,),
    Permission.USER_EDIT: (admin,),
    Permission.ORGANISER_CREATE: (admin, organiser_account),
    Permission.ORGANISER_EDIT: (admin, manager),
    Permission.ORGANISER_DELETE: (admin, owner),
    Permission.ORGANISER_APPLY: (admin, owner),
    Permission.ORGANISER_VERIFY: (admin,),
    Permission.MEMBER_READ: (admin, staff),
    Permission.MEMBER_EDIT: (admin, owner),
    Permission.MEMBER_ADD: (admin,),
    Permission.INVITATION_ACCEPT: (signed_in,),
    Permission.KEY_EDIT: (admin, owner),
    Permission.AUDIT_READ: (admin, manager),
    Permission.VENUE_EDIT: (admin, manager),
    Permission.EVENT_EDIT: (admin, manager),
    Permission.EVENT_MODERATE: (admin,),
    Permission.SHOW_EDIT: (admin, manager),
    Permission.STOCK_READ: (admin, staff, catalogue_key, reports_key),
    Permission.STOCK_EDIT: (admin, manager),
    Permission.SALES_READ: (admin, staff, reports_key),
    Permission.HOLDER_EDIT: (admin, buyer, manager),
    Permission.BOOKING_PLACE: (anyone, shop_key),
    Permission.BOOKING_SELL: (admin, manager, shop_key),
    Permission.BOOKING_READ: (admin, buyer, guest, staff, seller_key, reports_key),
    Permission.BOOKING_CHANGE: (admin, buyer, guest, manager, seller_key),
    Permission.BOOKING_CANCEL: (admin, buyer, guest, manager, seller_key),
    Permission.DOOR_LIST: (admin, staff, door_key, reports_key),
    Permission.DOOR_ADMIT: (admin, staff, door_key),
}


def allowed(caller: Caller, permission: Permission, target: Any) -> bool:
    """Whether any rule for `permission` says yes."""
    return any(rule(caller, target) for rule in RULES[permission])


def authorize(caller: Caller, permission: Permission, target: Any = None) -> None:
    """Let `caller` through, or raise Forbidden with the permission that is missing."""
    if not allowed(caller, permission, target):
        raise Forbidden(f"This needs the permission {permission}.", permission=permission)


@functools.cache
def scopes_for(permission: Permission) -> tuple[Scope, ...]:
    """The scopes of which a key needs one to be let in at all; none where no key is."""
    return tuple(sorted({SCOPES[rule] for rule in RULES[permission] if rule in SCOPES}))


def require_identity(caller: Caller, permission: Permission) -> None:
    """Refuse at the door a stranger, or a key, that no rule could ever let in."""
    if caller.api_key_id is not None:
        _require_scope(caller, permission)
        return
    rules = RULES[permission]
    if anyone in rules or caller.user_id is not None:
        return
    if guest in rules and caller.booking_id is not None:
        return
    raise Unauthenticated("Sign in and send the access token as `Authorization: Bearer …`.")


def _require_scope(caller: Caller, permission: Permission) -> None:
    scopes = scopes_for(permission)
    if caller.scopes.intersection(scopes):
        return
    if not scopes:
        raise Forbidden("No API key may do this; sign in.", permission=permission)
    raise Forbidden(
        f"This needs an API key with the scope {' or '.join(scopes)}.",
        permission=permission,
        scopes=scopes,
    )
