"""What can be true of a show, as SQL: to come, on sale, on a day, somewhere, with sales."""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, cast, exists, func, or_, select

from init import db
from models import (
    Booking,
    BookingStatus,
    Price,
    Show,
    ShowStatus,
    Stock,
    Tier,
    TierStock,
    Venue,
)
from models.booking import HasSales
from models.show import HAPPENING
from utils.clock import now
from utils.listing import contains

DAY = timedelta(days=1)


def takes_place() -> ColumnElement[bool]:
    """That a show is not cancelled."""
    return Show.status != ShowStatus.CANCELLED


def to_come() -> ColumnElement[bool]:
    """That a show is not cancelled and not over; one without a date is to come."""
    return and_(takes_place(), or_(Show.ends_at.is_(None), Show.ends_at > now()))


def sellable() -> ColumnElement[bool]:
    """That a show has a tier which could ever be sold: priced, and with places."""
    return exists().where(Tier.show_id == Show.id, *_offers(Stock.release_at.is_not(None)))


def on_sale() -> ColumnElement[bool]:
    """That a show of a published event has a tier that sells at this moment."""
    opened = or_(Tier.on_sale_at.is_(None), Tier.on_sale_at <= now())
    closes_at = func.coalesce(Tier.off_sale_at, Show.starts_at)
    return and_(
        Show.status.in_(HAPPENING),
        Show.sales_paused.is_(False),
        func.coalesce(Show.ends_at, Show.starts_at) > now(),
        exists().where(
            Tier.show_id == Show.id, opened, closes_at > now(), *_offers(Stock.release_at <= now())
        ),
    )


def _offers(released: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    """That a tier has a price, and places: its own, or of stocks that are `released` to it."""
    its_own = exists().where(
        TierStock.tier_id == Tier.id, Stock.id == TierStock.stock_id, Stock.capacity > 0
    )
    of_the_house = exists().where(
        Stock.show_id == Tier.show_id,
        Stock.release_tier_id == Tier.id,
        Stock.deleted_at.is_(None),
        Stock.capacity > 0,
        released,
    )
    places = or_(its_own, of_the_house)
    priced = exists().where(Price.tier_id == Tier.id, Price.deleted_at.is_(None))
    return Tier.deleted_at.is_(None), priced, places


def fitting(wanted: dict[str, Any]) -> list[ColumnElement[bool]]:
    """What a search says about a show: where, and on which days of its own calendar."""
    conditions: list[ColumnElement[bool]] = []
    at: list[ColumnElement[bool]] = []
    if venue_id := wanted.get("venue_id"):
        conditions.append(Show.venue_id == venue_id)
    if venue := wanted.get("venue"):
        at.append(contains(venue, Venue.name))
    if city := wanted.get("city"):
        at.append(contains(city, Venue.city))
    if location := wanted.get("location"):
        at.append(contains(location, Venue.name, Venue.address, Venue.city))
    if at:
        conditions.append(exists().where(Venue.id == Show.venue_id, *at))
    first, last = wanted.get("date_from"), wanted.get("date_to")
    if day := wanted.get("date"):
        first, last = max(day, first or day), min(day, last or day)
    # The plain bounds, a day wider than any zone, let an index find the neighbourhood.
    local = cast(func.timezone(Show.time_zone, Show.starts_at), Date)
    if first:
        conditions += [local >= first, Show.starts_at >= first - DAY]
    if last:
        conditions += [local <= last, Show.starts_at < last + 2 * DAY]
    return conditions


def live() -> ColumnElement[bool]:
    """That a booking is confirmed, or a hold that has not run out."""
    held = and_(Booking.status == BookingStatus.HELD, Booking.held_until > now())
    return or_(Booking.status == BookingStatus.CONFIRMED, held)


def require_no_sales(why: str, *shows: ColumnElement[bool]) -> None:
    """Refuse with HasSales where shows like these have live bookings; look under their locks."""
    if bookings := live_bookings(*shows):
        raise HasSales(why, bookings=bookings)


def live_bookings(*shows: ColumnElement[bool]) -> int:
    """How many bookings shows like these have that are confirmed, or held at this moment."""
    theirs = Booking.show_id.in_(select(Show.id).where(*shows))
    return db.session.scalar(select(func.count()).select_from(Booking).where(theirs, live())) or 0
