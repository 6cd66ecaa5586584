"""Venues and their layout on the wire."""

from collections import Counter
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from models import SectionKind
from models.layout import WantedRow, WantedSection, plain_row
from models.stock import seat_prefix
from models.venue import LARGEST_VENUE
from schemas.fields import (
    Coordinate,
    Input,
    Instant,
    Listed,
    Resource,
    country,
    key,
    not_together,
    one_of,
    plain_line,
    text,
    time_zone,
    wanted_key,
    wanted_whole,
    whole,
)
from schemas.fields import wanted_words as words
from schemas.seat_labels import LONGEST_LABEL, lettered
from utils.listing import choices


class SectionSchema(Schema):
    """A part of the hall: a floor to stand on or a block of numbered seats."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    kind = fields.Enum(SectionKind, by_value=True, required=True)
    capacity = fields.Integer(required=True)


class VenueSchema(Resource):
    """A hall; `seat_map_version` counts how often it was laid out anew."""

    versioned = True

    id = fields.Integer(required=True)
    organiser_id = fields.Integer(
        required=True, allow_none=True, metadata={"description": "null: shared by everyone"}
    )
    name = fields.String(required=True)
    address = fields.String(required=True, allow_none=True)
    city = fields.String(required=True)
    country = fields.String(required=True)
    latitude = fields.Float(required=True, allow_none=True)
    longitude = fields.Float(required=True, allow_none=True)
    time_zone = fields.String(required=True)
    capacity = fields.Integer(required=True)
    sections = fields.List(fields.Nested(SectionSchema), required=True)
    seat_map_version = fields.Integer(required=True, attribute="seat_map.number")
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


def _label(value: str) -> None:
    if "/" in value or value != value.strip():
        raise ValidationError("Must have no slash, and no space at either end.")


def label(**kwargs: Any) -> fields.String:
    """What is painted on a seat or on a row."""
    metadata = {"pattern": r"^[^/\s]([^/]*[^/\s])?$"}
    checks: list[Any] = [validate.Length(1, LONGEST_LABEL), plain_line, _label]
    return fields.String(validate=checks, metadata=metadata, **kwargs)


class RowSchema(Input):
    """A row of numbered seats, in the order in which people sit."""

    row = label(required=True)
    numbers = Listed(label(), required=True, validate=validate.Length(1, 1000))


class WantedSectionSchema(Input):
    """Standing with a `capacity`; seated with `rows` and `seats_per_row`, or with each seat."""

    rules = (
        {
            "oneOf": [
                {"properties": {"kind": {"const": str(kind)}}, "required": required}
                for kind, required in (
                    (SectionKind.STANDING, ["capacity"]),
                    (SectionKind.SEATED, ["rows", "seats_per_row"]),
                    (SectionKind.SEATED, ["seats"]),
                )
            ]
        },
        not_together("capacity", "rows", "seats_per_row", "seats"),
        not_together("seats", "rows", "seats_per_row"),
    )

    name = text(100, required=True)
    kind = fields.Enum(SectionKind, by_value=True, required=True)
    capacity = whole(1, LARGEST_VENUE)
    rows = whole(1, 1000, metadata={"description": "Counted rows are called A to Z, AA, AB …"})
    seats_per_row = whole(1, 1000, metadata={"description": "Counted seats are called 1, 2 …"})
    seats = Listed(fields.Nested(RowSchema), validate=validate.Length(1, 1000))

    @validates_schema
    def says_one_thing(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse a section that does not say how large it is, or says it twice."""
        given = sorted({"capacity", "rows", "seats_per_row", "seats"} & data.keys())
        if data["kind"] == SectionKind.STANDING:
            if given != ["capacity"]:
                raise ValidationError("A standing section has a capacity, and no seats.")
        elif given not in (["rows", "seats_per_row"], ["seats"]):
            raise ValidationError("A seated section has rows and seats_per_row, or seats.")
        seats = [(row["row"], number) for row in data.get("seats", ()) for number in row["numbers"]]
        for twice in _twice([f"{row}-{number}" for row, number in seats]):
            raise ValidationError(f"There are two seats {twice}.", "seats")
        for twice in _twice([row["row"] for row in data.get("seats", ())]):
            raise ValidationError(f"There are two rows {twice}.", "seats")


