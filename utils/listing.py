"""What the lists of every resource do: a total order, and words that people look for."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, or_


def ordered(
    sort: str, columns: Mapping[str, SQLColumnExpression[Any]], key: SQLColumnExpression[int]
) -> tuple[ColumnElement[Any], ...]:
    """ORDER BY for `name` or `-name`, with the key as the last word; rows without a value last."""
    column = columns[sort.removeprefix("-")]
    if sort.startswith("-"):
        return column.desc().nulls_last(), key.desc()
    return column.asc().nulls_last(), key.asc()


def choices(columns: Mapping[str, SQLColumnExpression[Any]] | Sequence[str]) -> list[str]:
    """What `?sort=` may be: every column, up and down."""
    return [f"{way}{name}" for name in columns for way in ("", "-")]


def contains(words: str, *columns: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """That one of `columns` contains `words` as they are written, in any case."""
    return or_(*(column.icontains(words, autoescape=True) for column in columns))
