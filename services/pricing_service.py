"""What a basket costs, by the sheet and nobody else: requests carry no prices."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from config import settings
from models.booking import Channel
from models.sale import SalePrice, SaleSheet, SaleStock, SaleTier
from models.tier import LARGEST_QUANTITY, PriceAudience
from models.values import Named, WantedLine
from services import sale_service
from utils.errors import Forbidden, Invalid
from utils.money import Money

AT_THE_DESK = (Channel.DESK, Channel.COMP)


class PriceNotForYou(Forbidden):
    """This price is not for everyone: `audience` says who may buy at it.

    `signed_in`: sign in first. `desk`: the organiser sells it, and looks who you are.
    """

    code, title = "price-not-for-you", "That price is not for everyone"


@dataclass(frozen=True)
class PricedLine:
    """A line with its price and the stocks that it may take its places from, in order."""

    tier: SaleTier | None
    price: SalePrice | None
    quantity: int
    unit_price: Money
    stocks: tuple[SaleStock, ...]
    seats: tuple[str, ...] = ()
    together: bool = False
    accessible: int = 0

    @property
    def name(self) -> str:
        """What a refusal calls it."""
        return self.tier.name if self.tier else self.stocks[0].name

    @property
    def amount(self) -> Money:
        return self.unit_price * self.quantity

    @property
    def tier_id(self) -> int | None:
        return self.tier.id if self.tier else None

    @property
    def price_id(self) -> int | None:
        return self.price.id if self.price else None

    def at(self, unit_price: Money | None) -> "PricedLine":
        """The same line at another price, or at its own."""
        return replace(self, unit_price=unit_price) if unit_price else self

    def named(self, thing: SaleTier | SalePrice | None) -> Named | None:
        return Named(thing.id, thing.name) if thing else None


@dataclass(frozen=True)
class Quote:
    """What a basket would cost now."""

    show_id: int
    lines: list[PricedLine]
    total: Money
    hold_minutes: int


def quote(sheet: SaleSheet, wanted: Sequence[WantedLine], *, signed_in: bool) -> Quote:
    """The price of a basket on the open sale; nothing is written, and nothing held."""
    lines = price(sheet, wanted, channel=Channel.WEB, signed_in=signed_in)
    return Quote(sheet.show_id, lines, total(sheet, lines), settings.hold_minutes)


def price(
    sheet: SaleSheet, wanted: Sequence[WantedLine], *, channel: Channel, signed_in: bool
) -> list[PricedLine]:
    """Every line priced, merged where it is the same offer, and allowed to be sold now.

    The desk sells from every stock and outside the sales windows, but never a show that is over,
    cancelled or unpublished; a comp costs nothing. Raises Invalid naming the item, PriceNotForYou,
    or the refusal of the sale.
    """
    refusal = sale_service.show_refusal(sheet)
    if refusal is not None:
        raise refusal
    lines = [_priced(sheet, line, f"items.{number}", channel) for number, line in enumerate(wanted)]
    if channel not in AT_THE_DESK:
        for line in lines:
            _require_for(line, signed_in)
    lines = list(_merged(lines))
    if channel not in AT_THE_DESK:
        _require_quantities(lines, wanted)
    return lines


def total(sheet: SaleSheet, lines: Iterable[PricedLine]) -> Money:
    """The sum of the lines, in the show's currency."""
    return sum((line.amount for line in lines), start=Money(0, sheet.currency))


def _priced(sheet: SaleSheet, line: WantedLine, item: str, channel: Channel) -> PricedLine:
    tier = sheet.tiers.get(line.tier_id) if line.tier_id else None
    if line.tier_id and tier is None:
        raise Invalid.at(f"{item}.tier_id", "This show has no such tier.")
    stocks = _stocks(sheet, tier, line, item, channel)
    if line.accessible and not any(stock.kind.has_seats for stock in stocks):
        raise Invalid.at(f"{item}.accessible", "There are no seats among these places.")
    if tier is None:
        if channel != Channel.COMP:
            raise Invalid.at(f"{item}.tier_id", "Name the tier whose price is paid.")
        return _line(line, None, None, Money(0, sheet.currency), stocks)
    if channel not in AT_THE_DESK:
        refusal = sale_service.refusal(sheet, tier)
        if refusal is not None:
            refusal.facts.setdefault("tier_id", tier.id)
            raise refusal
    chosen = tier.price(line.price_id)
    if chosen is None:
        known = "no such price" if line.price_id else "several prices; name one"
        raise Invalid.at(f"{item}.price_id", f"{tier.name} has {known}.")
    unit = Money(0, sheet.currency) if channel == Channel.COMP else chosen.price
    return _line(line, tier, chosen, unit, stocks)


