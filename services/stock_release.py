"""House seats that go on sale: from a set time on, a tier sells a stock beside what it has.

No place moves, and at that time nobody need write anything: whoever asks what a tier sells asks
the database's clock, too. What was sold stays sold when a release is taken back.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from init import db
from models import Place, Stock, Tier, TierStock
from services import audit_service, inventory_service, stock_seats, stock_service
from services.stock_places import SeatsWanted
from utils.clock import now
from utils.errors import Invalid
from utils.transaction import lock, lock_all, transaction

LONGEST_NAME = 200


def release(
    stock: Stock,
    *,
    tier_id: int,
    at: datetime | None = None,
    rows: Sequence[str] | None = None,
    seats: Sequence[str] | None = None,
) -> Stock:
    """Have a tier of the show sell a stock from `at` on, or from now; the stock.

    Of the named rows or seats a stock of their own is made, which is the one that is released.
    Raises Invalid for a tier that is not there or sells it already, what stock_service.make raises,
    and CapacityInUse for seats that somebody has.
    """
    show = stock.show
    inventory_service.reap(show.id)
    with transaction():
        stock_service.lock_show(show)
        show.touch()
        stock_service.still_there(lock(stock))
        tier = _tier_of(stock, tier_id)
        if rows is not None or seats is not None:
            stock = _part(stock, tier, rows, seats)
        _set(stock, tier.id, at or db.session.scalar(select(now())))
    return stock_service.fresh(stock.id, show.id)


def take_back(stock: Stock) -> Stock:
    """Have no tier sell a stock any more because it was released to it; the stock."""
    show = stock.show
    with transaction():
        stock_service.lock_show(show)
        stock_service.still_there(lock(stock))
        if stock.release_tier_id is not None:
            show.touch()
            _set(stock, None, None)
    return stock_service.fresh(stock.id, show.id)


def forget(tier: Tier) -> None:
    """Take back all that was released to a tier, in the caller's transaction, the show locked."""
    for stock in lock_all(select(Stock).where(_to(tier.id, tier.show_id))):
        _set(stock, None, None)


def is_offered() -> ColumnElement[bool]:
    """That some tier sells a Place's stock at this moment, its window and its pauses apart."""
    stock = aliased(Stock)
    released = exists().where(stock.id == Place.stock_id, stock.release_at <= now())
    sold = exists().where(TierStock.stock_id == Place.stock_id)
    return or_(sold.correlate(Place), released.correlate(Place))


def _to(tier_id: int, show_id: int | None) -> ColumnElement[bool]:
    return and_(Stock.show_id == show_id, Stock.release_tier_id == tier_id)


def _tier_of(stock: Stock, tier_id: int) -> Tier:
    there = Tier.id == tier_id, Tier.show_id == stock.show_id, Tier.deleted_at.is_(None)
    tier = db.session.scalar(select(Tier).where(*there))
    if tier is None:
        raise Invalid.at("tier_id", f"The show has no tier {tier_id}.")
    sells = exists().where(TierStock.tier_id == tier.id, TierStock.stock_id == stock.id)
    if db.session.scalar(select(sells)):
        raise Invalid.at("tier_id", f"{tier.name} sells {stock.name} already.")
    return tier


def _part(
    stock: Stock, tier: Tier, rows: Sequence[str] | None, seats: Sequence[str] | None
) -> Stock:
    """A new stock with some seats of one."""
    section = stock_seats.section_of(stock, "seats" if rows is None else "rows")
    stock_seats.require_its_own(stock, SeatsWanted(section, seats=seats, rows=rows))
    there = Stock.show_id == stock.show_id, Stock.deleted_at.is_(None)
    taken = set(db.session.scalars(select(Stock.name).where(*there)))
    plain, number = f"{stock.name}: {tier.name}", 1
    name = plain[:LONGEST_NAME]
    while name in taken:
        number += 1
        name = f"{plain[: LONGEST_NAME - 10]} ({number})"
    return stock_service.make(
        stock.show, name=name, section=section.name, seats=seats, rows=rows, take=True
    )


def _set(stock: Stock, tier_id: int | None, at: datetime | None) -> None:
    before = _facts(stock)
    told = [each for each in (stock.release_tier_id, tier_id) if each is not None]
    stock.change({"release_tier_id": tier_id, "release_at": at})
    stock.touch()
    for tier in db.session.scalars(select(Tier).where(Tier.id.in_(told))):
        tier.touch()
    db.session.flush()
    action = "stock.release" if tier_id else "stock.take_back"
    audit_service.record(action, stock, before=before, after=_facts(stock))


def _facts(stock: Stock) -> dict[str, Any]:
    return {"tier_id": stock.release_tier_id, "at": stock.release_at}
