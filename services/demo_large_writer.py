"""Writes the catalogue of a large demo world, table by table, with COPY."""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection

from models.event import EventStatus, Moderation
from models.organiser import MemberRole
from models.show import AvailabilityDisplay, ShowStatus
from models.user import Role
from services.demo_large_world import DAY, Catalogue, Company
from services.demo_words import as_mail, somebody
from utils.bulk import Stamps, Tell, copy, row

AGES = 700 * DAY  # for how long everybody has been there
LICENSED = 5_000  # halls from this size on have a licence of their own

stamp = Stamps()


def write(connection: Connection, catalogue: Catalogue, tell: Tell) -> None:
    """Load everything that is put on, and the accounts of those who do and of those who buy."""
    for done, (table, (columns, lines)) in enumerate(TABLES.items()):
        tell("catalogue", done, len(TABLES))
        copy(connection, table, columns.split(), lines(catalogue))
    tell("catalogue", len(TABLES), len(TABLES))


def account_email(number: int) -> str:
    """The address of the buyer with that number, who signs in."""
    return f"{somebody(number).mailbox}@buyers.example"


def _new(catalogue: Catalogue) -> list[Company]:
    return [company for company in catalogue.companies if company.owner_id is not None]


def _domain(company: Company) -> str:
    return f"{as_mail(company.name)}-{company.id}.example"


def _accounts(catalogue: Catalogue) -> Iterator[tuple[int, str, str, Role]]:
    """Everybody who signs in: id, e-mail address, name and role."""
    for company in _new(catalogue):
        for number, word in enumerate(MemberRole):
            name = somebody(company.id * 3 + number).name
            user_id = (company.owner_id, company.manager_id, company.door_id)[number]
            yield user_id or 0, f"{word}@{_domain(company)}", name, Role.ORGANISER
    for number in range(catalogue.world.accounts):
        user_id = catalogue.first_account + number
        yield user_id, account_email(number), somebody(number).name, Role.ATTENDEE


def _users(catalogue: Catalogue) -> Iterator[str]:
    since = stamp(catalogue.at - AGES)
    for user_id, email, name, role in _accounts(catalogue):
        yield row(user_id, email, catalogue.password_hash, name, role, since, since)


def _selves(catalogue: Catalogue) -> Iterator[str]:
    since = stamp(catalogue.at - AGES)
    for user_id, email, name, _ in _accounts(catalogue):
        yield row(catalogue.holder_of(user_id), user_id, True, name, email, since, since)


def _organisers(catalogue: Catalogue) -> Iterator[str]:
    since = stamp(catalogue.at - AGES)
    for company in _new(catalogue):
        domain = _domain(company)
        about = f"{company.name} puts on shows in halls large and small."
        yield row(
            company.id, company.name, f"office@{domain}", f"https://{domain}", about, since, since
        )


def _members(catalogue: Catalogue) -> Iterator[str]:
    for company in _new(catalogue):
        yield row(company.id, company.owner_id, MemberRole.OWNER)
        yield row(company.id, company.manager_id, MemberRole.MANAGER)
        yield row(company.id, company.door_id, MemberRole.DOOR)


def _venues(catalogue: Catalogue) -> Iterator[str]:
    since = stamp(catalogue.at - AGES)
    for hall in catalogue.halls:
        city = hall.city
        address = f"{hall.id % 97 + 1} {hall.name.split()[0]} Street"
        where = (address, city.name, city.country, city.latitude, city.longitude, city.time_zone)
        yield row(hall.id, hall.name, *where, hall.capacity, since, since)


def _seat_maps(catalogue: Catalogue) -> Iterator[str]:
    for number, hall in enumerate(catalogue.halls):
        yield row(catalogue.firsts["seat_maps"] + number, hall.id, "Main", True)


def _versions(catalogue: Catalogue) -> Iterator[str]:
    for number, hall in enumerate(catalogue.halls):
        yield row(hall.version_id, catalogue.firsts["seat_maps"] + number, hall.id, 1)


def _sections(catalogue: Catalogue) -> Iterator[str]:
    for hall in catalogue.halls:
        for position, part in enumerate(hall.parts):
            yield row(part.id, hall.version_id, part.name, part.kind, part.capacity, position)


def _map_seats(catalogue: Catalogue) -> Iterator[str]:
    for hall in catalogue.halls:
        top = 0  # where a part is drawn: below the one before
        for part in hall.parts:
            if part.kind.has_seats:
                for number in range(part.capacity):
                    at = part.position(number), part.off_centre(number)
                    drawn = at[1] / 2, top + number // part.width
                    yield row(part.id, *part.seat(number), *at, *drawn)
                top += part.capacity // part.width + 3


