"""People whom tests of several controllers know by these names; a test may have its own."""

import pytest

from models import MemberRole
from tests.factories import OrganiserFactory, UserFactory, member


@pytest.fixture
def organiser(session):
    return OrganiserFactory()


@pytest.fixture
def manager(organiser, as_user):
    return as_user(member(organiser, MemberRole.MANAGER))


@pytest.fixture
def buyer(as_user):
    return as_user(UserFactory())
