"""All that is needed to price and sell one show, as it stood at one instant."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from models.event import EventStatus, Moderation
from models.seat_map import SectionKind
from models.show import AvailabilityDisplay, ShowStatus
from models.tier import PriceAudience
from utils.money import Money


class AvailabilityState(StrEnum):
    """One word for whether something can be bought, the best first."""

    AVAILABLE = "available"
    FEW_LEFT = "few_left"
    PAUSED = "paused"
    POSTPONED = "postponed"
    NOT_ON_SALE_YET = "not_on_sale_yet"
    SOLD_OUT = "sold_out"
    SALE_ENDED = "sale_ended"
    NOT_PUBLISHED = "not_published"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class WantedPrice:
    """A price as a request names it; `id` is that of the row it replaces, if any."""

    name: str
    price: Money
    fee: Money | None = None
    id: int | None = None
    max_per_booking: int | None = None
    capacity: int | None = None
    audience: PriceAudience = PriceAudience.ANYONE
    eligibility: str | None = None


@dataclass(frozen=True, slots=True)
class SaleStock:
    """A pool of places."""

    id: int
    name: str
    kind: SectionKind
    section: str
    capacity: int
    release_tier_id: int | None = None
    release_at: datetime | None = None

    def is_released(self, tier_id: int, now: datetime) -> bool:
        """Whether that tier sells it because it was released, and the time has come."""
        return (
            self.release_tier_id == tier_id
            and self.release_at is not None
            and self.release_at <= now
        )


@dataclass(frozen=True, slots=True)
class SaleLimit:
    """How many places of a section are sold at most, by all and to one buyer; None: no limit."""

    section: str
    max_places: int | None
    max_per_buyer: int | None


@dataclass(frozen=True, slots=True)
class StockCount:
    """Where a stock's places are; those of dead holds are free."""

    free: int
    held: int
    sold: int


@dataclass(frozen=True, slots=True)
class SalePrice:
    """A variant of a tier; `price` is all-in, `fee` the part of it that is a fee."""

    id: int
    name: str
    price: Money
    fee: int
    max_per_booking: int | None = None
    capacity: int | None = None
    audience: PriceAudience = PriceAudience.ANYONE
    eligibility: str | None = None

    @property
    def parts(self) -> dict[str, Money]:
        """What the price is made of."""
        fee = Money(self.fee, self.price.currency)
        return {"face_value": self.price - fee, "fee": fee}


@dataclass(frozen=True, slots=True)
class SaleTier:
    """What is on offer; `prices` in the order in which they are shown, never empty."""

    id: int
    name: str
    on_sale_at: datetime | None
    off_sale_at: datetime | None
    min_per_booking: int
    max_per_booking: int
    max_per_buyer: int
    then_tier_id: int | None
    stock_ids: tuple[int, ...]
    prices: tuple[SalePrice, ...]

    def price(self, price_id: int | None) -> SalePrice | None:
        """The named price; the only one if none is named."""
        if price_id is None:
            return self.prices[0] if len(self.prices) == 1 else None
        return next((price for price in self.prices if price.id == price_id), None)


@dataclass(frozen=True, slots=True)
class SaleSheet:
    """A show with its tiers in order of position and its stocks, by id; `now` is the database's.

    `limits` are those of its sections, by name; most shows have none. `sold_at` counts what is held
    or sold at prices that have a capacity, by id, where the sheet was read to count.

    It holds good as long as the show's `version`: whatever opens or closes a sale counts that up.
    """

    show_id: int
    version: int
    event_id: int
    organiser_id: int | None
    event_status: EventStatus
    moderation: Moderation
    status: ShowStatus
    sales_paused: bool
    starts_at: datetime | None
    ends_at: datetime | None
    time_zone: str
    currency: str
    availability_display: AvailabilityDisplay
    is_public: bool
    now: datetime
    tiers: Mapping[int, SaleTier] = field(default_factory=dict)
    stocks: Mapping[int, SaleStock] = field(default_factory=dict)
    avoid_single_seats: bool = False
    limits: Mapping[str, SaleLimit] = field(default_factory=dict)
    sold_at: Mapping[int, int] = field(default_factory=dict)

    def closes_at(self, tier: SaleTier) -> datetime | None:
        """When a tier stops selling: as it says, else when the show starts; never after its end."""
        if tier.off_sale_at is None:
            return self.starts_at
        over = self.ends_at or self.starts_at
        return min(tier.off_sale_at, over) if over else tier.off_sale_at

    def has_closed(self, tier: SaleTier) -> bool:
        closes_at = self.closes_at(tier)
        return closes_at is not None and closes_at <= self.now

    def stocks_for(self, tier: SaleTier, sold_out: Collection[int] = ()) -> list[SaleStock]:
        """What a tier sells from now, in order: its own stocks, then those released to it, then
        those that fell to it.

        The stocks of a tier whose `then` this is fall to it once that one has closed, or is among
        the ids in `sold_out`.
        """
        ids = dict.fromkeys(self._stock_ids(tier, sold_out, frozenset()))
        return [self.stocks[stock_id] for stock_id in ids]

    def _stock_ids(
        self, tier: SaleTier, sold_out: Collection[int], seen: frozenset[int]
    ) -> Iterator[int]:
        yield from tier.stock_ids
        for stock in self.stocks.values():
            if stock.is_released(tier.id, self.now):
                yield stock.id
        seen |= {tier.id}
        for before in self.tiers.values():
            falls = before.then_tier_id == tier.id and before.id not in seen
            if falls and (before.id in sold_out or self.has_closed(before)):
                yield from self._stock_ids(before, sold_out, seen)