def _events(catalogue: Catalogue) -> Iterator[str]:
    for gig in catalogue.gigs:
        yield row(
            gig.id,
            gig.company.id,
            gig.title,
            gig.artist,
            gig.tour_name,
            gig.description,
            gig.category,
            list(gig.tags),
            gig.minutes,
            gig.age_limit,
            gig.status,
            Moderation.NOT_REQUIRED,
            _when(gig.published_at),
            _when(gig.cancelled_at),
            stamp(gig.written_at),
            stamp(gig.cancelled_at or gig.published_at or gig.written_at),
            1 if gig.status == EventStatus.DRAFT else 2,
        )


def _shows(catalogue: Catalogue) -> Iterator[str]:
    for gig in catalogue.gigs:
        for night in gig.nights:
            is_dated = night.status != ShowStatus.POSTPONED
            times = (night.starts_at, night.doors_at, night.ends_at)
            hall = night.hall
            yield row(
                night.id,
                gig.id,
                hall.id,
                hall.version_id,
                *(stamp(time) if is_dated else None for time in times),
                hall.city.time_zone,
                hall.city.currency,
                hall.capacity if hall.capacity >= LICENSED else None,
                night.status,
                night.paused,
                AvailabilityDisplay.WORD if night.id % 10 == 0 else AvailabilityDisplay.NUMBER,
                night.occupies,
                _when(night.called_off_at),
                "The tour is off." if night.called_off_at else None,
                stamp(gig.written_at),
                stamp(night.called_off_at or gig.published_at or gig.written_at),
                2,
            )


def _stocks(catalogue: Catalogue) -> Iterator[str]:
    for night in catalogue.nights:
        for offer in night.offers:
            lot = offer.lot
            part = lot.part
            yield row(lot.id, night.id, part.id, part.name, lot.name, part.kind, lot.capacity)


def _tiers(catalogue: Catalogue) -> Iterator[str]:
    for gig in catalogue.gigs:
        for night in gig.nights:
            for position, offer in enumerate(night.offers):
                if offer.id is not None:
                    closes_at = stamp(offer.closes) if offer.tells_close else None
                    window = (stamp(offer.opens), closes_at)
                    limits = (1, offer.most, offer.most)
                    keys = (offer.id, gig.id, night.id)
                    yield row(*keys, offer.name, position, *window, *limits, offer.then_id)


def _prices(catalogue: Catalogue) -> Iterator[str]:
    for night in catalogue.nights:
        currency = night.hall.city.currency
        for offer in night.offers:
            for position, fare in enumerate(offer.fares):
                fee = fare.amount // 10
                yield row(fare.id, offer.id, fare.name, fare.amount, fee, currency, position)


def _tier_stocks(catalogue: Catalogue) -> Iterator[str]:
    for night in catalogue.nights:
        for offer in night.offers:
            if offer.id is not None:
                yield row(offer.id, offer.lot.id, night.id, 0)


def _when(second: int | None) -> str | None:
    return stamp(second) if second is not None else None


TABLES: dict[str, tuple[str, Callable[[Catalogue], Iterator[str]]]] = {
    "users": ("id email password_hash name role created_at updated_at", _users),
    "ticket_holders": ("id user_id is_self name email created_at updated_at", _selves),
    "organisers": ("id name email website description created_at updated_at", _organisers),
    "organiser_members": ("organiser_id user_id role", _members),
    "venues": (
        "id name address city country latitude longitude time_zone capacity created_at updated_at",
        _venues,
    ),
    "seat_maps": ("id venue_id name is_default", _seat_maps),
    "seat_map_versions": ("id seat_map_id venue_id number", _versions),
    "sections": ("id seat_map_version_id name kind capacity position", _sections),
    "map_seats": ("section_id row number position off_centre x y", _map_seats),
    "events": (
        "id organiser_id title artist tour_name description category tags duration_minutes"
        " age_limit status moderation published_at cancelled_at created_at updated_at version",
        _events,
    ),
    "shows": (
        "id event_id venue_id seat_map_version_id starts_at doors_at ends_at time_zone currency"
        " licensed_capacity status sales_paused availability_display occupies_venue cancelled_at"
        " cancel_reason created_at updated_at version",
        _shows,
    ),
    "stocks": ("id show_id section_id section_name name kind capacity", _stocks),
    "tiers": (
        "id event_id show_id name position on_sale_at off_sale_at min_per_booking max_per_booking"
        " max_per_buyer then_tier_id",
        _tiers,
    ),
    "prices": ("id tier_id name amount fee currency position", _prices),
    "tier_stocks": ("tier_id stock_id show_id position", _tier_stocks),
}
