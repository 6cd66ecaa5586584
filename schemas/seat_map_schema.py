"""Seat maps on the wire."""

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from models.layout import WantedMap
from schemas.event_schema import DryRunParameters
from schemas.fields import Flag, Input, Instant, Resource, one_of, text
from schemas.seat_map_document import EXAMPLES, SCHEMA, inlined
from schemas.seat_map_reading import LONGEST_NAME, read_map
from utils.listing import choices

SHAPE = {name: inlined(rule) for name, rule in SCHEMA.items() if name not in ("$schema", "$defs")}
del SHAPE["examples"], SHAPE["description"]


class SeatMapSchema(Resource):
    """A way to lay out a venue, with what its current version holds."""

    versioned = True

    id = fields.Integer(required=True)
    venue_id = fields.Integer(required=True)
    name = fields.String(required=True)
    is_default = fields.Boolean(
        required=True, metadata={"description": "Whether new shows at the venue get it"}
    )
    current_version = fields.Integer(required=True)
    sections = fields.Integer(required=True, metadata={"description": "How many"})
    seats = fields.Integer(required=True, metadata={"description": "How many of the capacity"})
    capacity = fields.Integer(required=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class SeatMapVersionSchema(Schema):
    """A map as it was from one time on; its document never changes."""

    number = fields.Integer(required=True)
    seat_map_id = fields.Integer(required=True)
    name = fields.String(required=True, metadata={"description": "What the map was called then"})
    note = fields.String(required=True, allow_none=True)
    seats = fields.Integer(required=True)
    capacity = fields.Integer(required=True)
    created_at = Instant(required=True)
    replaced_at = Instant(
        required=True, allow_none=True, metadata={"description": "null: it is the current one"}
    )


class SeatMapDocumentSchema(Input):
    """A whole seat map; its JSON Schema is at /seat_maps/schema."""

    class Meta:
        unknown = INCLUDE  # the document is read by hand, for there may be 200,000 seats in it

    rules = (SHAPE,)
    example = EXAMPLES[0]

    def load(self, data: Any, **_kwargs: Any) -> Any:
        """The map that is described. Raises ValidationError with each mistake at its path."""
        return read_map(data)


class JsonSchemaSchema(Schema):
    """A JSON Schema of the draft 2020-12."""

    class Meta:
        unknown = INCLUDE


class EditSeatMapSchema(Input):
    """A new name, or that new shows get this map from now on."""

    example = {"name": "Concert"}

    name = text(LONGEST_NAME)
    is_default = Flag(
        validate=validate.Equal(True, error="Make another map the default instead."),
        metadata={"enum": [True]},
    )


class SeatMapFilters(Input):
    sort = one_of(choices(("name", "created_at")), load_default="name")


class WouldHoldSchema(Schema):
    """What a section of a map would hold."""

    name = fields.String(required=True)
    kind = fields.String(required=True)
    rows = fields.Integer(required=True)
    seats = fields.Integer(required=True)
    capacity = fields.Integer(required=True)


class SeatMapPreviewSchema(Schema):
    """What a map would be, of which nothing has been written."""

    name = fields.String(required=True)
    seats = fields.Integer(required=True)
    capacity = fields.Integer(required=True)
    sections = fields.List(fields.Nested(WouldHoldSchema), required=True)


class CreateSeatMapParameters(DryRunParameters):
    """Whether to write anything."""


def preview(wanted: WantedMap) -> Mapping[str, Any]:
    """What SeatMapPreviewSchema says of a map that was read."""
    sections = [
        {
            "name": section.name,
            "kind": section.kind.value,
            "rows": len(section.rows),
            "seats": sum(len(row.seats) for row in section.rows),
            "capacity": section.capacity,
        }
        for section in wanted.sections
    ]
    seats = sum(section.capacity for section in wanted.sections if section.kind.has_seats)
    return {"name": wanted.name, "seats": seats, "capacity": wanted.capacity, "sections": sections}
