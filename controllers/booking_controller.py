"""/bookings: hold places, look at them, change them, confirm, give them back."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from controllers.idempotency import idempotent
from controllers.rate_limits import limit_asking, limit_selling
from models import Booking
from models.booking import BookingMovedOn, HoldExpired
from models.permissions import Permission, authorize
from models.show import ShowCancelled
from models.values import Caller, Once, PlacedBooking, WantedLine, WantedPlaces
from schemas.booking_schema import (
    AcceptedSchema,
    AddSeatsSchema,
    BookingFilters,
    BookingSchema,
    EditBookingSchema,
    ItemsSchema,
    PlaceBookingSchema,
    QuoteRequestSchema,
    QuoteSchema,
    RecoverSchema,
    ReplaceBookingSchema,
    SwapSchema,
)
from services import (
    basket_service,
    booking_reading,
    booking_service,
    hold_service,
    swap_service,
)
from services.api_key_service import KeyIsForTests
from services.booking_service import LIVE, PaymentRequired
from services.hold_service import AlreadyExtended
from services.inventory_service import NoAdjacentSeats, SeatTaken, SoldOut
from services.limit_service import CoolDown, LimitReached
from services.orphan_service import WouldStrandASeat
from services.pricing_service import PriceNotForYou, Quote
from services.quota_service import PriceSoldOut, SectionLimitReached
from services.sale_service import NotOnSaleYet, NotPublished, SaleEnded, SalePaused
from utils.errors import Busy, Invalid, NotFound
from utils.http import Blueprint, if_match, refuses

bookings_bp = Blueprint("bookings", __name__, url_prefix="/bookings", description=__doc__)

NOT_FOR_SALE = (NotPublished, NotOnSaleYet, SaleEnded, SalePaused, ShowCancelled)
NOT_TO_BE_HAD = (
    SoldOut,
    NoAdjacentSeats,
    SeatTaken,
    WouldStrandASeat,
    LimitReached,
    PriceSoldOut,
    SectionLimitReached,
    PriceNotForYou,
    Busy,
)


@bookings_bp.get("/")
@bookings_bp.page(
    BookingSchema(), filters=BookingFilters(), endless=True, read=booking_reading.read
)
@for_caller(Permission.BOOKING_READ)
def list_bookings(wanted: dict[str, Any], caller: Caller) -> Select[int]:
    """Your bookings, newest first; with filters also those of shows that you work for.

    A key with the scope `sell` lists what keys of its organiser have sold, one with `reports` all
    of its organiser's.
    """
    return booking_service.search(caller, wanted)


@bookings_bp.post("/quote")
@limit_selling
@bookings_bp.arguments(QuoteRequestSchema())
@bookings_bp.response(200, QuoteSchema())
@refuses(*NOT_FOR_SALE, PriceNotForYou, NotFound)
@for_caller(Permission.BOOKING_PLACE)
def quote_booking(wanted: dict[str, Any], caller: Caller) -> Quote:
    """What a basket would cost now; nothing is written, and nothing held."""
    return hold_service.quote(caller, wanted["show_id"], wanted["items"])


@bookings_bp.post("/")
@limit_selling
@bookings_bp.arguments(PlaceBookingSchema())
@bookings_bp.response(201, BookingSchema(), location="/bookings/{o.id}")
@idempotent(201, location="/bookings/{o.id}")
@refuses(*NOT_FOR_SALE, *NOT_TO_BE_HAD, CoolDown, PaymentRequired, NotFound, KeyIsForTests)
@for_caller(Permission.BOOKING_PLACE)
def place_booking(
    wanted: WantedPlaces, caller: Caller, once: Once | None
) -> PlacedBooking | Booking:
    """Hold places while you pay: all of them, or nothing.

    A key sells for its organiser alone, through the channel `api`, in the name of the `buyer` that
    it gives, whose limits hold; the answer's `secret` is the buyer's. With a test key, places can
    be held and given back, and not confirmed.
    """
    return hold_service.place(caller, wanted, once=once)


@bookings_bp.post("/recover")
@bookings_bp.arguments(RecoverSchema())
@bookings_bp.response(202, AcceptedSchema())
@limit_asking
@refuses(KeyIsForTests)
@for_caller(Permission.BOOKING_PLACE)
def recover_booking(guest: dict[str, Any], caller: Caller) -> dict[str, str]:
    """Mail a guest a new secret; the answer is the same whether the booking exists or not.

    A shop's key does so for what keys of its organiser sold; a test key does not.
    """
    booking_service.recover(caller, **guest)
    return {"detail": "If there is such a booking, a new secret is on its way by mail."}


@bookings_bp.get("/<id:booking_id>")
@bookings_bp.response(200, BookingSchema())
@for_caller(Permission.BOOKING_READ)
def show_booking(booking_id: int, caller: Caller) -> PlacedBooking:
    """One booking with its lines, places and tickets."""
    return booking_service.show(booking_id, caller=caller)


@bookings_bp.patch("/<id:booking_id>")
@bookings_bp.arguments(EditBookingSchema())
@bookings_bp.response(200, BookingSchema())
@refuses(BookingMovedOn, HoldExpired)
@for_caller(Permission.BOOKING_CHANGE)
def edit_booking(changes: dict[str, Any], booking_id: int, caller: Caller) -> Booking:
    """Change the holder, who comes, or the note; what you do not name stays."""
    booking = _changeable(booking_id, caller)
    return booking_service.edit(caller, booking, changes)


@bookings_bp.put("/<id:booking_id>")
@bookings_bp.arguments(ReplaceBookingSchema())
@bookings_bp.response(200, BookingSchema())
@refuses(BookingMovedOn, HoldExpired)
@for_caller(Permission.BOOKING_CHANGE)
def replace_booking(changes: dict[str, Any], booking_id: int, caller: Caller) -> Booking:
    """Write the holder, who comes, and the note; what you leave out is emptied."""
    booking = _changeable(booking_id, caller)
    return booking_service.edit(caller, booking, changes)


@bookings_bp.delete("/<id:booking_id>")
@bookings_bp.response(200, BookingSchema())
@refuses(BookingMovedOn)
@for_caller(Permission.BOOKING_CANCEL)
def cancel_booking(booking_id: int, caller: Caller) -> Booking:
    """Cancel a booking and give its places back; may be repeated."""
    booking = booking_service.find(booking_id, caller=caller)
    authorize(caller, Permission.BOOKING_CANCEL, booking)
    return booking_service.cancel(caller, _held_to_version(booking))


@bookings_bp.put("/<id:booking_id>/items")
@limit_selling
@bookings_bp.arguments(ItemsSchema())
@bookings_bp.response(200, BookingSchema())
@refuses(*NOT_FOR_SALE, *NOT_TO_BE_HAD, BookingMovedOn, HoldExpired)
@for_caller(Permission.BOOKING_CHANGE)
def replace_items(wanted: dict[str, Any], booking_id: int, caller: Caller) -> Booking:
    """Make this the basket of a hold: all of it or nothing, and the deadline stays."""
    return basket_service.replace_items(caller, _changeable(booking_id, caller), wanted["items"])


@bookings_bp.post("/<id:booking_id>/seats")
@limit_selling
@bookings_bp.arguments(AddSeatsSchema())
@bookings_bp.response(200, BookingSchema())
@refuses(*NOT_FOR_SALE, *NOT_TO_BE_HAD, BookingMovedOn, HoldExpired)
@for_caller(Permission.BOOKING_CHANGE)
def add_seats(wanted: WantedLine, booking_id: int, caller: Caller) -> Booking:
    """Add chosen seats to a hold."""
    return basket_service.add_seats(caller, _changeable(booking_id, caller), wanted)


@bookings_bp.delete("/<id:booking_id>/seats/<id:place_id>")
@bookings_bp.response(200, BookingSchema())
@refuses(Invalid, WouldStrandASeat, Busy, BookingMovedOn, HoldExpired)
@for_caller(Permission.BOOKING_CHANGE)
def remove_seat(booking_id: int, place_id: int, caller: Caller) -> Booking:
    """Give one place of a hold back."""
    return basket_service.remove_seat(caller, _changeable(booking_id, caller), place_id)


@bookings_bp.post("/<id:booking_id>/swap")
@limit_selling
@bookings_bp.arguments(SwapSchema())
@bookings_bp.response(200, BookingSchema())
@idempotent(200)
@refuses(*NOT_FOR_SALE, SeatTaken, WouldStrandASeat, Busy, BookingMovedOn, HoldExpired)
@for_caller(Permission.BOOKING_CHANGE)
def swap_seats(
    wanted: dict[str, Any], booking_id: int, caller: Caller, once: Once | None
) -> PlacedBooking:
    """Take other seats at the same price, all of them or none, in a hold or after the sale.

    Prices and deadline stay, and tickets keep their codes. A buyer chooses among what the tiers
    sell now, until the show starts; the organiser's desk among all seats.
    """
    booking = _mine(booking_id, caller)
    return swap_service.swap(caller, booking, wanted["seats"], once=once)


@bookings_bp.post("/<id:booking_id>/confirm")
@bookings_bp.response(200, BookingSchema())
@idempotent(200)
@refuses(PaymentRequired, BookingMovedOn, HoldExpired, ShowCancelled, KeyIsForTests)
@for_caller(Permission.BOOKING_CHANGE)
def confirm_booking(booking_id: int, caller: Caller, once: Once | None) -> PlacedBooking:
    """Turn a hold that is free, or paid at the desk, into tickets.

    A shop's key confirms what it has been paid for, as the desk does; a test key confirms nothing.
    """
    booking = booking_service.find_hold(booking_id, caller=caller)
    authorize(caller, Permission.BOOKING_CHANGE, booking)
    return booking_service.confirm(caller, booking, once=once)


@bookings_bp.post("/<id:booking_id>/extend")
@limit_selling
@bookings_bp.response(200, BookingSchema())
@idempotent(200)
@refuses(AlreadyExtended, BookingMovedOn, HoldExpired)
@for_caller(Permission.BOOKING_CHANGE)
def extend_booking(booking_id: int, caller: Caller, once: Once | None) -> Booking:
    """Keep the places a little longer, once."""
    return hold_service.extend(caller, _mine(booking_id, caller), once=once)


def _changeable(booking_id: int, caller: Caller) -> Booking:
    return if_match(_mine(booking_id, caller))


def _mine(booking_id: int, caller: Caller) -> Booking:
    booking = booking_service.find(booking_id, caller=caller)
    authorize(caller, Permission.BOOKING_CHANGE, booking)
    return booking


def _held_to_version(booking: Booking) -> Booking:
    """A repeated DELETE gets its answer again, whatever version it names."""
    return if_match(booking) if booking.current_status in LIVE else booking
