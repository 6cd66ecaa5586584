"""Accounts on the wire."""

from marshmallow import Schema, fields, validate

from models import Role
from schemas.fields import Email, Input, Instant, Resource, at_least_one_of, phone, text

PASSWORD = validate.Length(10, 1024)


class UserSchema(Resource):
    """Your own account."""

    versioned = True

    id = fields.Integer(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True)
    role = fields.Enum(Role, by_value=True, required=True)
    created_at = Instant(required=True)


class RegisterSchema(Input):
    example = {
        "email": "newcomer@example.com",
        "password": "correct horse battery",
        "name": "Ingrid Bååth",
        "role": "attendee",
    }

    email = Email(required=True)
    password = fields.String(required=True, validate=PASSWORD)
    name = text(200, required=True)
    phone = phone(load_default=None, allow_none=True)
    role = fields.Enum(
        Role,
        by_value=True,
        load_default=Role.ATTENDEE,
        validate=validate.OneOf([Role.ATTENDEE, Role.ORGANISER]),
        metadata={"enum": ["attendee", "organiser"]},
    )


class LoginSchema(Input):
    example = {"email": "organiser@gigmate.example", "password": "rock-your-gig"}

    email = Email(required=True)
    password = fields.String(required=True, validate=validate.Length(1, 1024))


class PasswordGrantSchema(Input):
    """The form of RFC 6749, section 4.3, as OAuth2 clients send it."""

    example = {
        "grant_type": "password",
        "username": "attendee@gigmate.example",
        "password": "rock-your-gig",
    }

    rules = (
        {
            "if": {
                "properties": {"grant_type": {"const": "refresh_token"}},
                "required": ["grant_type"],
            },
            "then": {"required": ["refresh_token"]},
            "else": {"required": ["password"], **at_least_one_of("username", "email")},
        },
    )

    grant_type = fields.String(
        load_default="password", validate=validate.OneOf(["password", "refresh_token"])
    )
    refresh_token = fields.String(validate=validate.Length(1, 4096))
    username = fields.String(validate=validate.Length(1, 254))
    email = fields.String(validate=validate.Length(1, 254))
    password = fields.String(validate=validate.Length(1, 1024))
    scope = fields.String(load_default="", validate=validate.Length(max=500))
    client_id = fields.String(load_default="", validate=validate.Length(max=500))
    client_secret = fields.String(load_default="", validate=validate.Length(max=500))


class RefreshSchema(Input):
    example = {"refresh_token": "the refresh_token that the login answered"}

    refresh_token = fields.String(load_default=None, validate=validate.Length(1, 4096))


class EditUserSchema(Input):
    example = {"phone": "+254 20 555 0101"}

    name = text(200)
    phone = phone(allow_none=True)


class TokensSchema(Schema):
    """What a login answers; send the access token as `Authorization: Bearer …`."""

    secret = True

    access_token = fields.String(required=True)
    refresh_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds"})
    user = fields.Nested(UserSchema, required=True)
