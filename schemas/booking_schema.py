"""A booking on the wire: what comes in, what goes out."""

from typing import Any

from marshmallow import (
    ValidationError,
    fields,
    post_dump,
    post_load,
    validate,
    validates_schema,
)

from models.booking import BookingStatus, Channel, PaymentStatus
from models.ticket import TicketStatus
from models.tier import LARGEST_QUANTITY
from models.values import WantedBuyer, WantedLine, WantedPlaces, WantedSwap
from schemas.fields import (
    Derived,
    Email,
    Flag,
    Input,
    Instant,
    Listed,
    MoneySchema,
    Resource,
    at_least_one_of,
    exactly_one_of,
    key,
    not_together,
    phone,
    text,
    wanted_flag,
    wanted_key,
    whole,
)

MOST_LINES = 20
PAID_TO = {Channel.WEB: "desk", Channel.API: "shop"}
SELLING = [Channel.WEB, Channel.DESK, Channel.COMP]


class BuyerSchema(Input):
    """A person named inline."""

    name = text(200, required=True)
    email = Email(required=True)
    phone = phone(load_default=None, allow_none=True)

    @post_load
    def buyer(self, data: dict[str, Any], **_kwargs: Any) -> WantedBuyer:
        return WantedBuyer(**data)


class ItemSchema(Input):
    """The best `quantity` places of a tier, or the `seats` that were chosen; one of the two.

    Items of one tier by quantity are one party, whatever their prices: its seats are beside each
    other, in the best row that has so many, else in as few groups as can be.
    """

    rules = (
        exactly_one_of("quantity", "seats"),
        at_least_one_of("tier_id", "stock_id"),
        not_together("seats", "together", "accessible"),
    )

    tier_id = key()
    price_id = key(metadata={"description": "Needed where the tier has several prices"})
    stock_id = key(metadata={"description": "The desk's choice of a stock, house seats say"})
    quantity = whole(1, LARGEST_QUANTITY)
    seats = Listed(
        text(60),
        validate=validate.Length(1, LARGEST_QUANTITY),
        metadata={"description": "Keys of seats, as STALLS/B-12", "uniqueItems": True},
    )
    together = Flag(metadata={"description": "One block of seats in one row, or 409"})
    accessible = whole(
        0,
        LARGEST_QUANTITY,
        metadata={
            "description": "How many of the seats are accessible ones, their companions beside "
            "them; those seats are given to nobody else by quantity"
        },
    )

    @validates_schema
    def quantity_or_seats(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if ("quantity" in data) == ("seats" in data):
            raise ValidationError("Give either a quantity or seats.", "quantity")
        if "tier_id" not in data and "stock_id" not in data:
            raise ValidationError("Missing data for required field.", "tier_id")
        if len(set(data.get("seats", ()))) != len(data.get("seats", ())):
            raise ValidationError("The same seat is named twice.", "seats")
        for wish in ("together", "accessible"):
            if "seats" in data and wish in data:
                raise ValidationError("Is for seats by quantity.", wish)
        if data.get("accessible", 0) > data.get("quantity", 0):
            raise ValidationError("Are more than the quantity.", "accessible")

    @post_load
    def line(self, data: dict[str, Any], **_kwargs: Any) -> WantedLine:
        seats = tuple(data.pop("seats", ()))
        return WantedLine(quantity=data.pop("quantity", None) or len(seats), seats=seats, **data)


def items() -> Listed:
    """The lines of a basket."""
    return Listed(fields.Nested(ItemSchema), required=True, validate=validate.Length(1, MOST_LINES))


class QuoteRequestSchema(Input):
    example = {
        "show_id": 1,
        "items": [{"tier_id": 1, "quantity": 2}, {"tier_id": 2, "quantity": 1}],
    }

    show_id = key(required=True)
    items = items()


class PlaceBookingSchema(Input):
    """A basket, and for whom it is."""

    example = {
        "show_id": 2,
        "items": [{"tier_id": 3, "price_id": 3, "seats": ["STALLS/F-11", "STALLS/F-12"]}],
        "buyer": {"name": "Grace Wanjirũ", "email": "grace@example.com"},
    }

    rules = (
        not_together("buyer", "ticket_holder_id"),
        {
            "if": {"properties": {"channel": {"const": "comp"}}, "required": ["channel"]},
            "then": {"required": ["comp_reason"]},
            "else": {"not": {"required": ["comp_reason"]}},
        },
    )

    show_id = key(required=True)
    items = items()
    buyer = fields.Nested(
        BuyerSchema, metadata={"description": "Needed without an account, and with an API key"}
    )
    ticket_holder_id = key()
    channel = fields.Enum(
        Channel,
        by_value=True,
        validate=validate.OneOf(SELLING),
        metadata={
            "enum": [str(c) for c in SELLING],
            "description": "desk and comp are for staff; a key's is api",
        },
    )
    confirm = Flag(metadata={"description": "Confirm at once what is free, or sold at the desk"})
    comp_reason = text(500, metadata={"description": "Needed for a comp"})
    note = text(1000)

    @validates_schema
    def sense(self, data: dict[str, Any], **_kwargs: Any) -> None:
        is_comp = data.get("channel") == Channel.COMP
        if is_comp and "comp_reason" not in data:
            raise ValidationError("A comp needs a reason.", "comp_reason")
        if not is_comp and "comp_reason" in data:
            raise ValidationError("Only a comp has a reason.", "comp_reason")
        if "buyer" in data and "ticket_holder_id" in data:
            raise ValidationError("Give either buyer or ticket_holder_id.", "buyer")

    @post_load
    def wanted(self, data: dict[str, Any], **_kwargs: Any) -> WantedPlaces:
        return WantedPlaces(lines=tuple(data.pop("items")), **data)


class ItemsSchema(Input):
    example = {
        "items": [
            {"tier_id": 3, "price_id": 3, "seats": ["STALLS/F-11", "STALLS/F-12"]},
            {"tier_id": 3, "price_id": 4, "seats": ["STALLS/F-13"]},
        ]
    }

    items = items()


class AddSeatsSchema(Input):
    example = {"tier_id": 3, "price_id": 4, "seats": ["STALLS/F-14"]}

    tier_id = key(required=True)
    price_id = key()
    seats = Listed(
        text(60),
        required=True,
        validate=validate.Length(1, LARGEST_QUANTITY),
        metadata={"uniqueItems": True},
    )

    @post_load
    def line(self, data: dict[str, Any], **_kwargs: Any) -> WantedLine:
        seats = tuple(data.pop("seats"))
        return WantedLine(quantity=len(seats), seats=seats, **data)


class SwappedSeatSchema(Input):
    """A seat of the booking, and the one to have instead."""

    leave = text(60, required=True, data_key="from")
    take = text(60, required=True, data_key="to")

    @post_load
    def one(self, data: dict[str, Any], **_kwargs: Any) -> WantedSwap:
        return WantedSwap(**data)


class SwapSchema(Input):
    example = {"seats": [{"from": "STALLS/F-13", "to": "STALLS/F-15"}]}

    seats = Listed(
        fields.Nested(SwappedSeatSchema),
        required=True,
        validate=validate.Length(1, LARGEST_QUANTITY),
        metadata={
            "description": "Each seat once as `from` and once as `to`; they may change round"
        },
    )

    @validates_schema
    def each_once(self, data: dict[str, Any], **_kwargs: Any) -> None:
        for side in ("leave", "take"):
            named = [getattr(each, side) for each in data.get("seats", ())]
            if len(set(named)) != len(named):
                raise ValidationError("The same seat is named twice.", "seats")
        if any(each.leave == each.take for each in data.get("seats", ())):
            raise ValidationError("A seat cannot be swapped for itself.", "seats")


class AttendeeSchema(Input):
    place_id = key(required=True)
    name = text(200, required=True)
    email = Email(allow_none=True)


class EditBookingSchema(Input):
    example = {"note": "One of us comes by wheelchair."}

    ticket_holder_id = key()
    attendees = Listed(
        fields.Nested(AttendeeSchema),
        validate=validate.Length(max=LARGEST_QUANTITY),
        metadata={"description": "Who comes, by place"},
    )
    note = text(1000, allow_none=True)

    @validates_schema
    def one_person_a_place(self, data: dict[str, Any], **_kwargs: Any) -> None:
        places = [attendee["place_id"] for attendee in data.get("attendees", ())]
        if len(set(places)) != len(places):
            raise ValidationError("The same place is named twice.", "attendees")


class ReplaceBookingSchema(EditBookingSchema):
    """All that can be written; what is left out is emptied."""

    example = {"ticket_holder_id": 1, "note": "We bring a baby, who sits on a lap."}

    ticket_holder_id = key(required=True)
    attendees = Listed(
        fields.Nested(AttendeeSchema),
        load_default=list,
        validate=validate.Length(max=LARGEST_QUANTITY),
    )
    note = text(1000, allow_none=True, load_default=None)


class RecoverSchema(Input):
    example = {"email": "grace@example.com", "reference": "7K2M9QXA"}

    email = Email(required=True)
    reference = fields.String(required=True, validate=validate.Length(4, 20))


class AcceptedSchema(Resource):
    detail = fields.String(required=True)


class BookingFilters(Input):
    """Without a filter you read your own bookings."""

    show_id = wanted_key()
    event_id = wanted_key()
    organiser_id = wanted_key()
    status = fields.Enum(BookingStatus, by_value=True)
    channel = fields.Enum(Channel, by_value=True)
    payment_status = fields.Enum(PaymentStatus, by_value=True)
    reference = fields.String(validate=validate.Length(4, 20))
    all = wanted_flag(metadata={"description": "Every booking that you may see"})


class NamedSchema(Resource):
    id = fields.Integer(required=True)
    name = fields.String(required=True)


class HolderSummarySchema(Resource):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)


