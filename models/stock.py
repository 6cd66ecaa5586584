"""A named pool of a show's places, and the places themselves: the heart of the inventory."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, query_expression, relationship

from init import Base
from models.columns import Keyed, Versioned, Xid8
from models.seat_map import SeatKind, SectionKind
from models.show import Show


@dataclass(frozen=True)
class Release:
    """Which tier sells a stock, too, and from when on; on the show's clock."""

    tier_id: int
    at: datetime
    time_zone: str


class Stock(Versioned, Base):
    """A pool of places: Floor, Early Bird lot, Stalls, Promoter's, Press."""

    __tablename__ = "stocks"
    __table_args__ = (
        UniqueConstraint("id", "show_id"),
        ForeignKeyConstraint(
            ["release_tier_id", "show_id"],
            ["tiers.id", "tiers.show_id"],
            name="fk_stocks_release_tier",
        ),
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint(
            "(release_at IS NULL) = (release_tier_id IS NULL)", name="release_is_whole"
        ),
        Index(
            "uq_stocks_show_id_name",
            "show_id",
            "name",
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    show_id: Mapped[int] = mapped_column(ForeignKey("shows.id"))
    section_id: Mapped[int | None] = mapped_column(ForeignKey("sections.id"), index=True)
    section_name: Mapped[str]
    name: Mapped[str]
    kind: Mapped[SectionKind]
    capacity: Mapped[int]
    # From then on that tier sells it, too: no row moves, and nobody need write anything.
    release_tier_id: Mapped[int | None]
    release_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    show: Mapped[Show] = relationship()

    # Counted by the query that asks for them; a dead hold's places are free.
    free: Mapped[int | None] = query_expression()
    held: Mapped[int | None] = query_expression()
    sold: Mapped[int | None] = query_expression()

    @property
    def organiser_id(self) -> int | None:
        return self.show.organiser_id

    @property
    def release(self) -> Release | None:
        """The release that is set, whether it is past or ahead."""
        if self.release_tier_id is None or self.release_at is None:
            return None
        return Release(self.release_tier_id, self.release_at, self.show.time_zone)

    @property
    def etag(self) -> str:
        return f"{super().etag}-{self.free}.{self.held}.{self.sold}"


class Place(Keyed, Base):
    """One sellable unit of a show, in exactly one stock; free while `booking_id` is null.

    `ordinal` counts a stock's standing places from 1, so that a claim can start anywhere in it; a
    seat's is its position in its section: neighbours differ by one, and the best seats come first.
    `changed_in` is the transaction that last gave the place to somebody, took it back, or gave it
    another position; for seats it is kept in order (`seat_status_service`). Every claim writes an
    entry into every index that names the row, so there are no more than these.
    """

    __tablename__ = "places"
    __table_args__ = (
        ForeignKeyConstraint(["stock_id", "show_id"], ["stocks.id", "stocks.show_id"]),
        ForeignKeyConstraint(
            ["line_id", "booking_id", "show_id"],
            ["booking_lines.id", "booking_lines.booking_id", "booking_lines.show_id"],
            name="fk_places_line",
            initially="DEFERRED",  # a claim takes the places first, and then writes the booking
            deferrable=True,
        ),
        CheckConstraint("(booking_id IS NULL) = (line_id IS NULL)", name="claimed_whole"),
        CheckConstraint("(key IS NULL) = (number IS NULL)", name="numbered_whole"),
        Index(
            "uq_places_show_id_key",
            "show_id",
            "key",
            unique=True,
            postgresql_where=text("key IS NOT NULL"),
        ),
        Index("ix_places_free", "stock_id", "ordinal", postgresql_where=text("booking_id IS NULL")),
        Index(
            "ix_places_booking_id", "booking_id", postgresql_where=text("booking_id IS NOT NULL")
        ),
        Index(
            "ix_places_changed_in",
            "show_id",
            "changed_in",
            postgresql_where=text("key IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": 80}},
    )

    show_id: Mapped[int]
    stock_id: Mapped[int]
    booking_id: Mapped[int | None]
    line_id: Mapped[int | None]
    ordinal: Mapped[int] = mapped_column(Integer)
    row: Mapped[str | None]
    number: Mapped[str | None]
    key: Mapped[str | None]
    off_centre: Mapped[int | None] = mapped_column(SmallInteger)
    seat_kind: Mapped[SeatKind | None]
    changed_in: Mapped[str] = mapped_column(Xid8, server_default=func.pg_current_xact_id())

    stock: Mapped[Stock] = relationship(viewonly=True)
    status: Mapped[str | None] = query_expression()  # in the words that the caller may read

    @property
    def section(self) -> str:
        return self.stock.section_name


def seat_prefix(section: str) -> str:
    """What the keys of a section's seats begin with: `STALLS/` of STALLS/B-12."""
    return section.upper().replace(" ", "_") + "/"
