"""Seats: the numbered places of a show, in the words that whoever asks may read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import contains_eager, with_expression

from init import db
from models import (
    Booking,
    BookingStatus,
    MapSeat,
    Place,
    Section,
    Show,
    Stock,
)
from models.permissions import Permission, allowed
from models.sale import SaleTier
from models.values import Caller
from services import event_service, sale_service, stock_release
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
    status = _status(staff=allowed(caller, Permission.SALES_READ, show))
    on_the_map = and_(
        MapSeat.section_id == Stock.section_id,
        MapSeat.row == Place.row,
        MapSeat.number == Place.number,
    )
    query = (
        select(Place)
        .join(Place.stock)
        .outerjoin(Section, Section.id == Stock.section_id)
        .outerjoin(MapSeat, on_the_map)
        .where(Place.show_id == show.id, Place.key.is_not(None))
        .options(contains_eager(Place.stock), with_expression(Place.status, status))
        .execution_options(populate_existing=True)
        .order_by(Section.position.nulls_last(), MapSeat.position.nulls_last(), Place.id)
    )
    if section := wanted.get("section"):
        query = query.where(Stock.section_name == section)
    if row := wanted.get("row"):
        query = query.where(Place.row == row)
    if word := wanted.get("status"):
        query = query.where(status != AVAILABLE if word == TAKEN else status == word)
    return query


def find(place_id: int, *, caller: Caller) -> Seat:
    """One seat of an event that `caller` may see; a place without a number is none."""
    place = db.session.scalar(
        select(Place)
        .join(Place.stock)
        .join(Stock.show)
        .join(Show.event)
        .where(Place.id == place_id, Place.key.is_not(None), event_service.seen_by(caller))
        .options(contains_eager(Place.stock).contains_eager(Stock.show).contains_eager(Show.event))
    )
    sheet = sale_service.sheet(place.show_id) if place is not None else None
    if place is None or sheet is None:
        raise NotFound(f"There is no seat {place_id}.")
    status = _status(staff=allowed(caller, Permission.SALES_READ, sheet))
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
        status=db.session.scalar(select(status).where(Place.id == place.id)),
        tiers=sellers,
    )


def _status(*, staff: bool) -> ColumnElement[str]:
    """available, held or sold for those who work for the organiser; else available or taken.

    To the public, a seat that no tier sells, such as one of the house, is taken.
    """
    alive = and_(Booking.status == BookingStatus.HELD, Booking.held_until > now())
    claimed = (
        select(case((Booking.status == BookingStatus.CONFIRMED, SOLD), (alive, HELD)))
        .where(Booking.id == Place.booking_id)
        .correlate(Place)
        .scalar_subquery()
    )
    if staff:
        return func.coalesce(claimed, AVAILABLE)
    offered = stock_release.is_offered()
    return case((claimed.is_not(None), TAKEN), (offered, AVAILABLE), else_=TAKEN)
