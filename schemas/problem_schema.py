"""What a refusal means, for people."""

from marshmallow import fields

from schemas.fields import Resource


class ProblemTypeSchema(Resource):
    type = fields.String(required=True)
    code = fields.String(required=True)
    status = fields.Integer(required=True)
    title = fields.String(required=True)
    description = fields.String(required=True)


class ProblemListSchema(Resource):
    problems = fields.List(fields.Nested(ProblemTypeSchema), required=True)
