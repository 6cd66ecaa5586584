"""Which places a tier sells: its links to stocks, and the stock that is its own.

All of this runs in a transaction that has locked the show.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, exists, select

from init import db
from models import Show, Stock, Tier, TierStock
from services import stock_service
from utils.errors import Conflict, Invalid
from utils.transaction import lock

PLACES = ("section", "capacity", "rows", "seats")


class StockShared(Conflict):
    """The tier's capacity is not its own: it sells from several stocks, or from a shared one."""

    code, title = "stock-shared", "The capacity is not this tier's alone"


def change(show: Show, tier: Tier, facts: Mapping[str, Any]) -> None:
    """The stocks that a show's tier sells from, or how many places its own one has."""
    if facts.get("stocks") is not None:
        sell_from(tier, facts["stocks"])
        return
    section, capacity = facts.get("section"), facts.get("capacity")
    named = next((field for field in ("rows", "seats") if facts.get(field) is not None), None)
    if section is None and capacity is None and named is None:
        return
    query = select(Stock).join(TierStock, TierStock.stock_id == Stock.id)
    stocks = db.session.scalars(query.where(TierStock.tier_id == tier.id)).all()
    if not stocks:
        make_stock(show, tier, facts)
        return
    if named is not None:
        raise Invalid.at(named, "It has places already; have one of its stocks take these.")
    others = exists().where(TierStock.stock_id == stocks[0].id, TierStock.tier_id != tier.id)
    if len(stocks) > 1 or db.session.scalar(select(others)):
        raise StockShared("Change the capacity of its stocks instead.")
    if section not in (None, stocks[0].section_name):
        raise Invalid.at("section", f"Its places are in {stocks[0].section_name}.")
    if capacity is not None:
        stock_service.resize(show, lock(stocks[0]), capacity)


def sell_from(tier: Tier, stock_ids: Sequence[int]) -> None:
    """Make these stocks of its show, in this order, the ones that a tier sells."""
    beside = Stock.show_id == tier.show_id, Stock.deleted_at.is_(None)
    known = set(db.session.scalars(select(Stock.id).where(*beside, Stock.id.in_(stock_ids))))
    for number, stock_id in enumerate(stock_ids):
        if stock_id not in known:
            raise Invalid.at(f"stocks.{number}", f"The show has no stock {stock_id}.")
    db.session.execute(delete(TierStock).where(TierStock.tier_id == tier.id))
    link(tier, stock_ids)


def link(tier: Tier, stock_ids: Iterable[int]) -> None:
    """Let a tier that sells nothing yet sell these stocks, in this order."""
    for position, stock_id in enumerate(stock_ids):
        db.session.add(
            TierStock(tier_id=tier.id, stock_id=stock_id, show_id=tier.show_id, position=position)
        )
    db.session.flush()


def make_stock(show: Show, tier: Tier, facts: Mapping[str, Any]) -> None:
    """Give a tier a stock of its own, with its name; stock_service.make says of which places."""
    places = {name: facts[name] for name in PLACES if facts.get(name) is not None}
    stock = stock_service.make(show, name=tier.name, **places)
    link(tier, [stock.id])
