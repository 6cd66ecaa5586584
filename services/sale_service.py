"""What is for sale at a show, and why it cannot be bought at this moment."""

import functools
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import orjson

from config import settings
from models.event import EventStatus, Moderation
from models.sale import SaleLimit, SalePrice, SaleSheet, SaleStock, SaleTier, StockCount
from models.seat_map import SectionKind
from models.show import HAPPENING, AvailabilityDisplay, ShowCancelled, ShowStatus
from models.tier import PriceAudience
from utils.clock import in_zone
from utils.errors import ApiError, Conflict
from utils.money import Money
from utils.statement import Statement
from utils.ttl_cache import TtlCache


class NotPublished(Conflict):
    """The event is not public yet; nothing of it is for sale."""

    code, title = "not-published", "The event is not published"


class NotOnSaleYet(Conflict):
    """The tier is not on sale yet; `on_sale_at` says when it will be."""

    code, title = "not-on-sale-yet", "Not on sale yet"


class SaleEnded(Conflict):
    """The tier's sale has closed, or the show is past."""

    code, title = "sale-ended", "The sale has ended"


class SalePaused(Conflict):
    """The organiser has paused the sale, or the show waits for a new date."""

    code, title = "sale-paused", "The sale is paused"


SHEETS_REMEMBERED = 500
_recent: TtlCache[int, tuple[SaleSheet | None, float]] = TtlCache(
    lambda: settings.sheet_seconds, largest=SHEETS_REMEMBERED
)

# Read on every hold: one round trip, a few index look-ups, and no ORM objects.
SHEET = """
    SELECT s.id AS show_id, s.version, s.event_id, e.organiser_id, e.status AS event_status,
           e.moderation, s.status, s.sales_paused, s.starts_at, s.ends_at, s.time_zone, s.currency,
           s.availability_display, s.avoid_single_seats, clock_timestamp() AS now,
           e.published_at IS NOT NULL AND e.moderation IN ('not_required', 'approved') AS is_public,
           (SELECT json_agg(json_build_object(
                       'id', t.id, 'name', t.name,
                       'on_sale_at', t.on_sale_at, 'off_sale_at', t.off_sale_at,
                       'min_per_booking', t.min_per_booking,
                       'max_per_booking', t.max_per_booking,
                       'max_per_buyer', t.max_per_buyer,
                       'then_tier_id', t.then_tier_id,
                       'stock_ids', (SELECT json_agg(ts.stock_id ORDER BY ts.position)
                                       FROM tier_stocks ts WHERE ts.tier_id = t.id),
                       'prices', (SELECT json_agg(json_build_array(p.id, p.name, p.amount, p.fee,
                                                                   p.max_per_booking, p.capacity,
                                                                   p.audience, p.eligibility)
                                                  ORDER BY p.position, p.id)
                                    FROM prices p
                                   WHERE p.tier_id = t.id AND p.deleted_at IS NULL))
                   ORDER BY t.position, t.id)::text
              FROM tiers t WHERE t.show_id = s.id AND t.deleted_at IS NULL) AS tiers,
           (SELECT json_agg(json_build_array(k.id, k.name, k.kind, k.section_name, k.capacity,
                                             k.release_tier_id, k.release_at) ORDER BY k.id)::text
              FROM stocks k WHERE k.show_id = s.id AND k.deleted_at IS NULL) AS stocks,
           (SELECT json_agg(json_build_array(c.name, x.max_places, x.max_per_buyer)
                            ORDER BY c.id)::text
              FROM section_limits x JOIN sections c ON c.id = x.section_id
             WHERE x.show_id = s.id) AS limits
"""
OF_SHOW = """
      FROM shows s JOIN events e ON e.id = s.event_id
     WHERE s.id = :show_id
"""

