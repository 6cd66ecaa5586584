"""A small believable world to try the API in: `flask db seed`, or `make run` on an empty database.

Its dates count from the day of seeding, in each hall's own clocks, and its ids are the same every
time. What guides and examples may rely on:

- event 1 is a tour on sale for most of a year, of organiser@gigmate.example; 42 tickets are sold
- show 1 (Nairobi, KES) sells standing places: tier 1 is Regular, tier 2 VIP
- show 2 (Sydney, AUD) sells seats: STALLS/A-1 … of tier 3 and CIRCLE/B-1 … of tier 4, each for
  Adult and Child; row K of the stalls is the house's, row A of the circle the press's
- show 3 is in London (GBP); show 4 in Amsterdam (EUR), not on sale yet but for its guest list
- show 5 (event 2) is going on at this moment, and its people are coming in
- show 8 (event 4) sold Early Bird and sells Regular and VIP; 9, its second night, is paused
- event 6 is cancelled, show 12 postponed, show 13 rescheduled, event 8 over and completed,
  event 9 free, event 10 "To Be Determined", show 17 "To Be Announced", event 12 a draft
- the organisers are verified but for 5, which has applied; organiser 1 has invited
  stagehand@gigmate.example, who has no account, to its doors
- tommy@buyers.example and amy@buyers.example, whose address is not verified, have bought nothing;
  front.row@buyers.example is banned
"""

from typing import Any

from sqlalchemy import exists, func, select, text

from config import settings
from init import Base, db
from models import (
    Booking,
    CheckIn,
    Event,
    Organiser,
    OrganiserMember,
    Place,
    Scope,
    Show,
    Ticket,
    User,
    Venue,
)
from models.values import STRANGER
from services import api_key_service, demo_catalogue, demo_large, demo_sales
from services.demo_large_world import LargeWorld
from services.demo_world import ADMIN, ATTENDEE, COMPANIES
from utils.bulk import Tell, silently
from utils.transaction import lock_key, transaction

PASSWORD = "rock-your-gig"  # noqa: S105 (published: production has no demo accounts)
LOGINS = {
    "admin": ADMIN.email,
    "organiser": COMPANIES["Nyota"].owner.email,
    "manager": COMPANIES["Nyota"].manager.email,
    "door": COMPANIES["Nyota"].door.email,
    "attendee": ATTENDEE.email,
}
KEYS = {"shop": [Scope.CATALOGUE, Scope.SELL], "door": [Scope.DOOR]}
COUNTED: tuple[type[Any], ...] = (
    User,
    Organiser,
    Venue,
    Event,
    Show,
    Place,
    Booking,
    Ticket,
    CheckIn,
)


class NoDemoHere(RuntimeError):
    """Demo accounts have a published password, which production must not have."""


def is_here() -> bool:
    """Whether a demo account, whose password is published, can sign in."""
    published = User.email.in_(LOGINS.values())
    return bool(db.session.scalar(select(exists().where(published, User.deleted_at.is_(None)))))


def is_empty() -> bool:
    """Whether nobody has an account yet."""
    return not db.session.scalar(select(exists().where(User.id.is_not(None))))


def seed(large: LargeWorld | None = None, *, tell: Tell = silently) -> dict[str, int]:
    """Make the demo world, whole or not at all; how many of each thing there are.

    With `large`, a large one beside it; `tell` hears how far it has come. Nothing is made, and the
    answer is empty, where somebody has an account already. Raises NoDemoHere on a production
    configuration, WorldDoesNotFit for numbers that do not go together.
    """
    if settings.in_production:
        raise NoDemoHere("Demo accounts have a published password; production gets none.")
    with transaction():
        # Two that start together make one world, and the second waits for the first.
        db.session.execute(text("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0"))
        db.session.execute(select(func.pg_advisory_xact_lock(lock_key("demo world"))))
        if not is_empty():
            return {}
        _count_ids_from_one()
        staged = demo_catalogue.stage(PASSWORD)
        demo_sales.sell(staged)
        demo_sales.let_time_pass(staged)
        if large is not None:
            db.session.flush()
            password_hash = db.session.scalars(select(User.password_hash).limit(1)).one()
            demo_large.load(db.session.connection(), large, password_hash, tell)
        made = {thing.__tablename__: _count(thing) for thing in COUNTED}
    if large is not None:
        demo_large.tidy_up(tell)
    return made


def hand_out_keys() -> dict[str, str]:
    """New keys of the demo organiser for a shop and a scanner, whole, by what they are for.

    They are made here and now and told this once; none where there is no demo organiser.
    """
    owned = select(OrganiserMember.organiser_id).join(OrganiserMember.user)
    organiser = db.session.scalar(
        select(Organiser).where(
            Organiser.id.in_(owned.where(User.email == LOGINS["organiser"])),
            Organiser.deleted_at.is_(None),
        )
    )
    if organiser is None or settings.in_production:
        return {}
    with transaction():
        made = {
            name: api_key_service.create(STRANGER, organiser, name=f"Demo {name}", scopes=scopes)
            for name, scopes in KEYS.items()
        }
    return {name: key.secret or "" for name, key in made.items()}


def _count_ids_from_one() -> None:
    """Restart the ids of empty tables: a seeding that failed has used some up."""
    for table in Base.metadata.tables.values():
        if "id" in table.columns:
            none = f"WHERE NOT EXISTS (SELECT FROM {table.name})"
            sequence = f"pg_get_serial_sequence('{table.name}', 'id')"
            db.session.execute(text(f"SELECT setval({sequence}, 1, false) {none}"))


def _count(thing: type[Any]) -> int:
    return db.session.scalar(select(func.count()).select_from(thing)) or 0
