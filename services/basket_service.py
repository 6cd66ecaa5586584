"""Changing what a hold has in it: atomic, within the same deadline."""

from collections.abc import Callable, Collection
from dataclasses import replace

from sqlalchemy import BigInteger, cast, extract, func, text

from init import db
from models import Booking, BookingLine, BookingStatus, PaymentStatus
from models.sale import SaleSheet
from models.seat_map import SeatKind
from models.values import BuyerKey, Caller, WantedLine
from services import (
    booking_service,
    claim_service,
    inventory_service,
    limit_service,
    orphan_service,
    pricing_service,
    quota_service,
    sale_service,
)
from services.hold_service import (
    WRITE_LINES,
    claim_of,
    columns_of,
    doubting,
    require_visible,
    seats_of,
    through_the_gate,
    with_fresh_sheet,
)
from services.inventory_service import SheetOutdated
from services.pricing_service import AT_THE_DESK, PricedLine
from utils.clock import now
from utils.errors import Invalid, NotFound
from utils.transaction import lock, lock_keys, transaction

Edit = Callable[[list[WantedLine]], list[WantedLine]]
DELETE_LINES = text("DELETE FROM booking_lines WHERE booking_id = :id")
RELEASE_ONE = text(
    """
    UPDATE places SET booking_id = NULL, line_id = NULL, changed_in = pg_current_xact_id()
     WHERE id = :place_id
    """
)
SHRINK_LINE = text("UPDATE booking_lines SET quantity = quantity - 1 WHERE id = :line_id")
DELETE_LINE = text("DELETE FROM booking_lines WHERE id = :line_id")


def replace_items(caller: Caller, booking: Booking, wanted: list[WantedLine]) -> Booking:
    """Make these lines the whole basket."""
    return _change(caller, booking, lambda _before: wanted)


def add_seats(caller: Caller, booking: Booking, line: WantedLine) -> Booking:
    """Add chosen seats to what is there."""
    return _change(caller, booking, lambda before: [*before, line])


def remove_seat(caller: Caller, booking: Booking, place_id: int) -> Booking:
    """Give one place of the basket back, and keep the others, also when nothing is sold any more.

    Raises NotFound when it is not in there, Invalid when too little would be left, and
    WouldStrandASeat.
    """
    return with_fresh_sheet(booking.show_id, lambda _sure: _remove_once(caller, booking, place_id))


def _remove_once(caller: Caller, booking: Booking, place_id: int) -> Booking:
    sheet = sale_service.sheet(booking.show_id)
    if sheet is None:
        raise NotFound(f"There is no booking {booking.id}.")
    seat = [place.key for place in booking.places if place.id == place_id and place.key]
    avoids_singles = sheet.avoid_single_seats and booking.channel not in AT_THE_DESK

    def attempt(_wait_ms: int) -> None:
        with transaction():
            if avoids_singles:
                lock_keys(orphan_service.keys_of(sheet.show_id, seat))
            held = booking_service.read_back(lock(booking).id)
            held.require_alive()
            line_id = next((place.line_id for place in held.places if place.id == place_id), None)
            if line_id is None:
                raise NotFound(f"There is no place {place_id} in this booking.")
            line = next(line for line in held.lines if line.id == line_id)
            _require_enough_without(held, line)
            if avoids_singles and seat:
                orphan_service.require_none_of(seat, sheet, held, _seats_but(held, place_id))
            facts = {"place_id": place_id, "line_id": line_id}
            db.session.execute(RELEASE_ONE, facts)
            db.session.execute(SHRINK_LINE if line.quantity > 1 else DELETE_LINE, facts)
            _set_total(held, held.total_amount - line.unit_amount)
            _count_given_back(held, 1)
            _keep_names(held, {place.id for place in held.places} - {place_id})
            held.touch()

    inventory_service.until_claimed(
        sheet.show_id, [], attempt, version=sheet.version, booking_id=booking.id
    )
    return booking_service.find(booking.id, caller=caller)


