"""What a picture of a hall says in words: how much is left, and what it costs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from models.sale import SaleSheet, StockCount
from models.show import AvailabilityDisplay
from services.layout_service import LaidOutSection, Layout
from services.seat_offer_service import Assigned, Sellers
from services.seen_show_service import SeenShow
from utils.money import Money

FEW_IN_A_HUNDRED = 10
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Seen:
    """All that a picture tells."""

    show: SeenShow
    layout: Layout
    states: Mapping[str, str]
    offers: Assigned
    counts: Mapping[int, StockCount]
    staff: bool

    @property
    def sheet(self) -> SaleSheet:
        return self.offers.sheet

    @property
    def in_words(self) -> bool:
        """Whether the organiser shows the public no numbers."""
        return not self.staff and self.sheet.availability_display == AvailabilityDisplay.WORD


def seated(seen: Seen, section: LaidOutSection, free: Mapping[Sellers, int]) -> str:
    """Stalls: 120 of 400 free, from EUR 25.00."""
    left, total = sum(free.values()), sum(len(row.keys) for row in section.rows)
    return f"{short(section.name)}: {_left(seen, left, total)}{_from(seen, free)}"


def standing(seen: Seen, section: LaidOutSection) -> str:
    """Floor, standing: 15 of 20 free, from EUR 25.00."""
    sellers = seen.offers.standing.get(section.name, ())
    sold_here = {
        stock.id
        for tier_id in sellers
        for stock in seen.sheet.stocks_for(seen.sheet.tiers[tier_id])
        if stock.section == section.name
    }
    stocks = [stock for stock in seen.sheet.stocks.values() if stock.section == section.name]
    shown = [stock.id for stock in stocks if seen.staff or stock.id in sold_here]
    # One may have been given up between the look at who sells it and that at what is left.
    counts = [seen.counts[stock_id] for stock_id in shown if stock_id in seen.counts]
    left = sum(count.free for count in counts)
    total = sum(count.free + count.held + count.sold for count in counts)
    prices = _from(seen, (sellers,) if left else ())
    return f"{short(section.name)}, standing: {_left(seen, left, total)}{prices}"


def _left(seen: Seen, left: int, total: int) -> str:
    if not total:
        return "nothing on offer"
    if not left:
        return "nothing left"
    if seen.in_words:
        return "few places left" if left * 100 <= total * FEW_IN_A_HUNDRED else "places free"
    return f"{left:,} of {total:,} free"


def _from(seen: Seen, offers: Iterable[Sellers]) -> str:
    prices = [price for sellers in offers for price in _prices(seen, sellers)]
    if not prices:
        return ""
    cheapest = min(prices, key=lambda price: price.amount)
    return f", from {cheapest}" if cheapest.amount else ", free of charge"


def _prices(seen: Seen, sellers: Sellers) -> list[Money]:
    tiers = seen.sheet.tiers
    return [price.price for tier_id in sellers for price in tiers[tier_id].prices]


def offered(seen: Seen, sellers: Sellers) -> str:
    """Regular EUR 25.00; with more tiers or prices, from the least to the most."""
    names = " / ".join(short(seen.sheet.tiers[tier_id].name) for tier_id in sellers)
    prices = sorted({price.amount: price for price in _prices(seen, sellers)}.items())
    if not prices:
        return names
    least, most = prices[0][1], prices[-1][1]
    return f"{names} {least}" if least == most else f"{names} {least} to {most}"


def short(name: str) -> str:
    """A name of at most LONGEST_NAME characters."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
