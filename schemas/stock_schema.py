"""Stocks on the wire."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from models import SectionKind
from models.venue import LARGEST_VENUE
from schemas.fields import Flag, Input, Instant, Listed, Resource, key, not_together, text, whole

LONGEST_KEY = 200
MOST_SEATS_NAMED = 20_000
MOST_ROWS_NAMED = 1000
SEAT_FIELDS = ("add_seats", "remove_seats", "take_rows", "take_seats")


class ReleaseSchema(Schema):
    """A tier that sells the stock, too, and from when on; on the show's clock."""

    tier_id = fields.Integer(required=True)
    at = Instant(required=True)


class StockSchema(Resource):
    """A pool of a show's places; a hold that ran out counts as free."""

    versioned = True

    id = fields.Integer(required=True)
    show_id = fields.Integer(required=True)
    name = fields.String(required=True)
    section = fields.String(required=True, attribute="section_name")
    kind = fields.Enum(SectionKind, by_value=True, required=True)
    capacity = fields.Integer(required=True)
    free = fields.Integer(required=True)
    held = fields.Integer(required=True)
    sold = fields.Integer(required=True)
    release = fields.Nested(ReleaseSchema, required=True, allow_none=True)
    version = fields.Integer(required=True)


def named(longest: int, most: int, what: str) -> Listed:
    """A list of names of seats or rows, each once."""
    return Listed(
        fields.String(validate=validate.Length(1, longest)),
        validate=[validate.Length(1, most), each_once],
        metadata={"description": what, "uniqueItems": True},
    )


def each_once(names: list[Any]) -> None:
    if len(set(names)) != len(names):
        raise ValidationError("Names something twice.")


class StockInputSchema(Input):
    """Standing: a capacity. Seated: seats or rows, or as many as `capacity` says, or all left."""

    example = {"name": "Press", "section": "Floor", "capacity": 20}

    rules = (
        not_together("capacity", "seats", "rows"),
        not_together("seats", "rows"),
        not_together("capacity", "take"),
    )

    name = text(200, required=True)
    section = text(100, metadata={"description": "The map's only section unless told"})
    capacity = whole(1, LARGEST_VENUE)
    seats = named(LONGEST_KEY, MOST_SEATS_NAMED, "Keys such as STALLS/B-12")
    rows = named(LONGEST_KEY, MOST_ROWS_NAMED, "Whole rows such as A")
    take = Flag(metadata={"description": "Also what other stocks have, while it is free"})

    @validates_schema
    def says_one_thing(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse a stock that says twice which places it has, or takes it does not say what."""
        if len({"capacity", "seats", "rows"} & data.keys()) > 1:
            raise ValidationError("Give one of capacity, seats and rows.")
        if data.get("take") and not {"seats", "rows"} & data.keys():
            raise ValidationError("Name the seats or the rows that it takes.", "take")


class EditStockSchema(Input):
    """What PATCH may change. Only free places can be taken away."""

    example = {"name": "Press and radio", "capacity": 30}

    rules = (not_together("capacity", *SEAT_FIELDS),)

    name = text(200)
    capacity = whole(0, LARGEST_VENUE)
    add_seats = named(LONGEST_KEY, MOST_SEATS_NAMED, "Seats of its section that are in no stock")
    remove_seats = named(LONGEST_KEY, MOST_SEATS_NAMED, "Its own seats, while they are free")
    take_rows = named(
        LONGEST_KEY, MOST_ROWS_NAMED, "Rows of its section, from whichever stocks have them"
    )
    take_seats = named(
        LONGEST_KEY, MOST_SEATS_NAMED, "Seats of its section, from whichever stocks have them"
    )

    @validates_schema
    def says_one_thing(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse a capacity beside seats, which say it already."""
        if "capacity" in data and data.keys() & set(SEAT_FIELDS):
            raise ValidationError("Give a capacity or seats.", "capacity")


class ReleaseStockSchema(Input):
    """To which tier, and from when on; of some seats, a stock of their own is made for it."""

    example = {"tier_id": 1, "at": "2040-06-01T10:00:00+03:00"}

    rules = (not_together("rows", "seats"),)

    tier_id = key(required=True)
    at = Instant(metadata={"description": "At once, unless told"})
    rows = named(LONGEST_KEY, MOST_ROWS_NAMED, "Only these rows of it")
    seats = named(LONGEST_KEY, MOST_SEATS_NAMED, "Only these seats of it")

    @validates_schema
    def says_one_thing(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse seats beside the rows that they are in."""
        if {"rows", "seats"} <= data.keys():
            raise ValidationError("Give rows or seats.", "seats")