# What is claimed is not counted one by one: a place that is neither free nor held is sold.
COUNTS = """
    SELECT k.id AS stock_id,
           f.free + coalesce(h.claimed - h.alive, 0) AS free,
           coalesce(h.alive, 0) AS held,
           k.capacity - f.free - coalesce(h.claimed, 0) AS sold
      FROM stocks k
     CROSS JOIN LATERAL (SELECT count(*) AS free FROM places p
                          WHERE p.stock_id = k.id AND p.booking_id IS NULL) f
      LEFT JOIN (SELECT p.stock_id, count(*) AS claimed,
                        count(*) FILTER (WHERE b.held_until > (SELECT clock_timestamp())) AS alive
                   FROM bookings b JOIN places p ON p.booking_id = b.id
                  WHERE b.show_id = :show_id AND b.status = 'held'
                  GROUP BY p.stock_id) h ON h.stock_id = k.id
     WHERE k.show_id = :show_id AND k.deleted_at IS NULL
"""

SOLD_AT = """
    SELECT coalesce(sum(l.quantity), 0)
      FROM booking_lines l JOIN bookings b ON b.id = l.booking_id
     WHERE l.tier_id = q.tier_id AND l.price_id = q.id AND b.channel <> 'comp'
       AND (b.status = 'confirmed'
            OR b.status = 'held' AND b.held_until > (SELECT clock_timestamp()))
"""

READ_SHEET = Statement("sheet", SHEET + OF_SHOW, alone=True)
READ_COUNTED_SHEET = Statement(
    "counted_sheet",
    f"""{SHEET},
           (SELECT json_agg(json_build_array(c.stock_id, c.free, c.held, c.sold))
              FROM ({COUNTS}) c) AS counts,
           (SELECT json_agg(json_build_array(q.id, ({SOLD_AT})))
              FROM tiers t JOIN prices q ON q.tier_id = t.id
             WHERE t.show_id = s.id AND t.deleted_at IS NULL
               AND q.capacity IS NOT NULL AND q.deleted_at IS NULL) AS sold_at {OF_SHOW}
    """,  # noqa: S608 (every part is a constant)
)


def sheet(show_id: int) -> SaleSheet | None:
    """What a show sells at this moment, in one statement; None if there is no such show."""
    facts = READ_SHEET.mapping(show_id=show_id)
    return _sheet(facts) if facts else None


def recent_sheet(show_id: int) -> SaleSheet | None:
    """The sheet as it was at most settings.sheet_seconds ago; its clock has gone on since.

    For a sale, which looks under its lock whether that still holds, and refuses nothing by it
    before it has looked at a new one.
    """
    found, read_at = _recent.get(show_id, lambda: (sheet(show_id), time.monotonic()))
    if found is None:
        return None
    return replace(found, now=found.now + timedelta(seconds=time.monotonic() - read_at))


def forget(show_id: int) -> None:
    """Read the sheet of a show anew when it is next wanted."""
    _recent.forget(show_id)


def counted_sheet(show_id: int) -> tuple[SaleSheet, dict[int, StockCount]] | None:
    """The same, with how many places of each stock are free, held and sold; dead holds are free."""
    facts = READ_COUNTED_SHEET.mapping(show_id=show_id)
    if facts is None:
        return None
    counts = {stock_id: StockCount(*of) for stock_id, *of in facts.pop("counts") or ()}
    sold_at = dict(facts.pop("sold_at") or ())
    return replace(_sheet(facts), sold_at=sold_at), counts


def refusal(sheet: SaleSheet, tier: SaleTier, now: datetime | None = None) -> ApiError | None:
    """Why `tier` cannot be sold at `now` (the sheet's own instant unless told), or None."""
    now = now or sheet.now
    return show_refusal(sheet, now) or _tier_refusal(sheet, tier, now)


