"""The prices of a tier: replaced as a list, row by row, so that what was sold keeps its own."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select

from init import db
from models import Price, PriceAudience, Tier
from models.sale import WantedPrice
from utils.clock import now
from utils.errors import Invalid
from utils.money import Money

CHECKED = ("max_per_booking", "capacity", "audience")
CONDITIONS = (*CHECKED, "eligibility")
COPIED = ("name", "amount", "fee", "currency", *CONDITIONS)


def replace(tier: Tier, wanted: Sequence[WantedPrice], *, currency: str | None) -> None:
    """Make `wanted` a tier's prices, in that order, in the caller's transaction.

    A price that names its id, or has the name and currency of one that is there, keeps its row;
    rows that nothing names are marked as deleted. A `currency` is the only one then.
    """
    _require_sense(wanted, currency)
    there = {price.id: price for price in _live(tier)}
    named = {new.id for new in wanted}
    by_name = {(p.name, p.currency): p for p in there.values() if p.id not in named}
    for position, new in enumerate(wanted):
        row = there.get(new.id) if new.id else by_name.get((new.name, new.price.currency))
        if row is not None:
            del there[row.id]
        elif new.id is not None:
            raise Invalid.at(f"prices.{position}.id", "Is not a price of this tier.")
        else:
            row = Price(tier_id=tier.id)
            db.session.add(row)
        _set(row, new, position)
    for price in there.values():
        price.deleted_at = db.session.scalar(select(now()))
    db.session.flush()


def change_only(tier: Tier, price: Money, *, currency: str | None) -> None:
    """Set what the only price of a tier costs; its fee stays if it fits."""
    prices = _live(tier)
    if len(prices) != 1:
        raise Invalid.at("price", "The tier has several prices; send them all as prices.")
    [only] = prices
    fee = Money(only.fee, price.currency) if only.fee <= price.amount else None
    same = {name: getattr(only, name) for name in CONDITIONS}
    replace(tier, [WantedPrice(only.name, price, fee, id=only.id, **same)], currency=currency)


def copy(prices: Iterable[Price], tier: Tier) -> None:
    """Give a new tier the same prices."""
    for price in prices:
        same = {name: getattr(price, name) for name in COPIED}
        db.session.add(Price(tier_id=tier.id, position=price.position, **same))


def offered(tier: Tier) -> dict[str, Any]:
    """What the audit keeps of a tier: when it sells, and for how much."""
    return {
        "on_sale_at": tier.on_sale_at,
        "off_sale_at": tier.off_sale_at,
        "prices": [
            {"id": p.id, "amount": p.amount, "fee": p.fee, "currency": p.currency} | _conditions(p)
            for p in _live(tier)
        ],
    }


def _conditions(price: Price) -> dict[str, Any]:
    """The conditions that a price has, if any."""
    usual = (None, PriceAudience.ANYONE)
    return {name: value for name in CHECKED if (value := getattr(price, name)) not in usual}


def _live(tier: Tier) -> list[Price]:
    query = select(Price).where(Price.tier_id == tier.id, Price.deleted_at.is_(None))
    return list(db.session.scalars(query.order_by(Price.id)))


def _set(row: Price, new: WantedPrice, position: int) -> None:
    row.name, row.position = new.name, position
    row.amount, row.currency = new.price.amount, new.price.currency
    row.fee = new.fee.amount if new.fee else 0
    for name in CONDITIONS:
        setattr(row, name, getattr(new, name))
    row.updated_at = func.clock_timestamp()  # what went at it before may be more than may now


def _require_sense(wanted: Sequence[WantedPrice], currency: str | None) -> None:
    seen: set[object] = set()
    for number, price in enumerate(wanted):
        at = f"prices.{number}"
        if currency is not None and price.price.currency != currency:
            raise Invalid.at(f"{at}.price.currency", f"The show sells in {currency}.")
        if price.fee is not None and price.fee.currency != price.price.currency:
            raise Invalid.at(f"{at}.fee.currency", "Is not the currency of the price.")
        if price.fee is not None and price.fee.amount > price.price.amount:
            raise Invalid.at(f"{at}.fee.amount", "The fee is a part of the price.")
        for same in ((price.name, price.price.currency), price.id):
            if same is not None and same in seen:
                raise Invalid.at(at, "There is another such price in the list.")
            seen.add(same)
