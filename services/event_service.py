"""Event use cases: what is put on, and who sees it."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    and_,
    any_,
    cast,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.orm import joinedload

from init import db
from models import Event, EventStatus, Moderation, Organiser, Show
from models.permissions import Permission
from models.values import Caller
from services import organiser_service
from services.catalogue_conditions import (
    fitting,
    on_sale,
    require_no_sales,
    takes_place,
    to_come,
)
from utils.errors import Invalid, NotFound
from utils.listing import contains, ordered
from utils.transaction import lock, lock_all, transaction

SHOWN = (Moderation.NOT_REQUIRED, Moderation.APPROVED)
PROMISES = ("title", "artist", "age_limit")
NEXT_SHOW = (
    select(func.min(Show.starts_at))
    .where(Show.event_id == Event.id, to_come())
    .correlate(Event)
    .scalar_subquery()
)
SORTS = {
    "starts_at": NEXT_SHOW,
    "title": Event.title,
    "artist": Event.artist,
    "created_at": Event.created_at,
}


def seen_by(caller: Caller) -> ColumnElement[bool]:
    """That an event is public, or of an organiser that `caller` works for."""
    if caller.is_admin:
        return true()
    public = and_(Event.published_at.is_not(None), Event.moderation.in_(SHOWN))
    return or_(public, Event.organiser_id.in_(caller.organisers_as()))


def visible_to(caller: Caller) -> Select[Event]:
    """The events that `caller` may see, each with its organiser."""
    return select(Event).options(joinedload(Event.organiser)).where(seen_by(caller))


def search(caller: Caller, wanted: dict[str, Any]) -> Select[Event]:
    """The visible events that fit, in the order asked for; published ones unless told."""
    status = wanted.get("status") or EventStatus.PUBLISHED
    return _narrowed(visible_to(caller).where(Event.status == status), wanted)


def mine(caller: Caller, wanted: dict[str, Any]) -> Select[Event]:
    """The events of the organisers that `caller` works for, in every state; an admin's are all."""
    query = visible_to(caller)
    if not caller.is_admin:
        query = query.where(Event.organiser_id.in_(caller.organisers_as()))
    if status := wanted.get("status"):
        query = query.where(Event.status == status)
    return _narrowed(query, wanted)


def find(event_id: int, *, caller: Caller) -> Event:
    """One event that `caller` may see."""
    event = db.session.scalar(visible_to(caller).where(Event.id == event_id))
    if event is None:
        raise NotFound(f"There is no event {event_id}.")
    return event


def named(event_id: int, *, caller: Caller) -> Event:
    """The event that a body names; Invalid at `event_id` where `caller` sees none."""
    event = db.session.scalar(visible_to(caller).where(Event.id == event_id))
    if event is None:
        raise Invalid.at("event_id", f"There is no event {event_id}.")
    return event


def create(caller: Caller, **facts: Any) -> Event:
    """A new draft, of the organiser that is named or the only one the caller manages."""
    facts["organiser_id"] = organiser_service.acting_for(
        caller, facts.get("organiser_id"), Permission.EVENT_EDIT
    )
    event = Event(**facts)
    with transaction():
        db.session.add(event)
    return event


def edit(event: Event, changes: dict[str, Any], *, caller: Caller) -> Event:
    """Change what is named. Raises HasSales for title, artist and age limit once places are sold.

    People bought what these three promised; everything else stays open.
    """
    if changes.get("organiser_id", event.organiser_id) != event.organiser_id:
        organiser_service.require_may_give(caller, changes["organiser_id"], Permission.EVENT_EDIT)
    with transaction():
        lock(event)
        if any(
            changes.get(name, getattr(event, name)) != getattr(event, name) for name in PROMISES
        ):
            shows = Show.event_id == event.id
            lock_all(select(Show).where(shows))
            require_no_sales("People have bought what its title, artist and age say.", shows)
        event.change(changes)
    db.session.refresh(event)
    return event


def _narrowed(query: Select[Event], wanted: dict[str, Any]) -> Select[Event]:
    about = [
        *(_of_itself(wanted)),
        *(_of_its_organiser(wanted)),
        *(_of_its_shows(wanted)),
    ]
    return query.where(*about).order_by(*ordered(wanted["sort"], SORTS, Event.id))


def _of_itself(wanted: dict[str, Any]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if words := wanted.get("q"):
        conditions.append(
            contains(words, Event.title, Event.artist, Event.tour_name, Event.description)
        )
    if artist := wanted.get("artist"):
        conditions.append(contains(artist, Event.artist))
    if tour_name := wanted.get("tour_name"):
        conditions.append(contains(tour_name, Event.tour_name))
    if category := wanted.get("category"):
        conditions.append(func.lower(Event.category) == func.lower(category))
    if tag := wanted.get("tag"):
        small = cast(func.lower(cast(Event.tags, Text)), ARRAY(Text))
        conditions.append(func.lower(tag) == any_(small))
    return conditions


def _of_its_organiser(wanted: dict[str, Any]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if organiser_id := wanted.get("organiser_id"):
        conditions.append(Event.organiser_id == organiser_id)
    if organiser := wanted.get("organiser"):
        named_so = contains(organiser, Organiser.name)
        conditions.append(exists().where(Organiser.id == Event.organiser_id, named_so))
    return conditions


def _of_its_shows(wanted: dict[str, Any]) -> list[ColumnElement[bool]]:
    """That one of its shows fits, and the same one in every respect."""
    conditions: list[ColumnElement[bool]] = []
    fits = fitting(wanted)
    if wanted.get("on_sale"):
        fits += [on_sale(), Event.status == EventStatus.PUBLISHED]
    elif wanted.get("on_sale") is False:
        sells = exists().where(Show.event_id == Event.id, on_sale())
        conditions.append(~and_(sells, Event.status == EventStatus.PUBLISHED))
    if fits:
        if wanted.get("status") != EventStatus.CANCELLED:
            fits.append(takes_place())
        conditions.append(exists().where(Show.event_id == Event.id, *fits))
    return conditions
