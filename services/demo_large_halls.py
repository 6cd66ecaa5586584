"""The halls of a large demo world: those of the big shows, and small ones in many cities."""

import random

from models.seat_map import SectionKind
from services import demo_words
from services.demo_large_world import Hall, Ids, LargeWorld, Part

STANDS = ("North Stand", "East Stand", "South Stand", "West Stand")
RINGS = (("Floor", 40), ("Lower Ring", 35), ("Upper Ring", 25))  # per cent of an arena

Plan = list[tuple[str, SectionKind, int, int]]  # name, kind, capacity, width of a row


def halls(world: LargeWorld, rng: random.Random, ids: Ids) -> list[Hall]:
    """The big shows' halls, in their order, and then the small ones."""
    made = [
        _hall(rng, ids, name=_big_name(number), parts=_big_parts(number, capacity))
        for number, capacity in enumerate(world.big)
    ]
    for _ in range(world.halls):
        name = f"{rng.choice(demo_words.HALL_NAMES)} {rng.choice(demo_words.HALL_KINDS)}"
        parts = _seated_parts(rng) if rng.random() < 0.55 else _standing_parts(rng)
        made.append(_hall(rng, ids, name=name, parts=parts))
    return made


def _hall(rng: random.Random, ids: Ids, *, name: str, parts: Plan) -> Hall:
    return Hall(
        id=next(ids["venues"]),
        version_id=next(ids["seat_map_versions"]),
        name=name,
        city=rng.choice(demo_words.CITIES),
        capacity=sum(capacity for _, _, capacity, _ in parts),
        parts=tuple(Part(next(ids["sections"]), *part) for part in parts),
    )


def _big_name(number: int) -> str:
    return f"{demo_words.HALL_NAMES[number % 40]} {'Arena' if number else 'Stadium'}"


def _big_parts(number: int, capacity: int) -> Plan:
    """Every other one has seats, the first among them."""
    if number % 2:
        rings = [(ring, capacity * share // 100) for ring, share in RINGS]
        left = capacity - sum(places for _, places in rings)
        return [
            (ring, SectionKind.STANDING, places + (left if ring == "Floor" else 0), 1)
            for ring, places in rings
        ]
    quarter, width = capacity // 4, 200 if capacity > 20_000 else 100
    sizes = [quarter, quarter, quarter, capacity - 3 * quarter]
    return [
        (stand, SectionKind.SEATED, size, width) for stand, size in zip(STANDS, sizes, strict=True)
    ]


def _seated_parts(rng: random.Random) -> Plan:
    stalls, circle = rng.randint(18, 22), rng.randint(15, 20)
    return [
        ("Stalls", SectionKind.SEATED, stalls * rng.randint(10, 14), stalls),
        ("Circle", SectionKind.SEATED, circle * rng.randint(5, 8), circle),
    ]


def _standing_parts(rng: random.Random) -> Plan:
    capacity = rng.choice((100, 150, 200, *range(260, 501, 10)))
    if capacity < 250 or rng.random() < 0.4:
        return [("Floor", SectionKind.STANDING, capacity, 1)]
    return [
        ("Floor", SectionKind.STANDING, capacity - capacity // 5, 1),
        ("Balcony", SectionKind.STANDING, capacity // 5, 1),
    ]
