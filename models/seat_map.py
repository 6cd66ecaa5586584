"""How a hall is laid out: maps, their numbered versions, sections, rows and seats."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from init import Base
from models.columns import Keyed, Timestamped


class SectionKind(StrEnum):
    """Whether people stand wherever they like or sit on numbered seats."""

    STANDING = "standing"
    SEATED = "seated"


class SeatMap(Timestamped, Base):
    """One way to lay out a venue."""

    __tablename__ = "seat_maps"
    __table_args__ = (UniqueConstraint("venue_id", "name"),)

    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    name: Mapped[str]


class SeatMapVersion(Timestamped, Base):
    """A seat map as it was at one time; shows pin one, so it never changes."""

    __tablename__ = "seat_map_versions"
    __table_args__ = (UniqueConstraint("seat_map_id", "number"),)

    seat_map_id: Mapped[int] = mapped_column(ForeignKey("seat_maps.id"))
    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"), index=True)
    number: Mapped[int]
    replaced_at: Mapped[datetime | None]

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


class MapSeat(Keyed, Base):
    """A numbered seat of a section, from which each show's places are copied."""

    __tablename__ = "map_seats"
    __table_args__ = (UniqueConstraint("section_id", "row", "number"),)

    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id"))
    row: Mapped[str]
    number: Mapped[str]
    position: Mapped[int]
