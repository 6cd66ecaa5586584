"""How many places of a show may go at one price, or of one section, whoever buys them.

Both are counted under advisory locks that only shows with such limits take, in a statement after
the one that takes them. A dead hold counts until it has been cleared away, which whoever is in its
way has done: one that is being confirmed at this moment is never counted out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from models.booking import Channel
from models.sale import SaleLimit, SalePrice, SaleSheet, SaleStock
from models.values import BuyerKey
from services.claim_service import Claim, ClaimedPlace, Short
from services.limit_service import LimitReached
from services.pricing_service import PricedLine
from utils.errors import Conflict
from utils.statement import Statement
from utils.transaction import lock_key


class PriceSoldOut(Conflict):
    """No more places go at this price; `left` says how many do, and `limit` of how many.

    The tier may have places left at another price.
    """

    code, title = "price-sold-out", "Not enough places left at that price"


class SectionLimitReached(Conflict):
    """The show sells no more than `limit` places of this section; `left` says how many it would."""

    code, title = "section-limit-reached", "That is more than the section may be sold"


# Those of comps cost nothing, and go at no price. Price by price: joined to all of them at once the
# planner would read everybody's lines.
AT_PRICES = Statement(
    "at_prices",
    """
    SELECT w.price_id, sold.places, sold.has_dead
      FROM unnest(CAST(:tier_ids AS bigint[]), CAST(:price_ids AS bigint[]))
           AS w(tier_id, price_id),
           LATERAL (SELECT coalesce(sum(l.quantity), 0) AS places,
                           bool_or(b.status = 'held'
                                   AND b.held_until <= (SELECT clock_timestamp())) AS has_dead
                      FROM booking_lines l JOIN bookings b ON b.id = l.booking_id
                     WHERE l.tier_id = w.tier_id AND l.price_id = w.price_id
                       AND b.status IN ('held', 'confirmed') AND b.channel <> 'comp'
                       AND b.id <> :except_id) AS sold
    """,
)

# How many more may be taken, negative where it is too many; none left where the section has no more
# places than it may sell. What is free beyond the limit may be taken, so no more of the free places
# are counted than that and `more`, of all stocks in one.
IN_SECTIONS = Statement(
    "in_sections",
    """
    WITH limited AS (
        SELECT w.section, sum(k.capacity) - w.most AS beyond, array_agg(k.id) AS stock_ids
          FROM unnest(CAST(:sections AS text[]), CAST(:most AS bigint[])) AS w(section, most)
          JOIN stocks k ON k.show_id = :show_id AND k.section_name = w.section
                       AND k.deleted_at IS NULL
         GROUP BY w.section, w.most)
    SELECT w.section,
           (SELECT count(*)
              FROM (SELECT FROM unnest(w.stock_ids) AS k(id),
                           LATERAL (SELECT FROM places p
                                     WHERE p.stock_id = k.id AND p.booking_id IS NULL
                                     ORDER BY p.ordinal LIMIT w.beyond + :more) AS free
                     LIMIT w.beyond + :more) AS enough) - w.beyond,
           EXISTS (SELECT FROM bookings WHERE show_id = :show_id AND status = 'held'
                      AND held_until <= (SELECT clock_timestamp()))
      FROM limited w WHERE w.beyond > 0
    """,
)

OF_BUYER = Statement(
    "of_buyer",
    """
    SELECT k.section_name, count(*)
      FROM bookings b JOIN places p ON p.booking_id = b.id JOIN stocks k ON k.id = p.stock_id
     WHERE b.show_id = :show_id AND (b.user_id = :user_id OR b.email_key = :email_key)
       AND b.channel IN ('web', 'api') AND k.section_name = ANY(:sections)
       AND (b.status = 'confirmed'
            OR b.status = 'held' AND b.held_until > (SELECT clock_timestamp()))
     GROUP BY k.section_name
    """,
)


def keys_of(sheet: SaleSheet, lines: Iterable[PricedLine], *, channel: Channel) -> list[int]:
    """What sales that a quota could stop wait for each other on; mostly nothing."""
    lines = list(lines)
    keys = [lock_key("price", price.id) for price in _limited_prices(lines, channel)]
    return keys + section_keys(sheet, (stock for line in lines for stock in line.stocks))


def section_keys(sheet: SaleSheet, stocks: Iterable[SaleStock]) -> list[int]:
    """What those who take places of these stocks wait for each other on, for their sections."""
    sections = {stock.section for stock in stocks}
    return [
        lock_key("section", sheet.show_id, section)
        for section in sections
        if section in sheet.limits and sheet.limits[section].max_places is not None
    ]


def require_price_left(
    lines: Sequence[PricedLine], *, channel: Channel, except_booking_id: int = 0
) -> None:
    """Raise PriceSoldOut if more places would go at a price than may, one booking's apart.

    Raises Short where it is dead holds that are in the way.
    """
    limited = _limited_prices(lines, channel)
    if not limited:
        return
    tier_of = {line.price_id: line.tier_id for line in lines}
    rows = AT_PRICES.all(
        tier_ids=[tier_of[price.id] for price in limited],
        price_ids=[price.id for price in limited],
        except_id=except_booking_id,
    )
    sold = {price_id: (int(quantity), has_dead) for price_id, quantity, has_dead in rows}
    for price in limited:
        have, has_dead = sold.get(price.id, (0, False))
        left = max((price.capacity or 0) - have, 0)
        if sum(line.quantity for line in lines if line.price_id == price.id) <= left:
            continue
        if has_dead:
            raise Short
        raise PriceSoldOut(
            f"{left} left at {price.name}." if left else f"Nothing left at {price.name}.",
            left=left,
            limit=price.capacity,
            price_id=price.id,
            tier_id=tier_of[price.id],
        )


def around_limits(
    sheet: SaleSheet, claims: Sequence[Claim], *, last_resort: bool = False
) -> list[Claim]:
    """The claims without the stocks of sections that may sell too little; with `last_resort` last.

    Who would take any place finds one in another section then, if there is one.
    """
    most = {}
    for wanted in claims:
        sections = {stock.section for stock in wanted.stocks}
        if len(sections) > 1 and not wanted.seats:
            for section in sections & sheet.limits.keys():
                most[section] = sheet.limits[section].max_places
    limited = {section: limit for section, limit in most.items() if limit is not None}
    if not limited:
        return list(claims)
    quantity = sum(wanted.quantity for wanted in claims)
    left = {section: left for section, left, _ in _left(sheet, limited, more=quantity)}

    def is_full(stock: SaleStock) -> bool:
        return left.get(stock.section, quantity) < quantity

    def around(wanted: Claim) -> Claim:
        stocks = sorted(wanted.stocks, key=is_full)
        others = [stock for stock in stocks if not is_full(stock)]
        return replace(wanted, stocks=tuple(others if others and not last_resort else stocks))

    return [around(wanted) for wanted in claims]


def require_section_left(
    sheet: SaleSheet, places: Sequence[ClaimedPlace], *, buyer: BuyerKey | None
) -> None:
    """Raise SectionLimitReached or, for a buyer on the open sale, LimitReached.

    `places` have just been claimed: only then is it known in which sections they are. Raises Short
    where it is dead holds that are in the way.
    """
    if not sheet.limits:
        return
    claimed: dict[str, int] = {}
    for place in places:
        section = sheet.stocks[place.stock_id].section
        if section in sheet.limits:
            claimed[section] = claimed.get(section, 0) + 1
    limits = [sheet.limits[section] for section in claimed]
    _require_of_all(sheet, [limit for limit in limits if limit.max_places is not None], claimed)
    if buyer is not None:
        theirs = [limit for limit in limits if limit.max_per_buyer is not None]
        _require_of_buyer(sheet, theirs, claimed, buyer)


def _limited_prices(lines: Iterable[PricedLine], channel: Channel) -> list[SalePrice]:
    if channel == Channel.COMP:
        return []
    prices = {line.price.id: line.price for line in lines if line.price is not None}
    return [price for price in prices.values() if price.capacity is not None]


def _require_of_all(sheet: SaleSheet, limits: Sequence[SaleLimit], claimed: dict[str, int]) -> None:
    if not limits:
        return
    most = {limit.section: limit.max_places or 0 for limit in limits}
    for section, left, has_dead in _left(sheet, most):
        if left >= 0:
            continue
        if has_dead:
            raise Short
        before = max(left + claimed[section], 0)
        raise SectionLimitReached(
            f"The show sells {most[section]} places of {section} at most, and {before} more.",
            section=section,
            limit=most[section],
            left=before,
        )


def _left(sheet: SaleSheet, most: dict[str, int], *, more: int = 0) -> list[tuple[str, int, bool]]:
    """How many more places of sections may be sold, up to `more`, and if there are dead holds."""
    rows = IN_SECTIONS.all(
        show_id=sheet.show_id,
        sections=list(most),
        most=list(most.values()),
        more=more,
    )
    return [(section, int(left), has_dead) for section, left, has_dead in rows]


def _require_of_buyer(
    sheet: SaleSheet, limits: Sequence[SaleLimit], claimed: dict[str, int], buyer: BuyerKey
) -> None:
    if not limits:
        return
    rows = OF_BUYER.all(
        show_id=sheet.show_id,
        user_id=buyer.user_id,
        email_key=buyer.email_key,
        sections=[limit.section for limit in limits],
    )
    have = {section: int(count) for section, count in rows}
    for limit in limits:
        if have.get(limit.section, 0) > (limit.max_per_buyer or 0):
            raise LimitReached(
                f"One buyer may have {limit.max_per_buyer} of {limit.section} at this show.",
                limit=limit.max_per_buyer,
                have=have[limit.section] - claimed[limit.section],
                section=limit.section,
            )
