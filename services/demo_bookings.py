"""Who has booked what in the demo world, through which channel, and what became of it."""

from dataclasses import dataclass

from models.booking import BookingStatus, Channel
from services.demo_world import ATTENDEE, BUYERS, GUESTS, Person


@dataclass(frozen=True)
class Line:
    """Places of a tier, or of a lot that no tier sells."""

    tier: str | None
    quantity: int = 1
    price: str | None = None
    seats: tuple[str, ...] = ()
    lot: str | None = None


@dataclass(frozen=True)
class Sale:
    """A booking made `ago` days back; nobody's is a walk-up's, and a `reason` makes it a comp.

    `companions` have tickets in their own names.
    """

    show: int
    ago: int
    who: Person | None
    lines: tuple[Line, ...]
    status: BookingStatus = BookingStatus.CONFIRMED
    channel: Channel = Channel.WEB
    reason: str | None = None
    companions: tuple[str, ...] = ()


ASHA, XIAOMING, ANAIS, JUERGEN, SIOBHAN, EBRU, DMYTRO, KWAME, IOLANI, DIMITRA = GUESTS[:10]
_, PRIYA, SOREN, MOHAMMED, LUCJA = BUYERS
STALLS_B = ("STALLS/B-12", "STALLS/B-13")
# Chosen, as are all seats in these stalls: any three could be those that a later booking names.
STALLS_F = (
    Line("Stalls", 1, "Adult", ("STALLS/F-10",)),
    Line("Stalls", 2, "Child", ("STALLS/F-11", "STALLS/F-12")),
)
HELD, CANCELLED, EXPIRED = BookingStatus.HELD, BookingStatus.CANCELLED, BookingStatus.EXPIRED
DESK = Channel.DESK


def _crowd(show: int, tier: str, *, from_day: int, of: tuple[Person, ...]) -> tuple[Sale, ...]:
    """Each of them books one to four places, a day after the other."""
    return tuple(
        Sale(show, from_day + number, person, (Line(tier, number % 4 + 1),))
        for number, person in enumerate(of)
    )


# The confirmed ones of event 1 are 42 tickets.
SALES = (
    Sale(1, 20, ASHA, (Line("Regular", 2),)),
    Sale(1, 19, ATTENDEE, (Line("Regular", 4),), companions=("Tāne Ngata", "Mere Ngata")),
    Sale(1, 18, PRIYA, (Line("Regular", 1), Line("VIP", 2))),
    Sale(1, 12, XIAOMING, (Line("VIP", 2),)),
    Sale(1, 6, None, (Line("Regular", 6),), channel=DESK),
    Sale(1, 5, KWAME, (Line(None, 2, lot="Promoter's"),), reason="The photographer and her aunt"),
    Sale(1, 9, DMYTRO, (Line("Regular", 3),), CANCELLED),
    Sale(1, 4, EBRU, (Line("Regular", 5),), EXPIRED),
    Sale(1, 0, SIOBHAN, (Line("Regular", 2),), HELD),
    Sale(2, 17, ATTENDEE, (Line("Stalls", 2, "Adult", STALLS_B),)),
    Sale(2, 16, ANAIS, (Line("Circle", 2, "Adult"), Line("Circle", 2, "Child"))),
    Sale(2, 8, SOREN, (Line("Stalls", 3, "Adult", ("STALLS/C-20", "STALLS/C-21", "STALLS/C-22")),)),
    Sale(2, 7, DIMITRA, (Line("Circle", 5, "Adult"),), channel=DESK),
    Sale(
        2,
        5,
        IOLANI,
        (Line(None, 2, seats=("STALLS/K-23", "STALLS/K-24"), lot="House seats"),),
        reason="Won them on the radio",
    ),
    Sale(2, 2, MOHAMMED, STALLS_F, EXPIRED),
    Sale(2, 0, ATTENDEE, (Line("Stalls", 2, "Adult", ("STALLS/D-30", "STALLS/D-31")),), HELD),
    Sale(3, 11, JUERGEN, (Line("Arena", 2),)),
    Sale(3, 10, LUCJA, (Line("Stalls", 1, "Adult"), Line("Stalls", 1, "Under 16"))),
    Sale(3, 3, PRIYA, (Line("Stalls", 2, "Adult"),), CANCELLED),
    Sale(4, 1, ANAIS, (Line(None, 3, lot="Guest list"),), reason="Support act's guests"),
    *_crowd(5, "Day and night", from_day=3, of=(*BUYERS, *GUESTS[6:])),
    Sale(6, 15, SIOBHAN, (Line("Arena", 2),)),
    Sale(6, 14, SOREN, (Line("Stalls", 2, "Adult"), Line("Stalls", 2, "Under 16"))),
    Sale(6, 1, None, (Line("Arena", 1),), channel=DESK),
    Sale(7, 13, JUERGEN, (Line("Stalls", 4, "Adult"),)),
    Sale(8, 35, MOHAMMED, (Line("Early Bird", 4),)),
    Sale(8, 34, IOLANI, (Line("Early Bird", 2), Line("Regular", 1))),
    Sale(8, 10, EBRU, (Line("VIP", 2),)),
    Sale(8, 9, KWAME, (Line("Regular", 6),), CANCELLED),
    Sale(8, 0, DMYTRO, (Line("Regular", 2),), HELD),
    Sale(11, 22, PRIYA, (Line("Pista", 2, "Inteira"), Line("Pista", 1, "Meia"))),
    Sale(11, 21, XIAOMING, (Line("Pista", 2, "Inteira"),)),
    Sale(12, 30, ATTENDEE, (Line("Field", 2),)),
    Sale(12, 29, DIMITRA, (Line("Field", 3),)),
    Sale(13, 28, LUCJA, (Line("Pista", 2),)),
    *_crowd(14, "Regular", from_day=25, of=(ATTENDEE, *GUESTS[:9])),
    Sale(15, 2, ASHA, (Line("Free entry", 1),)),
    Sale(15, 1, ATTENDEE, (Line("Free entry", 3),)),
    Sale(16, 3, JUERGEN, (Line("Floor", 2),)),
    Sale(17, 6, SOREN, (Line("Regular", 2),)),
    Sale(17, 0, ANAIS, (Line("Regular", 1),), HELD),
)
