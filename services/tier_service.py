"""Tier use cases: what is on offer at a show, and the price list of an event that shows copy.

Writers lock the show, or the event of a price list, and then the tier; what they change counts
the show's version up, so that nobody sells by a sheet that was read before.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from config import settings
from init import db
from models import Event, MemberRole, Show, Tier, TierStock
from models.permissions import Permission, allowed
from models.sale import WantedPrice
from models.tier import LARGEST_QUANTITY
from models.values import Caller
from services import (
    audit_service,
    event_service,
    inventory_service,
    stock_release,
    stock_service,
    tier_places,
    tier_prices,
)
from services.price_list_service import COPIED, copy_offer, copy_price_list
from services.stock_service import NameTaken
from utils.clock import now
from utils.errors import Invalid, NotFound, constraint
from utils.transaction import lock, transaction

__all__ = [
    "copy_offer",
    "copy_price_list",
    "create",
    "delete",
    "edit",
    "find",
    "is_gone",
    "of_event",
    "of_show",
    "plan",
    "visible_to",
]

constraint("uq_tiers_show_id_name", NameTaken("Another tier of the show has this name."))
constraint("uq_tiers_event_id_name", NameTaken("Another tier of the price list has this name."))


def visible_to(caller: Caller) -> Select[Tier]:
    """The tiers of events that `caller` may see, with their prices, in their order."""
    return (
        select(Tier)
        .join(Tier.event)
        .where(Tier.deleted_at.is_(None), event_service.seen_by(caller))
        .options(contains_eager(Tier.event), joinedload(Tier.show), selectinload(Tier.prices))
        .order_by(Tier.position, Tier.id)
    )


def of_show(show: Show, *, caller: Caller) -> Select[Tier]:
    """A show's tiers; with their stocks for those who work for its organiser."""
    query = visible_to(caller).where(Tier.show_id == show.id)
    if allowed(caller, Permission.STOCK_READ, show):
        query = query.options(selectinload(Tier.stocks), selectinload(Tier.releases))
    return query


def of_event(event: Event, *, caller: Caller) -> Select[Tier]:
    """An event's price list."""
    return visible_to(caller).where(Tier.event_id == event.id, Tier.show_id.is_(None))


def find(tier_id: int, *, caller: Caller) -> Tier:
    """One visible tier, on sale at a show or in a price list."""
    query = visible_to(caller).where(Tier.id == tier_id)
    tier = db.session.scalar(query.execution_options(populate_existing=True))
    if tier is None:
        raise NotFound(f"There is no tier {tier_id}.")
    if tier.show_id is not None and allowed(caller, Permission.STOCK_READ, tier):
        db.session.refresh(tier, ["stocks", "releases"])
    return tier


def is_gone(tier_id: int, *, caller: Caller) -> bool:
    """Whether the tier was deleted, for those who could have done it."""
    gone = select(Tier.id).join(Tier.event).where(Tier.id == tier_id, Tier.deleted_at.is_not(None))
    if not caller.is_admin:
        mine = caller.organisers_as(MemberRole.OWNER, MemberRole.MANAGER)
        gone = gone.where(Event.organiser_id.in_(mine))
    return db.session.scalar(gone) is not None


def create(show: Show, facts: Mapping[str, Any]) -> Tier:
    """A new tier of a show, selling from the `stocks` it names in that order.

    With a `section` and a `capacity`, `rows` or `seats` instead, a stock is made for it;
    stock_service.make says of which places, and what it refuses.
    """
    with transaction():
        _lock_offer(show)
        tier = _add(Tier(show_id=show.id, event_id=show.event_id), facts, currency=show.currency)
        if facts.get("stocks") is not None:
            tier_places.sell_from(tier, facts["stocks"])
        else:
            tier_places.make_stock(show, tier, facts)
        audit_service.record("tier.create", tier, after=tier_prices.offered(tier))
    return _fresh(tier)


def plan(event: Event, facts: Mapping[str, Any]) -> Tier:
    """A new tier in an event's price list, which shows made from now on copy."""
    _require_no_places(facts)
    with transaction():
        lock(event)
        tier = Tier(event_id=event.id, section=facts.get("section"), capacity=facts.get("capacity"))
        _add(tier, facts, currency=None)
        audit_service.record("tier.create", tier, after=tier_prices.offered(tier))
    return _fresh(tier)


def edit(tier: Tier, changes: Mapping[str, Any]) -> Tier:
    """Change what is named: facts, prices, stocks, and the capacity where it is the tier's own.

    Raises StockShared, and what stock_service.resize and stock_service.make do.
    """
    show, facts = tier.show, dict(changes)
    if show is not None and facts.get("capacity") is not None:
        inventory_service.reap(show.id)  # dead holds are in nobody's way
    with transaction():
        _lock_owner(tier)
        _still_there(lock(tier))
        before = tier_prices.offered(tier)
        _set(tier, facts)
        db.session.flush()
        _reprice(tier, facts, currency=show.currency if show else None)
        if show is None:
            _replan(tier, facts)
        else:
            tier_places.change(show, tier, facts)
        tier.touch()
        after = tier_prices.offered(tier)
        if after != before:
            audit_service.record("tier.edit", tier, before=before, after=after)
    return _fresh(tier)


