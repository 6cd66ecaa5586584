"""Columns that several tables share."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import func
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.types import UserDefinedType

from utils.errors import Conflict


class Xid8(UserDefinedType[str]):
    """A transaction's number: 64 bits, never used again, and comparable with a snapshot."""

    cache_ok = True

    def get_col_spec(self, **_kwargs: Any) -> str:
        return "xid8"


ischema_names["xid8"] = Xid8  # for who compares the database with the models


class Keyed:
    """A 64-bit key, and what the database fills in comes back with the write."""

    id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 (declared_attr passes the class)
        return {"eager_defaults": True}


class Timestamped(Keyed):
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=90)
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=func.now(), sort_order=91
    )


class Versioned(Timestamped):
    """A row that people edit: every change counts `version` up, and the ETag follows it."""

    version: Mapped[int] = mapped_column(default=1, server_default="1", sort_order=92)
    expected_version: ClassVar[int | None] = None

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805
        return {"eager_defaults": True, "version_id_col": cls.version}

    @property
    def etag(self) -> str:
        """What `ETag` and `If-Match` carry."""
        return f"{self.id}.{self.version}"

    def expect(self, version: int | None = None) -> None:
        """Have `lock` refuse when the row has moved past `version`, the present one by default."""
        self.__dict__["expected_version"] = version or self.version

    def touch(self) -> None:
        """Count the version up although no column of its own changed."""
        self.updated_at = func.clock_timestamp()

    def change(self, values: dict[str, Any]) -> None:
        """Set the named attributes."""
        for name, value in values.items():
            setattr(self, name, value)


def step(
    thing: str, steps: Mapping[Any, Iterable[Any]], now: Any, to: Any, error: type[Conflict]
) -> Any:
    """`to`, if a `thing` that is `now` may become it; else `error`."""
    if to not in steps.get(now, ()):
        raise error(f"A {now} {thing} cannot become {to}.")
    return to
