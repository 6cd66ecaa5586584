"""Whom something new belongs to."""

import pytest

from models import MemberRole, Role
from models.permissions import Permission
from models.values import Caller
from services import organiser_service
from tests.factories import OrganiserFactory
from utils.errors import Forbidden, Invalid

EDIT = Permission.EVENT_EDIT


def managing(*organisers):
    return Caller(user_id=1, memberships={one.id: MemberRole.MANAGER for one in organisers})


class TestActingFor:
    def test_the_only_one_goes_without_saying(self, session):
        organiser = OrganiserFactory()

        assert organiser_service.acting_for(managing(organiser), None, EDIT) == organiser.id

    def test_being_at_the_door_of_another_does_not_count(self, session):
        organiser, other = OrganiserFactory(), OrganiserFactory()
        works_for = {organiser.id: MemberRole.OWNER, other.id: MemberRole.DOOR}

        caller = Caller(user_id=1, memberships=works_for)
        assert organiser_service.acting_for(caller, None, EDIT) == organiser.id

    def test_one_of_several_must_be_named(self, session):
        organisers = OrganiserFactory(), OrganiserFactory()
        caller = managing(*organisers)

        with pytest.raises(Invalid) as refusal:
            organiser_service.acting_for(caller, None, EDIT)
        assert refusal.value.facts["errors"][0]["field"] == "organiser_id"
        assert organiser_service.acting_for(caller, organisers[1].id, EDIT) == organisers[1].id

    def test_an_admin_acts_for_nobody_unless_told(self, session):
        organiser, admin = OrganiserFactory(), Caller(user_id=1, role=Role.ADMIN)

        assert organiser_service.acting_for(admin, None, EDIT) is None
        assert organiser_service.acting_for(admin, organiser.id, EDIT) == organiser.id

    def test_nobody_acts_for_somebody_elses(self, session):
        organiser, other = OrganiserFactory(), OrganiserFactory()

        with pytest.raises(Forbidden):
            organiser_service.acting_for(managing(organiser), other.id, EDIT)
        with pytest.raises(Forbidden):
            organiser_service.acting_for(Caller(user_id=1), None, EDIT)

    def test_an_unknown_or_deleted_one_is_a_mistake(self, session):
        organiser = OrganiserFactory()
        caller = managing(organiser)
        organiser_service.delete(organiser)

        for organiser_id in (organiser.id, 999_999):
            with pytest.raises(Invalid):
                organiser_service.acting_for(caller, organiser_id, EDIT)
