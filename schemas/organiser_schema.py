"""Organisers and their members on the wire."""

from marshmallow import Schema, fields

from models import MemberRole, Verification
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
    verified = fields.Boolean(
        required=True, metadata={"description": "Whether an admin has looked at who it is"}
    )
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class VerificationSchema(Resource):
    """How far an organiser's verification is; its members and admins read it."""

    versioned = True

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    verification = fields.Enum(Verification, by_value=True, required=True)
    verification_reason = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Why it was refused; while it has applied, its note"},
    )
    applied_at = Instant(required=True, allow_none=True)


class ApplySchema(Input):
    """What helps whoever looks."""

    example = {"note": "We are in the register of companies as Rift Valley Sessions Ltd."}

    note = text(1000, load_default=None)


class RefuseSchema(Input):
    """Why not; the organiser reads it."""

    example = {"reason": "The web site is not yours."}

    reason = text(1000, required=True)


class VerificationFilters(Input):
    verification = fields.Enum(
        Verification,
        by_value=True,
        load_default=Verification.APPLIED,
        metadata={"description": "applied unless told"},
    )


class InvitationSchema(Resource):
    """An offer to work for an organiser, open until it expires."""

    id = fields.Integer(required=True)
    organiser_id = fields.Integer(required=True)
    email = fields.String(required=True)
    role = fields.Enum(MemberRole, by_value=True, required=True)
    expires_at = Instant(required=True)
    created_at = Instant(required=True)


class InviteSchema(Input):
    example = {"email": "stagehand@example.com", "role": "door"}

    email = Email(required=True)
    role = fields.Enum(MemberRole, by_value=True, required=True)


class AcceptInvitationSchema(Input):
    example = {"token": "the token in the link that was mailed"}

    token = text(200, required=True)


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
