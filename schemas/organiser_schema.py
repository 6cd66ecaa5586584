"""Organisers and their members on the wire."""

from marshmallow import Schema, fields

from models import MemberRole
from schemas.fields import Email, Input, Instant, Resource, WebUrl, one_of, phone, text
from schemas.fields import wanted_words as words
from utils.listing import choices


class OrganiserSchema(Resource):
    """Who puts events on; how to reach them is public."""

    versioned = True

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)
    description = fields.String(required=True, allow_none=True)
    website = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class OrganiserInputSchema(Input):
    """What a new organiser needs, and what PUT sets."""

    example = {
        "name": "Rift Valley Sessions",
        "email": "office@riftvalley.example",
        "phone": "+254 51 555 0120",
        "website": "https://riftvalley.example",
        "description": "Small stages, long nights.",
    }

    name = text(200, required=True)
    email = Email(required=True)
    phone = phone(load_default=None)
    description = text(10_000, load_default=None)
    website = WebUrl(load_default=None)


class EditOrganiserSchema(OrganiserInputSchema):
    """What PATCH may change."""

    example = {"description": "Small stages, long nights, good tea."}


class OrganiserFilters(Input):
    q = words(metadata={"description": "In the name or the description"})
    sort = one_of(choices(("name", "created_at")), load_default="name")


class MemberUserSchema(Schema):
    id = fields.Integer(required=True)
    name = fields.String(required=True)
    email = fields.String(required=True)


class MemberSchema(Resource):
    """Somebody who works for an organiser."""

    organiser_id = fields.Integer(required=True)
    user_id = fields.Integer(required=True)
    user = fields.Nested(MemberUserSchema, required=True)
    role = fields.Enum(MemberRole, by_value=True, required=True)
    created_at = Instant(required=True)


class AddMemberSchema(Input):
    example = {"email": "attendee@gigmate.example", "role": "door"}

    email = Email(required=True, metadata={"description": "Of an account that exists"})
    role = fields.Enum(MemberRole, by_value=True, required=True)


class EditMemberSchema(Input):
    example = {"role": "manager"}

    role = fields.Enum(MemberRole, by_value=True, required=True)
