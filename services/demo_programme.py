"""What is put on in the demo world; who has booked it is in demo_bookings.

Days are counted from the day of seeding, and prices are in minor units. Shows are numbered in the
order in which they stand here; in a fresh database that is their id.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.event import EventStatus
from models.show import AvailabilityDisplay, ShowStatus
from models.tier import PriceAudience


@dataclass(frozen=True)
class Offer:
    """A tier; `prices` are (name, amount, the fee in it). It sells from `lots`, else from a stock
    of its own: `capacity` places of a section, or all that no lot has."""

    name: str
    prices: tuple[tuple[str, int, int], ...]
    section: str | None = None
    capacity: int | None = None
    lots: tuple[str, ...] = ()
    then: str | None = None
    opens: int | None = None
    closes: int | None = None
    most: int = 6
    description: str | None = None
    terms: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by the price's name


@dataclass(frozen=True)
class Lot:
    """A stock that is made before the tiers: theirs to share, or nobody's but the organiser's."""

    name: str
    section: str
    capacity: int | None = None
    rows: tuple[str, ...] = ()
    released_to: str | None = None  # the tier that sells it from that day on
    released_on: int = 0


@dataclass(frozen=True)
class Night:
    """A show on day `day` at `at` o'clock there, or begun `begun` hours ago; `becomes` a state."""

    hall: str | None
    currency: str
    day: int = 0
    at: str = "20:00"
    begun: int | None = None
    offers: tuple[Offer, ...] = ()
    lots: tuple[Lot, ...] = ()
    licensed: int | None = None
    time_zone: str | None = None
    display: AvailabilityDisplay = AvailabilityDisplay.NUMBER
    copies_first: bool = False
    becomes: ShowStatus = ShowStatus.CONFIRMED
    new_day: int = 0
    paused: bool = False


@dataclass(frozen=True)
class Gig:
    """An event with its shows; its `plans` are the price list that they copy."""

    company: str | None
    title: str
    artist: str
    nights: tuple[Night, ...]
    tour_name: str | None = None
    description: str | None = None
    category: str = "concert"
    tags: tuple[str, ...] = ()
    minutes: int = 150
    age_limit: int | None = None
    plans: tuple[Offer, ...] = ()
    becomes: EventStatus = EventStatus.PUBLISHED


UNDER_16 = {"max_per_booking": 4, "eligibility": "Under 16, and with an adult."}
STUDENT = {
    "audience": PriceAudience.SIGNED_IN,
    "max_per_booking": 1,
    "eligibility": "学生証をお持ちの方 (with a student card)",
}

