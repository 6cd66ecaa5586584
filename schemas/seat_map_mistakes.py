"""What is wrong with a seat map, each mistake at its path; a hundred are enough."""

from typing import NoReturn

from marshmallow import ValidationError

MOST = 100


class Mistakes:
    """Mistakes by path, in the order in which they were found."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}
        self._count = 0

    def at(self, path: str, sentence: str) -> None:
        """Note one; at the hundredth, the reading ends."""
        self.found.setdefault(path, []).append(sentence)
        self._count += 1
        if self._count >= MOST:
            self.end()

    def end(self) -> NoReturn:
        """Stop reading here."""
        raise ValidationError(dict(self.found))

    def require_none(self) -> None:
        """Stop if there are any."""
        if self.found:
            self.end()


def each_of(error: ValidationError) -> list[tuple[str, str]]:
    """The mistakes of a reading that failed, as (path, sentence)."""
    found: dict[str, list[str]] = dict(error.messages)  # type: ignore[arg-type]
    return [(path, told) for path, sentences in found.items() for told in sentences]