def delete(tier: Tier) -> None:
    """Take a tier off sale for good. Its stocks stay, and what it sold still names it."""
    with transaction():
        _lock_owner(tier)
        if lock(tier).deleted_at is not None:
            return
        audit_service.record("tier.delete", tier, before=tier_prices.offered(tier))
        for before in db.session.scalars(select(Tier).where(Tier.then_tier_id == tier.id)):
            before.then_tier_id = None
        db.session.execute(delete_rows(TierStock).where(TierStock.tier_id == tier.id))
        stock_release.forget(tier)
        tier.deleted_at = db.session.scalar(select(now()))


def _fresh(tier: Tier) -> Tier:
    """A tier just written, as those who may write it see it."""
    query = select(Tier).where(Tier.id == tier.id)
    loading = [selectinload(Tier.prices), joinedload(Tier.event), joinedload(Tier.show)]
    if tier.show_id is not None:
        loading += [selectinload(Tier.stocks), selectinload(Tier.releases)]
    return db.session.scalars(
        query.options(*loading).execution_options(populate_existing=True)
    ).one()


def _lock_owner(tier: Tier) -> None:
    if tier.show is not None:
        _lock_offer(tier.show)
    else:
        lock(tier.event)


def _lock_offer(show: Show) -> None:
    """Lock a show whose offer changes: sheets that were read before are out of date from now on."""
    stock_service.lock_show(show)
    show.touch()


def _still_there(tier: Tier) -> None:
    if tier.deleted_at is not None:
        raise NotFound(f"There is no tier {tier.id}.")


def _add(tier: Tier, facts: Mapping[str, Any], *, currency: str | None) -> Tier:
    _set(tier, facts)
    db.session.add(tier)
    db.session.flush()
    _reprice(tier, facts, currency=currency)
    return tier


def _set(tier: Tier, facts: Mapping[str, Any]) -> None:
    """The tier's own columns, and whether they make sense together."""
    if facts.get("name", tier.name) != tier.name:
        _require_free_name(tier, facts["name"])
    if facts.get("then_tier_id") is not None:
        _require_then(tier, facts["then_tier_id"])
    tier.change({name: facts[name] for name in (*COPIED, "then_tier_id") if name in facts})
    if tier.max_per_buyer is None:
        tier.max_per_buyer = settings.max_per_buyer
    if tier.max_per_booking is None:
        tier.max_per_booking = min(tier.max_per_buyer, LARGEST_QUANTITY)
    if tier.min_per_booking > min(tier.max_per_booking, tier.max_per_buyer):
        raise Invalid.at("min_per_booking", "Is more than anyone may buy.")
    if tier.on_sale_at and tier.off_sale_at and tier.off_sale_at <= tier.on_sale_at:
        raise Invalid.at("off_sale_at", "Must be after on_sale_at.")


def _beside(tier: Tier) -> tuple[Any, ...]:
    """The tiers of the same show, or of the same price list."""
    if tier.show_id is not None:
        return Tier.show_id == tier.show_id, Tier.deleted_at.is_(None)
    return Tier.event_id == tier.event_id, Tier.show_id.is_(None), Tier.deleted_at.is_(None)


def _require_free_name(tier: Tier, name: str) -> None:
    if db.session.scalar(select(exists().where(Tier.name == name, *_beside(tier)))):
        raise NameTaken(f"There is a tier called {name} beside it already.")


def _require_then(tier: Tier, then_tier_id: int) -> None:
    """Refuse a successor that is not beside the tier, or that leads back to it."""
    rows = db.session.execute(select(Tier.id, Tier.then_tier_id).where(*_beside(tier)))
    then = {row.id: row.then_tier_id for row in rows}
    if then_tier_id not in then:
        raise Invalid.at("then", f"There is no tier {then_tier_id} beside this one.")
    step: int | None = then_tier_id
    while step is not None:
        if step == tier.id:
            raise Invalid.at("then", "The tiers would follow each other in a circle.")
        step = then.get(step)


def _reprice(tier: Tier, facts: Mapping[str, Any], *, currency: str | None) -> None:
    prices: Sequence[WantedPrice] | None = facts.get("prices")
    if prices is not None:
        tier_prices.replace(tier, prices, currency=currency)
    elif "price" in facts:
        tier_prices.change_only(tier, facts["price"], currency=currency)


def _replan(tier: Tier, facts: Mapping[str, Any]) -> None:
    _require_no_places(facts)
    tier.change({name: facts[name] for name in ("section", "capacity") if name in facts})


def _require_no_places(facts: Mapping[str, Any]) -> None:
    """Refuse to give a price list what only a show has."""
    for field in ("stocks", "rows", "seats"):
        if field in facts:
            raise Invalid.at(field, f"A price list has no {field}; plan a section and a capacity.")
