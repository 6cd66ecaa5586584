"""How many places are left, for whom, and in which words.

One statement per show reads everything, at most once in settings.availability_seconds and process,
whoever asks; the rest is arithmetic. It tells what may be tried: only a booking decides.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config import settings
from models import AvailabilityDisplay, ShowStatus, Tier
from models.permissions import Permission, allowed
from models.sale import AvailabilityState, SaleSheet, SaleTier, StockCount
from models.show import ShowCancelled
from models.tier import PriceAudience
from models.values import Caller
from services import sale_service
from services.sale_service import NotOnSaleYet, NotPublished, SaleEnded, SalePaused
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
BEST_FIRST = list(AvailabilityState)

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
class PriceAvailability:
    """What is left at a price of which there are only so many."""

    price_id: int
    name: str
    sold_out: bool
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
    limited_prices: Sequence[PriceAvailability]


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


def of_show(show_id: int, *, caller: Caller) -> ShowAvailability:
    """What can be bought at a show that `caller` may see, as a whole and tier by tier."""
    sheet, counts = counted(show_id)
    staff = allowed(caller, Permission.SALES_READ, sheet)
    if not (sheet.is_public or caller.is_admin or sheet.organiser_id in caller.sees_drafts_of):
        raise NotFound(f"There is no show {show_id}.")
    tiers = [_of_tier(sheet, counts, tier, staff=staff) for tier in sheet.tiers.values()]
    facts = _of_show(sheet, counts, tiers, staff=staff)
    if not staff:
        return ShowAvailability(show_id=show_id, tiers=tiers, **facts)
    total = _total(counts, counts)
    return CountedShowAvailability(
        show_id=show_id,
        tiers=tiers,
        capacity=_size(total),
        held=total.held,
        sold=total.sold,
        **facts,
    )


def of_tier(tier: Tier, *, caller: Caller) -> TierAvailability:
    """What can be bought of a show's tier. Raises NotFound for one of a price list."""
    if tier.show_id is None:
        raise NotFound(f"Tier {tier.id} is in a price list; its copies at shows are for sale.")
    sheet, counts = counted(tier.show_id)
    if tier.id not in sheet.tiers:
        _recent.forget(tier.show_id)
        sheet, counts = counted(tier.show_id)
        if tier.id not in sheet.tiers:
            raise NotFound(f"There is no tier {tier.id}.")
    staff = allowed(caller, Permission.SALES_READ, tier)
    return _of_tier(sheet, counts, sheet.tiers[tier.id], staff=staff)


def counted(show_id: int) -> Counted:
    """What a show sells and what is left of it, as of a moment ago, whoever asks."""
    found = _recent.get(show_id, lambda: sale_service.counted_sheet(show_id))
    if found is None:
        raise NotFound(f"There is no show {show_id}.")
    return found


def _of_tier(
    sheet: SaleSheet, counts: dict[int, StockCount], tier: SaleTier, *, staff: bool
) -> TierAvailability:
    stock_ids = [stock.id for stock in sheet.stocks_for(tier)]
    total, left = _total(counts, stock_ids), _left(sheet, counts, stock_ids)
    at_prices = {
        price: max(0, price.capacity - sheet.sold_at.get(price.id, 0))
        for price in tier.prices
        if price.capacity is not None
    }
    for_buyers = [price for price in tier.prices if price.audience != PriceAudience.DESK]
    if for_buyers and at_prices.keys() >= set(for_buyers):
        left = min(left, sum(at_prices[price] for price in for_buyers))
    refusal = sale_service.refusal(sheet, tier)
    told = staff or sheet.availability_display == AvailabilityDisplay.NUMBER
    state = _state(sheet, tier, left, _size(total), refusal)
    facts: dict[str, Any] = {
        "tier_id": tier.id,
        "name": tier.name,
        "state": state,
        "message": refusal.detail if refusal else _message(state, left if told else None),
        "on_sale": refusal is None and _size(total) > 0,
        "sold_out": _size(total) > 0 and left < tier.min_per_booking,
        "can_purchase": refusal is None and left >= tier.min_per_booking,
        "available": left if told else None,
        "on_sale_at": tier.on_sale_at,
        "off_sale_at": sheet.closes_at(tier),
        "min_per_booking": tier.min_per_booking,
        "max_per_booking": tier.max_per_booking,
        "time_zone": sheet.time_zone,
        "limited_prices": [
            PriceAvailability(
                price.id, price.name, min(more, left) <= 0, min(more, left) if told else None
            )
            for price, more in at_prices.items()
        ],
    }
    if not staff:
        return TierAvailability(**facts)
    return CountedTierAvailability(**facts, capacity=_size(total), held=total.held, sold=total.sold)