class LineSchema(Resource):
    """How many at which price."""

    id = fields.Integer(required=True)
    tier_id = fields.Integer(required=True, allow_none=True)
    price_id = fields.Integer(required=True, allow_none=True)
    tier = fields.Nested(NamedSchema, required=True, allow_none=True)
    price = fields.Nested(NamedSchema, required=True, allow_none=True)
    quantity = fields.Integer(required=True)
    unit_price = fields.Nested(MoneySchema, required=True)
    amount = fields.Nested(MoneySchema, required=True)


class BookedPlaceSchema(Resource):
    id = fields.Integer(required=True)
    line_id = fields.Integer(required=True)
    section = fields.String(required=True)
    row = fields.String(required=True, allow_none=True)
    number = fields.String(required=True, allow_none=True)
    key = fields.String(required=True, allow_none=True)


class BookedTicketSchema(Resource):
    """The code is what the door scans."""

    id = fields.Integer(required=True)
    place_id = fields.Integer(required=True, allow_none=True)
    line_id = fields.Integer(required=True)
    code = fields.String(required=True)
    status = fields.Enum(TicketStatus, by_value=True, required=True)
    ticket_holder = fields.Nested(HolderSummarySchema, required=True)


class StepSchema(Resource):
    action = fields.String(required=True)
    method = fields.String(required=True)
    href = fields.String(required=True)
    by = fields.String(
        metadata={
            "description": "Once it is paid there: the organiser's `desk`, or the `shop` whose key "
            "sold it"
        }
    )


