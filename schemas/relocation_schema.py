"""Relocations on the wire."""

from typing import Any

from marshmallow import ValidationError, fields

from models.relocation import Outcome, RelocationStatus, Unplaced
from schemas.fields import Derived, Input, Instant, Resource, key, text, whole

MOST_SECTIONS = 1000
LARGEST_NUMBER = 2**31 - 1


class Renamed(fields.Dict):
    """Names by names."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {
            "description": "What sections are called there, by what they are called here",
            "allOf": [
                {
                    "propertyNames": {"minLength": 1, "maxLength": 100},
                    "maxProperties": MOST_SECTIONS,
                }
            ],
        }
        name = text(100)
        super().__init__(name, text(100), metadata=metadata, validate=_few, **kwargs)


def _few(names: dict[str, str]) -> None:
    if len(names) > MOST_SECTIONS:
        raise ValidationError(f"At most {MOST_SECTIONS} sections.")


class RelocateSchema(Input):
    """Where a show goes: without `venue_id` it stays in its venue, without `seat_map_id` it gets
    the venue's usual map, without `seat_map_version` the present one.
    """

    example = {"venue_id": 4, "sections": {"Floor": "Main Hall"}, "unplaced": "refuse"}

    venue_id = key()
    seat_map_id = key()
    seat_map_version = whole(1, LARGEST_NUMBER)
    sections = Renamed()
    unplaced = fields.Enum(
        Unplaced,
        by_value=True,
        metadata={"description": "Whether who has no room there stops it all, or is cancelled"},
    )


class SummarySchema(Resource):
    """How many bookings and places, and how many parties go which way."""

    bookings = fields.Integer(required=True)
    places = fields.Integer(required=True)
    parties = fields.Integer(
        required=True, metadata={"description": "Of each booking, what it has in one stock"}
    )
    kept = fields.Integer(required=True, metadata={"description": "Same row and number"})
    together = fields.Integer(
        required=True, metadata={"description": "Other seats, as near to each other as before"}
    )
    split = fields.Integer(required=True)
    unplaced = fields.Integer(required=True)
    unplaced_bookings = fields.Integer(required=True)
    unplaced_places = fields.Integer(required=True)


class MoveSchema(Resource):
    """A party, seat by seat; no `to` where there is no room for it."""

    booking_id = fields.Integer(required=True)
    reference = fields.String(required=True)
    outcome = fields.Enum(Outcome, by_value=True, required=True)
    from_seats = fields.List(fields.String(), required=True, data_key="from")
    to_seats = fields.List(fields.String(), required=True, data_key="to")


class RelocationPreviewSchema(Resource):
    """What would become of whom: those without room first, and at most 100 of those who move."""

    show_id = fields.Integer(required=True)
    venue_id = fields.Integer(required=True, attribute="to_venue_id")
    seat_map_id = fields.Integer(required=True)
    seat_map_version = fields.Integer(required=True)
    summary = fields.Nested(SummarySchema, required=True)
    moves = fields.List(fields.Nested(MoveSchema), required=True)
    more = fields.Integer(required=True, metadata={"description": "How many more move"})


def next_steps(relocation: Any) -> list[dict[str, str]]:
    """What can be done with a relocation from here."""
    if relocation.status != RelocationStatus.PLANNED:
        return []
    href = f"/relocations/{relocation.id}/apply"
    return [{"action": "apply", "method": "POST", "href": href}]


class RelocationStepSchema(Resource):
    action = fields.String(required=True)
    method = fields.String(required=True)
    href = fields.String(required=True)


class RelocationSchema(Resource):
    """A show's move to another hall; one that is planned, and not applied, can be gone on with."""

    id = fields.Integer(required=True)
    show_id = fields.Integer(required=True)
    status = fields.Enum(RelocationStatus, by_value=True, required=True)
    venue_id = fields.Integer(required=True, attribute="to_venue_id")
    seat_map_id = fields.Integer(required=True)
    seat_map_version = fields.Integer(required=True)
    sections = fields.Dict(fields.String(), fields.String(), required=True)
    unplaced = fields.Enum(Unplaced, by_value=True, required=True)
    summary = fields.Nested(SummarySchema, required=True)
    created_at = Instant(required=True)
    applied_at = Instant(required=True, allow_none=True)
    next = Derived(fields.Nested(RelocationStepSchema), next_steps, required=True)
