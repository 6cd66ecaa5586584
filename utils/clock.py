"""The database's clock: the only one that decides whether a hold lives or a sale is open."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import ColumnElement, func, select

ZONES = frozenset(zone for zone in available_timezones() if "/" in zone) | {"UTC"}


def now() -> ColumnElement[datetime]:
    """The current instant as an SQL expression.

    `clock_timestamp()` moves on while a transaction waits, unlike `now()`; as a scalar subquery
    it is computed once a statement, and so an index can be used.
    """
    return select(func.clock_timestamp()).scalar_subquery()


def in_zone(instant: datetime, zone: str | None) -> datetime:
    """The same instant as it reads on the clocks of an IANA zone."""
    where: tzinfo = ZoneInfo(zone) if zone else UTC
    return instant.astimezone(where)
