"""The welcome and the two health checks."""

from marshmallow import fields

from schemas.fields import Resource


class HealthSchema(Resource):
    status = fields.String(required=True)


class WelcomeSchema(Resource):
    name = fields.String(required=True)
    description = fields.String(required=True)
    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
