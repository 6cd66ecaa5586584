"""The audit on the wire."""

from marshmallow import fields, validate

from schemas.fields import Input, Instant, Resource, wanted_key


class AuditEntrySchema(Resource):
    """One change: who made it, to what, from what to what, and why."""

    id = fields.Integer(required=True)
    at = Instant(required=True)
    action = fields.String(required=True, metadata={"description": "As `booking.cancel`"})
    target_type = fields.String(required=True)
    target_id = fields.Integer(required=True)
    organiser_id = fields.Integer(required=True, allow_none=True)
    origin = fields.String(required=True, metadata={"description": "`api`, or a `command`"})
    user_id = fields.Integer(required=True, allow_none=True)
    sign_in_id = fields.Integer(required=True, allow_none=True)
    api_key_id = fields.Integer(required=True, allow_none=True)
    booking_id = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Of the guest who showed this booking's secret"},
    )
    request_id = fields.String(required=True, allow_none=True)
    address = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "From where the person had signed in; for admins"},
    )
    before = fields.Dict(required=True)
    after = fields.Dict(required=True)
    reason = fields.String(required=True, allow_none=True)


class AuditFilters(Input):
    action = fields.String(validate=validate.Length(1, 60))
    target_type = fields.String(validate=validate.Length(1, 60))
    target_id = wanted_key()
    organiser_id = wanted_key()
    user_id = wanted_key()
    api_key_id = wanted_key()
    request_id = fields.String(validate=validate.Length(8, 64))
    since = Instant(metadata={"description": "At this instant or later"})
    until = Instant(metadata={"description": "Before this instant"})
