"""Moving what a show has sold to another hall, and where everybody's seats went."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

from init import Base
from models.booking import Booking
from models.columns import Keyed, Timestamped, step
from models.seat_map import SeatMapVersion
from models.show import Show
from models.venue import Venue
from utils.errors import Conflict


class RelocationStatus(StrEnum):
    """Planned until the show has moved, all of it at once; or until another plan takes its turn."""

    PLANNED = "planned"
    APPLIED = "applied"
    GIVEN_UP = "given_up"


NEXT = {
    RelocationStatus.PLANNED: {RelocationStatus.APPLIED, RelocationStatus.GIVEN_UP},
}


class Unplaced(StrEnum):
    """What becomes of bookings for whose seats there is no room."""

    REFUSE = "refuse"
    CANCEL = "cancel"


class Outcome(StrEnum):
    """What becomes of a party: the places that a booking has in one stock.

    `kept`: the same rows and numbers, as near to each other as before. `together`: other seats, in
    no more blocks than before. `split`: in more blocks. `unplaced`: no room.
    """

    KEPT = "kept"
    TOGETHER = "together"
    SPLIT = "split"
    UNPLACED = "unplaced"


class RelocationMovedOn(Conflict):
    """The relocation was applied, or another one has taken its place."""

    code, title = "relocation-moved-on", "The relocation is past the point where this could be done"


class Relocation(Timestamped, Base):
    """A show's move to another version of a seat map, perhaps at another venue."""

    __tablename__ = "relocations"
    __table_args__ = (
        Index("ix_relocations_show_id", "show_id", "id"),
        Index(
            "uq_relocations_planned",
            "show_id",
            unique=True,
            postgresql_where=text("status = 'planned'"),
        ),
    )

    show_id: Mapped[int] = mapped_column(ForeignKey("shows.id"))
    status: Mapped[RelocationStatus] = mapped_column(default=RelocationStatus.PLANNED)
    from_version_id: Mapped[int | None] = mapped_column(ForeignKey("seat_map_versions.id"))
    to_version_id: Mapped[int] = mapped_column(ForeignKey("seat_map_versions.id"))
    from_venue_id: Mapped[int | None] = mapped_column(ForeignKey("venues.id"))
    to_venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    # What sections are called there, by what they are called here.
    sections: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    unplaced: Mapped[Unplaced] = mapped_column(default=Unplaced.REFUSE)
    # How many bookings, parties and places, and what becomes of them (services.relocation_plan).
    summary: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    applied_at: Mapped[datetime | None]

    show: Mapped[Show] = relationship(viewonly=True)
    to_version: Mapped[SeatMapVersion] = relationship(
        viewonly=True, primaryjoin="foreign(Relocation.to_version_id) == SeatMapVersion.id"
    )
    to_venue: Mapped[Venue] = relationship(
        viewonly=True, primaryjoin="foreign(Relocation.to_venue_id) == Venue.id"
    )

    @property
    def organiser_id(self) -> int | None:
        return self.show.organiser_id

    @property
    def seat_map_id(self) -> int:
        return self.to_version.seat_map_id

    @property
    def seat_map_version(self) -> int:
        return self.to_version.number

    def move(self, to: RelocationStatus) -> None:
        """Take the next step of a relocation's life, refusing any other."""
        self.status = step("relocation", NEXT, self.status, to, RelocationMovedOn)


class RelocationMove(Keyed, Base):
    """Where a party goes: `to_seats` beside `from_seats`; none where there is no room for it."""

    __tablename__ = "relocation_moves"
    __table_args__ = (Index("ix_relocation_moves_relocation_id", "relocation_id", "id"),)

    relocation_id: Mapped[int] = mapped_column(ForeignKey("relocations.id"))
    booking_id: Mapped[int] = mapped_column(ForeignKey("bookings.id"))
    outcome: Mapped[Outcome]
    place_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    from_seats: Mapped[list[str]]
    to_seats: Mapped[list[str]]

    booking: Mapped[Booking] = relationship(viewonly=True)

    @property
    def reference(self) -> str:
        return self.booking.reference
