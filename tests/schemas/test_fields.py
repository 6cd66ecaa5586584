"""What the shared fields refuse, and what they must not."""

import pytest
from marshmallow import ValidationError, fields, validate

from schemas.fields import Email, Instant, Listed, text, wanted_day


class Untouched(fields.Field):
    def _deserialize(self, *_args, **_facts):
        raise AssertionError("nobody should look at this")


def test_a_list_that_is_too_long_is_refused_unread():
    field = Listed(Untouched(), validate=validate.Length(1, 2))

    with pytest.raises(ValidationError, match="between 1 and 2"):
        field.deserialize([1, 2, 3])


@pytest.mark.parametrize(
    "blank", [" ", "\u2003\u3000", "\u200b", "\u2060", "\ufeff", "\u00ad", "\u200d\u200c"]
)
def test_what_nobody_sees_is_blank(blank):
    with pytest.raises(ValidationError, match="Must not be blank"):
        text(200).deserialize(blank)


@pytest.mark.parametrize("symbol", ["\x07", "\x1b[2J", "\x7f", "\x9b", "\u202e", "\u2066"])
@pytest.mark.parametrize("longest", [200, 1000])
def test_text_commands_no_terminal_and_turns_no_line_round(symbol, longest):
    with pytest.raises(ValidationError, match="control character"):
        text(longest).deserialize(f"Asha{symbol}")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\t", "\u2028", "\u2029"])
def test_only_long_text_has_several_lines(end):
    assert text(1000).deserialize(f"Asha{end}Juma")
    with pytest.raises(ValidationError, match="control character"):
        text(200).deserialize(f"Asha{end}Juma")


@pytest.mark.parametrize(
    "name", ["می‌خواهد", "דוד \u200fכהן", "👩‍👩‍👧", "Zoë", "e\u0301", "O’Connor"]
)
def test_joiners_and_marks_belong_to_names(name):
    assert text(200).deserialize(name) == name


@pytest.mark.parametrize(
    "time",
    [
        "2031-01-01T20:00+03:00",
        "20310101T200000+0300",
        "2031-W01-3T20:00:00+03:00",
        "2031-01-01 20:00:00+03:00",
        "2031-01-01T20:00:00-03:60",
        "2031-01-01T20:00:00,5+03:00",
        "2031-01-01T20:00:00",
    ],
)
def test_times_that_only_python_reads(time):
    with pytest.raises(ValidationError, match="RFC 3339"):
        Instant().deserialize(time)


@pytest.mark.parametrize("time", ["2031-01-01T20:00:00Z", "2031-01-01t20:00:00.123456789z"])
def test_times_as_rfc_3339_has_them(time):
    assert Instant().deserialize(time).isoformat().startswith("2031-01-01T20:00:00")


@pytest.mark.parametrize("day", ["20310101", "2031-W01-3", "2031-1-1", "２０３１-01-01"])
def test_days_that_only_python_reads(day):
    with pytest.raises(ValidationError, match="Not a valid date"):
        wanted_day().deserialize(day)


def test_no_mailbox_has_a_name_of_65_letters():
    with pytest.raises(ValidationError):
        Email().deserialize("a" * 65 + "@example.com")
