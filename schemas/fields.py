"""Field types and shapes that every resource shares."""

import re
from collections.abc import Callable, Container
from datetime import UTC, date, datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email
from marshmallow import RAISE, Schema, ValidationError, fields, missing, validate

from utils.clock import ZONES, in_zone
from utils.money import CURRENCIES, LARGEST_AMOUNT, Money
from utils.pagination import Digits

LARGEST_ID = 2**63 - 1
# ISO 3166-1 alpha-2
COUNTRIES = frozenset(
    """AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ
    BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM
    DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS
    GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ
    MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
    VN VU WF WS YE YT ZA ZM ZW""".split()
)


Rule = dict[str, Any]  # JSON Schema, as the OpenAPI document says it


class Input(Schema):
    """What a request may carry; a field that is not listed is refused.

    `rules` tell the OpenAPI document what is checked across fields; `example` is a body that the
    demo world accepts, for the document and docs/clients.
    """

    rules: tuple[Rule, ...] = ()
    example: dict[str, Any] = {}

    class Meta:
        unknown = RAISE
        ordered = True

    def on_bind_field(self, field_name: str, field_obj: fields.Field) -> None:
        """A partial body has no defaults: what it leaves out stays as it is."""
        if self.partial is True:
            field_obj.load_default = missing


class Resource(Schema):
    """What an answer carries. `versioned` ones have an ETag and take If-Match."""

    versioned = False


def exactly_one_of(*names: str) -> Rule:
    return {"oneOf": [{"required": [name]} for name in names]}


def at_least_one_of(*names: str) -> Rule:
    return {"anyOf": [{"required": [name]} for name in names]}


def not_together(first: str, *others: str) -> Rule:
    """`first` is given, or some of `others`."""
    return {"not": {"anyOf": [{"required": [first, other]} for other in others]}}


# Besides spaces: what Unicode would have nobody see.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff"
)
VISIBLE = re.compile(rf"[^\s\x00-\x1f\x7f-\x9f{INVISIBLE}]")
# Terminals obey control characters, and what overrides the direction of writing shows a line, or
# all of a door list behind it, as something else than it is.
COMMANDS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069"
IN_PARAGRAPHS = re.compile(f"[{COMMANDS}]")
IN_A_LINE = re.compile(f"[{COMMANDS}\t\n\r\u2028\u2029]")
LONGEST_LINE = 200


def text(longest: int, *, shortest: int = 1, **kwargs: Any) -> fields.String:
    """Text with something in it: `shortest` to `longest` characters, some of them visible.

    Up to 200 characters are one line; more may be paragraphs.
    """
    plain = plain_line if longest <= LONGEST_LINE else plain_paragraphs
    checks: list[Any] = [validate.Length(shortest, longest), plain]
    if shortest:
        checks.append(_not_blank)
        kwargs["metadata"] = {"pattern": r"\S", **kwargs.get("metadata", {})}
    return fields.String(validate=checks, **kwargs)


def _not_blank(value: str) -> None:
    if not VISIBLE.search(value):
        raise ValidationError("Must not be blank.")


def plain_line(value: str) -> None:
    """Refuse what would begin another line, command a terminal or turn the writing round."""
    if IN_A_LINE.search(value):
        raise ValidationError("Contains a control character.")


def plain_paragraphs(value: str) -> None:
    """The same for text that may have several lines."""
    if IN_PARAGRAPHS.search(value):
        raise ValidationError("Contains a control character.")


class Listed(fields.List):
    """A list whose length is looked at before what is in it: thousands too many cost nothing."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> list[Any]:
        for check in self.validators:
            if isinstance(check, validate.Length) and isinstance(value, list):
                check(value)
        return super()._deserialize(value, attr, data, **kwargs)


def whole(smallest: int, largest: int, **kwargs: Any) -> fields.Integer:
    """A whole number: 2, or 2.0 which JSON takes for the same, and not 2.5, "2" or true."""
    return WholeNumber(validate=validate.Range(smallest, largest), **kwargs)


def key(**kwargs: Any) -> fields.Integer:
    """The id of a row."""
    return whole(1, LARGEST_ID, **kwargs)


class WholeNumber(fields.Integer):
    """An integer of JSON; booleans, strings and fractions are something else."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool | str | float):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class Flag(fields.Boolean):
    """true or false, and nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Coordinate(fields.Float):
    """Degrees."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> float:
        if isinstance(value, bool | str):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NOT_A_TIME = "Is not an RFC 3339 time with an offset, such as 2027-03-01T20:00:00+03:00."


