"""Shows on the wire. Their times read as the clocks of their own zone."""

from marshmallow import Schema, fields

from models import AvailabilityDisplay, EventStatus, ShowStatus
from models.venue import LARGEST_VENUE
from schemas.event_schema import Around, ShowConditions
from schemas.fields import (
    LARGEST_ID,
    Flag,
    Input,
    Instant,
    Resource,
    currency,
    key,
    one_of,
    time_zone,
    wanted_key,
    whole,
)
from schemas.fields import wanted_words as words
from utils.listing import choices


class ShowEventSchema(Schema):
    id = fields.Integer(required=True)
    title = fields.String(required=True)
    artist = fields.String(required=True, allow_none=True)
    tour_name = fields.String(required=True, allow_none=True)
    status = fields.Enum(EventStatus, by_value=True, required=True)
    organiser_id = fields.Integer(required=True, allow_none=True)


class ShowVenueSchema(Schema):
    id = fields.Integer(required=True, allow_none=True, attribute="venue_id")
    name = fields.String(required=True, attribute="venue_name")
    city = fields.String(attribute="venue.city")
    country = fields.String(attribute="venue.country")


class ShowSchema(Resource):
    """An event on a date at a venue."""

    versioned = True

    id = fields.Integer(required=True)
    event_id = fields.Integer(required=True)
    event = fields.Nested(ShowEventSchema, required=True)
    venue_id = fields.Integer(required=True, allow_none=True)
    venue = Around(
        ShowVenueSchema,
        required=True,
        metadata={"description": '"To Be Announced", without an id, while there is none'},
    )
    seat_map_id = fields.Integer(required=True, allow_none=True)
    seat_map_version = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "The number of the version that its places come from"},
    )
    starts_at = Instant(required=True, allow_none=True)
    doors_at = Instant(required=True, allow_none=True)
    ends_at = Instant(required=True, allow_none=True)
    time_zone = fields.String(required=True)
    currency = fields.String(required=True)
    licensed_capacity = fields.Integer(required=True, allow_none=True)
    status = fields.Enum(ShowStatus, by_value=True, required=True)
    sales_paused = fields.Boolean(required=True)
    availability_display = fields.Enum(AvailabilityDisplay, by_value=True, required=True)
    avoid_single_seats = fields.Boolean(required=True)
    cancelled_at = Instant(required=True, allow_none=True)
    cancel_reason = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class WarningSchema(Schema):
    code = fields.String(required=True)
    detail = fields.String(required=True)
    show_id = fields.Integer(required=True, allow_none=True)


class EditedShowSchema(ShowSchema):
    """A show, and what publishing it would run into."""

    warnings = fields.List(fields.Nested(WarningSchema), required=True)


class ShowInputSchema(Input):
    """What a show says of itself, apart from its event and its date."""

    venue_id = key(load_default=None, metadata={"description": 'null: "To Be Announced"'})
    seat_map_id = key(
        metadata={
            "description": "A map of the venue: the default one unless told; left out on PUT, "
            "the map stays"
        }
    )
    seat_map_version = whole(
        1,
        LARGEST_ID,
        metadata={
            "description": "The number of a version, also an older one; the current one unless told"
        },
    )
    doors_at = Instant(load_default=None)
    ends_at = Instant(
        load_default=None,
        metadata={"description": "null: after the event's duration, or four hours"},
    )
    time_zone = time_zone(
        load_default=None, metadata={"description": "null: the venue's; needed without one"}
    )
    currency = currency(required=True)
    licensed_capacity = whole(
        1,
        LARGEST_VENUE,
        load_default=None,
        metadata={"description": "How many the licence allows, if fewer than the venue holds"},
    )
    availability_display = fields.Enum(
        AvailabilityDisplay, by_value=True, load_default=AvailabilityDisplay.NUMBER
    )
    avoid_single_seats = Flag(
        load_default=False,
        metadata={"description": "Whether buyers are kept from leaving single seats alone"},
    )


class NewShowSchema(ShowInputSchema):
    example = {
        "event_id": 12,
        "venue_id": 1,
        "starts_at": "2040-06-15T20:00:00+03:00",
        "doors_at": "2040-06-15T18:30:00+03:00",
        "currency": "KES",
    }

    event_id = key(required=True)
    starts_at = Instant(required=True)


class ReplaceShowSchema(ShowInputSchema):
    """What PUT sets; a postponed show has no date to send."""

    example = {
        "venue_id": 1,
        "starts_at": "2040-06-15T20:30:00+03:00",
        "doors_at": "2040-06-15T19:00:00+03:00",
        "ends_at": "2040-06-16T01:30:00+03:00",
        "time_zone": "Africa/Nairobi",
        "currency": "KES",
        "licensed_capacity": 3500,
        "availability_display": "number",
        "avoid_single_seats": True,
    }

    event_id = key(metadata={"description": "A show stays with its event"})
    starts_at = Instant(required=True, allow_none=True)


class EditShowSchema(ReplaceShowSchema):
    """What PATCH may change."""

    example = {
        "licensed_capacity": 3000,
        "availability_display": "word",
        "avoid_single_seats": True,
    }


class CopyShowSchema(Input):
    """When the second night is."""

    example = {"starts_at": "2040-06-16T20:00:00+03:00"}

    starts_at = Instant(required=True)
    doors_at = Instant(load_default=None)
    ends_at = Instant(load_default=None)


class RescheduleSchema(CopyShowSchema):
    """When, and perhaps where, the show is now."""

    example = {"starts_at": "2040-07-06T20:00:00+03:00", "doors_at": "2040-07-06T18:30:00+03:00"}

    venue_id = key(allow_none=True)


class ShowFilters(ShowConditions):
    event_id = wanted_key()
    q = words(metadata={"description": "In the title, artist, tour, venue or city"})
    status = fields.Enum(ShowStatus, by_value=True)
    sort = one_of(choices(("starts_at", "created_at")), load_default="starts_at")