def show_refusal(sheet: SaleSheet, now: datetime | None = None) -> ApiError | None:
    """Why nothing at all can be sold at a show, its tiers' windows and pauses apart."""
    now = now or sheet.now
    if sheet.event_status == EventStatus.CANCELLED or sheet.status == ShowStatus.CANCELLED:
        return ShowCancelled("The show is cancelled.")
    if sheet.event_status == EventStatus.COMPLETED:
        return SaleEnded("The event is over.")
    if sheet.event_status != EventStatus.PUBLISHED or sheet.moderation in (
        Moderation.PENDING,
        Moderation.REJECTED,
    ):
        return NotPublished("The event is not published.")
    if sheet.status not in HAPPENING or sheet.starts_at is None:
        return SalePaused("The show is postponed; its new date is not known yet.")
    if (sheet.ends_at or sheet.starts_at) <= now:
        return SaleEnded("The show is over.")
    return None


def _tier_refusal(sheet: SaleSheet, tier: SaleTier, now: datetime) -> ApiError | None:
    closes_at = sheet.closes_at(tier)
    if closes_at is not None and closes_at <= now:
        return SaleEnded(
            f"The sale of {tier.name} has ended.", off_sale_at=in_zone(closes_at, sheet.time_zone)
        )
    if tier.on_sale_at is not None and tier.on_sale_at > now:
        on_sale_at = in_zone(tier.on_sale_at, sheet.time_zone)
        when = f"{on_sale_at:%A} {on_sale_at.day} {on_sale_at:%B %Y, %H:%M}"
        return NotOnSaleYet(
            f"{tier.name} is on sale from {when} ({sheet.time_zone}).", on_sale_at=on_sale_at
        )
    if sheet.sales_paused:
        return SalePaused("The sale is paused for the moment.")
    return None


def _sheet(facts: dict[str, Any]) -> SaleSheet:
    return SaleSheet(
        event_status=EventStatus(facts.pop("event_status")),
        moderation=Moderation(facts.pop("moderation")),
        status=ShowStatus(facts.pop("status")),
        availability_display=AvailabilityDisplay(facts.pop("availability_display")),
        tiers=_tiers(facts.pop("tiers"), facts["currency"]),
        stocks=_stocks(facts.pop("stocks")),
        limits=_limits(facts.pop("limits")),
        **facts,
    )


# What is on offer changes seldom: the same text need not be understood again on every hold.
@functools.lru_cache(SHEETS_REMEMBERED)
def _tiers(text: str | None, currency: str) -> Mapping[int, SaleTier]:
    tiers = [_tier(tier, currency) for tier in orjson.loads(text or "[]")]
    return MappingProxyType({tier.id: tier for tier in tiers})


@functools.lru_cache(SHEETS_REMEMBERED)
def _stocks(text: str | None) -> Mapping[int, SaleStock]:
    stocks = [_stock(*stock) for stock in orjson.loads(text or "[]")]
    return MappingProxyType({stock.id: stock for stock in stocks})


@functools.lru_cache(SHEETS_REMEMBERED)
def _limits(text: str | None) -> Mapping[str, SaleLimit]:
    limits = [SaleLimit(*limit) for limit in orjson.loads(text or "[]")]
    return MappingProxyType({limit.section: limit for limit in limits})


def _tier(facts: Mapping[str, Any], currency: str) -> SaleTier:
    window = {name: _instant(facts[name]) for name in ("on_sale_at", "off_sale_at")}
    prices = tuple(_price(currency, *price) for price in facts["prices"] or ())
    return SaleTier(
        **{**facts, **window, "stock_ids": tuple(facts["stock_ids"] or ()), "prices": prices}
    )


def _price(
    currency: str,
    price_id: int,
    name: str,
    amount: int,
    fee: int,
    max_per_booking: int | None,
    capacity: int | None,
    audience: str,
    eligibility: str | None,
) -> SalePrice:
    return SalePrice(
        price_id,
        name,
        Money(amount, currency),
        fee,
        max_per_booking,
        capacity,
        PriceAudience(audience),
        eligibility,
    )


def _stock(
    stock_id: int,
    name: str,
    kind: str,
    section: str,
    capacity: int,
    release_tier_id: int | None,
    release_at: str | None,
) -> SaleStock:
    at = _instant(release_at)
    return SaleStock(stock_id, name, SectionKind(kind), section, capacity, release_tier_id, at)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
