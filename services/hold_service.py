"""Holding places: what it costs, placing a booking, extending it once.

Everything that can be worked out beforehand is; then one transaction checks what may have
changed since, claims the places and writes the booking. `claim_service` says how places are
claimed, and `inventory_service` what happens when there are too few.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import func

from config import settings
from init import db
from models import Booking, Channel, PaymentStatus
from models.permissions import Permission, authorize
from models.sale import SaleSheet
from models.show import turn_key
from models.values import (
    Caller,
    Once,
    PlacedBooking,
    PlacedLine,
    PlacedPlace,
    WantedLine,
    WantedPlaces,
)
from services import (
    api_key_service,
    booking_reading,
    booking_service,
    buyer_service,
    claim_service,
    idempotency_service,
    inventory_service,
    limit_service,
    orphan_service,
    pricing_service,
    quota_service,
    sale_service,
)
from services.buyer_service import Buyer
from services.claim_service import Claim, ClaimedPlace, Short
from services.inventory_service import SheetOutdated
from services.pricing_service import AT_THE_DESK, PricedLine, Quote
from utils.errors import ApiError, Busy, Conflict, Forbidden, Invalid, NotFound
from utils.statement import Statement
from utils.tokens import digest, readable
from utils.transaction import lock, lock_keys, transaction

Done = TypeVar("Done")
REFERENCE_LENGTH = 10
SHEETS_TRIED = 5


class AlreadyExtended(Conflict):
    """A hold can be extended once."""

    code, title = "already-extended", "A hold can be extended once"


# Keeps the show from being cancelled until the transaction ends, tells whether the sheet still
# holds good and whether enough is free, and takes the keys of what will be written. As in
# inventory_service.LOOK it is `ORDER BY ordinal` that keeps the planner on the index.
GATE = Statement(
    "gate",
    """
    WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(:turn_key))
    SELECT s.version,
           (SELECT count(*) FROM unnest(CAST(:stock_ids AS bigint[])) AS k(id),
                   LATERAL (SELECT FROM places WHERE stock_id = k.id AND booking_id IS NULL
                             ORDER BY ordinal LIMIT :quantity) AS any_place),
           (SELECT count(*) FROM places WHERE show_id = :show_id AND key = ANY(:seats)
               AND booking_id IS NULL),
           nextval('bookings_id_seq'),
           ARRAY(SELECT nextval('booking_lines_id_seq') FROM generate_series(1, :line_count))
      FROM turn CROSS JOIN shows s WHERE s.id = :show_id FOR SHARE OF s
    """,
)

LINES = """
    INSERT INTO booking_lines (id, booking_id, show_id, tier_id, price_id, quantity, unit_amount,
                               currency)
    SELECT line.id, :id, :show_id, line.tier_id, line.price_id, line.quantity, line.unit_amount,
           :currency
      FROM unnest(CAST(:line_ids AS bigint[]), CAST(:tier_ids AS bigint[]),
                  CAST(:price_ids AS bigint[]), CAST(:quantities AS bigint[]),
                  CAST(:unit_amounts AS bigint[]))
           AS line(id, tier_id, price_id, quantity, unit_amount)
"""
WRITE_LINES = Statement("write_lines", LINES)
WRITE = Statement(
    "write",
    f"""
    WITH lines AS ({LINES})
    INSERT INTO bookings (id, reference, show_id, status, channel, payment_status, user_id,
                          sold_by_user_id, sold_by_key_id, ticket_holder_id, email, email_key,
                          total_amount, currency, held_at, held_until, comp_reason, note)
    VALUES (:id, :reference, :show_id, 'held', :channel, :payment_status, :user_id,
            :sold_by_user_id, :sold_by_key_id, :ticket_holder_id, :email, :email_key,
            :total_amount, :currency, statement_timestamp(),
            statement_timestamp() + CAST(:hold AS interval), :comp_reason, :note)
    RETURNING held_at, held_until
    """,  # noqa: S608 (both halves are constants)
)

WRITE_SECRET = Statement(
    "write_secret",
    "INSERT INTO booking_secrets (booking_id, secret_hash) VALUES (:booking_id, :secret_hash)",
)


def quote(caller: Caller, show_id: int, wanted: Sequence[WantedLine]) -> Quote:
    """What a basket would cost now; nothing is written."""
    sheet = require_visible(caller, sale_service.sheet(show_id), show_id)
    if caller.api_key_id is not None:
        authorize(caller, Permission.BOOKING_PLACE, sheet)
    quoted = pricing_service.quote(sheet, wanted, signed_in=caller.user_id is not None)
    inventory_service.require_known(show_id, [claim_of(line) for line in quoted.lines])
    return quoted


def place(caller: Caller, wanted: WantedPlaces, *, once: Once | None) -> PlacedBooking:
    """Hold places for a buyer while they pay: all lines, or nothing.

    The answer says until when (settings.hold_minutes); a guest's carries the secret that shows it
    again. With `confirm`, what is free or sold at the desk is confirmed in the same transaction.
    A key sells through `api`, in the name of the buyer that it gives, who is told the secret.
    Raises the refusals of the sale, of the limits and of inventory_service.until_claimed; for a
    key also Forbidden, and KeyIsForTests.
    """
    if caller.api_key_id is not None:
        wanted = _through_api(caller, wanted)
    return with_fresh_sheet(wanted.show_id, lambda sure: _place(caller, wanted, once, sure))


def extend(caller: Caller, booking: Booking, *, once: Once | None) -> Booking:
    """Move a living hold's deadline on, once, to at most longest_hold_minutes from its start."""
    with transaction():
        idempotency_service.wait_for_duplicates(once)
        lock(booking)
        db.session.refresh(booking, ["current_status"])
        booking.require_alive()
        if booking.extended:
            raise AlreadyExtended("This hold has been extended already.")
        booking.held_until = min(
            booking.held_until + settings.hold, booking.held_at + settings.longest_hold
        )
        booking.extended = True
        booking.settled_in = func.pg_current_xact_id()  # who saw it run out meanwhile hears of it
        db.session.flush()
        extended = booking_service.find(booking.id, caller=caller)
        idempotency_service.keep(once, extended)
    return extended


