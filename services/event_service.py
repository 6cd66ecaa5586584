"""Event use cases: what is put on, and who sees it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    exists,
    func,
    or_,
    outerjoin,
    select,
    true,
)
from sqlalchemy.orm import joinedload

from init import db
from models import Event, EventStatus, Moderation, Organiser, Show
from models.event import TO_BE_DETERMINED
from models.permissions import Permission
from models.values import Caller, ShownEvent
from services import moderation_service, organiser_service, verification_service
from services.catalogue_conditions import (
    fitting,
    on_sale,
    require_no_sales,
    takes_place,
    to_come,
)
from utils.errors import Invalid, NotFound
from utils.listing import contains, ordered
from utils.statement import Statement
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


COLUMNS = (
    *Event.__table__.columns,
    func.coalesce(Organiser.name, TO_BE_DETERMINED).label("organiser_name"),
    func.coalesce(Organiser.version, 0).label("organiser_version"),
)
FROM = outerjoin(Event, Organiser, Organiser.id == Event.organiser_id)
PUBLIC = and_(Event.published_at.is_not(None), or_(*(Event.moderation == shown for shown in SHOWN)))
SHOW = Statement.of(
    "event",
    select(*COLUMNS)
    .select_from(FROM)
    .where(
        Event.id == bindparam("id", type_=BigInteger),
        or_(
            bindparam("is_admin", type_=Boolean),
            PUBLIC,
            Event.organiser_id == any_(bindparam("organiser_ids", type_=ARRAY(BigInteger))),
        ),
    ),
    alone=True,
)
READ = Statement.of(
    "events",
    select(*COLUMNS)
    .select_from(FROM)
    .where(Event.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))),
)


def seen_by(caller: Caller) -> ColumnElement[bool]:
    """That an event is public, or of an organiser whose drafts `caller` sees."""
    if caller.is_admin:
        return true()
    return or_(PUBLIC, Event.organiser_id.in_(caller.sees_drafts_of))


def visible_to(caller: Caller) -> Select[Event]:
    """The events that `caller` may see, each with its organiser."""
    return select(Event).options(joinedload(Event.organiser)).where(seen_by(caller))


def search(caller: Caller, wanted: dict[str, Any]) -> Select[int]:
    """The ids of the visible events that fit, in the order asked for; published unless told."""
    status = wanted.get("status") or EventStatus.PUBLISHED
    query = select(Event.id).where(seen_by(caller), Event.status == status)
    return _narrowed(query, wanted)


def mine(caller: Caller, wanted: dict[str, Any]) -> Select[int]:
    """The ids of all events of the organisers that `caller` works for; of an admin, all."""
    query = select(Event.id).where(seen_by(caller))
    if not caller.is_admin:
        query = query.where(Event.organiser_id.in_(caller.sees_drafts_of))
    if status := wanted.get("status"):
        query = query.where(Event.status == status)
    return _narrowed(query, wanted)


def show(event_id: int, *, caller: Caller) -> ShownEvent:
    """One event that `caller` may see, as its answer shows it."""
    facts = SHOW.mapping(id=event_id, is_admin=caller.is_admin, organiser_ids=caller.sees_drafts_of)
    if facts is None:
        raise NotFound(f"There is no event {event_id}.")
    return _shown(facts)


def read(ids: Sequence[int]) -> list[ShownEvent]:
    """The events of these ids, whoever's they are, in this order."""
    found = {facts["id"]: _shown(facts) for facts in READ.mappings(ids=list(ids))} if ids else {}
    return [found[event_id] for event_id in ids if event_id in found]


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

    People bought what these three promised; everything else stays open. Before that, the three
    are looked at again where events are moderated.
    """
    changes_hands = changes.get("organiser_id", event.organiser_id) != event.organiser_id
    if changes_hands:
        organiser_service.require_may_give(caller, changes["organiser_id"], Permission.EVENT_EDIT)
        if event.published_at is not None:
            verification_service.require_verified(changes["organiser_id"])
    with transaction():
        lock(event)
        promises_else = any(
            changes.get(name, getattr(event, name)) != getattr(event, name) for name in PROMISES
        )
        shows = []
        if changes_hands or promises_else:
            shows = lock_all(select(Show).where(Show.event_id == event.id))
        if promises_else:
            why = "People have bought what its title, artist and age say."
            require_no_sales(why, Show.event_id == event.id)
            if moderation_service.must_ask_again(event, caller):
                moderation_service.ask_again(event, shows)
        if changes_hands:  # who sells by a sheet that was read before would sell for another
            for show in shows:
                show.touch()
            organiser_service.record_hand_over("event", event, changes["organiser_id"])
        event.change(changes)
    db.session.refresh(event)
    return event


def _shown(facts: dict[str, Any]) -> ShownEvent:
    facts["status"] = EventStatus(facts["status"])
    facts["moderation"] = Moderation(facts["moderation"])
    return ShownEvent(facts)


def _narrowed(query: Select[int], wanted: dict[str, Any]) -> Select[int]:
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
