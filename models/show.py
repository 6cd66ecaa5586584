"""An event on a date at a venue."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from init import Base
from models.columns import Versioned, step
from models.event import Event
from models.seat_map import SeatMapVersion
from models.venue import Venue
from utils.errors import Conflict
from utils.transaction import lock_key

TO_BE_ANNOUNCED = "To Be Announced"


class ShowStatus(StrEnum):
    CONFIRMED = "confirmed"
    POSTPONED = "postponed"
    RESCHEDULED = "rescheduled"
    CANCELLED = "cancelled"


class AvailabilityDisplay(StrEnum):
    """Whether the public reads how many places are left, or only a word."""

    NUMBER = "number"
    WORD = "word"


NEXT = {
    ShowStatus.CONFIRMED: {ShowStatus.POSTPONED, ShowStatus.RESCHEDULED, ShowStatus.CANCELLED},
    ShowStatus.POSTPONED: {ShowStatus.RESCHEDULED, ShowStatus.CANCELLED},
    ShowStatus.RESCHEDULED: {ShowStatus.POSTPONED, ShowStatus.RESCHEDULED, ShowStatus.CANCELLED},
}
HAPPENING = (ShowStatus.CONFIRMED, ShowStatus.RESCHEDULED)


class ShowCancelled(Conflict):
    """The show does not take place."""

    code, title = "show-cancelled", "The show is cancelled"


class ShowMovedOn(Conflict):
    """The show is past the point in its life where this could be done."""

    code, title = "show-moved-on", "The show is past the point where this could be done"


class VenueTaken(Conflict):
    """Another published show occupies the venue at that time; `show_id` says which."""

    code, title = "venue-taken", "Another show is at this venue then"


class HasPrices(Conflict):
    """The show's tiers have prices in its currency; take them away first."""

    code, title = "has-prices", "Its tiers are priced in that currency"


def turn_key(show_id: int) -> int:
    """What sales of a show share, and whoever changes the show takes alone.

    PostgreSQL lets a stream of `FOR SHARE` pass whoever waits for the row itself: without it, an
    organiser could not pause a sale that goes well.
    """
    return lock_key("turn", show_id)


class Show(Versioned, Base):
    """One date: its clock, currency, licence and the map version that its places came from."""

    __tablename__ = "shows"
    __allow_unmapped__ = True
    turn_key = staticmethod(turn_key)
    __table_args__ = (
        UniqueConstraint("id", "event_id"),
        CheckConstraint("licensed_capacity BETWEEN 1 AND 200000", name="licensed_capacity"),
        CheckConstraint("ends_at > starts_at", name="ends_after_it_starts"),
        CheckConstraint("doors_at <= starts_at", name="doors_before_it_starts"),
        CheckConstraint("status = 'postponed' OR starts_at IS NOT NULL", name="has_a_date"),
        ExcludeConstraint(
            (func.int8range(text("venue_id"), text("venue_id"), text("'[]'")), "&&"),
            (func.tstzrange(text("starts_at"), text("ends_at")), "&&"),
            where=text("occupies_venue AND venue_id IS NOT NULL AND starts_at IS NOT NULL"),
            using="gist",
            name="ex_shows_one_at_a_time",
        ),
        Index("ix_shows_starts_at", "starts_at", "id"),
        Index("ix_shows_venue_id", "venue_id", "starts_at"),
    )

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    venue_id: Mapped[int | None] = mapped_column(ForeignKey("venues.id"))
    seat_map_version_id: Mapped[int | None] = mapped_column(ForeignKey("seat_map_versions.id"))
    starts_at: Mapped[datetime | None]
    doors_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    time_zone: Mapped[str]
    currency: Mapped[str] = mapped_column(String(3))
    licensed_capacity: Mapped[int | None]
    status: Mapped[ShowStatus] = mapped_column(default=ShowStatus.CONFIRMED)
    sales_paused: Mapped[bool] = mapped_column(default=False, server_default="false")
    availability_display: Mapped[AvailabilityDisplay] = mapped_column(
        default=AvailabilityDisplay.NUMBER, server_default="number"
    )
    # Whether buyers are kept from leaving a single seat between what is taken.
    avoid_single_seats: Mapped[bool] = mapped_column(default=False, server_default="false")
    occupies_venue: Mapped[bool] = mapped_column(default=False, server_default="false")
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]

    event: Mapped[Event] = relationship()
    venue: Mapped[Venue | None] = relationship()
    pinned_map: Mapped[SeatMapVersion | None] = relationship(viewonly=True)
    warnings: list[dict[str, Any]] = []  # set anew by who has any

    @property
    def organiser_id(self) -> int | None:
        return self.event.organiser_id

    @property
    def venue_name(self) -> str:
        """Where it is, also when nobody knows yet."""
        return self.venue.name if self.venue else TO_BE_ANNOUNCED

    @property
    def seat_map_id(self) -> int | None:
        """The map of which it pins a version, if it has one."""
        return self.pinned_map.seat_map_id if self.pinned_map else None

    @property
    def seat_map_version(self) -> int | None:
        """The number of that version."""
        return self.pinned_map.number if self.pinned_map else None

    @property
    def etag(self) -> str:
        versions = (self.event.version, self.venue.version if self.venue else 0)
        return "-".join([super().etag, *map(str, versions)])

    def move(self, to: ShowStatus) -> None:
        """Take the next step of a show's life, refusing any other."""
        if self.status == ShowStatus.CANCELLED and to != ShowStatus.CANCELLED:
            raise ShowCancelled("A cancelled show stays cancelled.")
        self.status = step("show", NEXT, self.status, to, ShowMovedOn)
