"""Offers copied whole: an event's price list to a new show, one night's offer to the next."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import selectinload

from init import db
from models import Section, SectionKind, Show, Stock, Tier, TierStock
from services import (
    audit_service,
    section_limit_service,
    stock_places,
    stock_room,
    stock_service,
    tier_places,
    tier_prices,
)
from services.stock_room import CapacityExceeded

COPIED = (
    "name",
    "description",
    "position",
    "on_sale_at",
    "off_sale_at",
    "min_per_booking",
    "max_per_booking",
    "max_per_buyer",
)


def copy_price_list(show: Show) -> list[dict[str, Any]]:
    """Give a new show the tiers of its event's price list that have a price in its currency.

    The answer warns of every tier that could not be copied whole.

    Runs in the caller's transaction, the show flushed. A tier gets a stock of its planned section
    and capacity, or of the whole of a section that no other tier plans; where that does not fit
    the show's map, licence or venue, it comes without.
    """
    query = _live().where(Tier.event_id == show.event_id, Tier.show_id.is_(None))
    listed = list(db.session.scalars(query))
    plans = [tier for tier in listed if _priced_in(tier, show.currency)]
    tiers = _copied(plans, show)
    known = {part.name: part for part in stock_service.sections(show)}
    only = next(iter(known)) if len(known) == 1 else None
    wanted = [tier.section or only for tier in plans]
    whole = set()
    for tier, section in zip(plans, wanted, strict=True):
        part = known.get(section or "")
        capacity = tier.capacity
        if capacity is None and part is not None and wanted.count(section) == 1:
            capacity = part.capacity
        copy = tiers[tier.id]
        can_be = capacity is not None and (part is not None or not known)
        if can_be and _makes_stock(show, copy, section=section, capacity=capacity or 0):
            whole.add(tier)
    return [_warning(tier, show, is_copied=tier in plans) for tier in listed if tier not in whole]


def copy_offer(source: Show, target: Show) -> None:
    """Give a new show what another one offers: fresh places, tiers, prices, releases and limits.

    Runs in the caller's transaction, the target flushed. Sections are matched by name where the
    maps differ; places that the target's map, licence or venue has no room for are left out, and
    so are tiers without a price in its currency.
    """
    known = {(part.name, part.kind): part for part in stock_service.sections(target)}
    stocks: dict[int, Stock] = {}
    offered = select(Stock).where(Stock.show_id == source.id, Stock.deleted_at.is_(None))
    for stock in db.session.scalars(offered.order_by(Stock.id)).all():
        part = known.get((stock.section_name, stock.kind))
        if part is not None or (not known and stock.kind == SectionKind.STANDING):
            copied = _copied_stock(stock, target, part)
            if copied is not None:
                stocks[stock.id] = copied
    query = _live().where(Tier.show_id == source.id)
    sellers = [tier for tier in db.session.scalars(query) if _priced_in(tier, target.currency)]
    tiers = _copied(sellers, target)
    for tier in sellers:
        links = select(TierStock.stock_id).where(TierStock.tier_id == tier.id)
        sold_from = db.session.scalars(links.order_by(TierStock.position)).all()
        tier_places.link(tiers[tier.id], [stocks[old].id for old in sold_from if old in stocks])
    for old_id, stock in stocks.items():
        _copy_release(db.session.get_one(Stock, old_id), stock, tiers, source, target)
    section_limit_service.copy(source, target)


def _copy_release(
    old: Stock, new: Stock, tiers: dict[int, Tier], source: Show, target: Show
) -> None:
    """Release the copy to the same tier, as long before its show as the other before its own."""
    if old.release_at is None or old.release_tier_id not in tiers:
        return
    if source.starts_at is not None and target.starts_at is not None:
        new.release_tier_id = tiers[old.release_tier_id].id
        new.release_at = old.release_at + (target.starts_at - source.starts_at)


def _live() -> Select[Tier]:
    return (
        select(Tier)
        .where(Tier.deleted_at.is_(None))
        .options(selectinload(Tier.prices))
        .order_by(Tier.position, Tier.id)
    )


def _makes_stock(show: Show, tier: Tier, *, section: str | None, capacity: int) -> bool:
    """Whether the planned places fit, and so were made."""
    with suppress(CapacityExceeded), db.session.begin_nested():
        tier_places.make_stock(show, tier, {"section": section, "capacity": capacity})
        return True
    return False


def _warning(tier: Tier, show: Show, *, is_copied: bool) -> dict[str, Any]:
    if not is_copied:
        detail = f"{tier.name} has no price in {show.currency} and was not copied."
        return {"code": "tier-not-copied", "detail": detail, "show_id": None}
    detail = f"{tier.name} was copied without places: they do not fit this map, licence or venue."
    return {"code": "tier-without-places", "detail": detail, "show_id": None}


def _priced_in(tier: Tier, currency: str) -> bool:
    return any(price.currency == currency for price in tier.prices)


def _copied(tiers: Sequence[Tier], show: Show) -> dict[int, Tier]:
    """Copies of tiers at another show, by the id of the original; `then` points among them."""
    copies: dict[int, Tier] = {}
    for tier in tiers:
        same = {name: getattr(tier, name) for name in COPIED}
        copy = Tier(show_id=show.id, event_id=show.event_id, **same)
        db.session.add(copy)
        db.session.flush()
        tier_prices.copy((p for p in tier.prices if p.currency == show.currency), copy)
        audit_service.record("tier.create", copy, after=tier_prices.offered(copy))
        copies[tier.id] = copy
    for tier in tiers:
        if tier.then_tier_id in copies:
            copies[tier.id].then_tier_id = copies[tier.then_tier_id].id
    db.session.flush()
    return copies


def _copied_stock(stock: Stock, show: Show, part: Section | None) -> Stock | None:
    left, _, _ = stock_room.room(show, part)
    capacity = stock.capacity if left is None else min(stock.capacity, left)
    copy = Stock(
        show_id=show.id,
        name=stock.name,
        section_id=part.id if part else None,
        section_name=stock.section_name,
        kind=stock.kind,
        capacity=0,
    )
    db.session.add(copy)
    db.session.flush()
    if stock.kind.has_seats:
        copy.capacity = stock_places.copy_seats(stock, copy, at_most=capacity)
    else:
        copy.capacity = stock_places.add_standing(copy, capacity)
    if stock.capacity and not copy.capacity:
        db.session.delete(copy)
        db.session.flush()
        return None
    db.session.flush()
    audit_service.record("stock.create", copy, after={"capacity": copy.capacity})
    return copy
