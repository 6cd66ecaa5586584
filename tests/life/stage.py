"""The same show in the real house: rows, the people around it, and an HTTP client."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from controllers.callers import tokens_for
from init import db
from models import MemberRole, SignIn, User
from services import inventory_service, verify_service
from services.auth_service import SignedIn
from services.verify_service import Breach
from tests.factories import (
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    TicketHolderFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
    member,
)
from tests.life.model import LICENCE, ROOM, TIERS, BoxOffice

Headers = dict[str, str]


class LongSignedIn(SignedIn):
    """For as long as anybody may want to play."""

    access_lifetime = timedelta(days=7)


MAILBOXES = {  # the addresses that a stranger gives, and whose mailbox each of them is
    "guest@example.com": "guest@example.com",
    "Guest+gig@Example.com": "guest@example.com",
    "asha+gig@example.com": "asha@example.com",
}


@dataclass
class Stage:
    """One show, its ids by name, and the headers that each person sends."""

    app: Flask
    callers: dict[str, Headers]
    holders: dict[str, int]  # ticket holders by name: Juma is Asha's, Somebody is somebody else's
    show: int
    tiers: dict[str, int] = field(default_factory=dict)
    prices: dict[tuple[str, str], int] = field(default_factory=dict)
    stocks: dict[str, int] = field(default_factory=dict)

    def ask(self, request: str, who: str, body: Any = None, **headers: str) -> TestResponse:
        """Send it as `who`; `If_Match` and the like are headers."""
        method, path = request.split(" ", 1)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        options = {} if body is None else {"json": body}
        everything = {**self.callers[who], **named}
        return self.app.test_client().open(path, method=method, headers=everything, **options)

    def age(self, statement: str, **facts: Any) -> None:
        """Let time pass for some rows."""
        with self.app.app_context():
            db.session.execute(text(statement), facts)
            db.session.commit()

    def sweep(self) -> None:
        """What a worker may do at any moment."""
        with self.app.app_context():
            inventory_service.reap(self.show)

    def broken(self) -> list[Breach]:
        """What breaks an invariant, or would break a constraint if this were committed."""
        with self.app.app_context():
            db.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            db.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
            return verify_service.broken()

    def next_night(self) -> "Stage":
        """The same show on another date, with nothing sold yet."""
        times = {"starts_at": (datetime.now(UTC) + timedelta(days=60)).isoformat()}
        copied = self.ask(f"POST /shows/{self.show}/copy", "owner", times)
        assert copied.status_code == 201, copied.text
        night = replace(self, callers=dict(self.callers), show=copied.json["id"])
        stocks = self.ask(f"GET /shows/{night.show}/stocks", "owner").json["items"]
        tiers = self.ask(f"GET /shows/{night.show}/tiers", "owner").json["items"]
        night.stocks = {stock["name"]: stock["id"] for stock in stocks}
        night.tiers = {**self.tiers, **{tier["name"]: tier["id"] for tier in tiers}}
        night.prices = {(t["name"], p["name"]): p["id"] for t in tiers for p in t["prices"]}
        return night


@contextmanager
def undone(app: Flask) -> Iterator[Connection]:
    """Let requests commit to what never was when it is over."""
    with app.app_context():
        engines, engine = db.engines, db.engine
        db.session.configure(join_transaction_mode="create_savepoint")
    with engine.connect() as connection:
        outer = connection.begin()
        engines[None] = connection  # type: ignore[assignment]
        try:
            yield connection
        finally:
            engines[None] = engine
            outer.rollback()
            with app.app_context():
                db.session.configure(join_transaction_mode="conditional_savepoint")


def build(app: Flask) -> Stage:
    """A show that is on sale, and everybody who will come by."""
    with app.app_context():
        organiser = OrganiserFactory()
        people = {
            "asha": UserFactory(name="Asha", email="asha@example.com"),
            "brian": UserFactory(name="Brian", email="brian@example.com"),
            "owner": member(organiser),
            "door": member(organiser, MemberRole.DOOR),
            "rival": member(OrganiserFactory()),
        }
        callers = {who: _signed_in(user) for who, user in people.items()}
        callers |= {"stranger": {}, "wrong secret": {"Booking-Secret": "A" * 32}}
        juma = TicketHolderFactory(user_id=people["asha"].id, name="Juma", email="juma@example.com")
        somebody = TicketHolderFactory(user_id=people["rival"].id, name="Somebody")
        holders = {"Juma": juma.id, "Somebody": somebody.id}
        sections = [
            (name, {"A": room} if name == "Stalls" else room) for name, room in ROOM.items()
        ]
        show = ShowFactory(
            event=EventFactory(organiser=organiser),
            venue=VenueFactory(layout=sections, capacity=50),
            licensed_capacity=LICENCE,
        )
        stage = Stage(app, callers, holders, show.id, {"Elsewhere": TierFactory().id})
        db.session.remove()
    _put_on_sale(stage)
    return stage


def _put_on_sale(stage: Stage) -> None:
    """What the model starts with, by the organiser's own hand."""
    start, stocks, tiers = BoxOffice(), {}, {}
    for name in ROOM:
        size = (
            {"seats": sorted(start.seats)} if name == "Stalls" else {"capacity": start.size(name)}
        )
        stock = {"name": name, "section": name, **size}
        made = stage.ask(f"POST /shows/{stage.show}/stocks", "owner", stock)
        assert made.status_code == 201, made.text
        stocks[name] = made.json["id"]
    for name in sorted(TIERS, key=lambda name: TIERS[name].then is not None):
        tier = TIERS[name]
        body = {
            "name": name,
            "prices": [
                {"name": price, "price": {"amount": amount, "currency": "KES"}}
                for price, amount in tier.prices.items()
            ],
            "stocks": [stocks[stock] for stock in tier.stocks],
            "min_per_booking": tier.least,
            "max_per_booking": tier.most,
            "max_per_buyer": tier.limit,
            "then": tiers[tier.then] if tier.then else None,
        }
        made = stage.ask(f"POST /shows/{stage.show}/tiers", "owner", body)
        assert made.status_code == 201, made.text
        tiers[name] = made.json["id"]


def _signed_in(user: User) -> Headers:
    sign_in = SignIn(user_id=user.id)
    db.session.add(sign_in)
    db.session.commit()
    token = tokens_for(LongSignedIn(user, sign_in.id))["access_token"]
    return {"Authorization": f"Bearer {token}"}
