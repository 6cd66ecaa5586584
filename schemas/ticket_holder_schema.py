"""Ticket holders on the wire."""

from marshmallow import fields, validate

from schemas.fields import Email, Input, Instant, Resource, key, phone, text, wanted_key


class TicketHolderSchema(Resource):
    """A person whom a user, or an organiser, books for."""

    versioned = True

    id = fields.Integer(required=True)
    user_id = fields.Integer(required=True, allow_none=True)
    organiser_id = fields.Integer(required=True, allow_none=True)
    name = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)


class EditTicketHolderSchema(Input):
    example = {"phone": "+64 21 555 0116"}

    name = text(200)
    email = Email(allow_none=True)
    phone = phone(allow_none=True)


class ReplaceTicketHolderSchema(Input):
    """All that can be written; what is left out is emptied."""

    example = {"name": "Mere Ngata-Smith", "email": "mere@example.com"}

    name = text(200, required=True)
    email = Email(load_default=None, allow_none=True)
    phone = phone(load_default=None, allow_none=True)


class CreateTicketHolderSchema(ReplaceTicketHolderSchema):
    example = {"name": "Mere Ngata", "email": "mere@example.com", "phone": "+64 21 555 0115"}

    organiser_id = key(
        load_default=None, allow_none=True, metadata={"description": "Whose; yours if left out"}
    )


class TicketHolderFilters(Input):
    organiser_id = wanted_key()
    q = fields.String(validate=validate.Length(1, 200))
