"""Limits of sections on the wire."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from models.sale import SaleLimit
from models.venue import LARGEST_VENUE
from schemas.fields import Input, Listed, Resource, text, whole

MOST_SECTIONS = 1000
OF_ALL = {"description": "How many of its places the show sells, through whatever channel"}
OF_ONE = {"description": "How many one buyer may have on the open sale"}


class SectionLimitSchema(Schema):
    section = fields.String(required=True)
    max_places = fields.Integer(required=True, allow_none=True, metadata=OF_ALL)
    max_per_buyer = fields.Integer(required=True, allow_none=True, metadata=OF_ONE)


class SectionLimitsSchema(Resource):
    """The sections of a show that sell less than all they have; its version is the show's."""

    versioned = True

    show_id = fields.Integer(required=True)
    items = fields.List(fields.Nested(SectionLimitSchema), required=True)


class WantedLimitSchema(Input):
    rules = (
        {
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "integer"}}}
                for name in ("max_places", "max_per_buyer")
            ]
        },
    )

    section = text(100, required=True)
    max_places = whole(0, LARGEST_VENUE, allow_none=True, load_default=None, metadata=OF_ALL)
    max_per_buyer = whole(1, LARGEST_VENUE, allow_none=True, load_default=None, metadata=OF_ONE)

    @validates_schema
    def limits_something(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse an entry that limits nothing."""
        if data.get("max_places") is None and data.get("max_per_buyer") is None:
            raise ValidationError("Give max_places or max_per_buyer.", "max_places")

    @post_load
    def as_value(self, data: dict[str, Any], **_kwargs: Any) -> SaleLimit:
        """The limit as a value."""
        return SaleLimit(**data)


class SetSectionLimitsSchema(Input):
    """All limits of a show; a section that is not named has none."""

    example = {"items": [{"section": "Floor", "max_places": 1500, "max_per_buyer": 8}]}

    items = Listed(
        fields.Nested(WantedLimitSchema()),
        required=True,
        validate=validate.Length(0, MOST_SECTIONS),
    )
