"""Seats: the numbered places of a show, in the words that whoever asks may read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, literal, or_, select, true
from sqlalchemy.orm import contains_eager, with_expression

from init import db
from models import (
    Booking,
    BookingStatus,
    Event,
    MapSeat,
    Place,
    Section,
    Show,
    Stock,
    TierStock,
)
from models.sale import SaleTier
from models.values import Caller
from services import event_service, sale_service
from utils.clock import now
from utils.errors import NotFound

AVAILABLE, TAKEN, HELD, SOLD = "available", "taken", "held", "sold"


@dataclass(frozen=True)
class Seat:
    """A seat and the tiers that sell it, with their prices."""

    id: int
    show_id: int
    key: str | None
    section: str
    row: str | None
    number: str | None
    status: str | None
    tiers: Iterable[SaleTier]


def of_show(show: Show, wanted: Mapping[str, Any], *, caller: Caller) -> Select[Place]:
    """The seats of a show that fit, in the order of its map."""
    query = visible_to(caller).where(Place.show_id == show.id)
    query = query.outerjoin(Section, Section.id == Stock.section_id).outerjoin(
        MapSeat,
        and_(
            MapSeat.section_id == Stock.section_id,
            MapSeat.row == Place.row,
            MapSeat.number == Place.number,
        ),
    )
    if section := wanted.get("section"):
        query = query.where(Stock.section_name == section)
    if row := wanted.get("row"):
        query = query.where(Place.row == row)
    if status := wanted.get("status"):
        is_it = _status(caller) != AVAILABLE if status == TAKEN else _status(caller) == status
        query = query.where(is_it)
    return query.order_by(Section.position.nulls_last(), MapSeat.position.nulls_last(), Place.id)


def find(place_id: int, *, caller: Caller) -> Seat:
    """One seat of a visible show. Raises NotFound also for a place without a number."""
    place = db.session.scalar(visible_to(caller).where(Place.id == place_id))
    sheet = sale_service.sheet(place.show_id) if place is not None else None
    if place is None or sheet is None:
        raise NotFound(f"There is no seat {place_id}.")
    sellers = [
        tier
        for tier in sheet.tiers.values()
        if any(stock.id == place.stock_id for stock in sheet.stocks_for(tier))
    ]
    return Seat(
        id=place.id,
        show_id=place.show_id,
        key=place.key,
        section=place.section,
        row=place.row,
        number=place.number,
        status=place.status,
        tiers=sellers,
    )


def visible_to(caller: Caller) -> Select[Place]:
    """The seats of events that `caller` may see, each with its status in the caller's words."""
    return (
        select(Place)
        .join(Place.stock)
        .join(Stock.show)
        .join(Show.event)
        .outerjoin(Booking, Booking.id == Place.booking_id)
        .where(Place.key.is_not(None), event_service.seen_by(caller))
        .options(contains_eager(Place.stock), with_expression(Place.status, _status(caller)))
        .execution_options(populate_existing=True)
    )


def _status(caller: Caller) -> ColumnElement[str]:
    """available or taken; held and sold are told apart for those who work for the organiser.

    To the public, a seat that no tier sells, such as one of the house, is taken.
    """
    works = true() if caller.is_admin else Event.organiser_id.in_(caller.organisers_as())
    offered = exists().where(TierStock.stock_id == Place.stock_id)
    held = and_(Booking.status == BookingStatus.HELD, Booking.held_until > now())
    return case(
        (Booking.status == BookingStatus.CONFIRMED, case((works, SOLD), else_=TAKEN)),
        (held, case((works, HELD), else_=TAKEN)),
        (or_(works, offered), literal(AVAILABLE)),
        else_=TAKEN,
    )