def places_it_has(booking: Any) -> list[Any]:
    """A hold that has run out has none, also before anyone has cleared it away."""
    return [] if booking.current_status == BookingStatus.EXPIRED else booking.places


def named_attendees(booking: Any) -> list[dict[str, Any]]:
    """Who was named while it was held; afterwards the tickets know."""
    return [{"place_id": int(place_id), **named} for place_id, named in booking.attendees.items()]


def next_steps(booking: Any) -> list[dict[str, str]]:
    """What can be done with a booking from here."""
    here = f"/bookings/{booking.id}"
    steps = []
    if booking.current_status == BookingStatus.HELD:
        taken_by = PAID_TO.get(booking.channel) if booking.total.amount else None
        confirm = {"action": "confirm", "method": "POST", "href": f"{here}/confirm"}
        steps.append(confirm | ({"by": taken_by} if taken_by else {}))
        if not booking.extended:
            steps.append({"action": "extend", "method": "POST", "href": f"{here}/extend"})
        steps.append({"action": "change", "method": "PUT", "href": f"{here}/items"})
    if booking.current_status in (BookingStatus.HELD, BookingStatus.CONFIRMED):
        steps.append({"action": "cancel", "method": "DELETE", "href": here})
    return steps


class NamedAttendeeSchema(Resource):
    place_id = fields.Integer(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)


class BookingSchema(Resource):
    """A claim on places of one show; `next` says how to go on."""

    versioned = True

    id = fields.Integer(required=True)
    reference = fields.String(required=True)
    show_id = fields.Integer(required=True)
    status = fields.Enum(BookingStatus, by_value=True, required=True, attribute="current_status")
    channel = fields.Enum(Channel, by_value=True, required=True)
    payment_status = fields.Enum(PaymentStatus, by_value=True, required=True)
    total = fields.Nested(MoneySchema, required=True)
    lines = fields.List(fields.Nested(LineSchema), required=True)
    places = Derived(fields.Nested(BookedPlaceSchema), places_it_has, required=True)
    tickets = fields.List(fields.Nested(BookedTicketSchema), required=True)
    ticket_holder = fields.Nested(HolderSummarySchema, required=True)
    user_id = fields.Integer(required=True, allow_none=True)
    attendees = Derived(fields.Nested(NamedAttendeeSchema), named_attendees, required=True)
    note = fields.String(required=True, allow_none=True)
    comp_reason = fields.String(required=True, allow_none=True)
    held_at = Instant(required=True)
    held_until = Instant(required=True)
    extended = fields.Boolean(required=True)
    confirmed_at = Instant(required=True, allow_none=True)
    cancelled_at = Instant(required=True, allow_none=True)
    next = Derived(fields.Nested(StepSchema), next_steps, required=True)
    secret = fields.String(
        metadata={"description": "A guest's, told once; send it as the Booking-Secret header"}
    )

    @post_dump
    def once_only(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        if data.get("secret") is None:
            data.pop("secret", None)
        return data


class QuotedLineSchema(Resource):
    tier_id = fields.Integer(required=True)
    price_id = fields.Integer(required=True)
    quantity = fields.Integer(required=True)
    seats = fields.List(fields.String(), required=True)
    unit_price = fields.Nested(MoneySchema, required=True)
    amount = fields.Nested(MoneySchema, required=True)


class QuoteSchema(Resource):
    """What a basket would cost now."""

    show_id = fields.Integer(required=True)
    lines = fields.List(fields.Nested(QuotedLineSchema), required=True)
    total = fields.Nested(MoneySchema, required=True)
    hold_minutes = fields.Integer(required=True)