class SectionField(fields.Nested):
    """A section, whole: also where the rest of the body is partial."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(WantedSectionSchema(), **kwargs)

    def _deserialize(
        self, value: Any, attr: Any, data: Any, partial: Any = None, **kwargs: Any
    ) -> Any:
        return super()._deserialize(value, attr, data, **kwargs)


class VenueInputSchema(Input):
    """What a new venue needs, and what PUT sets."""

    example = {
        "name": "Uhuru Gardens Amphitheatre",
        "address": "Langata Road",
        "city": "Nairobi",
        "country": "KE",
        "latitude": -1.3262,
        "longitude": 36.7869,
        "time_zone": "Africa/Nairobi",
        "capacity": 2500,
        "sections": [
            {"name": "Lawn", "kind": "standing", "capacity": 2000},
            {"name": "Terrace", "kind": "seated", "rows": 10, "seats_per_row": 40},
        ],
    }

    organiser_id = key(
        allow_none=True,
        metadata={"description": "Whose hall it is; left out on PUT, that stays as it is"},
    )
    name = text(200, required=True)
    address = text(500, load_default=None)
    city = text(100, required=True)
    country = country(required=True)
    latitude = Coordinate(load_default=None, validate=validate.Range(-90, 90))
    longitude = Coordinate(load_default=None, validate=validate.Range(-180, 180))
    time_zone = time_zone(required=True)
    capacity = whole(1, LARGEST_VENUE, required=True)
    sections = Listed(
        SectionField(),
        validate=validate.Length(1, 500),
        metadata={
            "description": "How it is laid out for new shows: one standing Floor unless told; "
            "left out on PUT, the map stays"
        },
    )

    @validates_schema
    def fits_a_map(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Refuse sections of one name, and more seats than a map holds."""
        sections = data.get("sections", ())
        # Seats are known by SECTION/row-number, so names must differ as keys write them.
        for twice in _twice([seat_prefix(section["name"])[:-1] for section in sections]):
            raise ValidationError(f"There are two sections {twice}.", "sections")
        held = sum(_capacity(section) for section in sections)
        if held > min(LARGEST_VENUE, data.get("capacity", LARGEST_VENUE)):
            raise ValidationError(f"They hold {held}, which is more than fit.", "sections")

    @post_load
    def as_values(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """The body with its sections as values."""
        if "sections" in data:
            data["sections"] = [_section(section) for section in data["sections"]]
        return data


class EditVenueSchema(VenueInputSchema):
    """What PATCH may change."""

    example = {"address": "Langata Road, Gate B"}


class VenueFilters(Input):
    q = words(metadata={"description": "In the name, the address or the city"})
    city = words()
    location = words(metadata={"description": "In the name, the address or the city"})
    country = country()
    organiser_id = wanted_key()
    min_capacity = wanted_whole(1, LARGEST_VENUE)
    sort = one_of(choices(("name", "city", "capacity", "created_at")), load_default="name")


def _twice(names: list[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _capacity(section: dict[str, Any]) -> int:
    if "capacity" in section:
        return int(section["capacity"])
    if "seats" in section:
        return sum(len(row["numbers"]) for row in section["seats"])
    return int(section["rows"] * section["seats_per_row"])


def _section(section: dict[str, Any]) -> WantedSection:
    rows: tuple[WantedRow, ...] = ()
    if "seats" in section:
        rows = tuple(plain_row(row["row"], row["numbers"]) for row in section["seats"])
    elif "rows" in section:
        numbers = [str(number + 1) for number in range(section["seats_per_row"])]
        rows = tuple(plain_row(lettered(number), numbers) for number in range(section["rows"]))
    return WantedSection(section["name"], section["kind"], _capacity(section), rows)
