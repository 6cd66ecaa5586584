"""Changing what a hold has in it: atomic, within the same deadline."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import text

from init import db
from models import Booking
from models.values import BuyerKey, Caller, WantedLine
from services import booking_service, inventory_service, limit_service, pricing_service
from services.hold_service import (
    WRITE_LINES,
    SheetOutdated,
    claim_of,
    columns_of,
    sheet_for,
    through_the_gate,
    with_fresh_sheet,
)
from services.pricing_service import AT_THE_DESK, PricedLine
from utils.errors import Invalid, NotFound
from utils.transaction import lock, transaction

Edit = Callable[[list[WantedLine]], list[WantedLine]]
DELETE_LINES = text("DELETE FROM booking_lines WHERE booking_id = :id")


def replace_items(caller: Caller, booking: Booking, wanted: list[WantedLine]) -> Booking:
    """Make these lines the whole basket."""
    return _change(caller, booking, lambda _before: wanted)


def add_seats(caller: Caller, booking: Booking, line: WantedLine) -> Booking:
    """Add chosen seats to what is there."""
    return _change(caller, booking, lambda before: [*before, line])


def remove_seat(caller: Caller, booking: Booking, place_id: int) -> Booking:
    """Give one place of the basket back. Raises NotFound when it is not in there."""

    def without(before: list[WantedLine]) -> list[WantedLine]:
        place = next((place for place in booking.places if place.id == place_id), None)
        if place is None:
            raise NotFound(f"There is no place {place_id} in this booking.")
        number = next(n for n, line in enumerate(booking.lines) if line.id == place.line_id)
        line = before[number]
        seats = tuple(seat for seat in line.seats if seat != place.key)
        smaller = replace(line, quantity=line.quantity - 1, seats=seats)
        after = [*before[:number], smaller, *before[number + 1 :]]
        return [line for line in after if line.quantity]

    return _change(caller, booking, without)


def _change(caller: Caller, booking: Booking, edit: Edit) -> Booking:
    """Make a hold's basket what `edit` makes of it.

    Lines that stay the same offer keep the price that they were held at. Raises what placing
    raises, and then the basket is as it was.
    """
    return with_fresh_sheet(lambda: _change_once(caller, booking, edit))


def _change_once(caller: Caller, booking: Booking, edit: Edit) -> Booking:
    booking = booking_service.find(booking.id, caller=caller)
    version = booking.version
    sheet = sheet_for(caller, booking.show_id)
    booking.require_alive()
    wanted = edit(_basket(booking))
    if not wanted:
        raise Invalid.at("items", "A booking keeps at least one place; cancel it instead.")
    lines = _at_their_price(booking, pricing_service.price(sheet, wanted, channel=booking.channel))
    total = pricing_service.total(sheet, lines)
    claims = [claim_of(line) for line in lines]
    limited = booking.channel not in AT_THE_DESK
    buyer = BuyerKey(booking.user_id, booking.email_key)
    keys = limit_service.keys_of(sheet.show_id, buyer) if limited else []

    def attempt(wait_ms: int) -> None:
        with transaction():
            limit_service.lock(keys)
            _, line_ids = through_the_gate(sheet, claims, has_some=True)
            if lock(booking).version != version:
                raise SheetOutdated
            db.session.refresh(booking, ["current_status"])
            booking.require_alive()
            if limited:
                limit_service.require_within(
                    lines, show_id=sheet.show_id, buyer=buyer, except_booking_id=booking.id
                )
            if wait_ms:
                inventory_service.wait_for(sheet.show_id, claims, at_most_ms=wait_ms)
            inventory_service.release([booking.id])
            db.session.execute(DELETE_LINES, {"id": booking.id})
            facts = {"id": booking.id, "show_id": sheet.show_id, "currency": sheet.currency}
            db.session.execute(WRITE_LINES, facts | columns_of(line_ids, lines))
            booking.total_amount = total.amount
            booking.touch()
            db.session.flush()
            inventory_service.claim(
                sheet.show_id, booking.id, zip(line_ids, claims, strict=True), spread=not wait_ms
            )

    inventory_service.until_claimed(sheet.show_id, claims, attempt, booking_id=booking.id)
    return booking_service.find(booking.id, caller=caller)


def _basket(booking: Booking) -> list[WantedLine]:
    """What a booking has in it, as a request would ask for it."""
    return [
        WantedLine(
            quantity=line.quantity,
            tier_id=line.tier_id,
            price_id=line.price_id,
            stock_id=None if line.tier_id else _stock_of(booking, line.id),
            seats=tuple(p.key for p in booking.places if p.line_id == line.id and p.key),
        )
        for line in booking.lines
    ]


def _at_their_price(booking: Booking, lines: list[PricedLine]) -> list[PricedLine]:
    """Lines whose offer is in the booking already keep the price that it was held at."""
    held = {(line.tier_id, line.price_id): line.unit_price for line in booking.lines}
    return [line.at(held.get((line.tier_id, line.price_id))) for line in lines]


def _stock_of(booking: Booking, line_id: int) -> int | None:
    return next((place.stock_id for place in booking.places if place.line_id == line_id), None)
