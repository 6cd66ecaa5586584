"""How many places a show may have: its section, its licence and its venue say so.

All of this runs in a transaction that has locked the show.
"""

from sqlalchemy import func, select

from init import db
from models import Section, Show, Stock, Venue
from utils.errors import Conflict


class CapacityExceeded(Conflict):
    """More places than there may be; `scope` is section, licence or venue.

    `limit` is how many it allows, `left` how many of those no stock has yet.
    """

    code, title = "capacity-exceeded", "More places than there may be"


def room(show: Show, part: Section | None) -> tuple[int | None, int, str]:
    """What is left for new places, with the limit and the scope that say so; None: no limit."""
    in_section = Stock.section_id == (part.id if part else None)
    used, used_in_section = db.session.execute(
        select(
            func.coalesce(func.sum(Stock.capacity), 0),
            func.coalesce(func.sum(Stock.capacity).filter(in_section), 0),
        ).where(Stock.show_id == show.id)
    ).one()
    venue = select(Venue.capacity).where(Venue.id == show.venue_id)
    limits = [
        (part.capacity if part else None, used_in_section, "section"),
        (show.licensed_capacity, used, "licence"),
        (db.session.scalar(venue), used, "venue"),
    ]
    rooms = [
        (max(limit - int(taken), 0), limit, scope)
        for limit, taken, scope in limits
        if limit is not None
    ]
    return min(rooms, key=lambda of: of[0], default=(None, 0, "none"))


def require_room(show: Show, part: Section | None, more: int) -> None:
    """Raise CapacityExceeded if that many new places are too many."""
    left, limit, scope = room(show, part)
    if left is not None and more > left:
        raise CapacityExceeded(
            f"The {scope} leaves {left} places for new stocks.",
            limit=limit,
            left=left,
            scope=scope,
        )
