"""JSON as strangers send it: read strictly, so that no handler meets what it cannot mean."""

import json
import re
from typing import Any, NoReturn

from utils.errors import Invalid

DEEPEST = 20
MOST_NAMES = 1000
UNPRINTABLE = re.compile("[\x00\ud800-\udfff]")


def loads(body: bytes) -> Any:
    """The value of a JSON document.

    Raises Invalid for malformed JSON, text that is not UTF-8, NaN and infinities, numbers out of
    range, a name given twice, objects of more than 1,000 names, nesting below 20 levels, and NUL or
    lone surrogates in any string.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError:
        raise Invalid("The JSON is nested too deeply.") from None
    except ValueError as error:
        raise Invalid(f"The body is not valid JSON: {_short(error)}.") from None
    _check(value, "", DEEPEST)
    return value


def unprintable(text: str) -> bool:
    """Whether PostgreSQL or UTF-8 could not keep this text."""
    return UNPRINTABLE.search(text) is not None


def _check(value: Any, path: str, depth: int) -> None:
    if isinstance(value, str):
        if unprintable(value):
            raise Invalid.at(path or "body", "Contains NUL or a lone surrogate.")
    elif isinstance(value, dict | list):
        if depth == 0:
            raise Invalid("The JSON is nested too deeply.")
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in pairs:
            if isinstance(name, str) and unprintable(name):
                raise Invalid.at(path or "body", "A name contains NUL or a lone surrogate.")
            _check(inner, f"{path}.{name}" if path else str(name), depth - 1)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MOST_NAMES:
        raise ValueError(f"an object has more than {MOST_NAMES:,} names")
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:50]!a} is given twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is out of range")
    return number


def _short(error: ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if "integer string conversion" in str(error):
        return "a number is out of range"
    return str(error)
