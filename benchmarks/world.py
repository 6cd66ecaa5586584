"""What is benchmarked: a seeded world, and hot shows of our own beside it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from config import settings
from controllers.callers import tokens_for
from init import db
from models import Scope, SignIn, User
from models.stock import Stock
from services.auth_service import SignedIn
from tests.factories import (
    AdminFactory,
    ApiKeyFactory,
    EventFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
)

BUYERS = 200
NO_LIMIT = 1_000_000
# Keys of one table are no keys of another, so that a recorded value tells what it stands for.
TABLES = (
    "users sign_ins ticket_holders events shows stocks tiers prices bookings booking_lines places"
    " tickets venues organisers seat_maps sections"
).split()
FAR = 1_000_000_000


@dataclass(frozen=True)
class Person:
    """Somebody signed in for as long as the benchmark takes."""

    token: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class Offer:
    """A show with one tier that sells from one stock."""

    show_id: int
    tier_id: int
    stock_id: int
    price_id: int
    capacity: int

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "show_id": self.show_id,
            "tier_id": self.tier_id,
            "stock_id": self.stock_id,
            "price_id": self.price_id,
        }


def set_apart() -> None:
    """Have each table count on from a number that no other reaches."""
    with db.engine.begin() as connection:
        for number, table in enumerate(TABLES, start=1):
            sequence = {"name": f"{table}_id_seq", "value": number * FAR}
            connection.execute(text("SELECT setval(CAST(:name AS regclass), :value)"), sequence)


def buyers() -> list[Person]:
    """People who buy."""
    return [_signed_in(user) for user in UserFactory.create_batch(BUYERS)]


def sign_in(user_id: int) -> Person:
    """Somebody of the seeded world."""
    return _signed_in(db.session.get_one(User, user_id))


def admin() -> Person:
    return _signed_in(AdminFactory())


def shop_key(offer: Offer) -> str:
    """A key that sells what an organiser offers."""
    organiser_id = db.session.get_one(Stock, offer.stock_id).organiser_id
    key: str = ApiKeyFactory(organiser_id=organiser_id, scopes=[Scope.SELL]).secret
    return key


def offer(capacity: int, *, price: int = 2_500_00, numbered: bool = False) -> Offer:
    """A show on sale with so many places, each with a key such as S/17 if they are numbered."""
    show = ShowFactory(venue=VenueFactory(capacity=capacity), event=EventFactory())
    return _offer(show, capacity, price=price, numbered=numbered)


def small_offers(count: int, capacity: int) -> list[Offer]:
    """Shows of one event and hall, on as many days."""
    first = offer(capacity)
    show = db.session.get(Stock, first.stock_id).show
    event, venue = show.event, show.venue
    starts = [show.starts_at + timedelta(days=n) for n in range(1, count)]
    shows = [ShowFactory(event=event, venue=venue, starts_at=at) for at in starts]
    return [first] + [_offer(each, capacity) for each in shows]


def sell_out(offer: Offer, *, held: int, buyer: Person) -> None:
    """Have one buyer hold `held` places, two by two, and other bookings have the rest."""
    facts = {"show": offer.show_id, "user": buyer.facts["user_id"], "stock": offer.stock_id}
    facts |= {"holder": buyer.facts["ticket_holder_id"], "tier": offer.tier_id}
    facts |= {"price": offer.price_id, "held": held, "left": offer.capacity - held}
    with db.engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in SOLD_OUT:
            connection.execute(text(statement), facts)
    analyze()


def analyze() -> None:
    """Let the planner know what there is, and leave autovacuum nothing to do while we measure."""
    engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM (ANALYZE)"))


SOLD_OUT = (
    """
    WITH made AS (
        INSERT INTO bookings (reference, show_id, status, channel, payment_status, user_id,
                              ticket_holder_id, email, email_key, total_amount, currency, held_at,
                              held_until)
        SELECT 'HELD' || :show || '-' || n, :show, 'held', 'web', 'unpaid', :user, :holder,
               'held@example.com', 'held@example.com', 500000, 'KES', now(),
               now() + interval '1 day'
          FROM generate_series(1, :held / 2) AS n
        RETURNING id, show_id)
    INSERT INTO booking_lines (booking_id, show_id, tier_id, price_id, quantity, unit_amount,
                               currency)
    SELECT id, show_id, :tier, :price, 2, 250000, 'KES' FROM made
    """,
    """
    UPDATE places p SET booking_id = l.booking_id, line_id = l.id
      FROM (SELECT l.id, l.booking_id, row_number() OVER (ORDER BY l.id) AS n
              FROM booking_lines l WHERE l.show_id = :show) l
     WHERE p.stock_id = :stock AND (p.ordinal + 1) / 2 = l.n
    """,
    """
    WITH made AS (
        INSERT INTO bookings (reference, show_id, status, channel, payment_status, user_id,
                              ticket_holder_id, email, email_key, total_amount, currency, held_at,
                              held_until, confirmed_at)
        VALUES ('SOLD' || :show, :show, 'confirmed', 'web', 'paid', :user, :holder,
                'sold@example.com', 'sold@example.com', 250000 * CAST(:left AS bigint), 'KES',
                now(), now(), now())
        RETURNING id, show_id),
    line AS (
        INSERT INTO booking_lines (booking_id, show_id, tier_id, price_id, quantity, unit_amount,
                                   currency)
        SELECT id, show_id, :tier, :price, :left, 250000, 'KES' FROM made RETURNING id, booking_id)
    UPDATE places p SET booking_id = line.booking_id, line_id = line.id
      FROM line WHERE p.stock_id = :stock AND p.booking_id IS NULL
    """,
)


def _offer(show: Any, capacity: int, *, price: int = 2_500_00, numbered: bool = False) -> Offer:
    db.session.refresh(show)
    stock: Stock = StockFactory(show=show, name="Everywhere", capacity=0)
    facts = {"show": show.id, "stock": stock.id, "capacity": capacity, "numbered": numbered}
    with db.engine.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(PLACES), facts)
        connection.execute(text("UPDATE stocks SET capacity = :capacity WHERE id = :stock"), facts)
    db.session.expire_all()
    tier = TierFactory(
        show=show, stocks=[stock], price=price, max_per_booking=10, max_per_buyer=NO_LIMIT
    )
    [first] = tier.prices
    return Offer(show.id, tier.id, stock.id, first.id, capacity)


PLACES = """
    INSERT INTO places (show_id, stock_id, ordinal, "row", number, key)
    SELECT :show, :stock, n,
           CASE WHEN :numbered THEN 'S' END,
           CASE WHEN :numbered THEN CAST(n AS text) END,
           CASE WHEN :numbered THEN 'S/' || n END
      FROM generate_series(1, :capacity) AS n
"""


def _signed_in(user: User) -> Person:
    sign_in = SignIn(user_id=user.id)
    db.session.add(sign_in)
    db.session.commit()
    settings.update(access_token_minutes=24 * 60)
    token = tokens_for(SignedIn(user, sign_in.id))["access_token"]
    holder_id = db.session.scalar(
        text("SELECT id FROM ticket_holders WHERE user_id = :id AND is_self"), {"id": user.id}
    )
    facts = {"user_id": user.id, "sign_in_id": sign_in.id, "ticket_holder_id": holder_id}
    return Person(token, {**facts, "email": user.email})
