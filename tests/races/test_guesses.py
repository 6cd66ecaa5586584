"""Many guess at the same instant."""

from collections import Counter

import pytest

from services import auth_service, guess_service
from tests.factories import UserFactory
from tests.races.conftest import outcome

AT_ONCE = 20


@pytest.fixture
def account(committed):
    return UserFactory()


def guess(email, address="203.0.113.7"):
    return outcome(lambda: auth_service.sign_in(email=email, password="x", address=address))


def test_no_more_are_let_through_than_the_limit_and_those_under_way(in_parallel, account):
    outcomes = Counter(in_parallel([account.email] * 100, guess))

    assert set(outcomes) == {"wrong-password", "too-many-requests"}
    assert 5 <= outcomes["wrong-password"] <= 5 + AT_ONCE


def test_none_goes_uncounted(in_parallel, account, monkeypatch):
    monkeypatch.setattr(guess_service, "_require_few", lambda *_facts, **_more: False)

    outcomes = Counter(in_parallel([account.email] * 60, guess))

    assert outcomes == {"wrong-password": 60}
    monkeypatch.undo()
    counted = {failures for _, failures, _ in _counted(account.email)}
    assert counted == {60}


def test_those_who_count_crosswise_do_not_block_each_other(in_parallel, committed):
    pairs = [(f"{n % 3}@example.com", f"192.0.2.{n % 4}") for n in range(40)]

    outcomes = in_parallel(pairs, lambda pair: guess(*pair))

    assert set(outcomes) <= {"wrong-password", "too-many-requests"}


def _counted(email):
    about = guess_service._Guess.of(email, "203.0.113.7")
    return guess_service.LATELY.all(abouts=about.abouts, window=guess_service._window())
