"""Putting shows on, and changing them as far as what is sold allows.

Lock order: venues, the event, the show.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select

from config import settings
from init import db
from models import (
    AvailabilityDisplay,
    Event,
    EventStatus,
    Price,
    Show,
    ShowStatus,
    Stock,
    Tier,
    Venue,
)
from models.event import EventMovedOn
from models.seat_map import WITH_SEATS
from models.show import HasPrices, ShowCancelled, ShowMovedOn
from models.values import Caller
from models.venue import CapacityInUse
from services import (
    audit_service,
    moderation_service,
    outbox_service,
    section_limit_service,
    show_map_service,
    stock_service,
    tier_service,
    venue_calendar,
)
from services.catalogue_conditions import require_no_sales
from services.show_service import fresh
from utils.errors import Invalid
from utils.transaction import lock, lock_all, transaction

OF_THE_SALE = ("venue_id", "starts_at", "currency")
PIN = {"seat_map_id", "seat_map_version"}
TIMES = ("starts_at", "doors_at", "ends_at")
PROMISES = ("venue_id", "starts_at", "time_zone")
AUDITED = (*PROMISES, "ends_at", "currency", "licensed_capacity")


def create(
    event: Event,
    *,
    caller: Caller,
    venue_id: int | None,
    starts_at: datetime,
    doors_at: datetime | None,
    ends_at: datetime | None,
    time_zone: str | None,
    currency: str,
    licensed_capacity: int | None,
    availability_display: AvailabilityDisplay,
    seat_map_id: int | None = None,
    seat_map_version: int | None = None,
    avoid_single_seats: bool = False,
) -> Show:
    """A new show of `event`, with the venue's current map and a copy of the event's price list.

    `seat_map_id` and `seat_map_version` name another map of the venue, or an older version.

    It ends after the event's usual length unless told. A draft's carries warnings where the venue
    is taken; a published event's raises VenueTaken.
    """
    venue = None
    if venue_id is not None:
        venue = venue_calendar.usable_venue(venue_id, caller=caller, event=event)
    show = Show(
        event_id=event.id,
        venue_id=venue_id,
        starts_at=starts_at,
        doors_at=doors_at,
        ends_at=ends_at or starts_at + venue_calendar.usual_length(event),
        time_zone=_zone(time_zone, venue),
        currency=currency,
        licensed_capacity=licensed_capacity,
        availability_display=availability_display,
        avoid_single_seats=avoid_single_seats,
        status=ShowStatus.CONFIRMED,
    )
    venue_calendar.require_sensible(show)
    venue_calendar.require_future(starts_at)
    with transaction():
        show.seat_map_version_id = venue_calendar.lock_venue(venue)
        if seat_map_id is not None or seat_map_version is not None:
            named = {"seat_map_id": seat_map_id, "number": seat_map_version}
            show.seat_map_version_id = show_map_service.find_version(show, **named).id
        _add(show, event)
        missing = tier_service.copy_price_list(show)
    show.warnings = [*show.warnings, *missing]
    return fresh(show)


def copy(
    source: Show, *, starts_at: datetime, doors_at: datetime | None, ends_at: datetime | None
) -> Show:
    """A second night: the same venue, map, currency and offer, with places of its own.

    Doors and end keep their distance from the start unless told. Raises VenueTaken.
    """
    venue = source.venue if source.venue and source.venue.deleted_at is None else None
    show = Show(
        event_id=source.event_id,
        venue_id=venue.id if venue else None,
        seat_map_version_id=source.seat_map_version_id,
        time_zone=source.time_zone,
        currency=source.currency,
        licensed_capacity=source.licensed_capacity,
        availability_display=source.availability_display,
        avoid_single_seats=source.avoid_single_seats,
        status=ShowStatus.CONFIRMED,
    )
    set_times(show, source, starts_at=starts_at, doors_at=doors_at, ends_at=ends_at)
    with transaction():
        venue_calendar.lock_venue(venue)
        event = lock(source.event)
        lock(source)
        _add(show, event)
        tier_service.copy_offer(source, show)
    return fresh(show)


def edit(show: Show, changes: dict[str, Any], *, caller: Caller) -> Show:
    """Change what is named, as far as nobody has bought anything else.

    Another date or venue is approved again where events are moderated. Raises HasSales where
    people have places that the change would make something else, MapDoesNotFit where another map
    lacks them, ShowCancelled and ShowMovedOn where the show is past that, VenueTaken and
    CapacityInUse.
    """
    wanted = _without_what_stays(show, changes)
    pin = {name: changes[name] for name in PIN if name in changes} if wanted.keys() & PIN else {}
    venue = None
    if wanted.get("venue_id") is not None:
        venue = venue_calendar.usable_venue(wanted["venue_id"], caller=caller, event=show.event)
    if pin:
        stock_service.reap(show)
    with transaction():
        map_of_venue = venue_calendar.lock_venue(venue)
        if "venue_id" not in wanted and wanted.keys() & {*TIMES, *PIN}:
            venue_calendar.lock_venues_of(Show.id == show.id)
        event = lock(show.event)
        if wanted.keys() & set(PROMISES):
            lock_and_ask_again(show, caller)
        else:
            lock(show)
        wanted = _completed(show, event, venue, _without_what_stays(show, wanted))
        _require_allowed(show, wanted)
        before = {name: getattr(show, name) for name in AUDITED if name in wanted}
        if "venue_id" in wanted:
            move_to(show, venue, map_of_venue)
            if show.status != ShowStatus.CANCELLED and event.published_at is not None:
                outbox_service.publish("show.moved", show_id=show.id)
        if pin:
            _repin(show, pin)
        show.change({name: value for name, value in wanted.items() if name not in PIN})
        if wanted.keys() & set(TIMES):
            venue_calendar.require_sensible(show)
        venue_calendar.settle(show, event)
        after = {name: getattr(show, name) for name in before}
        if changed := {name for name in before if before[name] != after[name]}:
            audit_service.record(
                "show.edit",
                show,
                before={name: before[name] for name in changed},
                after={name: after[name] for name in changed},
            )
    return fresh(show)


def _repin(show: Show, pin: dict[str, Any]) -> None:
    version = show_map_service.find_version(
        show, seat_map_id=pin.get("seat_map_id"), number=pin.get("seat_map_version")
    )
    show_map_service.repin(show, version)


def lock_and_ask_again(show: Show, caller: Caller) -> Show:
    """Lock a show, whose event is locked, to change its date or place.

    Where that must be approved, the event waits for it from here on, with all its shows locked.
    """
    if settings.moderation:  # all of them at once, by id, or two who come this way could deadlock
        shows = lock_all(select(Show).where(Show.event_id == show.event_id))
        lock(show)
        if moderation_service.must_ask_again(show.event, caller):
            moderation_service.ask_again(show.event, shows)
        return show
    return lock(show)


def set_times(
    show: Show,
    before: Show,
    *,
    starts_at: datetime,
    doors_at: datetime | None,
    ends_at: datetime | None,
) -> None:
    """Date a show anew; what is not told keeps the distance from the start that it had `before`."""
    venue_calendar.require_future(starts_at)
    length = venue_calendar.usual_length(before.event)
    if before.starts_at is not None:
        if before.ends_at is not None:
            length = before.ends_at - before.starts_at
        if before.doors_at is not None and doors_at is None:
            doors_at = starts_at - (before.starts_at - before.doors_at)
    show.starts_at, show.doors_at = starts_at, doors_at
    show.ends_at = ends_at or starts_at + length
    venue_calendar.require_sensible(show)


def move_to(show: Show, venue: Venue | None, seat_map_version_id: int | None) -> None:
    """Give a locked show another venue, or none; one without stocks takes over its map.

    Raises HasSales where seats of the old hall are sold, CapacityInUse where it is too small.
    """
    here = Show.id == show.id
    stocks = Stock.show_id == show.id, Stock.deleted_at.is_(None)
    seated = exists().where(*stocks, Stock.kind.in_(WITH_SEATS))
    require_no_sales("Seats of the present hall are sold.", here, seated)
    offered = _offered(show)
    if venue is not None and offered > venue.capacity:
        raise CapacityInUse(f"The show offers {offered} places already.", in_use=offered)
    if not db.session.scalar(select(exists().where(*stocks))):
        show.seat_map_version_id = seat_map_version_id
        section_limit_service.follow_map(show)
    show.venue_id = venue.id if venue else None


def _add(show: Show, event: Event) -> None:
    if lock(event).status not in (EventStatus.DRAFT, EventStatus.PUBLISHED):
        raise EventMovedOn(f"A {event.status} event gets no more shows.")
    with db.session.no_autoflush:
        db.session.add(show)
        venue_calendar.settle(show, event)


def _zone(named: str | None, venue: Venue | None) -> str:
    if named is None and venue is None:
        raise Invalid.at("time_zone", "Without a venue, say whose clocks the times are.")
    return named or venue.time_zone  # type: ignore[union-attr]


def _without_what_stays(show: Show, changes: dict[str, Any]) -> dict[str, Any]:
    """The changes that change something."""
    if changes.get("event_id", show.event_id) != show.event_id:
        raise Invalid.at("event_id", "A show stays with its event.")
    return {name: value for name, value in changes.items() if getattr(show, name) != value}


def _completed(
    show: Show, event: Event, venue: Venue | None, wanted: dict[str, Any]
) -> dict[str, Any]:
    """The changes with what follows from them: a null end, or zone, goes back to the usual."""
    wanted = dict(wanted)
    starts_at = wanted.get("starts_at", show.starts_at)
    if "ends_at" in wanted and wanted["ends_at"] is None and starts_at is not None:
        wanted["ends_at"] = starts_at + venue_calendar.usual_length(event)
    if wanted.get("time_zone", "") is None:
        del wanted["time_zone"]
        home = venue or (show.venue if "venue_id" not in wanted else None)
        if home is not None:
            wanted["time_zone"] = home.time_zone
    elif venue is not None and "time_zone" not in wanted:
        wanted["time_zone"] = venue.time_zone
    return wanted


def _require_allowed(show: Show, wanted: dict[str, Any]) -> None:
    """Refuse what the show's state or its sales stand against."""
    sale = [name for name in OF_THE_SALE if name in wanted]
    if show.status == ShowStatus.CANCELLED and sale:
        raise ShowCancelled(f"A cancelled show keeps its {sale[0]}.")
    if show.status == ShowStatus.CANCELLED and wanted.keys() & PIN:
        raise ShowCancelled("A cancelled show keeps its map.")
    if show.status == ShowStatus.POSTPONED and any(wanted.get(name) for name in TIMES):
        raise ShowMovedOn("A postponed show gets its new date by POST …/reschedule.")
    here = Show.id == show.id
    if "starts_at" in wanted:
        if wanted["starts_at"] is None:
            raise Invalid.at("starts_at", "A show has a date; POST …/postpone takes it away.")
        venue_calendar.require_future(wanted["starts_at"])
        require_no_sales("POST …/reschedule moves a show that people have bought.", here)
    if "venue_id" in wanted or "time_zone" in wanted:
        require_no_sales("POST …/reschedule moves a show that people have bought.", here)
    if "currency" in wanted:
        require_no_sales(f"Places are sold in {show.currency}.", here)
        _require_no_prices(show)
    licensed = wanted.get("licensed_capacity")
    if licensed is not None and (offered := _offered(show)) > licensed:
        raise CapacityInUse(f"The show offers {offered} places already.", in_use=offered)


def _require_no_prices(show: Show) -> None:
    prices = (
        select(func.count())
        .select_from(Price)
        .join(Tier, Tier.id == Price.tier_id)
        .where(Tier.show_id == show.id, Tier.deleted_at.is_(None), Price.deleted_at.is_(None))
    )
    if db.session.scalar(prices):
        raise HasPrices(f"Its tiers have prices in {show.currency}; delete them first.")


def _offered(show: Show) -> int:
    """How many places all stocks of a show have."""
    return int(
        db.session.scalar(select(func.sum(Stock.capacity)).where(Stock.show_id == show.id)) or 0
    )
