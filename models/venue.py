"""A hall: where it is, its clocks, how many it holds."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from init import Base
from models.columns import Versioned
from models.seat_map import SeatMapVersion, Section
from utils.errors import Conflict

LARGEST_VENUE = 200_000


class CapacityInUse(Conflict):
    """More places than that are on offer or claimed; `in_use` says how many."""

    code, title = "capacity-in-use", "More places than that are in use"


class Venue(Versioned, Base):
    """A hall with a time zone and a capacity; without an organiser it is shared."""

    __tablename__ = "venues"
    __table_args__ = (
        CheckConstraint(f"capacity BETWEEN 1 AND {LARGEST_VENUE}", name="capacity"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        Index("ix_venues_city", "city"),
    )

    organiser_id: Mapped[int | None] = mapped_column(ForeignKey("organisers.id"), index=True)
    name: Mapped[str]
    address: Mapped[str | None]
    city: Mapped[str]
    country: Mapped[str] = mapped_column(String(2))
    latitude: Mapped[float | None] = mapped_column(Double)
    longitude: Mapped[float | None] = mapped_column(Double)
    time_zone: Mapped[str]
    capacity: Mapped[int]
    deleted_at: Mapped[datetime | None]

    seat_map: Mapped[SeatMapVersion | None] = relationship(
        secondary="seat_maps",
        primaryjoin="and_(SeatMap.venue_id == Venue.id, SeatMap.is_default)",
        secondaryjoin="and_(SeatMapVersion.seat_map_id == SeatMap.id,"
        " SeatMapVersion.replaced_at.is_(None))",
        viewonly=True,
        uselist=False,
    )

    @property
    def sections(self) -> list[Section]:
        """The sections of the map that new shows get."""
        return self.seat_map.sections if self.seat_map else []
