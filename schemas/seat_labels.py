"""Rows and seats as a box office types them: `A-T without I, O`, `39-1 odd | 2-40 even`.

A description is a list of labels and ranges. In seats, `|` is an aisle. Numbers run either way,
since seats are counted from both ends; letters and rows only up.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_LABEL = 10
LONGEST_DESCRIPTION = 2000
LONGEST_RANGE = 2000  # half of it where only odd ones are wanted
# For Python and for the JSON Schema alike: what \s is, is not the same to both.
SPACES = r"\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
CONTROLS = r"\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069"
LABEL = rf"^[^/ {SPACES}{CONTROLS}]([^/\u2028\u2029{CONTROLS}]*[^/ {SPACES}{CONTROLS}])?$"
_WORD = rf"[^ ,|/{SPACES}{CONTROLS}-]{{1,{LONGEST_LABEL}}}"
_PART = rf"{_WORD}( *- *{_WORD})?( +(odd|even))?"
DESCRIPTION = rf"^ *{_PART}( *[,|] *{_PART})*( +without +{_WORD}(( *, *| +){_WORD})*)? *$"

_LABEL = re.compile(LABEL)
_DESCRIPTION = re.compile(DESCRIPTION)
_RANGE = re.compile(rf"(?P<first>{_WORD})( *- *(?P<last>{_WORD}))?( +(?P<which>odd|even))?")
_COUNTED = re.compile(r"([^0-9]*)([0-9]+)")


class NotDescribed(ValueError):
    """A description that cannot be read; its text is the sentence for people."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels in order; `gaps` are the indices of those that come after an aisle."""

    names: tuple[str, ...]
    gaps: frozenset[int] = frozenset()


def is_label(value: object) -> bool:
    """Whether a value can be painted on a row or on a seat."""
    return (
        isinstance(value, str)
        and len(value) <= LONGEST_LABEL
        and _LABEL.fullmatch(value) is not None
    )


def is_description(value: object) -> bool:
    """Whether a value has the form of a description, whatever it means."""
    return (
        isinstance(value, str)
        and len(value) <= LONGEST_DESCRIPTION
        and _DESCRIPTION.fullmatch(value) is not None
    )


def seats(described: str) -> Labels:
    """The seats of a row, from a description that has the form of one."""
    kept, _, without = f" {described} ".partition(" without ")
    left_out = {word for word in re.split("[ ,]+", without) if word}
    names: list[str] = []
    gaps = set()
    seen = set()
    for block in kept.split("|"):
        gaps.add(len(names))
        for part in block.split(","):
            for name in _range(part.strip(" ")):
                seen.add(name)
                if name not in left_out:
                    names.append(name)
            if len(seen) > LONGEST_RANGE or len(names) > LONGEST_RANGE:
                raise NotDescribed("Is longer than a row can be.")
    unknown = sorted(left_out - seen - {"and"})
    if unknown:
        raise NotDescribed(f"There is no {unknown[0]} to leave out.")
    if not names:
        raise NotDescribed("Describes none.")
    return Labels(tuple(names), frozenset(gaps - {0}))


def rows(described: str) -> tuple[str, ...]:
    """Rows from the stage back."""
    if "|" in described:
        raise NotDescribed("Rows have no aisle between them; `|` is for seats.")
    for part in described.partition(" without ")[0].split(","):
        found = _RANGE.fullmatch(part.strip(" "))
        if found and found["last"] and _runs_back(found["first"], found["last"]):
            raise NotDescribed(
                f"{found['first']}-{found['last']} runs backwards: "
                f"{found['last']}-{found['first']}, or list the rows one by one."
            )
    return seats(described).names


def _runs_back(first: str, last: str) -> bool:
    numbers = _COUNTED.fullmatch(first), _COUNTED.fullmatch(last)
    if numbers[0] and numbers[1]:
        return int(numbers[0][2]) > int(numbers[1][2])
    words = first.isalpha() and last.isalpha()
    return words and (len(first), first) > (len(last), last)


def _range(part: str) -> Iterator[str]:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise NotDescribed(f"Is not a range: {part}.")
    first, last, which = found["first"], found["last"], found["which"]
    if last is None:
        if which:
            raise NotDescribed(f"{part} is no range, of which to take the {which} ones.")
        return iter((first,))
    low, high = _COUNTED.fullmatch(first), _COUNTED.fullmatch(last)
    if low and high and low[1] == high[1]:
        return _numbers(low[1], low[2], high[2], which, part)
    if which:
        raise NotDescribed(f"{part}: only numbers are odd or even.")
    return iter(_letters(first, last, part))


def _numbers(prefix: str, first: str, last: str, which: str | None, part: str) -> Iterator[str]:
    low, high = int(first), int(last)
    if abs(high - low) >= LONGEST_RANGE:
        raise NotDescribed(f"{part} is longer than a row can be.")
    step = 1 if low <= high else -1
    width = len(first) if first.startswith("0") else len(last) if last.startswith("0") else 0
    for number in range(low, high + step, step):
        if which is None or (number % 2 == 1) == (which == "odd"):
            yield f"{prefix}{number:0{width}d}" if width else f"{prefix}{number}"


def _letters(first: str, last: str, part: str) -> list[str]:
    """A-T; AA-FF as AA, BB …; AA-AF as AA, AB …"""
    both = first + last
    if not (both.isascii() and both.isalpha() and (both.isupper() or both.islower())):
        raise NotDescribed(f"{part} is no range of numbers or of letters.")
    if (len(first), first) > (len(last), last):
        raise NotDescribed(f"{part} runs backwards; letters only run up.")
    doubled = [len(word) > 1 and len(set(word)) == 1 for word in (first, last)]
    if all(doubled) and len(first) == len(last):
        return [chr(code) * len(first) for code in range(ord(first[0]), ord(last[0]) + 1)]
    if len(first) != len(last) and doubled[1] and last.lower() != "a" * len(last):
        raise NotDescribed(f"{part} can be read in two ways: write {first}-Z and AA-{last}.")
    low, high = _number_of(first), _number_of(last)
    if high - low >= LONGEST_RANGE:
        raise NotDescribed(f"{part} is longer than a hall can be.")
    words = [lettered(number) for number in range(low, high + 1)]
    return [word.lower() for word in words] if both.islower() else words


def lettered(number: int) -> str:
    """A to Z, AA to ZZ, AAA …, as rows are called in theatres; counted from 0."""
    letters = ""
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _number_of(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