def require_visible(caller: Caller, sheet: SaleSheet | None, show_id: int) -> SaleSheet:
    """What a show sells. Raises NotFound when it is not there, or hidden and somebody else's."""
    if sheet is None or (
        not sheet.is_public
        and not caller.is_admin
        and sheet.organiser_id not in caller.sees_drafts_of
    ):
        raise NotFound(f"There is no show {show_id}.")
    return sheet


def with_fresh_sheet(show_id: int, deed: Callable[[bool], Done]) -> Done:
    """What `deed` makes, done again from the start when the show changed under it.

    `deed(sure)` may go by a sheet that is a moment old; unless it is `sure`, it refuses nothing
    for what stands there (see `doubting`).
    """
    sure = settings.sheet_seconds <= 0
    for _ in range(SHEETS_TRIED):
        try:
            return deed(sure)
        except SheetOutdated:
            sale_service.forget(show_id)
            sure = True
    raise Busy("The show is being changed at this moment; try again.")


@contextmanager
def doubting(sure: bool) -> Iterator[None]:
    """Have what is refused inside the block looked at again by a new sheet, unless `sure`."""
    try:
        yield
    except ApiError:
        if sure:
            raise
        raise SheetOutdated from None


def _place(caller: Caller, wanted: WantedPlaces, once: Once | None, sure: bool) -> PlacedBooking:
    with doubting(sure), idempotency_service.before_refusing(once):
        recent = sale_service.recent_sheet(wanted.show_id)
        sheet = require_visible(caller, recent, wanted.show_id)
        authorize(caller, Permission.BOOKING_PLACE, sheet)
        if wanted.channel in AT_THE_DESK:
            authorize(caller, Permission.BOOKING_SELL, sheet)
        buyer = buyer_service.buyer_of(caller, wanted, sheet)
        if once is not None and not once.scope:
            once.scope = f"guest:{buyer.email_key}"
        lines = pricing_service.price(
            sheet, wanted.lines, channel=wanted.channel, signed_in=buyer.user_id is not None
        )
        total = pricing_service.total(sheet, lines)
        if wanted.confirm:
            booking_service.require_free_or_desk(caller, total.amount, sheet)
    claims = [claim_of(line) for line in lines]
    limited = wanted.channel not in AT_THE_DESK
    waits_on = _advisory_keys(sheet, buyer if limited else None, once)
    if sheet.avoid_single_seats and limited:
        waits_on += orphan_service.keys_of(sheet.show_id, seats_of(claims))
    waits_on += quota_service.keys_of(sheet, lines, channel=wanted.channel)

    def attempt(wait_ms: int) -> PlacedBooking:
        with transaction():
            lock_keys(waits_on)
            idempotency_service.replay_if_answered(once)
            booking_id, line_ids = through_the_gate(sheet, claims)
            if limited:
                limit_service.require_within(lines, show_id=sheet.show_id, buyer=buyer.key)
            quota_service.require_price_left(lines, channel=wanted.channel)
            if wait_ms:
                claim_service.wait_for(sheet.show_id, claims, at_most_ms=wait_ms)
            if sheet.avoid_single_seats and limited:
                orphan_service.require_none(sheet.show_id, claims)
            holder = buyer_service.written(buyer)
            facts: dict[str, Any] = {
                "id": booking_id,
                "reference": readable(REFERENCE_LENGTH),
                "show_id": sheet.show_id,
                "channel": wanted.channel,
                "payment_status": PaymentStatus.UNPAID if total.amount else PaymentStatus.PAID,
                "user_id": buyer.user_id,
                "comp_reason": wanted.comp_reason,
                "note": wanted.note,
            }
            held_at, held_until = WRITE.one(
                **facts,
                **columns_of(line_ids, lines),
                sold_by_user_id=buyer.sold_by_user_id,
                sold_by_key_id=buyer.sold_by_key_id,
                ticket_holder_id=holder.id,
                email=buyer.email,
                email_key=buyer.email_key,
                total_amount=total.amount,
                currency=total.currency,
                hold=settings.hold,
            )
            if buyer.secret:
                WRITE_SECRET.run(booking_id=booking_id, secret_hash=digest(buyer.secret))
            around = quota_service.around_limits(sheet, claims, last_resort=wait_ms > 0)
            # The places last: nobody else waits for them longer than it takes to commit.
            places = claim_service.claim(
                sheet.show_id,
                booking_id,
                zip(line_ids, around, strict=True),
                spread=not wait_ms,
                avoid_singles=sheet.avoid_single_seats,
            )
            quota_service.require_section_left(sheet, places, buyer=buyer.key if limited else None)
            placed: PlacedBooking = PlacedBooking(
                **facts,
                total=total,
                held_at=held_at,
                held_until=held_until,
                ticket_holder=holder,
                ticket_holder_id=holder.id,
                lines=_placed_lines(line_ids, lines),
                places=_placed_places(sheet, places),
                secret=buyer.secret,
            )
            if wanted.confirm:
                placed = _confirmed(booking_id, places, buyer)
            idempotency_service.keep(once, placed)
        return placed

    return inventory_service.until_claimed(
        sheet.show_id, claims, attempt, version=sheet.version, once=once
    )


