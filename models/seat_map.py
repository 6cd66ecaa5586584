"""How a hall is laid out: maps, their numbered versions, sections, rows and seats."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from init import Base
from models.columns import Keyed, Timestamped, Versioned

if TYPE_CHECKING:
    from models.venue import Venue


class SectionKind(StrEnum):
    """Whether people stand wherever they like, or sit on numbered seats in rows or at tables."""

    STANDING = "standing"
    SEATED = "seated"
    TABLES = "tables"

    @property
    def has_seats(self) -> bool:
        """Whether its places are seats that have keys; a table counts as a row."""
        return self != SectionKind.STANDING


WITH_SEATS = tuple(kind for kind in SectionKind if kind.has_seats)


class SeatKind(StrEnum):
    """A seat that is kept for those who need it; an ordinary one has no kind."""

    ACCESSIBLE = "accessible"
    COMPANION = "companion"


class SeatMap(Versioned, Base):
    """One way to lay out a venue; new shows get the current version of its default one."""

    __tablename__ = "seat_maps"
    __table_args__ = (
        Index(
            "uq_seat_maps_venue_id_name",
            "venue_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "uq_seat_maps_default",
            "venue_id",
            unique=True,
            postgresql_where=text("is_default"),
        ),
        CheckConstraint("deleted_at IS NULL OR NOT is_default", name="default_is_there"),
    )

    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    name: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False, server_default="false")
    deleted_at: Mapped[datetime | None]

    venue: Mapped["Venue"] = relationship(viewonly=True)

    # Of its current version, by the query that asks for them.
    current_version: Mapped[int | None] = query_expression()
    sections: Mapped[int | None] = query_expression()
    seats: Mapped[int | None] = query_expression()
    capacity: Mapped[int | None] = query_expression()

    @property
    def organiser_id(self) -> int | None:
        return self.venue.organiser_id


class SeatMapVersion(Timestamped, Base):
    """A seat map as it was at one time; shows pin one, so it never changes."""

    __tablename__ = "seat_map_versions"
    __table_args__ = (UniqueConstraint("seat_map_id", "number"),)

    seat_map_id: Mapped[int] = mapped_column(ForeignKey("seat_maps.id"))
    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"), index=True)
    number: Mapped[int]
    # What the map was called then: a version says the same for ever.
    name: Mapped[str] = mapped_column(default="Main", server_default="Main")
    replaced_at: Mapped[datetime | None]
    note: Mapped[str | None]
    # Where the stage is drawn: {"x", "y", "width", "height", "label"}, in seats' widths.
    stage: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    seats: Mapped[int | None] = query_expression()
    capacity: Mapped[int | None] = query_expression()

    sections: Mapped[list["Section"]] = relationship(
        order_by="Section.position", cascade="all, delete-orphan"
    )


class Section(Keyed, Base):
    """A part of a seat map: a floor to stand on or a block of seats."""

    __tablename__ = "sections"
    __table_args__ = (
        UniqueConstraint("seat_map_version_id", "name"),
        CheckConstraint("capacity > 0", name="capacity"),
    )

    seat_map_version_id: Mapped[int] = mapped_column(ForeignKey("seat_map_versions.id"))
    name: Mapped[str]
    kind: Mapped[SectionKind]
    capacity: Mapped[int]
    position: Mapped[int]
    # Its corners where it is drawn, [[x, y], …]; worked out from its seats where there are none.
    outline: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))


class MapSeat(Keyed, Base):
    """A numbered seat of a section, from which each show's places are copied.

    `number` is what is painted on it, and may lie. `position` counts through the section as
    people sit, the best row first: who sits beside somebody differs by one; an aisle, a gap or
    the end of a row is a larger step. `off_centre` is how far from the middle of its row it is,
    in half seats, negative on the left.
    """

    __tablename__ = "map_seats"
    __table_args__ = (UniqueConstraint("section_id", "row", "number"),)

    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id"))
    row: Mapped[str]
    number: Mapped[str]
    position: Mapped[int]
    off_centre: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    x: Mapped[float] = mapped_column(Double, default=0.0, server_default="0")
    y: Mapped[float] = mapped_column(Double, default=0.0, server_default="0")
    kind: Mapped[SeatKind | None]
    restricted_view: Mapped[bool] = mapped_column(default=False, server_default="false")
