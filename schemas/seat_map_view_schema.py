"""The hall of a show on the wire, as buyers' pages draw it."""

from marshmallow import Schema, fields, validate

from models.seat_map import SeatKind, SectionKind
from schemas.fields import Input, Instant, Resource, one_of, wanted_key
from schemas.tier_schema import PriceSchema

LONGEST_CURSOR = 10_000
POINT = {"description": "x and y, in seats' widths; y grows downwards"}
STATES = ("taken", "held", "sold", "house", "unassigned", "free")


class SeatMapParameters(Input):
    version = wanted_key(
        metadata={"description": "The version of the map that the show has; 404 for any other"}
    )


class SeatStatusParameters(Input):
    since = fields.String(
        validate=validate.Length(1, LONGEST_CURSOR),
        metadata={"description": "The cursor of an earlier answer: what has changed since then"},
    )


class StageSchema(Schema):
    x = fields.Float(required=True)
    y = fields.Float(required=True)
    width = fields.Float(required=True)
    height = fields.Float(required=True)
    label = fields.String()


class MapSeatSchema(Schema):
    """A seat; `position` counts through its section, and neighbours differ by one."""

    key = fields.String(required=True)
    number = fields.String(required=True, metadata={"description": "What is painted on it"})
    position = fields.Integer(required=True)
    x = fields.Float(required=True)
    y = fields.Float(required=True)
    kind = fields.Enum(SeatKind, by_value=True, metadata={"description": "Not on ordinary seats"})
    restricted_view = fields.Boolean(metadata={"description": "Only where it is"})


class MapRowSchema(Schema):
    """A row, or a table, with its seats as people sit."""

    label = fields.String(required=True)
    seats = fields.List(fields.Nested(MapSeatSchema), required=True)


class MapSectionSchema(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    kind = fields.Enum(SectionKind, by_value=True, required=True)
    capacity = fields.Integer(required=True)
    outline = fields.List(fields.List(fields.Float(metadata=POINT)), required=True)
    rows = fields.List(fields.Nested(MapRowSchema), metadata={"description": "Where people sit"})


class SeatMapViewSchema(Resource):
    """How the hall of a show is laid out. A version never changes: keep it for ever."""

    versioned = True

    seat_map_version_id = fields.Integer(required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True)
    number = fields.Integer(required=True, allow_none=True)
    bounds = fields.List(
        fields.Float(),
        required=True,
        metadata={"description": "x, y, width and height of all that is drawn"},
    )
    stage = fields.Nested(StageSchema, required=True, allow_none=True)
    sections = fields.List(fields.Nested(MapSectionSchema), required=True)


class SeatStatusSchema(Resource):
    """What is not free; a seat that is not named is. With `since`: what changed, also to free."""

    show_id = fields.Integer(required=True)
    seat_map_version_id = fields.Integer(required=True, allow_none=True)
    seat_map = fields.String(required=True, metadata={"description": "Where that map is"})
    as_of = Instant(required=True)
    cursor = fields.String(required=True, metadata={"description": "For `since`"})
    whole = fields.Boolean(
        required=True,
        metadata={"description": "Whether to forget what you knew: seats not named are free"},
    )
    seats = fields.Dict(
        keys=fields.String(),
        values=one_of(STATES),
        required=True,
        metadata={
            "description": "`taken` is all that the public reads of what it cannot buy; those who "
            "work for the organiser read held, sold, house (no tier sells it) and unassigned (in "
            "no stock)"
        },
    )


class OfferingTierSchema(Schema):
    """A tier of the show; whether it is on sale now, its availability says."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    prices = fields.List(fields.Nested(PriceSchema), required=True)


class OfferedRowsSchema(Schema):
    section = fields.String(required=True)
    rows = fields.List(fields.String(), required=True)


class OfferedAreaSchema(Schema):
    """Seats that the same tiers sell: whole sections, whole rows, and single ones by key."""

    tier_ids = fields.List(fields.Integer(), required=True)
    sections = fields.List(fields.String(), required=True)
    rows = fields.List(fields.Nested(OfferedRowsSchema), required=True)
    seats = fields.List(fields.String(), required=True)


class SeatOffersSchema(Resource):
    """Which tiers sell which seats at this moment; what no area names, nobody can buy."""

    versioned = True

    show_id = fields.Integer(required=True)
    seat_map_version_id = fields.Integer(required=True, allow_none=True)
    seat_map = fields.String(required=True)
    tiers = fields.List(fields.Nested(OfferingTierSchema), required=True)
    areas = fields.List(fields.Nested(OfferedAreaSchema), required=True)