def _seats_but(booking: Booking, place_id: int) -> dict[int, list[str]]:
    """The seats that a booking has beside one, by line."""
    seats: dict[int, list[str]] = {}
    for place in booking.places:
        if place.key and place.line_id and place.id != place_id:
            seats.setdefault(place.line_id, []).append(place.key)
    return seats


def _change(caller: Caller, booking: Booking, edit: Edit) -> Booking:
    """Make a hold's basket what `edit` makes of it.

    Lines that stay the same offer keep the price that they were held at. Raises what placing
    raises, and then the basket is as it was.
    """
    return with_fresh_sheet(booking.show_id, lambda sure: _change_once(caller, booking, edit, sure))


def _change_once(caller: Caller, booking: Booking, edit: Edit, sure: bool) -> Booking:
    booking = booking_service.find(booking.id, caller=caller)
    version = booking.version
    _require_alive(booking)
    with doubting(sure):
        recent = sale_service.recent_sheet(booking.show_id)
        sheet = require_visible(caller, recent, booking.show_id)
        wanted = pricing_service.price(
            sheet,
            edit(_basket(booking, sheet)),
            channel=booking.channel,
            signed_in=booking.user_id is not None,
        )
        lines = _at_their_price(booking, wanted)
        total = pricing_service.total(sheet, lines)
    claims = [replace(claim_of(line), kept=_kept(booking, line)) for line in lines]
    limited = booking.channel not in AT_THE_DESK
    buyer = BuyerKey(booking.user_id, booking.email_key)
    keys = limit_service.keys_of(sheet.show_id, buyer) if limited else []
    avoids_singles = sheet.avoid_single_seats and limited
    if avoids_singles:
        had = [place.key for place in booking.places if place.key]
        keys += orphan_service.keys_of(sheet.show_id, [*had, *seats_of(claims)])
    keys += quota_service.keys_of(sheet, lines, channel=booking.channel)

    def attempt(wait_ms: int) -> None:
        with transaction():
            lock_keys(keys)
            _, line_ids = through_the_gate(sheet, claims, has_some=True)
            if lock(booking).version != version:
                raise SheetOutdated
            db.session.refresh(booking, ["current_status"])
            booking.require_alive()
            if limited:
                limit_service.require_within(
                    lines, show_id=sheet.show_id, buyer=buyer, except_booking_id=booking.id
                )
            quota_service.require_price_left(
                lines, channel=booking.channel, except_booking_id=booking.id
            )
            if wait_ms:
                claim_service.wait_for(sheet.show_id, claims, at_most_ms=wait_ms)
            inventory_service.release([booking.id])
            taking = claims
            if avoids_singles:
                orphan_service.require_none(sheet.show_id, claims)
                taking = orphan_service.leaving_none(booking, claims)
            db.session.execute(DELETE_LINES, {"id": booking.id})
            facts = {"id": booking.id, "show_id": sheet.show_id, "currency": sheet.currency}
            WRITE_LINES.run(**facts, **columns_of(line_ids, lines))
            _set_total(booking, total.amount)
            _count_given_back(booking, len(booking.places) - sum(c.quantity for c in claims))
            booking.touch()
            db.session.flush()
            around = quota_service.around_limits(sheet, taking, last_resort=wait_ms > 0)
            places = claim_service.claim(
                sheet.show_id,
                booking.id,
                zip(line_ids, around, strict=True),
                spread=not wait_ms,
                avoid_singles=sheet.avoid_single_seats,
                has_changed_places=True,
            )
            quota_service.require_section_left(sheet, places, buyer=buyer if limited else None)
            _keep_names(booking, {place.id for place in places})

    inventory_service.until_claimed(
        sheet.show_id, claims, attempt, version=sheet.version, booking_id=booking.id
    )
    return booking_service.find(booking.id, caller=caller)


def _require_alive(booking: Booking) -> None:
    """Refuse to change a hold that is over; but whoever has it locked may just be extending it."""
    if booking.current_status == BookingStatus.HELD:
        return
    with transaction():
        db.session.refresh(lock(booking), ["current_status"])
        booking.require_alive()
    raise SheetOutdated


