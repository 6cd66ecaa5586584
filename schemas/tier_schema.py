"""Tiers and their prices on the wire."""

from typing import Any

from marshmallow import (
    Schema,
    ValidationError,
    fields,
    missing,
    post_load,
    validate,
    validates_schema,
)

from models.sale import WantedPrice
from models.tier import LARGEST_QUANTITY, PriceAudience
from models.venue import LARGEST_VENUE
from schemas.fields import (
    Input,
    Instant,
    Listed,
    MoneyField,
    Resource,
    exactly_one_of,
    key,
    not_together,
    text,
    whole,
)
from schemas.stock_schema import (
    LONGEST_KEY,
    MOST_ROWS_NAMED,
    MOST_SEATS_NAMED,
    each_once,
    named,
)

MOST_PRICES = 50
MOST_STOCKS = 500
LARGEST_POSITION = 10_000
SAYS_HOW_MANY = ("capacity", "rows", "seats")
PLACES_ONCE = (
    not_together("stocks", "section", *SAYS_HOW_MANY),
    not_together("capacity", "rows", "seats"),
    not_together("rows", "seats"),
)
PER_BOOKING = {"description": "How many places one booking may have at this price"}
AT_MOST = {"description": "How many places of the show go at this price, comps apart"}
AUDIENCE = {"description": "Who may buy at it: `desk` is sold by the organiser's people alone"}
ELIGIBILITY = {"description": "For people: whom it is for, and what they show at the door"}


class PricePartsSchema(Schema):
    face_value = MoneyField(required=True)
    fee = MoneyField(required=True)


class PriceSchema(Schema):
    """A variant of a tier: Adult, Child. `price` is all that the buyer pays for one place."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    price = MoneyField(required=True)
    parts = fields.Nested(PricePartsSchema, required=True)
    max_per_booking = fields.Integer(required=True, allow_none=True, metadata=PER_BOOKING)
    capacity = fields.Integer(required=True, allow_none=True, metadata=AT_MOST)
    audience = fields.Enum(PriceAudience, by_value=True, required=True, metadata=AUDIENCE)
    eligibility = fields.String(required=True, allow_none=True, metadata=ELIGIBILITY)


class TierStockSchema(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)


class ReleasedStockSchema(TierStockSchema):
    at = Instant(required=True, attribute="release_at")


class WhereRead(fields.List):
    """A list that is told only where the service has read it: the caller may know."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = missing) -> Any:
        return vars(obj).get(attr, missing)


class TierSchema(Resource):
    """What is on offer at a show, or planned in an event's price list (`show_id` is null)."""

    versioned = True

    id = fields.Integer(required=True)
    event_id = fields.Integer(required=True)
    show_id = fields.Integer(required=True, allow_none=True)
    name = fields.String(required=True)
    description = fields.String(required=True, allow_none=True)
    position = fields.Integer(required=True)
    on_sale_at = Instant(required=True, allow_none=True)
    off_sale_at = Instant(required=True, allow_none=True)
    min_per_booking = fields.Integer(required=True)
    max_per_booking = fields.Integer(required=True)
    max_per_buyer = fields.Integer(required=True, metadata={"description": "For the whole show"})
    then = fields.Integer(
        required=True,
        allow_none=True,
        attribute="then_tier_id",
        metadata={"description": "Who may sell its places once it has closed or sold out"},
    )
    section = fields.String(
        required=True, allow_none=True, metadata={"description": "Planned, in a price list"}
    )
    capacity = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Planned, in a price list"}
    )
    prices = fields.List(fields.Nested(PriceSchema), required=True)
    stocks = WhereRead(
        fields.Nested(TierStockSchema),
        metadata={"description": "In selling order; for those who work for the organiser"},
    )
    releases = WhereRead(
        fields.Nested(ReleasedStockSchema),
        metadata={"description": "Stocks that it sells, too, from a time on; for the same people"},
    )


class WantedPriceSchema(Input):
    """A price; `fee` is the part of it that is a fee."""

    id = key(metadata={"description": "The price of the tier that this one changes"})
    name = text(100, required=True)
    price = MoneyField(required=True)
    fee = MoneyField()
    max_per_booking = whole(1, LARGEST_QUANTITY, allow_none=True, metadata=PER_BOOKING)
    capacity = whole(0, LARGEST_VENUE, allow_none=True, metadata=AT_MOST)
    audience = fields.Enum(PriceAudience, by_value=True, metadata=AUDIENCE)
    eligibility = text(500, allow_none=True, metadata=ELIGIBILITY)

    @post_load
    def as_value(self, data: dict[str, Any], **_kwargs: Any) -> WantedPrice:
        """The price as a value."""
        return WantedPrice(**data)


