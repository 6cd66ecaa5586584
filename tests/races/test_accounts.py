"""One account, several requests at once."""

import threading
from collections import Counter
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from init import db
from models import AccountLink, AuditEntry, Role, SignIn, User
from models.values import Caller
from services import (
    account_service,
    auth_service,
    link_service,
    password_service,
    sign_in_service,
    user_service,
)
from services.auth_service import Identity
from tests.factories import AdminFactory, SignInFactory, UserFactory
from tests.races.conftest import outcome

FOREVER = 2**40


def refresh(sign_in, generation):
    """What a refresh token of this generation gets: the generation of the new ones."""
    return auth_service.renew(Identity(sign_in.user_id, sign_in.id, FOREVER, generation)).generation


def test_two_refreshes_at_the_same_instant_both_go_on(in_parallel, committed):
    sign_in = SignInFactory()

    first = in_parallel([1, 1], lambda generation: outcome(lambda: refresh(sign_in, generation)))
    second = in_parallel([2, 2], lambda generation: outcome(lambda: refresh(sign_in, generation)))

    assert (first, second) == (["2", "2"], ["3", "3"])
    db.session.rollback()
    assert db.session.execute(select(SignIn.ended_at, SignIn.generation)).one() == (None, 3)


def test_without_the_lock_a_copied_token_would_go_on_unseen(in_parallel, committed, monkeypatch):
    """The control: both have read the same generation before one of them counts it up."""
    sign_in = SignInFactory()
    have_read = threading.Barrier(2)

    def look_without_a_lock(row):
        have_read.wait(timeout=10)
        return row

    monkeypatch.setattr(auth_service, "lock", look_without_a_lock)
    monkeypatch.setattr(auth_service, "SAME_INSTANT", timedelta(0))

    assert in_parallel([1, 1], lambda g: outcome(lambda: refresh(sign_in, g))) == ["2", "2"]


def test_with_no_moment_of_grace_only_one_would_go_on(in_parallel, committed, monkeypatch):
    sign_in = SignInFactory()
    monkeypatch.setattr(auth_service, "SAME_INSTANT", timedelta(0))

    outcomes = in_parallel([1, 1], lambda g: outcome(lambda: refresh(sign_in, g)))

    assert sorted(outcomes) == ["2", "refresh-reused"]
    db.session.rollback()
    assert db.session.scalar(select(AuditEntry.action)) == "sign_in.reused"


def test_a_link_sets_one_password(in_parallel, committed):
    UserFactory(email="asha@example.com")
    password_service.forgot("asha@example.com")
    link = db.session.scalars(select(AccountLink)).one()
    token = link_service.token_of(link)
    db.session.rollback()

    passwords = [f"password number {number}" for number in range(6)]
    outcomes = in_parallel(
        passwords, lambda p: outcome(lambda: password_service.reset(token=token, password=p))
    )

    assert Counter(outcomes) == {"None": 1, "link-not-valid": 5}
    db.session.rollback()
    assert db.session.scalar(select(User.email_verified_at)) is not None


def test_an_old_password_lets_nobody_in_behind_a_new_one(in_parallel, committed):
    """Whoever signs in while it changes is either refused or ended."""
    user = UserFactory(email="asha@example.com")
    old = "correct horse battery"
    caller = Caller(user_id=user.id)

    def deed(number):
        if number == 3:
            new = "another horse entirely"
            password_service.change(caller, current_password=old, new_password=new)
        else:
            auth_service.sign_in(email="asha@example.com", password=old)

    in_parallel(range(8), lambda number: outcome(lambda: deed(number)))

    db.session.rollback()
    open_ones = select(func.count()).where(SignIn.ended_at.is_(None))
    assert db.session.scalar(open_ones) == 0


def test_two_admins_do_not_do_away_with_each_other(in_parallel, committed):
    admins = [AdminFactory() for _ in range(2)]
    ids = [admin.id for admin in admins]

    def demote(pair):
        by, whom = pair
        user = user_service.find(whom)
        return user_service.change_role(
            user, Role.ATTENDEE, by=Caller(user_id=by), reason="Mutiny"
        ).role

    outcomes = in_parallel([ids, ids[::-1]], lambda pair: outcome(lambda: demote(pair)))

    assert sorted(outcomes) == ["attendee", "last-admin"]
    db.session.rollback()
    assert db.session.scalar(select(func.count()).where(User.role == Role.ADMIN)) == 1


def test_two_people_do_not_get_one_user_name(in_parallel, committed):
    users = [UserFactory().id for _ in range(6)]

    def take(user_id):
        user = db.session.get(User, user_id)
        try:
            return account_service.edit(user, {"user_name": f"A{'mM'[user_id % 2]}y"}).user_name
        except IntegrityError as error:
            return error.orig.diag.constraint_name

    outcomes = Counter(in_parallel(users, take))

    assert outcomes["uq_users_user_name"] == 5


def test_sign_ins_that_end_at_once_keep_one_reason(in_parallel, committed):
    sign_in = SignInFactory()
    caller = Caller(user_id=sign_in.user_id, sign_in_id=sign_in.id)

    in_parallel(
        ["ended", "logout"] * 4,
        lambda reason: sign_in_service.end(sign_in.id, caller=caller, reason=reason),
    )

    db.session.rollback()
    assert db.session.scalar(select(SignIn.end_reason)) in ("ended", "logout")
