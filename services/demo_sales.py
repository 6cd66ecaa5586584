"""Sells the demo programme, and then lets the time go by that it should have taken."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text

from init import db
from models import Booking, EventStatus, Show, ShowStatus, Stock, Ticket, TicketStatus, Tier
from models.booking import BookingStatus, Channel
from models.values import STRANGER, WantedBuyer, WantedLine, WantedPlaces
from services import (
    booking_service,
    check_in_service,
    event_life_service,
    hold_service,
    inventory_service,
    show_life_service,
    tier_service,
)
from services.demo_bookings import SALES, Line, Sale
from services.demo_catalogue import SPAN, Stage, Staged, in_days, on_day
from services.demo_world import COMPANIES
from services.show_service import fresh

ADMITTED = {EventStatus.COMPLETED: 0.8, EventStatus.PUBLISHED: 0.4}  # of the tickets, so far
GATES = ("Main gate", "Side door")
ANNOUNCED = timedelta(days=90)  # ago, and everything was written down a month before that
MONTH = timedelta(days=30)
CATALOGUE = ("users", "organisers", "venues", "events", "shows", "stocks", "tiers")

AGE_BOOKINGS = (
    """
    UPDATE bookings
       SET held_at = held_at - age, held_until = held_until - age,
           confirmed_at = confirmed_at - age, cancelled_at = cancelled_at - age / 2,
           created_at = created_at - age, updated_at = updated_at - age / 2
      FROM unnest(:ids, :ages) AS aged(booking_id, age) WHERE id = booking_id
    """,
    """
    UPDATE tickets t SET created_at = created_at - age
      FROM unnest(:ids, :ages) AS aged(booking_id, age) WHERE t.booking_id = aged.booking_id
    """,
    """
    UPDATE outbox_messages SET created_at = created_at - age
      FROM unnest(:ids, :ages) AS aged(booking_id, age)
     WHERE payload ->> 'booking_id' = CAST(booking_id AS text)
    """,
)
MOVE_BACK = """
    UPDATE shows SET starts_at = starts_at - :span, doors_at = doors_at - :span,
                     ends_at = ends_at - :span
     WHERE id = ANY(:show_ids)
"""
AGE_CHECK_INS = """
    UPDATE check_ins c
       SET admitted_at = s.doors_at + n.nth * interval '1 minute',
           created_at = s.doors_at + n.nth * interval '1 minute'
      FROM (SELECT id, show_id, row_number() OVER (PARTITION BY show_id ORDER BY id) AS nth
              FROM check_ins) n
      JOIN shows s ON s.id = n.show_id
     WHERE c.id = n.id
