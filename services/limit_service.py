"""How many places one buyer may have at a show.

A limit is counted under advisory locks on the buyer, taken in a statement before the one that
counts: taken and counted in one, every waiting request would count what was there before.
"""

from collections.abc import Iterable

from models.values import BuyerKey
from services.pricing_service import PricedLine
from utils.errors import Conflict
from utils.statement import Statement
from utils.transaction import lock_key


class LimitReached(Conflict):
    """One buyer may have `limit` places of this tier at the show, and has `have` already."""

    code, title = "limit-reached", "That is more than one buyer may have"


# What a buyer holds or has bought on the open sale, by account or by mailbox, one booking apart.
HAVE = Statement(
    "have",
    """
    SELECT l.tier_id, sum(l.quantity)
      FROM bookings b JOIN booking_lines l ON l.booking_id = b.id
     WHERE b.show_id = :show_id AND (b.user_id = :user_id OR b.email_key = :email_key)
       AND b.channel IN ('web', 'api') AND b.id <> :except_id
       AND (b.status = 'confirmed'
            OR b.status = 'held' AND b.held_until > (SELECT clock_timestamp()))
     GROUP BY l.tier_id
    """,
)


def keys_of(show_id: int, buyer: BuyerKey) -> list[int]:
    """What bookings of the same buyer at the same show wait for each other on."""
    facts = [("user", buyer.user_id), ("email", buyer.email_key)]
    return [lock_key("limit", show_id, kind, value) for kind, value in facts if value]


def require_within(
    lines: Iterable[PricedLine],
    *,
    show_id: int,
    buyer: BuyerKey,
    except_booking_id: int = 0,
) -> None:
    """Raise LimitReached if the lines would give the buyer more than a tier's limit."""
    rows = HAVE.all(
        show_id=show_id,
        except_id=except_booking_id,
        user_id=buyer.user_id,
        email_key=buyer.email_key,
    )
    have = {tier_id: int(quantity) for tier_id, quantity in rows}
    wanted: dict[int, int] = {}
    for line in lines:
        if line.tier is None:
            continue
        tier = line.tier
        wanted[tier.id] = wanted.get(tier.id, 0) + line.quantity
        if have.get(tier.id, 0) + wanted[tier.id] > tier.max_per_buyer:
            raise LimitReached(
                f"One buyer may have {tier.max_per_buyer} of {tier.name} at this show.",
                limit=tier.max_per_buyer,
                have=have.get(tier.id, 0),
                tier_id=tier.id,
            )
