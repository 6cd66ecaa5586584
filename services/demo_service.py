"""A small believable world to try the API in: `flask db seed`, or `make run` on an empty database.

Its dates count from the day of seeding, in each hall's own clocks, and its ids are the same every
time. Made for guides and examples:

- event 1 is a tour on sale for most of a year, of organiser@gigmate.example, with 42 tickets sold
- show 1 (Nairobi, KES) sells standing places: tier 1 Regular, tier 2 VIP
- show 2 (Sydney, AUD) sells seats: STALLS/A-1 … of tier 3 (prices Adult and Child), and the
  CIRCLE of tier 4; row K of the stalls is the house's
- show 3 is in London (GBP), show 4 in Amsterdam (EUR), not on sale yet but for its guest list
- show 5 (event 2) is going on at this moment, and people are at the door
- show 8 (event 4) sells Early Bird, then Regular, then VIP; 9 is its second night, paused
- event 6 is cancelled, show 12 postponed, show 13 rescheduled, event 8 over and completed,
  event 9 free, event 10 "To Be Determined", show 17 "To Be Announced", event 12 a draft
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select, text

from config import settings
from init import bcrypt, db
from models import (
    Booking,
    CheckIn,
    Event,
    EventStatus,
    MemberRole,
    Organiser,
    Place,
    Role,
    Show,
    Ticket,
    TicketHolder,
    TicketStatus,
    Tier,
    User,
    Venue,
)
from models.sale import WantedPrice
from models.show import ShowStatus
from models.values import Caller, lock_key
from services import (
    check_in_service,
    demo_sales,
    event_life_service,
    event_service,
    member_service,
    organiser_service,
    show_edit_service,
    show_life_service,
    stock_service,
    tier_service,
    venue_service,
)
from services.demo_programme import GIGS, SALES, Gig, Lot, Night, Offer
from services.demo_world import ADMIN, BUYERS, COMPANIES, HALLS, Company, Person
from utils.clock import now
from utils.money import Money
from utils.transaction import transaction

PASSWORD = "rock-your-gig"  # noqa: S105 (published, and refused in production)
LOGINS = {
    "admin": ADMIN.email,
    "organiser": COMPANIES["Nyota"].owner.email,
    "manager": COMPANIES["Nyota"].manager.email,
    "door": COMPANIES["Nyota"].door.email,
    "attendee": BUYERS[0].email,
}
# Services sell nothing for shows that are over: those are put on this much later, and moved back.
SPAN = timedelta(weeks=520)
DOORS = timedelta(hours=1)
ADMITTED = {EventStatus.COMPLETED: 0.8, EventStatus.PUBLISHED: 0.4}  # of those who have tickets

MOVE_BACK = text(
    """
    UPDATE shows SET starts_at = starts_at - :span, doors_at = doors_at - :span,
                     ends_at = ends_at - :span
     WHERE id = ANY(:show_ids)
    """
)
# One came in every minute, from when the doors opened.
AGE_CHECK_INS = text(
    """
    UPDATE check_ins c SET admitted_at = s.doors_at + c.nth * interval '1 minute'
      FROM (SELECT id, row_number() OVER (PARTITION BY show_id ORDER BY id) AS nth
              FROM check_ins) n
      JOIN check_ins k ON k.id = n.id JOIN shows s ON s.id = k.show_id
     WHERE c.id = n.id
    """.replace("c.nth", "n.nth")
)
AGED = ("users", "organisers", "venues", "events", "shows", "stocks", "tiers")


class NoDemoHere(RuntimeError):
    """Demo accounts have a published password: production has none."""


def is_empty() -> bool:
    """Whether nobody has an account yet."""
    return not db.session.scalar(select(exists().where(User.id.is_not(None))))


def seed() -> dict[str, int]:
    """Make the demo world, whole or not at all, and count what is in it.

    Nothing is made, and the answer is empty, where somebody has an account already. Raises
    NoDemoHere on a production configuration.
    """
    if settings.in_production:
        raise NoDemoHere("Demo accounts have a published password; production gets none.")
    with transaction():
        # Two that start together make one world.
        db.session.execute(select(func.pg_advisory_xact_lock(lock_key("demo world"))))
        if not is_empty():
            return {}
        _count_ids_from_one()
        _Maker().make()
        made = (User, Organiser, Venue, Event, Show, Place, Booking, Ticket, CheckIn)
        return {
            model.__tablename__: db.session.scalar(select(func.count()).select_from(model)) or 0
            for model in made
        }
