"""API keys on the wire; the key itself goes out once, when it is made."""

from marshmallow import ValidationError, fields, validate, validates

from models import KeyMode, Scope
from schemas.fields import Input, Instant, Listed, Resource, text


class ApiKeySchema(Resource):
    """A program's key: `prefix` is how it begins, and all of it that is ever shown again."""

    id = fields.Integer(required=True)
    organiser_id = fields.Integer(required=True)
    name = fields.String(required=True)
    mode = fields.Enum(KeyMode, by_value=True, required=True)
    scopes = fields.List(fields.String(validate=validate.OneOf(list(Scope))), required=True)
    prefix = fields.String(required=True)
    made_by_user_id = fields.Integer(required=True, allow_none=True)
    created_at = Instant(required=True)
    last_used_at = Instant(
        required=True, allow_none=True, metadata={"description": "To the minute or so"}
    )
    expires_at = Instant(required=True, allow_none=True)
    revoked_at = Instant(required=True, allow_none=True)


class NewApiKeySchema(ApiKeySchema):
    """The same with the whole key; keep it where secrets are kept."""

    secret = fields.String(required=True, metadata={"description": "Told this one time"})


class ApiKeyInputSchema(Input):
    example = {"name": "Web shop", "scopes": ["catalogue", "sell"], "mode": "live"}

    name = text(200, required=True)
    scopes = Listed(
        fields.Enum(Scope, by_value=True),
        required=True,
        validate=validate.Length(1, len(Scope)),
        metadata={
            "uniqueItems": True,
            "description": "What it may do for its organiser: `catalogue` reads what is put on, "
            "also drafts and stocks; `sell` reads what is public, and books in the buyers' names; "
            "`door` reads who comes, and admits; `reports` reads bookings, counts and who comes",
        },
    )
    mode = fields.Enum(
        KeyMode,
        by_value=True,
        load_default=KeyMode.LIVE,
        metadata={
            "default": "live",
            "description": "`test`: reads, quotes, holds, and nothing that lasts",
        },
    )
    expires_at = Instant(
        load_default=None,
        allow_none=True,
        metadata={"description": "In the future; without it, the key is good until revoked"},
    )

    @validates("scopes")
    def each_once(self, scopes: list[Scope], **_kwargs: str) -> None:
        if len(set(scopes)) != len(scopes):
            raise ValidationError("The same scope is named twice.")
