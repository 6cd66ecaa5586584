"""A hall with parties in it, written in a few statements however many they are."""

import random
from itertools import count, groupby
from typing import Any

from sqlalchemy import select, text

from init import db
from models import Place, Tier
from models.layout import WantedSection, plain_row, seated
from tests.factories import ShowFactory, TicketHolderFactory, TierFactory

SIZES = (1, 2, 2, 2, 3, 4, 4, 5, 6)  # of parties, as often as they come
_numbers = count(1)

SELL = (
    """
    INSERT INTO bookings (reference, show_id, status, channel, payment_status, ticket_holder_id,
                          total_amount, currency, held_at, held_until, confirmed_at)
    SELECT reference, :show_id, 'confirmed', 'web', 'paid', :holder_id, 0, 'KES', now(), now(),
           now() - interval '2 days'
      FROM unnest(CAST(:references AS text[])) AS reference
    """,
    """
    INSERT INTO booking_lines (booking_id, show_id, tier_id, price_id, quantity, unit_amount,
                               currency)
    SELECT b.id, :show_id, :tier_id, :price_id, party.size, 0, 'KES'
      FROM unnest(CAST(:references AS text[]), CAST(:sizes AS bigint[])) AS party(reference, size)
      JOIN bookings b ON b.reference = party.reference
    """,
    """
    UPDATE places p SET booking_id = l.booking_id, line_id = l.id
      FROM unnest(CAST(:place_ids AS bigint[]), CAST(:whose AS text[])) AS own(place_id, reference)
      JOIN bookings b ON b.reference = own.reference
      JOIN booking_lines l ON l.booking_id = b.id
     WHERE p.id = own.place_id
    """,
    """
    INSERT INTO tickets (show_id, booking_id, line_id, place_id, ticket_holder_id, code, status)
    SELECT p.show_id, p.booking_id, p.line_id, p.id, :holder_id, 'CROWD' || p.id, 'valid'
      FROM places p WHERE p.show_id = :show_id AND p.booking_id IS NOT NULL
    """,
)


def rows_of(name: str, label: str, *sizes: int, gaps_after: tuple[int, ...] = ()) -> WantedSection:
    """A section with rows of these sizes, and its aisles after these seats."""
    return seated(
        name,
        (
            plain_row(f"{label}{n + 1}", map(str, range(1, size + 1)), gaps_after=gaps_after)
            for n, size in enumerate(sizes)
        ),
    )


def crowded(section: WantedSection, sold: int, seed: int) -> Tier:
    """A show whose best seats are sold to parties of one to six, each in one block."""
    dice = random.Random(seed)
    show = ShowFactory(venue__layout=[section], venue__capacity=200_000)
    tier: Tier = TierFactory(show=show, section=section.name, price=0, max_per_buyer=100_000)
    query = select(Place.id, Place.ordinal, Place.row).where(Place.show_id == show.id)
    seats = db.session.execute(query.order_by(Place.ordinal)).all()
    parties: list[list[int]] = []
    blocks = [
        [seat.id for _, seat in group]
        for _, group in groupby(enumerate(seats), key=lambda each: each[1].ordinal - each[0])
    ]
    for block in blocks:
        while sold and block:
            size = min(dice.choice(SIZES), sold)
            if size > len(block):
                break  # who comes next sits in the next block, and a seat or two stay free
            parties.append(block[:size])
            block, sold = block[size:], sold - size
    sell(tier, parties)
    return tier


def sell(tier: Tier, parties: list[list[int]]) -> None:
    """Sell these places of a tier's show, each list of them as one booking."""
    references = [f"CROWD{next(_numbers)}" for _ in parties]
    together = list(zip(references, parties, strict=True))
    facts: dict[str, Any] = {
        "show_id": tier.show_id,
        "tier_id": tier.id,
        "price_id": tier.prices[0].id,
        "holder_id": TicketHolderFactory().id,
        "references": references,
        "sizes": [len(party) for party in parties],
        "place_ids": [place_id for party in parties for place_id in party],
        "whose": [reference for reference, party in together for _ in party],
    }
    for statement in SELL:
        db.session.execute(text(statement), facts)
    db.session.commit()
