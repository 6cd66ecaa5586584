"""Shows: who sees which, and which fit what people look for."""

from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from init import db
from models import Event, EventStatus, Show, Venue
from models.values import Caller
from services import event_service
from services.catalogue_conditions import fitting, on_sale, takes_place
from utils.errors import NotFound
from utils.listing import contains, ordered

SORTS = {"starts_at": Show.starts_at, "created_at": Show.created_at}


def visible_to(caller: Caller) -> Select[Show]:
    """The shows of the events that `caller` may see, each with its event and venue."""
    return (
        select(Show)
        .join(Show.event)
        .options(contains_eager(Show.event), joinedload(Show.venue), joinedload(Show.pinned_map))
        .where(event_service.seen_by(caller))
    )


def search(caller: Caller, wanted: dict[str, Any]) -> Select[Show]:
    """The visible shows that fit, in the order asked for.

    Those that take place, of published events; with `status` those in that state, and with
    `event_id` those of that event, for its organiser's people also the cancelled ones.
    """
    query = visible_to(caller).where(*fitting(wanted))
    if status := wanted.get("status"):
        query = query.where(Show.status == status)
    elif not (wanted.get("event_id") and caller.is_admin):
        theirs = Event.organiser_id.in_(caller.sees_drafts_of if wanted.get("event_id") else [])
        query = query.where(or_(takes_place(), theirs))
    if event_id := wanted.get("event_id"):
        query = query.where(Show.event_id == event_id)
    elif not wanted.get("status"):
        query = query.where(Event.status == EventStatus.PUBLISHED)
    if organiser_id := wanted.get("organiser_id"):
        query = query.where(Event.organiser_id == organiser_id)
    if words := wanted.get("q"):
        places = select(Venue.id).where(contains(words, Venue.name, Venue.city))
        about = contains(words, Event.title, Event.artist, Event.tour_name)
        query = query.where(or_(about, Show.venue_id.in_(places)))
    if artist := wanted.get("artist"):
        query = query.where(contains(artist, Event.artist))
    if wanted.get("on_sale") is not None:
        sells = on_sale() & (Event.status == EventStatus.PUBLISHED)
        query = query.where(sells if wanted["on_sale"] else ~sells)
    return query.order_by(*ordered(wanted["sort"], SORTS, Show.id))


def find(show_id: int, *, caller: Caller) -> Show:
    """One show that `caller` may see."""
    show = db.session.scalar(visible_to(caller).where(Show.id == show_id))
    if show is None:
        raise NotFound(f"There is no show {show_id}.")
    return show


def fresh(show: Show) -> Show:
    """The show as it is now, with its event and venue."""
    again = (
        select(Show)
        .options(joinedload(Show.event), joinedload(Show.venue), joinedload(Show.pinned_map))
        .where(Show.id == show.id)
    )
    return db.session.scalars(again.execution_options(populate_existing=True)).unique().one()
