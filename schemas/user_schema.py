"""Accounts on the wire."""

from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from models import MemberRole, Role
from schemas.booking_schema import BookingSchema
from schemas.door_schema import CheckInSchema
from schemas.fields import (
    Day,
    Email,
    Input,
    Instant,
    Resource,
    WebUrl,
    at_least_one_of,
    one_of,
    phone,
    plain_line,
    text,
    wanted_flag,
    wanted_words,
)
from schemas.ticket_holder_schema import TicketHolderSchema
from utils.listing import choices


def new_password() -> fields.String:
    """A password that is to be kept."""
    told = {"description": "Not a common one, and not your own name or address"}
    return fields.String(required=True, validate=validate.Length(10, 1024), metadata=told)


def own_password() -> fields.String:
    """A password that is to be compared."""
    return fields.String(required=True, validate=validate.Length(1, 1024))


def user_name(**kwargs: Any) -> fields.String:
    """A name that nobody else has, in any case of letters."""
    symbols = validate.Regexp(
        r"^[A-Za-z0-9._-]+$", error="Has other symbols than letters, digits, dots, _ and -."
    )
    checks: list[Any] = [validate.Length(3, 30), plain_line, symbols]
    return fields.String(validate=checks, **kwargs)


def date_of_birth(**kwargs: Any) -> fields.Date:
    """A day in the past, as 1990-12-31."""

    def of_the_living(value: date) -> None:
        if not 1900 <= value.year <= 2199:
            raise ValidationError("Must be in the years 1900 to 2199.")

    return Day(validate=of_the_living, **kwargs)


class UserSchema(Resource):
    """Your own account."""

    versioned = True

    id = fields.Integer(required=True)
    email = fields.String(required=True)
    email_verified = fields.Boolean(required=True)
    name = fields.String(required=True)
    user_name = fields.String(required=True, allow_none=True)
    first_name = fields.String(required=True, allow_none=True)
    last_name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    date_of_birth = fields.Date(required=True, allow_none=True)
    avatar_url = fields.String(required=True, allow_none=True)
    role = fields.Enum(Role, by_value=True, required=True)
    created_at = Instant(required=True)


class AccountSchema(UserSchema):
    """Somebody's account, as an admin sees it."""

    banned_at = Instant(required=True, allow_none=True)
    updated_at = Instant(required=True)


class RegisterSchema(Input):
    example = {
        "email": "newcomer@example.com",
        "password": "correct horse battery",
        "name": "Ingrid Bååth",
        "role": "attendee",
    }

    email = Email(required=True)
    password = new_password()
    name = text(200, required=True)
    user_name = user_name(load_default=None)
    first_name = text(200, load_default=None)
    last_name = text(200, load_default=None)
    phone = phone(load_default=None, allow_none=True)
    date_of_birth = date_of_birth(load_default=None)
    avatar_url = WebUrl(load_default=None)
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
    password = own_password()


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


class ReplaceUserSchema(Input):
    """What PUT sets; the e-mail address, the password and the role are changed elsewhere."""

    example = {
        "name": "Wanjikũ Kamau",
        "user_name": "wanjiku",
        "first_name": "Wanjikũ",
        "last_name": "Kamau",
        "phone": "+254 20 555 0101",
        "date_of_birth": "1988-04-17",
        "avatar_url": "https://nyotalive.example/people/wanjiku.jpg",
    }

    name = text(200, required=True)
    user_name = user_name(load_default=None)
    first_name = text(200, load_default=None)
    last_name = text(200, load_default=None)
    phone = phone(load_default=None)
    date_of_birth = date_of_birth(load_default=None)
    avatar_url = WebUrl(load_default=None)


class EditUserSchema(ReplaceUserSchema):
    """What PATCH may change."""

    example = {"phone": "+254 20 555 0101"}


class ChangePasswordSchema(Input):
    example = {"current_password": "rock-your-gig", "new_password": "rock-your-gig"}

    current_password = own_password()
    new_password = new_password()


class ForgotPasswordSchema(Input):
    example = {"email": "somebody@example.com"}

    email = Email(required=True)


class ResetPasswordSchema(Input):
    example = {"token": "the token of the link", "password": "correct horse battery"}

    token = text(200, required=True, metadata={"description": "Of the link that was mailed"})
    password = new_password()


class VerifyEmailSchema(Input):
    example = {"token": "the token of the link"}

    token = text(200, required=True, metadata={"description": "Of the link that was mailed"})


class ChangeEmailSchema(Input):
    example = {"email": "organiser@nyotalive.example", "password": "rock-your-gig"}

    email = Email(required=True)
    password = own_password()


class LeaveSchema(Input):
    example = {"password": "rock-your-gig"}

    password = own_password()


class SignInSchema(Resource):
    """One login on one device."""

    id = fields.Integer(required=True)
    created_at = Instant(required=True)
    renewed_at = Instant(required=True, allow_none=True)
    address = fields.String(
        required=True, allow_none=True, metadata={"description": "The network's"}
    )
    agent = fields.String(
        required=True, allow_none=True, metadata={"description": "What the program calls itself"}
    )
    current = fields.Boolean(required=True, metadata={"description": "The one that asks"})


class PastSignInSchema(Resource):
    """One login on one device, perhaps over."""

    id = fields.Integer(required=True)
    created_at = Instant(required=True)
    renewed_at = Instant(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    agent = fields.String(required=True, allow_none=True)
    ended_at = Instant(required=True, allow_none=True)


class MembershipSchema(Resource):
    """Whom you work for."""

    organiser_id = fields.Integer(required=True)
    organiser = fields.String(required=True)
    role = fields.Enum(MemberRole, by_value=True, required=True)
    created_at = Instant(required=True)


class ExportSchema(Resource):
    """Everything that is kept of you."""

    exported_at = Instant(required=True)
    profile = fields.Nested(UserSchema, required=True)
    sign_ins = fields.List(fields.Nested(PastSignInSchema), required=True)
    ticket_holders = fields.List(fields.Nested(TicketHolderSchema), required=True)
    bookings = fields.List(fields.Nested(BookingSchema), required=True)
    memberships = fields.List(fields.Nested(MembershipSchema), required=True)
    check_ins = fields.List(fields.Nested(CheckInSchema), required=True)


class UserFilters(Input):
    q = wanted_words(metadata={"description": "In the user name, a name or the e-mail address"})
    role = fields.Enum(Role, by_value=True)
    banned = wanted_flag()
    sort = one_of(choices(("created_at", "name", "email", "user_name")), load_default="-created_at")


class AccountReasonSchema(Input):
    example = {"reason": "Sells tickets on at three times their price"}

    reason = text(500, required=True)


class ChangeRoleSchema(Input):
    example = {"role": "organiser", "reason": "Runs a hall in Mombasa"}

    role = fields.Enum(Role, by_value=True, required=True)
    reason = text(500, required=True)


class TokensSchema(Schema):
    """What a login answers; send the access token as `Authorization: Bearer …`."""

    secret = True

    access_token = fields.String(required=True)
    refresh_token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds"})
    user = fields.Nested(UserSchema, required=True)
