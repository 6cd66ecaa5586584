"""What is put on: a title, an artist, a tour."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from init import Base
from models.columns import Versioned, step
from models.organiser import Organiser
from utils.errors import Conflict

TO_BE_DETERMINED = "To Be Determined"


class EventStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    CANCELLED = "cancelled"
    COMPLETED = "completed"


class Moderation(StrEnum):
    NOT_REQUIRED = "not_required"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


NEXT = {
    EventStatus.DRAFT: {EventStatus.PUBLISHED, EventStatus.CANCELLED},
    EventStatus.PUBLISHED: {EventStatus.DRAFT, EventStatus.CANCELLED, EventStatus.COMPLETED},
}
MODERATED = {
    Moderation.NOT_REQUIRED: {Moderation.PENDING, Moderation.REJECTED},
    Moderation.PENDING: {Moderation.APPROVED, Moderation.REJECTED, Moderation.NOT_REQUIRED},
    Moderation.APPROVED: {Moderation.PENDING, Moderation.REJECTED},
    Moderation.REJECTED: {Moderation.PENDING, Moderation.APPROVED, Moderation.NOT_REQUIRED},
}


class EventMovedOn(Conflict):
    """The event is past the point in its life where this could be done."""

    code, title = "event-moved-on", "The event is past the point where this could be done"


class ModerationMovedOn(Conflict):
    """An admin has decided on the event already, or has yet to; `moderation` says which."""

    code, title = "moderation-moved-on", "Moderation is past the point where this could be done"


class NothingToSell(Conflict):
    """No show of the event has a tier with a price and places; make one first."""

    code, title = "nothing-to-sell", "There is nothing to sell yet"


class ShowsToCome(Conflict):
    """An event is complete when every show of it is over or cancelled; `shows` are not."""

    code, title = "shows-to-come", "There are shows to come"


class Event(Versioned, Base):
    """Something to go to; its shows say when and where."""

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint("duration_minutes BETWEEN 1 AND 20160", name="duration"),
        CheckConstraint("age_limit BETWEEN 0 AND 99", name="age_limit"),
        Index("ix_events_status", "status", "id"),
    )

    organiser_id: Mapped[int | None] = mapped_column(ForeignKey("organisers.id"), index=True)
    title: Mapped[str]
    artist: Mapped[str | None]
    tour_name: Mapped[str | None]
    description: Mapped[str | None]
    category: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    duration_minutes: Mapped[int | None]
    age_limit: Mapped[int | None]
    image_url: Mapped[str | None]
    status: Mapped[EventStatus] = mapped_column(default=EventStatus.DRAFT)
    moderation: Mapped[Moderation] = mapped_column(default=Moderation.NOT_REQUIRED)
    moderation_reason: Mapped[str | None]
    submitted_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]

    organiser: Mapped[Organiser | None] = relationship()

    @property
    def organiser_name(self) -> str:
        """Whose event it is, also when nobody's."""
        return self.organiser.name if self.organiser else TO_BE_DETERMINED

    @property
    def etag(self) -> str:
        return f"{super().etag}-{self.organiser.version if self.organiser else 0}"

    def move(self, to: EventStatus) -> None:
        """Take the next step of an event's life, refusing any other."""
        self.status = step("event", NEXT, self.status, to, EventMovedOn)

    def moderate(self, to: Moderation, *, reason: str | None = None) -> None:
        """Take the next step of its moderation, refusing any other; an old reason goes."""
        if to not in MODERATED[self.moderation]:
            now = self.moderation.replace("_", " ")
            detail = f"Approval of the event is {now}; it cannot become {to}."
            raise ModerationMovedOn(detail, moderation=self.moderation)
        self.moderation, self.moderation_reason = to, reason
