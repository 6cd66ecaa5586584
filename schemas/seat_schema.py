"""Seats on the wire."""

from marshmallow import Schema, fields, validate

from schemas.fields import Input, Resource, one_of, wanted_key
from schemas.tier_schema import PriceSchema

STATUSES = ("available", "taken", "held", "sold")


class SeatSchema(Resource):
    """A numbered place of a show. Held and sold are one word, taken, to the public."""

    id = fields.Integer(required=True)
    show_id = fields.Integer(required=True)
    key = fields.String(required=True)
    section = fields.String(required=True)
    row = fields.String(required=True)
    number = fields.String(required=True)
    status = one_of(STATUSES, required=True)


class SeatTierSchema(Schema):
    """A tier that sells a seat; whether it is on sale now, its availability says."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    prices = fields.List(fields.Nested(PriceSchema), required=True)


class OfferedSeatSchema(SeatSchema):
    """A seat and what it costs."""

    tiers = fields.List(fields.Nested(SeatTierSchema), required=True)


class SeatFilters(Input):
    section = fields.String(validate=validate.Length(1, 100))
    row = fields.String(validate=validate.Length(1, 100))
    status = one_of(STATUSES)


class SeatOfShowFilters(SeatFilters):
    show_id = wanted_key(required=True)
