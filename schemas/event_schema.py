"""Events on the wire."""

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from models import EventStatus, Moderation
from schemas.fields import (
    Input,
    Instant,
    Listed,
    Resource,
    WebUrl,
    key,
    one_of,
    text,
    wanted_day,
    wanted_flag,
    wanted_key,
    whole,
)
from schemas.fields import wanted_words as words
from utils.listing import choices


class Around(fields.Nested):
    """An object made of attributes of the one that it is in."""

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Any:
        return obj


class EventOrganiserSchema(Schema):
    id = fields.Integer(required=True, allow_none=True, attribute="organiser_id")
    name = fields.String(required=True, attribute="organiser_name")


class EventSchema(Resource):
    """What is put on; when and where is at /shows?event_id=…"""

    versioned = True

    id = fields.Integer(required=True)
    organiser_id = fields.Integer(required=True, allow_none=True)
    organiser = Around(
        EventOrganiserSchema,
        required=True,
        metadata={"description": '"To Be Determined", without an id, where there is none'},
    )
    title = fields.String(required=True)
    artist = fields.String(required=True, allow_none=True)
    tour_name = fields.String(required=True, allow_none=True)
    description = fields.String(required=True, allow_none=True)
    category = fields.String(required=True, allow_none=True)
    tags = fields.List(fields.String(), required=True)
    duration_minutes = fields.Integer(required=True, allow_none=True)
    age_limit = fields.Integer(required=True, allow_none=True)
    image_url = fields.String(required=True, allow_none=True)
    status = fields.Enum(EventStatus, by_value=True, required=True)
    moderation = fields.Enum(Moderation, by_value=True, required=True)
    moderation_reason = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "Why it was rejected: the public sees no such event, and so no reason"
        },
    )
    published_at = Instant(required=True, allow_none=True)
    cancelled_at = Instant(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class ModeratedEventSchema(EventSchema):
    """An event as those see it who approve."""

    submitted_at = Instant(required=True, allow_none=True)


def _each_once(tags: list[str]) -> None:
    if len({tag.lower() for tag in tags}) < len(tags):
        raise ValidationError("A tag is given twice.")


class EventInputSchema(Input):
    """What a new event needs, and what PUT sets."""

    example = {
        "organiser_id": 1,
        "title": "The Long Rains Festival",
        "artist": "Muthoni and the Monsoon",
        "tour_name": "Long Rains",
        "description": "Three bands, one umbrella.",
        "category": "festival",
        "tags": ["benga", "open air"],
        "duration_minutes": 300,
        "age_limit": 16,
    }

    organiser_id = key(
        allow_none=True,
        metadata={"description": "Whose event it is; left out on PUT, that stays as it is"},
    )
    title = text(200, required=True)
    artist = text(200, load_default=None)
    tour_name = text(200, load_default=None)
    description = text(10_000, load_default=None)
    category = text(50, load_default=None)
    tags = Listed(
        text(50),
        load_default=list,
        validate=[validate.Length(max=20), _each_once],
        metadata={"description": "In any case, each once", "uniqueItems": True},
    )
    duration_minutes = whole(1, 20_160, load_default=None)
    age_limit = whole(0, 99, load_default=None)
    image_url = WebUrl(load_default=None)


class EditEventSchema(EventInputSchema):
    """What PATCH may change."""

    example = {"description": "Four bands, one umbrella."}


class ShowConditions(Input):
    """What can be asked of the date and the place of a show."""

    venue_id = wanted_key()
    city = words()
    location = words(metadata={"description": "In the venue's name, address or city"})
    date = wanted_day(metadata={"description": "A day of the show's own calendar"})
    date_from = wanted_day()
    date_to = wanted_day(metadata={"description": "The last day, itself included"})
    on_sale = wanted_flag(metadata={"description": "Whether a tier sells at this moment"})
    organiser_id = wanted_key()
    artist = words()


class EventFilters(ShowConditions):
    q = words(metadata={"description": "In the title, artist, tour or description"})
    tour_name = words()
    venue = words(metadata={"description": "In the venue's name"})
    organiser = words(metadata={"description": "In the organiser's name"})
    category = words()
    tag = words()
    status = fields.Enum(
        EventStatus, by_value=True, metadata={"description": "published unless told"}
    )
    sort = one_of(
        choices(("starts_at", "title", "artist", "created_at")),
        load_default="starts_at",
        metadata={"description": "starts_at is that of the next show"},
    )


class MyEventFilters(EventFilters):
    status = fields.Enum(EventStatus, by_value=True, metadata={"description": "any unless told"})


class ModerationFilters(Input):
    moderation = fields.Enum(
        Moderation,
        by_value=True,
        load_default=Moderation.PENDING,
        metadata={"description": "pending unless told"},
    )


class RejectSchema(Input):
    """Why not; the organiser reads it."""

    example = {"reason": "Name the artist that plays."}

    reason = text(1000, required=True)


class CancelSchema(Input):
    """Why; the bookers are told."""

    example = {"reason": "The river is in the tent."}

    reason = text(1000, load_default=None)


class DryRunParameters(Input):
    dry_run = wanted_flag(
        load_default=False, metadata={"description": "Say what would happen, and do nothing"}
    )


class CancelPreviewSchema(Schema):
    """What a cancellation would end."""

    shows = fields.Integer(required=True)
    bookings = fields.Integer(required=True)
    places = fields.Integer(required=True)
