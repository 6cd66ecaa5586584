"""Pages of a Select: numbered ones with a total, and endless ones behind a cursor."""

import base64
import binascii
import functools
import re
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

from flask import request
from marshmallow import Schema, fields, validate
from sqlalchemy import Select, func

from config import settings
from init import db
from utils.errors import Invalid

DEEPEST = 10_000
LARGEST_PAGE = 100
DIGITS = re.compile(r"-?[0-9]{1,19}")


class Digits(fields.Integer):
    """A whole number in a query string: ASCII digits, perhaps after a minus, and nothing else."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or not DIGITS.fullmatch(value):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(value, attr, data, **kwargs)


class PageParameters(Schema):
    """The paging part of a query string."""

    page = Digits(
        load_default=1,
        validate=validate.Range(1, DEEPEST),
        metadata={"description": "Page number, from 1; at most 10,000 rows deep"},
    )
    per_page = Digits(
        load_default=10,
        validate=validate.Range(1, LARGEST_PAGE),
        metadata={"description": "Rows in a page"},
    )


class EndlessParameters(PageParameters):
    """The paging part of the query string of a list that grows without end."""

    after = fields.String(
        load_default=None,
        validate=validate.Length(max=40),
        metadata={"description": "A cursor from `next`; empty to start. No total is counted"},
    )


class PaginationSchema(Schema):
    """Where a page stands; a list read with `after` has no total."""

    page = fields.Integer(allow_none=True, required=True)
    per_page = fields.Integer(required=True)
    total = fields.Integer(allow_none=True, required=True)
    pages = fields.Integer(allow_none=True, required=True)
    next = fields.String(
        allow_none=True, required=True, metadata={"description": "URL of the next page"}
    )


@dataclass(frozen=True)
class Paging:
    """Which rows of a list are wanted."""

    page: int
    per_page: int
    after: str | None

    @classmethod
    def taken_from(cls, wanted: dict[str, Any]) -> "Paging":
        """Paging apart from the filters that came with it, which stay in `wanted`."""
        page, per_page = wanted.pop("page"), wanted.pop("per_page")
        after = wanted.pop("after", None)
        if after is not None and page != 1:
            raise Invalid.at("page", "Give either page or after.")
        if page * per_page > DEEPEST:
            raise Invalid.at("page", f"Lists are {DEEPEST:,} rows deep; narrow the filters.")
        return cls(page, per_page, after)

    def run(self, query: Select[Any]) -> tuple[list[Any], dict[str, Any]]:
        """The rows of this page, or the keys that the query selects, and the facts about it."""
        if self.after is not None:
            return self._run_after(query, self.after)
        # Joins are for loading here, or to-one: no row is counted twice.
        counting = query.with_only_columns(func.count(), maintain_column_froms=True)
        total = db.session.scalar(counting.order_by(None)) or 0
        offset = (self.page - 1) * self.per_page
        rows: list[Any] = []
        if offset < total:
            rows = list(db.session.scalars(query.limit(self.per_page).offset(offset)).unique())
        more = offset + self.per_page < total and (self.page + 1) * self.per_page <= DEEPEST
        pages = -(-total // self.per_page)
        return rows, self._facts(self.page, total, pages, {"page": self.page + 1} if more else None)

    def _run_after(self, query: Select[Any], cursor: str) -> tuple[list[Any], dict[str, Any]]:
        key = query.column_descriptions[0]["entity"].id
        if cursor:
            query = query.where(key < _decoded(cursor))
        rows = list(db.session.scalars(query.limit(self.per_page + 1)).unique())
        more = len(rows) > self.per_page
        rows = rows[: self.per_page]
        step = {"after": _encoded(getattr(rows[-1], "id", rows[-1]))} if more else None
        return rows, self._facts(None, None, None, step)

    def _facts(
        self, page: int | None, total: int | None, pages: int | None, step: dict[str, Any] | None
    ) -> dict[str, Any]:
        following = None
        if step is not None:
            root = settings.public_url or request.host_url
            query = urlencode({**request.args.to_dict(), **step})
            following = f"{root.rstrip('/')}{request.path}?{query}"
        facts = {"page": page, "per_page": self.per_page, "total": total, "pages": pages}
        return {**facts, "next": following}


def parameters(filters: Schema | None, *, endless: bool) -> Schema:
    """The query parameters of a list: its filters and its paging."""
    paging = EndlessParameters if endless else PageParameters
    if filters is None:
        return paging()
    name = type(filters).__name__
    return cast(Schema, type(name, (type(filters), paging), {})())


def envelope(schema: Schema, *, endless: bool) -> Schema:
    """What a page of `schema` looks like."""
    return _envelope(type(schema))()


@functools.cache
def _envelope(kind: type[Schema]) -> type[Schema]:
    name = kind.__name__.removesuffix("Schema")
    members = {
        "items": fields.List(fields.Nested(kind), required=True),
        "pagination": fields.Nested(PaginationSchema, required=True),
    }
    return cast(type[Schema], type(f"{name}PageSchema", (Schema,), members))


def _encoded(key: int) -> str:
    return base64.urlsafe_b64encode(str(key).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> int:
    try:
        key = int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error):
        raise Invalid.at("after", "Is not a cursor of this list.") from None
    if not 0 < key < 2**63 or cursor != _encoded(key):
        raise Invalid.at("after", "Is not a cursor of this list.")
    return key