GIGS = (
    Gig(
        company="Nyota",
        title="Mvua: the World Tour",
        artist="Amani na Mvua",
        tour_name="Mvua",
        description="Benga guitars, a horn section from Kisumu and a choir of forty.",
        tags=("benga", "afropop", "tour"),
        nights=(
            Night(
                "KICC",
                "KES",
                day=330,
                lots=(Lot("Promoter's", "Floor", 50),),
                offers=(
                    Offer("Regular", (("Regular", 2_500_00, 100_00),), "Floor", 1_900),
                    Offer("VIP", (("Regular", 9_000_00, 300_00),), "Floor", 100, most=4),
                ),
            ),
            Night(
                "Opera House",
                "AUD",
                day=344,
                at="19:30",
                lots=(
                    Lot(
                        "House seats",
                        "Stalls",
                        rows=("K",),
                        released_to="Stalls",
                        released_on=337,
                    ),
                    Lot("Press", "Circle", rows=("A",)),
                ),
                offers=(
                    Offer(
                        "Stalls",
                        (("Adult", 149_00, 8_00), ("Child", 89_00, 8_00)),
                        "Stalls",
                        terms={"Child": UNDER_16},
                    ),
                    Offer(
                        "Circle",
                        (("Adult", 99_00, 8_00), ("Child", 59_00, 8_00)),
                        "Circle",
                        terms={"Child": {**UNDER_16, "capacity": 60}},
                    ),
                ),
            ),
            Night(
                "Albert Hall",
                "GBP",
                day=365,
                at="19:30",
                offers=(
                    Offer("Arena", (("Standing", 45_00, 4_50),), "Arena", 800),
                    Offer("Stalls", (("Adult", 85_00, 4_50), ("Under 16", 42_50, 4_50)), "Stalls"),
                ),
            ),
            Night(
                "Paradiso",
                "EUR",
                day=369,
                offers=(
                    Offer("Regular", (("Regular", 38_50, 3_50),), "Main Hall", 1_200, opens=30),
                ),
                lots=(Lot("Guest list", "Main Hall", 50),),
            ),
        ),
    ),
    Gig(
        company="Nyota",
        title="Around the Clock: 24 Hours of Benga",
        artist="Mashujaa Sound System",
        description="Doors never close. Come when you like, leave when you can.",
        category="festival",
        tags=("benga", "all-nighter"),
        minutes=24 * 60,
        age_limit=18,
        nights=(
            Night(
                "KICC",
                "KES",
                begun=6,
                licensed=1_500,
                offers=(
                    Offer("Day and night", (("Regular", 1_200_00, 0),), "Floor", 1_200, closes=2),
                ),
            ),
        ),
    ),
    Gig(
        company="Kensington",
        title="The Lantern Quartet by Candlelight",
        artist="The Lantern Quartet",
        description="Two evenings of Ravel, Takemitsu and Eleanor Alberga.",
        tags=("chamber", "classical"),
        minutes=110,
        plans=(
            Offer("Arena", (("Promming", 12_00, 0),), "Arena", 600, most=4),
            Offer("Stalls", (("Adult", 54_00, 3_00), ("Under 16", 20_00, 3_00)), "Stalls"),
        ),
        nights=(
            Night("Albert Hall", "GBP", day=24, at="19:30"),
            Night("Albert Hall", "GBP", day=25, at="19:30"),
        ),
    ),
    Gig(
        company="Hudson",
        title="Neon Prairie",
        artist="The Wichita Linewomen",
        tour_name="Neon Prairie",
        description="Steel guitar, synthesisers, and a very long road.",
        tags=("country", "electronic", "tour"),
        nights=(
            Night(
                "Garden",
                "USD",
                day=75,
                at="19:00",
                display=AvailabilityDisplay.WORD,
                lots=(
                    Lot("Early Bird lot", "Floor", 200),
                    Lot("Floor", "Floor", 800),
                    Lot("VIP rows", "Section 101", rows=("A", "B", "C", "D")),
                    Lot("Artist's", "Section 101", rows=("E",)),
                ),
                offers=(
                    Offer(
                        "Early Bird",
                        (("Regular", 59_00, 9_00),),
                        lots=("Early Bird lot",),
                        then="Regular",
                        opens=-40,
                        closes=-2,
                        description="What is left of it goes to Regular.",
                    ),
                    Offer("Regular", (("Regular", 79_50, 9_50),), lots=("Floor",), opens=-40),
                    Offer("VIP", (("Seat and supper", 249_00, 19_00),), lots=("VIP rows",), most=4),
                ),
            ),
            Night("Garden", "USD", day=76, at="19:00", copies_first=True, paused=True),
        ),
    ),
    Gig(
        company="Hinode",
        title="花火 (Hanabi) 武道館公演",
        artist="夜行列車",
        description="一夜限りの武道館。",
        tags=("j-rock",),
        nights=(
            Night(
                "Budokan",
                "JPY",
                day=110,
                at="18:30",
                lots=(Lot("SS席 (SS seats)", "Arena", rows=("A", "B", "C", "D")),),
                offers=(
                    Offer("SS席", (("一般", 15_000, 500),), lots=("SS席 (SS seats)",), opens=7),
                    Offer(
                        "S席",
                        (("一般", 9_800, 500), ("学生", 6_500, 500)),
                        "Arena",
                        opens=7,
                        terms={"学生": STUDENT},
                    ),
                ),
            ),
        ),
    ),
    Gig(
        company="Maré",
        title="Samba do Fim do Mundo",
        artist="Banda Maré Cheia",
        description="Cancelado: o palco não resistiu à ressaca.",
        tags=("samba",),
        becomes=EventStatus.CANCELLED,
        nights=(
            Night(
                "Maracanã",
                "BRL",
                day=60,
                at="21:00",
                offers=(
                    Offer(
                        "Pista", (("Inteira", 180_00, 18_00), ("Meia", 90_00, 9_00)), "Pista", 2_000
                    ),
                ),
            ),
        ),
    ),
    Gig(
        company="Nyota",
        title="Salt & Saffron",
        artist="Salt & Saffron",
        tour_name="Both Hemispheres",
        description="A duo from Zanzibar with somebody else's orchestra.",
        tags=("taarab", "tour"),
        nights=(
            Night(
                "Accor Stadium",
                "AUD",
                day=40,
                at="19:00",
                offers=(Offer("Field", (("Regular", 119_90, 9_90),), "Field", 1_500),),
                becomes=ShowStatus.POSTPONED,
            ),
            Night(
                "Maracanã",
                "BRL",
                day=70,
                at="20:30",
                offers=(Offer("Pista", (("Inteira", 150_00, 15_00),), "Pista", 1_000),),
                becomes=ShowStatus.RESCHEDULED,
                new_day=98,
            ),
        ),
    ),
    Gig(
        company="Kensington",
        title="Nachtmuziek",
        artist="Ensemble De Waterkant",
        description="It was a lovely evening.",
        tags=("chamber",),
        becomes=EventStatus.COMPLETED,
        nights=(
            Night(
                "Paradiso",
                "EUR",
                day=-21,
                offers=(Offer("Regular", (("Regular", 27_50, 2_50),), "Main Hall", 800),),
            ),
        ),
    ),
    Gig(
        company="Kensington",
        title="Open Podium",
        artist="You, if you dare",
        description="Free, and the tea is free too.",
        category="open mic",
        tags=("free",),
        nights=(
            Night(
                "Paradiso",
                "EUR",
                day=4,
                at="18:00",
                offers=(Offer("Free entry", (("Free", 0, 0),), "Small Hall", 250, most=4),),
            ),
        ),
    ),
    Gig(
        company=None,
        title="Midnight in Manhattan",
        artist="The Borrowed Brass",
        description="The hall is booked; who puts it on is being talked about.",
        tags=("jazz",),
        nights=(
            Night(
                "Garden",
                "USD",
                day=400,
                at="22:00",
                offers=(Offer("Floor", (("Regular", 95_00, 10_00),), "Floor", 800),),
            ),
        ),
    ),
    Gig(
        company="Kensington",
        title="A Secret Gig",
        artist="You will know the voice",
        description="The address comes by mail on the morning.",
        tags=("secret",),
        nights=(
            Night(
                None,
                "GBP",
                day=50,
                at="20:30",
                time_zone="Europe/London",
                licensed=300,
                offers=(Offer("Regular", (("Regular", 30_00, 3_00),), capacity=300, most=2),),
            ),
        ),
    ),
    Gig(
        company="Nyota",
        title="Nairobi Symphony of Engines",
        artist="Matatu Philharmonic",
        description="A draft: only those who work for Nyota Live can see it.",
        tags=("classical", "experimental"),
        becomes=EventStatus.DRAFT,
        plans=(
            Offer("Early Bird", (("Regular", 1_500_00, 0),), "Floor", 500),
            Offer("Regular", (("Regular", 2_000_00, 0),), "Floor", 1_000),
        ),
        nights=(Night("KICC", "KES", day=150, at="19:00"),),
    ),
)