"""
AGE_EVENTS = "UPDATE events SET published_at = published_at - :age"


def sell(stage: Stage) -> None:
    """Make every booking of the programme, the oldest first, and date them back."""
    ages: dict[int, timedelta] = {}
    tiers = {staged.show.id: _tiers(staged) for staged in stage.shows}
    for sale in sorted(SALES, key=lambda sale: -sale.ago):
        ages[_sell(stage, sale, tiers)] = timedelta(days=sale.ago)
    for statement in AGE_BOOKINGS:
        _run(statement, ids=list(ages), ages=list(ages.values()))
    for number in {sale.show for sale in SALES if sale.status == BookingStatus.EXPIRED}:
        inventory_service.reap(stage.shows[number - 1].show.id)
    db.session.expire_all()


def let_time_pass(stage: Stage) -> None:
    """Give shows and tiers the past that they should have, and let the doors open."""
    moved = [staged.show.id for staged in stage.shows if staged.is_moved]
    _run(MOVE_BACK, span=SPAN, show_ids=moved)
    db.session.expire_all()
    for staged in stage.shows:
        _close_tiers(stage, staged)
        _open_doors(stage, staged)
        _turn_out(stage, staged)
    for staged in stage.shows:
        event = staged.show.event
        if staged.gig.becomes == EventStatus.CANCELLED:
            event_life_service.cancel(event, reason="The stage did not survive the storm.")
        elif staged.gig.becomes == EventStatus.COMPLETED:
            event_life_service.complete(event)
    db.session.flush()
    _run(AGE_CHECK_INS)
    _run(AGE_EVENTS, age=ANNOUNCED)
    for table in CATALOGUE:
        _run(
            f"UPDATE {table} SET created_at = created_at - :age, updated_at = updated_at - :age",  # noqa: S608
            age=ANNOUNCED + MONTH,
        )
    db.session.expire_all()


def _sell(stage: Stage, sale: Sale, tiers: Mapping[int, Mapping[str, Tier]]) -> int:
    """Make a booking and take it as far as it got; its id."""
    staged = stage.shows[sale.show - 1]
    channel = Channel.COMP if sale.reason else sale.channel
    over_the_counter = channel != Channel.WEB
    known = stage.callers.get(sale.who) if sale.who else None
    caller = staged.seller if over_the_counter else known or STRANGER
    wanted = WantedPlaces(
        show_id=staged.show.id,
        lines=tuple(_wanted(staged.show, line, tiers[staged.show.id]) for line in sale.lines),
        buyer=None if caller is known else _buyer(sale),
        channel=channel,
        confirm=over_the_counter,
        comp_reason=sale.reason,
    )
    booking_id = hold_service.place(caller, wanted, once=None).id
    booking = db.session.get_one(Booking, booking_id)
    if sale.companions:
        booking_service.edit(caller, booking, {"attendees": _named(booking.places, sale)})
    if sale.status == BookingStatus.CONFIRMED and not over_the_counter:
        booking_service.confirm(staged.seller, booking, once=None)
    if sale.status == BookingStatus.CANCELLED:
        booking_service.cancel(staged.seller, booking)
    return booking_id


def _buyer(sale: Sale) -> WantedBuyer | None:
    person = sale.who
    return WantedBuyer(person.name, person.email, person.phone) if person else None


def _named(places: Sequence[Any], sale: Sale) -> list[dict[str, Any]]:
    return [
        {"place_id": place.id, "name": name}
        for place, name in zip(places, sale.companions, strict=False)
    ]


def _tiers(staged: Staged) -> dict[str, Tier]:
    found = db.session.scalars(tier_service.of_show(staged.show, caller=staged.seller))
    return {tier.name: tier for tier in found.unique()}


def _wanted(show: Show, line: Line, tiers: Mapping[str, Tier]) -> WantedLine:
    tier = tiers[line.tier] if line.tier else None
    prices = {price.name: price.id for price in tier.prices} if tier else {}
    lot = select(Stock.id).where(Stock.show_id == show.id, Stock.name == line.lot)
    return WantedLine(
        quantity=line.quantity,
        tier_id=tier.id if tier else None,
        price_id=prices.get(line.price or ""),
        stock_id=db.session.scalars(lot).one() if line.lot else None,
        seats=line.seats,
    )


def _close_tiers(stage: Stage, staged: Staged) -> None:
    closed = {
        offer.name: in_days(offer.closes, stage.at)
        for offer in staged.night.offers
        if (offer.closes or 0) < 0
    }
    if closed:
        tiers = _tiers(staged)
        for name, closed_at in closed.items():
            tier_service.edit(tiers[name], {"off_sale_at": closed_at})


def _open_doors(stage: Stage, staged: Staged) -> None:
    """Let in who has come so far, where the doors are open."""
    if not staged.is_moved:
        return
    show = fresh(staged.show)
    company = COMPANIES[staged.gig.company or ""]
    door = stage.callers[company.door]
    tickets = select(Ticket.code).where(
        Ticket.show_id == show.id, Ticket.status == TicketStatus.VALID
    )
    codes = db.session.scalars(tickets.order_by(Ticket.id)).all()
    coming = codes[: int(len(codes) * ADMITTED[staged.gig.becomes])]
    for number, code in enumerate(coming):
        gate = GATES[number % len(GATES)]
        check_in_service.admit(door, show, ticket_code=code, gate=gate, once=None)


def _turn_out(stage: Stage, staged: Staged) -> None:
    """What became of a show."""
    night, show, seller = staged.night, staged.show, staged.seller
    if night.paused:
        show_life_service.pause(show)
    if night.becomes == ShowStatus.POSTPONED:
        show_life_service.postpone(show)
    if night.becomes == ShowStatus.RESCHEDULED:
        starts_at = on_day(night.new_day, night.at, show.time_zone, stage.at)
        show_life_service.reschedule(
            show, caller=seller, starts_at=starts_at, doors_at=None, ends_at=None
        )


def _run(statement: str, **facts: Any) -> None:
    db.session.execute(text(statement), facts)
