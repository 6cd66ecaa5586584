"""How many places are left, for whom, and in which words.

One statement per show reads everything, at most once in settings.availability_seconds and process,
whoever asks; the rest is arithmetic. It tells what may be tried: only a booking decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from config import settings
from models import AvailabilityDisplay, Show, ShowStatus, Tier
from models.permissions import Permission, allowed
from models.sale import AvailabilityState, SaleSheet, SaleTier, StockCount
from models.show import ShowCancelled
from models.values import Caller
from services import sale_service
from services.sale_service import NotOnSaleYet, NotPublished, SaleEnded, SalePaused
from utils.clock import in_zone
from utils.errors import ApiError, NotFound
from utils.ttl_cache import TtlCache

Counted = tuple[SaleSheet, dict[int, StockCount]]
FEW_IN_A_HUNDRED = 10
SHOWS_REMEMBERED = 1000
REFUSED: dict[type[ApiError], AvailabilityState] = {
    NotOnSaleYet: AvailabilityState.NOT_ON_SALE_YET,
    SaleEnded: AvailabilityState.SALE_ENDED,
    SalePaused: AvailabilityState.PAUSED,
    ShowCancelled: AvailabilityState.CANCELLED,
    NotPublished: AvailabilityState.NOT_PUBLISHED,
}
# A show is what the best of its tiers is.
BEST_FIRST = tuple(AvailabilityState)

_recent: TtlCache[int, Counted | None] = TtlCache(
    lambda: settings.availability_seconds, largest=SHOWS_REMEMBERED
)


@dataclass(frozen=True)
class Availability:
    """What the public reads; `available` is None where the organiser shows words only."""

    state: AvailabilityState
    message: str
    on_sale: bool
    sold_out: bool
    can_purchase: bool
    available: int | None


@dataclass(frozen=True)
class TierAvailability(Availability):
    tier_id: int
    name: str
    on_sale_at: datetime | None
    off_sale_at: datetime | None
    min_per_booking: int
    max_per_booking: int
    time_zone: str


@dataclass(frozen=True)
class ShowAvailability(Availability):
    show_id: int
    tiers: Sequence[TierAvailability]


@dataclass(frozen=True)
class CountedTierAvailability(TierAvailability):
    """What those who work for the organiser read."""

    capacity: int
    held: int
    sold: int


@dataclass(frozen=True)
class CountedShowAvailability(ShowAvailability):
    """What those who work for the organiser read, over all stocks, also those nobody sells."""

    capacity: int
    held: int
    sold: int


def of_show(show: Show, *, caller: Caller) -> ShowAvailability:
    """What can be bought at a show, as a whole and tier by tier."""
    sheet, counts = _counted(show.id)
    staff = allowed(caller, Permission.SALES_READ, show)
    tiers = [_of_tier(sheet, counts, tier, staff=staff) for tier in sheet.tiers.values()]
    facts = {
        "show_id": show.id,
        "tiers": tiers,
        **_summary(sheet, counts, tiers, staff=staff),
    }
    if not staff:
        return ShowAvailability(**facts)
    return CountedShowAvailability(**facts, **_totals(counts, counts))


def of_tier(tier: Tier, *, caller: Caller) -> TierAvailability:
    """What can be bought of a show's tier. Raises NotFound for one of a price list."""
    if tier.show_id is None:
        raise NotFound(f"Tier {tier.id} is in a price list; its copies at shows are for sale.")
    sheet, counts = _counted(tier.show_id)
    if tier.id not in sheet.tiers:
        _recent.forget(tier.show_id)
        sheet, counts = _counted(tier.show_id)
    staff = allowed(caller, Permission.SALES_READ, tier)
    return _of_tier(sheet, counts, sheet.tiers[tier.id], staff=staff)


def _counted(show_id: int) -> Counted:
    counted = _recent.get(show_id, lambda: sale_service.counted_sheet(show_id))
    if counted is None:
        raise NotFound(f"There is no show {show_id}.")
    return counted


def _of_tier(
    sheet: SaleSheet, counts: dict[int, StockCount], tier: SaleTier, *, staff: bool
) -> TierAvailability:
    stock_ids = [stock.id for stock in sheet.stocks_for(tier)]
    totals = _totals(counts, stock_ids)
    free = sum(counts[stock_id].free for stock_id in stock_ids)
    refusal = sale_service.refusal(sheet, tier)
    sold_out = 0 < totals["capacity"] and free < tier.min_per_booking
    told = staff or sheet.availability_display == AvailabilityDisplay.NUMBER
    state = _state(sheet, refusal, free=free, sold_out=sold_out, capacity=totals["capacity"])
    closes_at = sheet.closes_at(tier)
    facts = {
        "tier_id": tier.id,
        "name": tier.name,
        "state": state,
        "message": _message(sheet, state, free if told else None, tier, refusal),
        "on_sale": refusal is None,
        "sold_out": sold_out,
        "can_purchase": refusal is None and free >= tier.min_per_booking,
        "available": free if told else None,
        "on_sale_at": tier.on_sale_at,
        "off_sale_at": closes_at,
        "min_per_booking": tier.min_per_booking,
        "max_per_booking": tier.max_per_booking,
        "time_zone": sheet.time_zone,
    }
    return CountedTierAvailability(**facts, **totals) if staff else TierAvailability(**facts)
