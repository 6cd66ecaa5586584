"""What the shows of a large demo world sell: stocks, and two to four tiers with their prices."""

import random

from models.seat_map import SectionKind
from services import demo_words
from services.demo_large_world import DAY, Fare, Hall, Ids, Lot, Offer

FREE, LARGE = 0.02, 1_000  # of the shows, but for the large ones

Pools = list[tuple[Lot, float]]  # stocks, and how dear their places are


def offers_of(
    rng: random.Random, ids: Ids, hall: Hall, opens: int, start: int
) -> tuple[Offer, ...]:
    """Two to four tiers, and often a few places of the house."""
    euros = 0 if hall.capacity < LARGE and rng.random() < FREE else rng.randint(14, 60)
    lots, house = _lots(rng, ids, hall)
    offers: list[Offer] = []
    for lot, dear in lots:
        early = lot.name == "Early Bird"
        closes = opens + rng.randint(8, 30) * DAY if early else start
        offers.append(
            Offer(
                id=next(ids["tiers"]),
                name=lot.name,
                lot=lot,
                fares=_fares(ids, lot, euros * dear, hall.city.currency),
                opens=opens - (3 * DAY if lot.name == "VIP" else 0),
                closes=closes,
                tells_close=early,
                most=rng.choice((4, 6, 6, 8)),
                then_id=offers[0].id if early else None,
            )
        )
    if house is not None:
        offers.append(Offer(None, house.name, house, (), opens, start))
    return tuple(offers)


def _lots(rng: random.Random, ids: Ids, hall: Hall) -> tuple[Pools, Lot | None]:
    """The stocks of a show, the first its largest; and what the house keeps for itself."""
    new = ids["stocks"]
    main, *others = hall.parts
    if main.kind == SectionKind.STANDING:
        early = main.capacity // 5 if rng.random() < 0.6 or not others else 0
        vip = main.capacity // 10 if rng.random() < 0.5 and len(others) < 2 else 0
        house = main.capacity // 40 if rng.random() < 0.7 else 0
        shares = [("Regular", main.capacity - early - vip - house, 1.0)]
        shares += [("Early Bird", early, 0.8), ("VIP", vip, 1.8)]
        lots = [(Lot(next(new), name, main, size), dear) for name, size, dear in shares if size]
        lots += [(Lot(next(new), part.name, part, part.capacity), 0.9) for part in others]
        return lots, Lot(next(new), "House", main, house) if house else None
    is_deep = main.capacity > 5 * main.width
    front = 2 * main.width if is_deep and len(others) < 3 and rng.random() < 0.4 else 0
    house = main.width if is_deep and rng.random() < 0.5 else 0
    rest = main.capacity - front - house
    lots = [(Lot(next(new), main.name, main, rest, front), 1.0)]
    if front:
        lots.append((Lot(next(new), "Front Rows", main, front), 1.5))
    lots += [(Lot(next(new), part.name, part, part.capacity), 0.8) for part in others]
    kept = Lot(next(new), "House seats", main, house, front + rest) if house else None
    return lots, kept


def _fares(ids: Ids, lot: Lot, euros: float, currency: str) -> tuple[Fare, ...]:
    euro, step = demo_words.EURO[currency]

    def amount(share: float) -> int:
        return round(euros * share * euro / step) * step

    if lot.part.kind == SectionKind.STANDING:
        return (Fare(next(ids["prices"]), lot.name, amount(1)),)
    kinds = (("Adult", 1.0), ("Child", 0.5))
    return tuple(Fare(next(ids["prices"]), name, amount(share)) for name, share in kinds)
