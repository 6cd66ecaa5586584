"""The door on the wire: attendees and check-ins."""

from marshmallow import fields, validate

from models.ticket import TicketStatus
from schemas.fields import Input, Instant, Resource, text


class AttendeeFilters(Input):
    q = fields.String(
        validate=validate.Length(1, 200), metadata={"description": "Part of a name or an address"}
    )
    status = fields.Enum(TicketStatus, by_value=True)


class AttendeeRowSchema(Resource):
    """One ticket that opens the door, or has; its code stays with its holder."""

    ticket_id = fields.Integer(required=True, attribute="id")
    reference = fields.String(required=True, attribute="booking.reference")
    name = fields.String(required=True, attribute="ticket_holder.name")
    email = fields.String(required=True, allow_none=True, attribute="ticket_holder.email")
    tier = fields.Function(
        lambda ticket: ticket.line.tier.name if ticket.line.tier else None,
        required=True,
        metadata={"type": ["string", "null"]},
    )
    section = fields.String(required=True, attribute="place.section")
    row = fields.String(required=True, allow_none=True, attribute="place.row")
    number = fields.String(required=True, allow_none=True, attribute="place.number")
    status = fields.Enum(TicketStatus, by_value=True, required=True)
    admitted_at = fields.Function(
        lambda ticket: ticket.check_in.admitted_at.isoformat() if ticket.check_in else None,
        required=True,
        metadata={"type": ["string", "null"], "format": "date-time"},
    )


class AdmitSchema(Input):
    example = {"code": "the code of a ticket", "gate": "Main gate"}

    code = text(64, required=True, metadata={"description": "What the ticket's QR code says"})
    gate = text(100, load_default=None, allow_none=True)


class AdmissionSchema(Resource):
    """Somebody let in, and what a steward wants to see."""

    id = fields.Integer(required=True)
    show_id = fields.Integer(required=True)
    ticket_id = fields.Integer(required=True)
    gate = fields.String(required=True, allow_none=True)
    admitted_at = Instant(required=True)
    ticket_holder = fields.String(required=True)
    tier = fields.String(required=True, allow_none=True)
    section = fields.String(required=True)
    row = fields.String(required=True, allow_none=True)
    number = fields.String(required=True, allow_none=True)


class CheckInSchema(Resource):
    """One admission, for the list."""

    id = fields.Integer(required=True)
    show_id = fields.Integer(required=True)
    ticket_id = fields.Integer(required=True)
    gate = fields.String(required=True, allow_none=True)
    admitted_at = Instant(required=True)
    ticket_holder = fields.String(required=True, attribute="ticket.ticket_holder.name")