def _of_show(
    sheet: SaleSheet,
    counts: dict[int, StockCount],
    tiers: Sequence[TierAvailability],
    *,
    staff: bool,
) -> dict[str, Any]:
    """A show is what the best of its tiers is; a place that several tiers sell counts once."""
    told = staff or sheet.availability_display == AvailabilityDisplay.NUMBER
    selling = [tier for tier in tiers if tier.on_sale] or tiers
    ids = {stock.id for tier in selling for stock in sheet.stocks_for(sheet.tiers[tier.tier_id])}
    free = _left(sheet, counts, ids)
    refusal = sale_service.show_refusal(sheet)
    best = min(tiers, key=_how_good, default=None)
    if refusal is not None or best is None:
        state = _refused_state(sheet, refusal)
        message = refusal.detail if refusal else "Nothing is on offer yet."
    elif best.on_sale:
        state, message = best.state, _message(best.state, free if told else None)
    else:
        state, message = best.state, best.message
    return {
        "state": state,
        "message": message,
        "on_sale": any(tier.on_sale for tier in tiers),
        "sold_out": bool(tiers) and all(tier.sold_out for tier in tiers),
        "can_purchase": any(tier.can_purchase for tier in tiers),
        "available": free if told else None,
    }


def _how_good(tier: TierAvailability) -> tuple[int, float]:
    opens = tier.on_sale_at.timestamp() if tier.on_sale_at else 0.0
    return BEST_FIRST.index(tier.state), opens


def _state(
    sheet: SaleSheet, tier: SaleTier, left: int, size: int, refusal: ApiError | None
) -> AvailabilityState:
    if refusal is not None or not size:
        return _refused_state(sheet, refusal)
    if left < tier.min_per_booking:
        return AvailabilityState.SOLD_OUT
    if left * 100 <= size * FEW_IN_A_HUNDRED:
        return AvailabilityState.FEW_LEFT
    return AvailabilityState.AVAILABLE


def _refused_state(sheet: SaleSheet, refusal: ApiError | None) -> AvailabilityState:
    """The word for a refusal; without one, what has no places yet is not on sale yet."""
    if refusal is None:
        return AvailabilityState.NOT_ON_SALE_YET
    if sheet.status == ShowStatus.POSTPONED and isinstance(refusal, SalePaused):
        return AvailabilityState.POSTPONED
    return REFUSED[type(refusal)]


def _message(state: AvailabilityState, left: int | None) -> str:
    """A sentence for what is on sale."""
    places = "1 place" if left == 1 else f"{left} places"
    if state == AvailabilityState.AVAILABLE:
        return "Places are available." if left is None else f"{places} left."
    if state == AvailabilityState.FEW_LEFT:
        return "Few places are left." if left is None else f"Only {places} left."
    if state == AvailabilityState.SOLD_OUT:
        return "Sold out."
    return "There are no places for it yet."


def _left(sheet: SaleSheet, counts: dict[int, StockCount], stock_ids: Iterable[int]) -> int:
    """How many of the free places may be sold: a section may have a limit."""
    stocks, free = sheet.stocks, Counter[str]()
    for stock_id in stock_ids:
        free[stocks[stock_id].section] += counts[stock_id].free
    for section in free.keys() & sheet.limits.keys():
        most = sheet.limits[section].max_places
        if most is not None:
            of_it = _total(counts, (s.id for s in stocks.values() if s.section == section))
            free[section] = max(0, min(free[section], most - of_it.held - of_it.sold))
    return free.total()


def _total(counts: dict[int, StockCount], stock_ids: Iterable[int]) -> StockCount:
    some = [counts[stock_id] for stock_id in stock_ids]
    return StockCount(
        free=sum(count.free for count in some),
        held=sum(count.held for count in some),
        sold=sum(count.sold for count in some),
    )


def _size(total: StockCount) -> int:
    return total.free + total.held + total.sold