def _through_api(caller: Caller, wanted: WantedPlaces) -> WantedPlaces:
    """What a key may ask for, on its own channel."""
    if wanted.channel in AT_THE_DESK:
        raise Forbidden("The desk and its comps are for people who sign in; leave `channel` out.")
    if wanted.ticket_holder_id is not None:
        raise Invalid.at("ticket_holder_id", "A key names its buyer inline, as `buyer`.")
    if wanted.confirm:
        api_key_service.require_lasting(caller)
    return replace(wanted, channel=Channel.API)


def _advisory_keys(sheet: SaleSheet, buyer: Buyer | None, once: Once | None) -> list[int]:
    keys = [idempotency_service.lock_key_of(once)] if once else []
    if buyer is not None:
        keys += limit_service.keys_of(sheet.show_id, buyer.key)
    return keys


def through_the_gate(
    sheet: SaleSheet, claims: Sequence[Claim], *, has_some: bool = False
) -> tuple[int, list[int]]:
    """A booking id and line ids for a show that still is what the sheet says.

    Raises Short where it is plain already that too little is free, unless the booking `has_some`
    places of its own: a refusal writes nothing and locks no place.
    """
    seats = seats_of(claims)
    wanting = [claim for claim in claims if not claim.seats]
    quantity = sum(claim.quantity for claim in wanting)
    version, free, free_seats, booking_id, line_ids = GATE.one(
        show_id=sheet.show_id,
        turn_key=turn_key(sheet.show_id),
        stock_ids=sorted({stock_id for claim in wanting for stock_id in claim.stock_ids}),
        quantity=quantity,
        seats=seats,
        line_count=len(claims),
    )
    if version != sheet.version:
        raise SheetOutdated
    if not has_some and (free < quantity or free_seats < len(seats)):
        raise Short
    return booking_id, line_ids


def claim_of(line: PricedLine) -> Claim:
    """What a priced line takes from the inventory."""
    return Claim(
        line.tier_id,
        line.name,
        line.quantity,
        line.stocks,
        line.seats,
        together=line.together,
        accessible=line.accessible,
    )


def seats_of(claims: Sequence[Claim]) -> list[str]:
    """The seats that were chosen by key."""
    return [seat for claim in claims for seat in claim.seats]


def columns_of(line_ids: list[int], lines: Sequence[PricedLine]) -> dict[str, list[Any]]:
    """Lines as the arrays that LINES unfolds."""
    return {
        "line_ids": line_ids,
        "tier_ids": [line.tier_id for line in lines],
        "price_ids": [line.price_id for line in lines],
        "quantities": [line.quantity for line in lines],
        "unit_amounts": [line.unit_price.amount for line in lines],
    }


def _placed_lines(line_ids: list[int], lines: Sequence[PricedLine]) -> list[PlacedLine]:
    return [
        PlacedLine(
            id=line_id,
            tier_id=line.tier_id,
            price_id=line.price_id,
            tier=line.named(line.tier),
            price=line.named(line.price),
            quantity=line.quantity,
            unit_price=line.unit_price,
        )
        for line_id, line in zip(line_ids, lines, strict=True)
    ]


def _placed_places(sheet: SaleSheet, places: Sequence[ClaimedPlace]) -> list[PlacedPlace]:
    return [
        PlacedPlace(
            id=place.id,
            line_id=place.line_id,
            stock_id=place.stock_id,
            section=sheet.stocks[place.stock_id].section,
            row=place.row,
            number=place.number,
            key=place.key,
        )
        for place in sorted(places, key=lambda place: place.id)
    ]


def _confirmed(booking_id: int, places: Sequence[ClaimedPlace], buyer: Buyer) -> PlacedBooking:
    """The booking just written, confirmed and read back."""
    booking_service.settle(booking_id, [(place.id, place.line_id) for place in places])
    [booking] = booking_reading.read([booking_id])
    return replace(booking, secret=buyer.secret)