def _line(
    line: WantedLine,
    tier: SaleTier | None,
    chosen: SalePrice | None,
    unit: Money,
    stocks: tuple[SaleStock, ...],
) -> PricedLine:
    return PricedLine(
        tier,
        chosen,
        line.quantity,
        unit,
        stocks,
        seats=line.seats,
        together=line.together,
        accessible=line.accessible,
    )


def _require_for(line: PricedLine, signed_in: bool) -> None:
    """Refuse a price that this buyer may not have on the open sale."""
    price = line.price
    if price is None or price.audience == PriceAudience.ANYONE:
        return
    if price.audience == PriceAudience.SIGNED_IN and signed_in:
        return
    where = "at the desk" if price.audience == PriceAudience.DESK else "to those who sign in"
    raise PriceNotForYou(
        f"{price.name} is sold {where}.",
        audience=price.audience,
        price_id=price.id,
        tier_id=line.tier_id,
    )


def _stocks(
    sheet: SaleSheet, tier: SaleTier | None, line: WantedLine, item: str, channel: Channel
) -> tuple[SaleStock, ...]:
    if line.stock_id is None:
        if tier is None:
            raise Invalid.at(f"{item}.tier_id", "Name a tier.")
        return tuple(sheet.stocks_for(tier))
    if channel not in AT_THE_DESK:
        raise Invalid.at(f"{item}.stock_id", "Only the desk may choose a stock.")
    if line.stock_id not in sheet.stocks:
        raise Invalid.at(f"{item}.stock_id", "This show has no such stock.")
    return (sheet.stocks[line.stock_id],)


def _merged(lines: Iterable[PricedLine]) -> Iterable[PricedLine]:
    """Lines that are the same offer become one, so that limits see their sum."""
    same: dict[object, PricedLine] = {}
    for line in lines:
        key = (line.tier_id, line.price_id, line.stocks, bool(line.seats))
        if before := same.get(key):
            line = replace(
                line,
                quantity=before.quantity + line.quantity,
                seats=before.seats + line.seats,
                together=before.together or line.together,
                accessible=before.accessible + line.accessible,
            )
        same[key] = line
    seats = [seat for line in same.values() for seat in line.seats]
    if len(set(seats)) != len(seats):
        raise Invalid.at("items", "The same seat is asked for twice.")
    for line in same.values():
        if line.quantity > LARGEST_QUANTITY:
            raise Invalid.at("items", f"At most {LARGEST_QUANTITY} places in one line.")
    return same.values()


def _require_quantities(lines: Sequence[PricedLine], wanted: Sequence[WantedLine]) -> None:
    """Each tier's smallest and largest quantity in one booking, over all of its lines."""
    for tier in {line.tier_id: line.tier for line in lines if line.tier}.values():
        quantity = sum(line.quantity for line in lines if line.tier_id == tier.id)
        item = next(n for n, line in enumerate(wanted) if line.tier_id == tier.id)
        field = f"items.{item}.{'seats' if wanted[item].seats else 'quantity'}"
        if quantity < tier.min_per_booking:
            raise Invalid.at(field, f"{tier.name}: at least {tier.min_per_booking} in a booking.")
        if quantity > tier.max_per_booking:
            raise Invalid.at(field, f"{tier.name}: at most {tier.max_per_booking} in a booking.")
    for price in {line.price_id: line.price for line in lines if line.price}.values():
        most = price.max_per_booking
        of_it = [line for line in lines if line.price_id == price.id]
        if most is not None and sum(line.quantity for line in of_it) > most:
            item = next(n for n, line in enumerate(wanted) if _asks_for(line, of_it[0]))
            field = f"items.{item}.{'seats' if wanted[item].seats else 'quantity'}"
            raise Invalid.at(field, f"{price.name}: at most {most} in a booking.")


def _asks_for(wanted: WantedLine, line: PricedLine) -> bool:
    """Whether a line became of `wanted`, which may leave out a tier's only price."""
    return wanted.tier_id == line.tier_id and wanted.price_id in (None, line.price_id)
