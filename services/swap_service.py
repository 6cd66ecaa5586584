"""Swapping seats: those of a hold, or of a sale, for others that its lines sell, all or none.

Prices and deadline stay, and tickets keep their codes and holders: only the places change.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select, text

from init import db
from models import Booking, BookingLine, BookingStatus, Place, Show, TicketStatus
from models.booking import BookingMovedOn
from models.permissions import Permission, allowed
from models.sale import SaleSheet, SaleStock
from models.values import BuyerKey, Caller, Once, PlacedBooking, WantedSwap
from services import (
    audit_service,
    booking_reading,
    booking_service,
    claim_service,
    idempotency_service,
    inventory_service,
    limit_service,
    orphan_service,
    outbox_service,
    quota_service,
    sale_service,
)
from services.booking_service import LIVE
from services.claim_service import Claim, ClaimedPlace
from services.hold_service import (
    doubting,
    require_visible,
    seats_of,
    through_the_gate,
    with_fresh_sheet,
)
from services.inventory_service import SEATS, SheetOutdated
from services.sale_service import SaleEnded
from utils.clock import now
from utils.errors import ApiError, Invalid
from utils.transaction import lock, lock_keys, transaction

Moves = Mapping[int, tuple[int, int]]  # by the place that is left: the new one, and the line

LEAVE = text(
    """
    UPDATE places SET booking_id = NULL, line_id = NULL, changed_in = pg_current_xact_id()
     WHERE id = ANY(:place_ids)
    """
)
# A seat that the booking had and keeps, for somebody else of it.
PASS_ON = text(
    """
    UPDATE places p SET line_id = own.line_id, changed_in = pg_current_xact_id()
      FROM unnest(CAST(:place_ids AS bigint[]), CAST(:line_ids AS bigint[]))
           AS own(place_id, line_id)
     WHERE p.id = own.place_id
    """
)
TICKETS = text(
    """
    SELECT id, place_id, status FROM tickets
     WHERE booking_id = :booking_id AND place_id = ANY(:place_ids) AND status <> 'void'
     ORDER BY id
    """
)
# In two steps, because no place has two live tickets, not even while they change places.
PICK_UP = text("UPDATE tickets SET status = 'void' WHERE id = ANY(:ids)")
PUT_DOWN = text(
    """
    UPDATE tickets t
       SET place_id = own.place_id, line_id = own.line_id, status = own.status,
           updated_at = clock_timestamp()
      FROM unnest(CAST(:ids AS bigint[]), CAST(:place_ids AS bigint[]),
                  CAST(:line_ids AS bigint[]), CAST(:statuses AS text[]))
           AS own(id, place_id, line_id, status)
     WHERE t.id = own.id
    """
)


@dataclass(frozen=True)
class Plan:
    """What a swap takes from the inventory, line by line, and what it passes on."""

    lines: Sequence[BookingLine]
    claims: Sequence[Claim]  # one for each of `lines`
    own: Mapping[str, Place]  # what the booking has, by key


def swap(
    caller: Caller, booking: Booking, wanted: Sequence[WantedSwap], *, once: Once | None
) -> PlacedBooking:
    """The booking with other seats: all that are wanted, or nothing is changed.

    A seat may go to another of the same booking that leaves its own. A buyer, or a shop by its
    key, chooses among what the tiers of the lines sell now, until the show starts; the desk among
    all seats of the show. Raises SeatTaken, WouldStrandASeat, Invalid, the refusals of the sale,
    HoldExpired and BookingMovedOn.
    """
    return with_fresh_sheet(
        booking.show_id, lambda sure: _swap(caller, booking, wanted, once, sure)
    )


def _swap(
    caller: Caller, booking: Booking, wanted: Sequence[WantedSwap], once: Once | None, sure: bool
) -> PlacedBooking:
    booking = booking_service.find(booking.id, caller=caller)
    version = booking.version
    with idempotency_service.before_refusing(once):
        _require_lives(booking)
        with doubting(sure):
            recent = sale_service.recent_sheet(booking.show_id)
            sheet = require_visible(caller, recent, booking.show_id)
            at_the_desk = _is_desk(caller, booking)
            with _as_it_was_read(booking, version):
                plan = _plan(booking, wanted, sheet, at_the_desk)
    avoids_singles = sheet.avoid_single_seats and not at_the_desk
    waits_on = [idempotency_service.lock_key_of(once)] if once else []
    buyer = None if at_the_desk else BuyerKey(booking.user_id, booking.email_key)
    if buyer is not None and sheet.limits:
        waits_on += limit_service.keys_of(sheet.show_id, buyer)
    takes_from = [stock for claim in plan.claims for stock in claim.stocks]
    waits_on += quota_service.section_keys(sheet, takes_from)
    if avoids_singles:
        changing = [*seats_of(plan.claims), *(each.leave for each in wanted)]
        waits_on += orphan_service.keys_of(sheet.show_id, changing)

    def attempt(wait_ms: int) -> PlacedBooking:
        with transaction():
            lock_keys(waits_on)
            idempotency_service.replay_if_answered(once)
            through_the_gate(sheet, plan.claims, has_some=True)
            if lock(booking).version != version:
                raise SheetOutdated
            db.session.refresh(booking, ["current_status"])
            _require_lives(booking)
            if not at_the_desk:
                _require_not_started(booking)
            if wait_ms:
                claim_service.wait_for(sheet.show_id, plan.claims, at_most_ms=wait_ms)
            _leave(plan, wanted)
            if avoids_singles:
                orphan_service.require_none(sheet.show_id, plan.claims)
                left = {each.leave for each in wanted} - {each.take for each in wanted}
                orphan_service.require_none_of(left, sheet, booking, _seats_after(booking, wanted))
            got, moves = _taken(booking, plan, wanted)
            quota_service.require_section_left(sheet, got, buyer=buyer)
            if booking.status == BookingStatus.CONFIRMED:
                _move_tickets(booking, moves, at_the_desk)
                _tell(booking, wanted)
            else:
                _move_names(booking, moves)
            booking.touch()
            db.session.flush()
            [swapped] = booking_reading.read([booking.id])
            idempotency_service.keep(once, swapped)
        return swapped

    return inventory_service.until_claimed(
        sheet.show_id,
        plan.claims,
        attempt,
        version=sheet.version,
        booking_id=booking.id,
        once=once,
    )


@contextmanager
def _as_it_was_read(booking: Booking, version: int) -> Iterator[None]:
    """Refuse nothing inside the block by a booking that somebody changed while it was read."""
    try:
        yield
    except ApiError:
        now_is = db.session.scalar(select(Booking.version).where(Booking.id == booking.id))
        if now_is != version:
            raise SheetOutdated from None
        raise


def _is_desk(caller: Caller, booking: Booking) -> bool:
    return caller.api_key_id is None and allowed(caller, Permission.BOOKING_SELL, booking)


def _require_lives(booking: Booking) -> None:
    """Refuse for a booking that is over; a hold that seems dead may just be being extended."""
    if not _lives(booking):
        with transaction():
            db.session.refresh(lock(booking), ["current_status"])
            if not _lives(booking):
                booking.require_alive()


def _lives(booking: Booking) -> bool:
    return booking.current_status in LIVE


def _plan(
    booking: Booking, wanted: Sequence[WantedSwap], sheet: SaleSheet, at_the_desk: bool
) -> Plan:
    """Which line takes which seats from which stocks; everything that can be refused is."""
    refusal = sale_service.show_refusal(sheet)
    if refusal is not None:
        raise refusal
    own = {place.key: place for place in booking.places if place.key}
    left = {each.leave for each in wanted}
    for n, each in enumerate(wanted):
        if each.leave not in own:
            raise Invalid.at(f"seats.{n}.from", f"{each.leave} is not in this booking.")
        if each.take in own and each.take not in left:
            raise Invalid.at(f"seats.{n}.to", f"{each.take} is in this booking already.")
    takes = {each.take: own[each.leave].line_id for each in wanted}
    lines = [line for line in booking.lines if line.id in takes.values()]
    claims = []
    for line in lines:
        tier = sheet.tiers.get(line.tier_id) if line.tier_id else None
        name = tier.name if tier else "The house"
        stocks = _stocks(line, sheet, at_the_desk)
        seats = [seat for seat, line_id in takes.items() if line_id == line.id]
        _require_sold(sheet.show_id, wanted, seats, stocks, name)
        free = tuple(seat for seat in seats if seat not in own)
        claims.append(Claim(line.tier_id, name, len(free), stocks, free))
    needed = [(line, claim) for line, claim in zip(lines, claims, strict=True) if claim.seats]
    return Plan([line for line, _ in needed], [claim for _, claim in needed], own)


def _stocks(line: BookingLine, sheet: SaleSheet, at_the_desk: bool) -> tuple[SaleStock, ...]:
    """What a line may take its seats from now; for a buyer, while its tier is on sale."""
    if at_the_desk:
        return tuple(sheet.stocks.values())
    tier = sheet.tiers.get(line.tier_id) if line.tier_id else None
    if tier is None:
        raise SaleEnded("No tier sells such seats any more; ask the organiser.")
    refusal = sale_service.refusal(sheet, tier)
    if refusal is not None:
        refusal.facts.setdefault("tier_id", tier.id)
        raise refusal
    return tuple(sheet.stocks_for(tier))


def _require_sold(
    show_id: int,
    wanted: Sequence[WantedSwap],
    seats: Sequence[str],
    stocks: Sequence[SaleStock],
    name: str,
) -> None:
    """Raise Invalid for the first seat that is not there, or in none of these stocks."""
    found = SEATS.all(show_id=show_id, seats=list(seats), booking_id=0)
    there = {key: stock_id for key, stock_id, *_ in found}
    stock_ids = {stock.id for stock in stocks}
    for n, each in enumerate(wanted):
        if each.take in seats and there.get(each.take) not in stock_ids:
            raise Invalid.at(f"seats.{n}.to", f"{name} does not sell {each.take}.")


def _require_not_started(booking: Booking) -> None:
    started = select(Show.starts_at <= now()).where(Show.id == booking.show_id)
    if db.session.scalar(started):
        raise BookingMovedOn("The show has started; ask the organiser.")


def _leave(plan: Plan, wanted: Sequence[WantedSwap]) -> None:
    """Free the seats that nobody of the booking takes over."""
    kept = {each.take for each in wanted}
    left = sorted(plan.own[each.leave].id for each in wanted if each.leave not in kept)
    db.session.execute(LEAVE, {"place_ids": left})


def _seats_after(booking: Booking, wanted: Sequence[WantedSwap]) -> dict[int, list[str]]:
    """The seats that a booking has once they are swapped, by line."""
    to = {each.leave: each.take for each in wanted}
    seats: dict[int, list[str]] = {}
    for place in booking.places:
        if place.key and place.line_id:
            seats.setdefault(place.line_id, []).append(to.get(place.key, place.key))
    return seats


def _taken(
    booking: Booking, plan: Plan, wanted: Sequence[WantedSwap]
) -> tuple[list[ClaimedPlace], Moves]:
    """Take the new seats, in a transaction that has the booking locked.

    Raises Short when somebody was quicker.
    """
    ids = [line.id for line in plan.lines]
    claims = zip(ids, plan.claims, strict=True)
    got = claim_service.claim(booking.show_id, booking.id, claims)
    places = {key: place.id for key, place in plan.own.items()}
    places |= {place.key: place.id for place in got if place.key}
    lines = {place.id: place.line_id for place in plan.own.values() if place.line_id}
    moves = {places[each.leave]: (places[each.take], lines[places[each.leave]]) for each in wanted}
    kept = {place_id: line_id for place_id, line_id in moves.values() if place_id in moves}
    if kept:
        facts = {"place_ids": list(kept.keys()), "line_ids": list(kept.values())}
        db.session.execute(PASS_ON, facts)
    return got, moves


def _move_tickets(booking: Booking, moves: Moves, at_the_desk: bool) -> None:
    """Each ticket follows its place, with its code and its holder; a used one only by the desk."""
    found = {"booking_id": booking.id, "place_ids": list(moves)}
    tickets = db.session.execute(TICKETS, found).all()
    if not at_the_desk and any(status == TicketStatus.USED for _, _, status in tickets):
        raise BookingMovedOn("Somebody has entered with it already; ask the organiser.")
    ids = [ticket_id for ticket_id, _, _ in tickets]
    db.session.execute(PICK_UP, {"ids": ids})
    facts = {
        "ids": ids,
        "place_ids": [moves[place_id][0] for _, place_id, _ in tickets],
        "line_ids": [moves[place_id][1] for _, place_id, _ in tickets],
        "statuses": [status for _, _, status in tickets],
    }
    db.session.execute(PUT_DOWN, facts)


def _move_names(booking: Booking, moves: Moves) -> None:
    """Who was named for a place of a hold sits on the new one."""
    to = {str(left): str(taken) for left, (taken, _line_id) in moves.items()}
    booking.attendees = {to.get(key, key): named for key, named in booking.attendees.items()}


def _tell(booking: Booking, wanted: Sequence[WantedSwap]) -> None:
    audit_service.record(
        "booking.swap",
        booking,
        before={"seats": [each.leave for each in wanted]},
        after={"seats": [each.take for each in wanted]},
    )
    outbox_service.publish("booking.changed", booking_id=booking.id)
