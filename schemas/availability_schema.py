"""Availability on the wire."""

from marshmallow import Schema, fields

from models.sale import AvailabilityState
from schemas.fields import Instant, Resource

STAFF_ONLY = {"description": "For those who work for the organiser"}


class AvailabilitySchema(Resource):
    """Whether something can be bought, and how much of it is left."""

    state = fields.Enum(AvailabilityState, by_value=True, required=True)
    message = fields.String(required=True, metadata={"description": "A sentence for people"})
    on_sale = fields.Boolean(required=True)
    sold_out = fields.Boolean(required=True)
    can_purchase = fields.Boolean(required=True)
    available = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Places left; null where the organiser shows words only"},
    )
    capacity = fields.Integer(metadata=STAFF_ONLY)
    held = fields.Integer(metadata=STAFF_ONLY)
    sold = fields.Integer(metadata=STAFF_ONLY)


class PriceAvailabilitySchema(Schema):
    price_id = fields.Integer(required=True)
    name = fields.String(required=True)
    sold_out = fields.Boolean(required=True)
    available = fields.Integer(required=True, allow_none=True)


class TierAvailabilitySchema(AvailabilitySchema):
    """Of one tier; times are on the show's clock."""

    tier_id = fields.Integer(required=True)
    name = fields.String(required=True)
    on_sale_at = Instant(required=True, allow_none=True)
    off_sale_at = Instant(required=True, allow_none=True)
    min_per_booking = fields.Integer(required=True)
    max_per_booking = fields.Integer(required=True)
    limited_prices = fields.List(
        fields.Nested(PriceAvailabilitySchema),
        required=True,
        metadata={"description": "Prices of which the show sells only so many"},
    )


class ShowAvailabilitySchema(AvailabilitySchema):
    """Of a show as a whole; a place that several tiers sell counts once."""

    show_id = fields.Integer(required=True)
    tiers = fields.List(fields.Nested(TierAvailabilitySchema), required=True)