class PriceField(fields.Nested):
    """A price, whole: also where the rest of the body is partial."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(WantedPriceSchema(), **kwargs)

    def _deserialize(
        self, value: Any, attr: Any, data: Any, partial: Any = None, **kwargs: Any
    ) -> Any:
        return super()._deserialize(value, attr, data, **kwargs)


class TierInputSchema(Input):
    """What a new tier needs, and what PUT sets; the places it sells stay unless they are named."""

    example = {
        "name": "Early Bird",
        "description": "For those who know already.",
        "position": 0,
        "off_sale_at": "2040-05-01T00:00:00+03:00",
        "max_per_buyer": 4,
        "prices": [
            {
                "name": "Adult",
                "price": {"amount": 150_000, "currency": "KES"},
                "fee": {"amount": 10_000, "currency": "KES"},
            },
            {
                "name": "Student",
                "price": {"amount": 90_000, "currency": "KES"},
                "max_per_booking": 2,
                "capacity": 50,
                "eligibility": "With a student card, shown at the door.",
            },
        ],
        "section": "Floor",
        "capacity": 200,
    }

    rules = (exactly_one_of("price", "prices"), *PLACES_ONCE)

    name = text(200, required=True)
    description = text(5_000, load_default=None, allow_none=True)
    position = whole(0, LARGEST_POSITION, load_default=0)
    on_sale_at = Instant(load_default=None, allow_none=True)
    off_sale_at = Instant(
        load_default=None,
        allow_none=True,
        metadata={"description": "When the show starts, unless told"},
    )
    min_per_booking = whole(1, LARGEST_QUANTITY, load_default=1)
    max_per_booking = whole(
        1,
        LARGEST_QUANTITY,
        load_default=None,
        allow_none=True,
        metadata={"description": "max_per_buyer, unless told"},
    )
    max_per_buyer = whole(
        1,
        LARGEST_VENUE,
        load_default=None,
        allow_none=True,
        metadata={"description": "For the whole show; 5, or as configured, unless told"},
    )
    then_tier_id = key(data_key="then", load_default=None, allow_none=True)
    price = MoneyField(metadata={"description": "Short for one price, called Regular"})
    prices = Listed(PriceField(), validate=validate.Length(1, MOST_PRICES))
    section = text(100, metadata={"description": "The map's only section unless told"})
    capacity = whole(
        0, LARGEST_VENUE, metadata={"description": "How many places its own stock has"}
    )
    rows = named(LONGEST_KEY, MOST_ROWS_NAMED, "Its own stock has these rows of the section")
    seats = named(LONGEST_KEY, MOST_SEATS_NAMED, "Its own stock has these seats of the section")
    stocks = Listed(
        key(),
        validate=[validate.Length(0, MOST_STOCKS), each_once],
        metadata={"description": "Stocks of the show, in selling order", "uniqueItems": True},
    )

    @validates_schema
    def says_one_thing(self, data: dict[str, Any], partial: Any, **_kwargs: Any) -> None:
        """Refuse a tier without a price, and one that says twice what it costs or where it is."""
        if "price" in data and "prices" in data:
            raise ValidationError("Give either price or prices.", "price")
        if not partial and not {"price", "prices"} & data.keys():
            raise ValidationError("Give a price, or several prices.", "prices")
        if "stocks" in data and {"section", *SAYS_HOW_MANY} & data.keys():
            raise ValidationError("Give stocks, or a section and what of it.", "stocks")
        if len(data.keys() & set(SAYS_HOW_MANY)) > 1:
            raise ValidationError("Give one of capacity, rows and seats.", "capacity")

    @post_load
    def one_price_is_a_list(self, data: dict[str, Any], partial: Any, **_kwargs: Any) -> Any:
        """A whole tier's only price; PATCH leaves it to the price that is there."""
        if not partial and "price" in data:
            data["prices"] = [WantedPrice("Regular", data.pop("price"))]
        return data


class EditTierSchema(TierInputSchema):
    """What PATCH may change; of `prices`, those that name their `id` keep it."""

    example = {"max_per_buyer": 6, "capacity": 250}

    rules = (not_together("price", "prices"), *PLACES_ONCE)
