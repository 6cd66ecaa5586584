"""The table of permissions, rule by rule."""

from types import SimpleNamespace

import pytest

from models.organiser import MemberRole
from models.permissions import RULES, Permission, allowed, authorize, require_identity
from models.user import Role
from models.values import STRANGER, Caller
from utils.errors import Forbidden, Unauthenticated

THEIRS = SimpleNamespace(id=5, organiser_id=7, user_id=1)


def works(role):
    return Caller(user_id=2, role=Role.ORGANISER, memberships={7: role})


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_has_rules(permission):
    assert RULES[permission]


@pytest.mark.parametrize("permission", Permission)
def test_an_admin_may(permission):
    assert allowed(Caller(user_id=9, role=Role.ADMIN), permission, THEIRS)


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (MemberRole.OWNER, {"show:edit", "member:edit", "booking:sell", "door:admit"}),
        (MemberRole.MANAGER, {"show:edit", "booking:sell", "door:admit"}),
        (MemberRole.DOOR, {"door:admit"}),
    ],
)
def test_members_may_by_their_role(role, may):
    asked = {"show:edit", "member:edit", "booking:sell", "door:admit"}

    assert {p for p in asked if allowed(works(role), Permission(p), THEIRS)} == may


def test_working_for_one_organiser_is_nothing_to_another():
    other = SimpleNamespace(id=5, organiser_id=8, user_id=None)

    with pytest.raises(Forbidden):
        authorize(works(MemberRole.OWNER), Permission.SHOW_EDIT, other)


def test_nobody_works_for_what_is_nobodys():
    ownerless = SimpleNamespace(id=5, organiser_id=None, user_id=None)

    assert not allowed(works(MemberRole.OWNER), Permission.SHOW_EDIT, ownerless)


def test_a_guest_may_what_the_secret_opens_and_nothing_else():
    guest = Caller(booking_id=5)

    assert allowed(guest, Permission.BOOKING_CANCEL, THEIRS)
    assert not allowed(Caller(booking_id=6), Permission.BOOKING_CANCEL, THEIRS)
    with pytest.raises(Unauthenticated):
        require_identity(guest, Permission.VENUE_EDIT)


def test_a_stranger_is_asked_who_they_are():
    require_identity(STRANGER, Permission.CATALOGUE_READ)
    with pytest.raises(Unauthenticated):
        require_identity(STRANGER, Permission.BOOKING_READ)