def _basket(booking: Booking, sheet: SaleSheet) -> list[WantedLine]:
    """What a booking has in it, as a request would ask for it: its seats, and how many stand."""
    lines = []
    for line in booking.lines:
        seats = tuple(p.key for p in booking.places if p.line_id == line.id and p.key)
        wanted = WantedLine(
            quantity=len(seats),
            tier_id=line.tier_id,
            price_id=line.price_id,
            stock_id=_stock_chosen(booking, line, sheet),
            seats=seats,
        )
        if seats:
            lines.append(wanted)
        if line.quantity > len(seats):
            lines.append(replace(wanted, quantity=line.quantity - len(seats), seats=()))
    return lines


def _at_their_price(booking: Booking, lines: list[PricedLine]) -> list[PricedLine]:
    """Lines whose offer is in the booking already keep the price that it was held at."""
    held = {(line.tier_id, line.price_id): line.unit_price for line in booking.lines}
    return [line.at(held.get((line.tier_id, line.price_id))) for line in lines]


def _stock_chosen(booking: Booking, line: BookingLine, sheet: SaleSheet) -> int | None:
    """The stock that the desk took a line from, where its tier would not sell that one."""
    tier = sheet.tiers.get(line.tier_id) if line.tier_id else None
    own = {stock.id for stock in sheet.stocks_for(tier)} if tier else set()
    stock_ids = (place.stock_id for place in booking.places if place.line_id == line.id)
    chosen = next((stock_id for stock_id in stock_ids if stock_id not in own), None)
    return chosen if booking.channel in AT_THE_DESK else None


def _kept(booking: Booking, line: PricedLine) -> tuple[int, ...]:
    """Places that a line has already: names and numbers stay with them."""
    same = {
        before.id
        for before in booking.lines
        if (before.tier_id, before.price_id) == (line.tier_id, line.price_id)
    }
    if line.seats:
        return tuple(p.id for p in booking.places if p.line_id in same and p.key in line.seats)
    stock_ids = {stock.id for stock in line.stocks}
    had = [p for p in booking.places if p.line_id in same and p.stock_id in stock_ids]
    accessible = [p.id for p in had if p.seat_kind == SeatKind.ACCESSIBLE][: line.accessible]
    others = [p.id for p in had if p.seat_kind != SeatKind.ACCESSIBLE]
    return (*accessible, *others[: line.quantity - line.accessible])


def _set_total(booking: Booking, amount: int) -> None:
    booking.total_amount = amount
    booking.payment_status = PaymentStatus.UNPAID if amount else PaymentStatus.PAID


def _count_given_back(booking: Booking, places: int) -> None:
    """Remember for the buyer's budget how long places were held that are given back now."""
    if places > 0:
        minutes = func.ceil(extract("epoch", now() - Booking.held_at) / 60)
        counted = Booking.given_back_minutes + places * func.greatest(1, minutes)
        booking.given_back_minutes = cast(counted, BigInteger)


def _keep_names(booking: Booking, place_ids: Collection[int]) -> None:
    """Forget who was named for places that the booking has no more."""
    named = booking.attendees.items()
    booking.attendees = {key: person for key, person in named if int(key) in place_ids}


def _require_enough_without(booking: Booking, line: BookingLine) -> None:
    """Refuse to give a place of `line` back when it is the last, or its tier sells no fewer."""
    if len(booking.places) == 1:
        raise Invalid.at("items", "A booking keeps at least one place; cancel it instead.")
    tier = line.tier
    if tier is None or tier.deleted_at is not None or booking.channel in AT_THE_DESK:
        return
    left = sum(other.quantity for other in booking.lines if other.tier_id == tier.id) - 1
    if 0 < left < tier.min_per_booking:
        raise Invalid.at("items", f"{tier.name}: at least {tier.min_per_booking} in a booking.")