class Instant(fields.AwareDateTime):
    """RFC 3339 with an offset; a time without one is refused. Years 2000 to 2199."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not RFC_3339.fullmatch(value):
            raise ValidationError(NOT_A_TIME)
        instant = super()._deserialize(value.upper(), attr, data, **kwargs)
        if not 2000 <= instant.year <= 2199:
            raise ValidationError("Must be in the years 2000 to 2199.")
        return instant.astimezone(UTC)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> str | None:
        if value is None:
            return None
        zone = getattr(obj, "time_zone", None) if not isinstance(obj, dict) else None
        return in_zone(value, zone).isoformat()


class Email(fields.String):
    """An address that mail can be sent to, anywhere in the world; kept in its normal form."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"format": "email", **kwargs.pop("metadata", {})}
        super().__init__(validate=validate.Length(3, 254), metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > 254:
            raise ValidationError("Longer than maximum length 254.")
        try:
            return validate_email(
                text, check_deliverability=False, test_environment=True, strict=True
            ).normalized
        except EmailNotValidError as error:
            raise ValidationError(str(error)) from None


class WebUrl(fields.Url):
    """An http or https address."""

    def __init__(self, **kwargs: Any) -> None:
        metadata = {"format": "uri", "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://"}
        metadata |= kwargs.pop("metadata", {})
        length = validate.Length(max=2000)
        super().__init__(schemes={"http", "https"}, validate=length, metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        if isinstance(value, str) and len(value) > 2000:
            raise ValidationError("Longer than maximum length 2000.")
        return super()._deserialize(value, attr, data, **kwargs)


def phone(**kwargs: Any) -> fields.String:
    """A telephone number as people write it."""
    pattern = validate.Regexp(r"^\+?[0-9(][0-9 ()./-]{4,30}$", error="Is not a telephone number.")
    return fields.String(validate=[validate.Length(5, 32), plain_line, pattern], **kwargs)


def one_of(choices: Any, **kwargs: Any) -> fields.String:
    return fields.String(validate=validate.OneOf(sorted(choices)), **kwargs)


def currency(**kwargs: Any) -> fields.String:
    """An ISO 4217 code."""
    return _listed(CURRENCIES, "an ISO 4217 code such as KES", "currency", 3, 3, **kwargs)


def country(**kwargs: Any) -> fields.String:
    """An ISO 3166-1 alpha-2 code."""
    return _listed(COUNTRIES, "an ISO 3166-1 alpha-2 code such as KE", "country", 2, 2, **kwargs)


def time_zone(**kwargs: Any) -> fields.String:
    """An IANA zone such as Africa/Nairobi."""
    what = "an IANA time zone such as Africa/Nairobi"
    return _listed(ZONES, what, "time-zone", 3, 64, **kwargs)


def _listed(
    known: Container[str], what: str, form: str, shortest: int, longest: int, **kwargs: Any
) -> fields.String:
    """A word of a public list that is too long for the OpenAPI document to repeat."""

    def check(value: str) -> None:
        if value not in known:
            raise ValidationError(f"Is not {what}.")

    sentence = what[0].upper() + what[1:]
    metadata = {"format": form, "example": what.split()[-1], "description": sentence}
    metadata |= kwargs.pop("metadata", {})
    return fields.String(
        validate=[validate.Length(shortest, longest), check], metadata=metadata, **kwargs
    )


class MoneySchema(Schema):
    """{"amount": 250000, "currency": "KES"}, the amount in minor units."""

    class Meta:
        unknown = RAISE

    amount = whole(0, LARGEST_AMOUNT, required=True)
    currency = currency(required=True)


class MoneyField(fields.Nested):
    """Money in, Money out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(MoneySchema(), **kwargs)

    def _deserialize(
        self, value: Any, attr: Any, data: Any, partial: Any = None, **kwargs: Any
    ) -> Money:
        return Money(**super()._deserialize(value, attr, data, **kwargs))


def wanted_flag(**kwargs: Any) -> fields.Boolean:
    """true or false in a query string."""
    return fields.Boolean(truthy={"true", "1"}, falsy={"false", "0"}, **kwargs)


def wanted_whole(smallest: int, largest: int, **kwargs: Any) -> fields.Integer:
    """A whole number in a query string."""
    return Digits(validate=validate.Range(smallest, largest), **kwargs)


def wanted_key(**kwargs: Any) -> fields.Integer:
    """The id of a row in a query string."""
    return wanted_whole(1, LARGEST_ID, **kwargs)


def wanted_day(**kwargs: Any) -> fields.Date:
    """A day in a query string, as 2030-12-31."""

    def of_our_times(value: date) -> None:
        if not 2000 <= value.year <= 2199:
            raise ValidationError("Must be in the years 2000 to 2199.")

    return Day(validate=of_our_times, **kwargs)


class Day(fields.Date):
    """A day as 2030-12-31; Python reads other forms, too."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or not DAY.fullmatch(value):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return super()._deserialize(value, attr, data, **kwargs)


def wanted_words(**kwargs: Any) -> fields.String:
    """Words to look for, in a query string; none means anything."""
    return fields.String(validate=validate.Length(max=100), **kwargs)


class Derived(fields.List):
    """A list that is worked out from the whole object and not from one attribute."""

    def __init__(self, inner: Any, of: Callable[[Any], Any], **kwargs: Any) -> None:
        super().__init__(inner, **kwargs)
        self.of = of

    def get_value(self, obj: Any, attr: Any, accessor: Any = None, default: Any = None) -> Any:
        return self.of(obj)
