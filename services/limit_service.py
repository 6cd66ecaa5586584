"""How many places one buyer may have at a show, and for how long without buying them.

A limit is counted under advisory locks on the buyer, taken in a statement before the one that
counts: taken and counted in one, every waiting request would count what was there before.
"""

from collections.abc import Iterable

from config import settings
from models.values import BuyerKey
from services.pricing_service import PricedLine
from utils.errors import Conflict, TooManyRequests
from utils.statement import Statement
from utils.transaction import lock_key


class LimitReached(Conflict):
    """One buyer may have `limit` places of this tier at the show, and has `have` already."""

    code, title = "limit-reached", "That is more than one buyer may have"


class CoolDown(TooManyRequests):
    """You have kept places of this show from others for long today, without buying them.

    What is held and not bought counts by places and minutes; `Retry-After` says when the first of
    it is a day old. What you do buy does not count.
    """

    code, title = "cool-down", "Too much was held and not bought; come back later"


# What a buyer holds or has bought on the open sale, by account or by mailbox, one booking apart;
# and the place-minutes of the last day that were held and not bought. These count a signed-in buyer
# by the account alone: anybody may give their address.
HAVE = Statement(
    "have",
    """
    SELECT l.tier_id,
           coalesce(sum(l.quantity) FILTER (WHERE b.status = 'confirmed'
                 OR b.status = 'held' AND b.held_until > (SELECT clock_timestamp())), 0),
           coalesce(sum(l.quantity * greatest(1, extract(epoch FROM
                 least(b.cancelled_at, b.held_until, (SELECT clock_timestamp())) - b.held_at) / 60)
                 + CASE WHEN l.id = (SELECT min(id) FROM booking_lines WHERE booking_id = b.id)
                        THEN b.given_back_minutes ELSE 0 END)
               FILTER (WHERE b.confirmed_at IS NULL AND (CAST(:user_id AS bigint) IS NULL
                                                         OR b.user_id = :user_id)), 0),
           extract(epoch FROM min(b.held_at) FILTER (WHERE b.confirmed_at IS NULL
                                                     AND (CAST(:user_id AS bigint) IS NULL
                                                          OR b.user_id = :user_id))
                              - (SELECT clock_timestamp()) + interval '24 hours')
      FROM bookings b JOIN booking_lines l ON l.booking_id = b.id
     WHERE b.show_id = :show_id AND (b.user_id = :user_id OR b.email_key = :email_key)
       AND b.channel IN ('web', 'api') AND b.id <> :except_id
       AND (b.status = 'confirmed' OR b.confirmed_at IS NULL
            AND b.held_at > (SELECT clock_timestamp()) - interval '24 hours')
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
    """Raise LimitReached if the lines would give the buyer more than a tier's limit.

    Raise CoolDown if they are for a new hold, and the buyer has kept others waiting for long
    enough with what was not bought (settings.hold_budget_minutes).
    """
    rows = HAVE.all(
        show_id=show_id,
        except_id=except_booking_id,
        user_id=buyer.user_id,
        email_key=buyer.email_key,
    )
    have = {tier_id: int(quantity) for tier_id, quantity, _minutes, _seconds in rows}
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
    if not except_booking_id and sum(row[2] for row in rows) >= settings.hold_budget_minutes:
        raise CoolDown.until(
            min(row[3] for row in rows if row[3] is not None),
            "You have held many places of this show today, and not bought them.",
        )
