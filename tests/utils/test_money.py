import pytest

from utils.money import CURRENCIES, Money


def test_adds_and_multiplies_whole_minor_units():
    assert Money(2_500, "KES") * 3 + Money(1, "KES") - Money(501, "KES") == Money(7_000, "KES")


def test_currencies_do_not_mix():
    with pytest.raises(ValueError, match="do not mix"):
        Money(1, "EUR") + Money(1, "USD")


def test_currencies_are_codes_of_three_letters():
    assert {"KES", "EUR", "JPY"} <= CURRENCIES
    assert all(len(code) == 3 and code.isupper() for code in CURRENCIES)
