"""Writes the sales of a large demo world as the product would have: bookings with their lines,
places, holders, secrets and tickets, who came in, and word of what was confirmed of late.
"""

import base64
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from sqlalchemy import Connection

from config import settings
from models.booking import BookingStatus, Channel, PaymentStatus
from models.ticket import TicketStatus
from models.values import email_key
from services.buyer_service import WALK_UP as WALK_UP_NAME
from services.demo_large_catalogue import rng_of
from services.demo_large_sales import LIVING, WALK_UP, WITH_TICKETS, Fate, Line, Sales
from services.demo_large_world import DAY, HOUR, Night
from services.demo_large_writer import account_email
from services.demo_words import somebody
from services.hold_service import REFERENCE_LENGTH
from services.ticket_service import CODE_LENGTH
from utils.bulk import NOTHING, Stamps, Tell, copy, counted, row
from utils.tokens import READABLE

STATUS = {
    Fate.CONFIRMED: BookingStatus.CONFIRMED,
    Fate.ADMITTED: BookingStatus.CONFIRMED,
    Fate.CANCELLED: BookingStatus.CANCELLED,
    Fate.GIVEN_UP: BookingStatus.CANCELLED,
    Fate.EXPIRED: BookingStatus.EXPIRED,
    Fate.HELD: BookingStatus.HELD,
}
TICKET_STATUS = {
    Fate.CONFIRMED: TicketStatus.VALID,
    Fate.ADMITTED: TicketStatus.USED,
    Fate.CANCELLED: TicketStatus.VOID,
}
VERSIONS = {  # every step of a booking's life, and every admission, counts one up
    Fate.CONFIRMED: 2,
    Fate.ADMITTED: 2,
    Fate.CANCELLED: 3,
    Fate.GIVEN_UP: 2,
    Fate.EXPIRED: 2,
    Fate.HELD: 1,
}
AT_THE_DESK = (Channel.DESK, Channel.COMP)
GATES = ("Main gate", "Side door")
COMP_REASONS = ("Press", "The support act's guests", "Won them on the radio", "Old friends")
TOLD = 2 * DAY  # of confirmations that are older the word has long been deleted
BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
AS_READABLE = bytes.maketrans(BASE64, (READABLE * 2).encode())
PAIRS = [first + second for first in READABLE for second in READABLE]
FIFTY_BITS = (1 << 50) - 1
UNCLAIMED = f"{NOTHING}\t{NOTHING}"  # no booking, no line
UNNUMBERED = (NOTHING,) * 4  # no row, no number, no key, no middle of a row

stamp = Stamps()


class Records:
    """What the tables say of each booking of the sales, by its number."""

    def __init__(self, sales: Sales) -> None:
        self.sales = sales
        self.catalogue = sales.catalogue
        self.firsts = sales.catalogue.firsts
        self.hold = settings.hold // timedelta(seconds=1)

    def rng(self, what: str) -> random.Random:
        return rng_of(self.catalogue.world, what)

    def night(self, number: int) -> Night:
        return self.sales.nights[self.sales.night[number]]

    def id(self, number: int) -> int:
        return self.firsts["bookings"] + self.sales.rank[number]

    def holder_id(self, number: int) -> int:
        """The ticket holder whom a booking is for: an account's own, else one written for it."""
        if self.sales.is_account(number):
            user_id = self.catalogue.first_account + self.sales.buyer[number]
            return self.catalogue.holder_of(user_id)
        return self.catalogue.first_guest_holder + self.sales.holder[number]

    def email(self, number: int) -> str | None:
        buyer = self.sales.buyer[number]
        if buyer == WALK_UP:
            return None
        is_account = self.sales.is_account(number)
        return account_email(buyer) if is_account else f"{somebody(buyer).mailbox}@guests.example"

    def has_secret(self, number: int) -> bool:
        """Whether a guest bought by themselves, and has nothing else to show."""
        return not self.sales.is_account(number) and self.sales.channel(number) not in AT_THE_DESK

    def confirmed_at(self, number: int) -> int | None:
        """When a booking was paid for: some minutes after it was held, at the desk at once."""
        if self.sales.fate(number) not in WITH_TICKETS:
            return None
        held_at = self.sales.held_at[number]
        if self.sales.channel(number) in AT_THE_DESK:
            return held_at
        return held_at + 20 + number * 7919 % (self.hold * 2 // 3)

    def cancelled_at(self, number: int) -> int | None:
        """When a booking was given back, if it was: with its show, or some time before."""
        fate, held_at = self.sales.fate(number), self.sales.held_at[number]
        if fate == Fate.GIVEN_UP:
            return held_at + 10 + number * 7919 % (self.hold // 2)
        if fate != Fate.CANCELLED:
            return None
        night = self.night(number)
        if night.called_off_at is not None:
            return night.called_off_at
        after = self.confirmed_at(number) or held_at
        return after + max(night.until - after, 0) * (number * 7919 % 1000) // 1000

    def admitted_at(self, number: int) -> int | None:
        if self.sales.fate(number) != Fate.ADMITTED:
            return None
        return self.night(number).doors_at + number * 7919 % HOUR


def write(connection: Connection, sales: Sales, tell: Tell) -> None:
    """Load all that was sold, table by table, after the catalogue that it was sold from."""
    records = Records(sales)
    totals = {
        "ticket_holders": sales.totals["holders"],
        "booking_lines": sales.totals["lines"],
        "places": sum(night.places for night in sales.nights),
        "tickets": sales.totals["tickets"],
        "check_ins": sales.totals["tickets"],
    }
    for table, (columns, lines) in TABLES.items():
        total = totals.get(table, len(sales))
        told = counted(lines(records), table.replace("_", " "), total, tell)
        copy(connection, table, columns.split(), told)


def _holders(records: Records) -> Iterator[str]:
    sales = records.sales
    for number in sales.order:
        if sales.is_account(number):
            continue
        buyer, since = sales.buyer[number], stamp(sales.held_at[number])
        name = somebody(buyer).name if buyer != WALK_UP else WALK_UP_NAME
        owner_id = records.night(number).company.id
        yield row(records.holder_id(number), owner_id, name, records.email(number), since, since)


def _bookings(records: Records) -> Iterator[str]:
    sales, booking_id = records.sales, records.firsts["bookings"]
    for rank, number in enumerate(sales.order):
        night, fate, channel = records.night(number), sales.fate(number), sales.channel(number)
        total, places = _total(night, sales.lines_of(number))
        held_at, email = sales.held_at[number], records.email(number)
        confirmed_at, cancelled_at = records.confirmed_at(number), records.cancelled_at(number)
        is_paid = confirmed_at is not None or not total
        is_account, is_comp = sales.is_account(number), channel == Channel.COMP
        user_id = records.catalogue.first_account + sales.buyer[number] if is_account else None
        seller_id = night.company.manager_id if channel in AT_THE_DESK else None
        held = f"{stamp(held_at)}\t{stamp(held_at + records.hold)}"
        changed = held_at + records.hold if fate == Fate.EXPIRED else held_at
        changed = cancelled_at or records.admitted_at(number) or confirmed_at or changed
        yield (
            f"{booking_id + rank}\t{_reference(rank)}\t{night.id}\t{STATUS[fate]}\t{channel}\t"
            f"{PaymentStatus.PAID if is_paid else PaymentStatus.UNPAID}\t"
            f"{user_id or NOTHING}\t{seller_id or NOTHING}\t{records.holder_id(number)}\t"
            f"{email or NOTHING}\t{email_key(email) if email else NOTHING}\t"
            f"{total}\t{night.hall.city.currency}\t{held}\t"
            f"{stamp(confirmed_at) if confirmed_at else NOTHING}\t"
            f"{stamp(cancelled_at) if cancelled_at else NOTHING}\t"
            f"{COMP_REASONS[rank % len(COMP_REASONS)] if is_comp else NOTHING}\t"
            f"{stamp(held_at)}\t{stamp(changed)}\t"
            f"{VERSIONS[fate] + (places if fate == Fate.ADMITTED else 0)}\n"
        )


def _lines(records: Records) -> Iterator[str]:
    sales, line_id = records.sales, records.firsts["booking_lines"]
    for number in sales.order:
        night, booking_id = records.night(number), records.id(number)
        for offer_at, fare_at, quantity in sales.lines_of(number):
            offer = night.offers[offer_at]
            fare = offer.fares[fare_at] if offer.id is not None else None
            price = (fare.id, quantity, fare.amount) if fare else (None, quantity, 0)
            currency = night.hall.city.currency
            yield row(line_id, booking_id, night.id, offer.id, *price, currency)
            line_id += 1


def _secrets(records: Records) -> Iterator[str]:
    sales, rng = records.sales, records.rng("secrets")
    for number in sales.order:
        if records.has_secret(number):
            since = stamp(sales.held_at[number])
            yield row(records.id(number), rng.randbytes(32), since)


def _places(records: Records) -> Iterator[str]:
    """In the order of the shows; who has which was planned with the sales."""
    sales, first = records.sales, records.firsts["places"]
    place = 0
    for at, night in enumerate(sales.nights):
        numbers = range(sales.first_of_night[at], sales.first_of_night[at + 1])
        taken = _taken(records, [number for number in numbers if sales.fate(number) in LIVING])
        for offer in night.offers:
            lot = offer.lot
            standing = ((ordinal, *UNNUMBERED) for ordinal in range(1, lot.capacity + 1))
            seats: Iterable[tuple[int | str, ...]] = standing
            if lot.part.kind.has_seats:
                seats = lot.seats()
            for place_of in seats:
                owner = taken.get(place, UNCLAIMED)
                label = "\t".join(map(str, place_of))
                yield f"{first + place}\t{night.id}\t{lot.id}\t{owner}\t{label}\n"
                place += 1


def _taken(records: Records, numbers: list[int]) -> dict[int, str]:
    """The booking and the line that have each place of a show which somebody has."""
    sales, taken = records.sales, {}
    for number in numbers:
        place, line_id = sales.place[number], records.firsts["booking_lines"] + sales.line[number]
        for line, (_, _, quantity) in enumerate(sales.lines_of(number), line_id):
            for _ in range(quantity):
                taken[place] = f"{records.id(number)}\t{line}"
                place += 1
    return taken


def _tickets(records: Records) -> Iterator[str]:
    sales, firsts = records.sales, records.firsts
    ticket_id, codes = firsts["tickets"], _codes(records.rng("codes"))
    for number in sales.order:
        fate = sales.fate(number)
        if fate not in WITH_TICKETS:
            continue
        born = stamp(records.confirmed_at(number) or 0)
        changed = records.cancelled_at(number) or records.admitted_at(number)
        times = f"{born}\t{stamp(changed) if changed else born}"
        of_booking = f"{records.night(number).id}\t{records.id(number)}"
        holder_id, status = records.holder_id(number), TICKET_STATUS[fate]
        place_id = firsts["places"] + sales.place[number]
        line_id = firsts["booking_lines"] + sales.line[number]
        for line, (_, _, quantity) in enumerate(sales.lines_of(number), line_id):
            for _ in range(quantity):
                yield (
                    f"{ticket_id}\t{of_booking}\t{line}\t{place_id}\t{holder_id}"
                    f"\t{next(codes)}\t{status}\t{times}\n"
                )
                ticket_id += 1
                place_id += 1


def _check_ins(records: Records) -> Iterator[str]:
    sales, first = records.sales, records.firsts["tickets"]
    nights = sorted(range(len(sales.nights)), key=lambda at: sales.nights[at].starts_at)
    for at in nights:
        night = sales.nights[at]
        for number in range(sales.first_of_night[at], sales.first_of_night[at + 1]):
            admitted_at = records.admitted_at(number)
            if admitted_at is None:
                continue
            when, gate = stamp(admitted_at), GATES[number % len(GATES)]
            places = sum(quantity for _, _, quantity in sales.lines_of(number))
            for ticket in range(places):
                ticket_id = first + sales.ticket[number] + ticket
                yield row(night.id, ticket_id, gate, night.company.door_id, when, when, when)


def _words(records: Records) -> Iterator[str]:
    """What the worker was told of late; it has been passed on."""
    for number in records.sales.order:
        confirmed_at = records.confirmed_at(number)
        if confirmed_at is not None and confirmed_at >= records.catalogue.at - TOLD:
            payload = f'{{"booking_id": {records.id(number)}}}'
            when = stamp(confirmed_at)
            yield row("booking.confirmed", payload, 1, None, when, when)


def _total(night: Night, lines: list[Line]) -> tuple[int, int]:
    """What lines cost together, and how many places they are."""
    total = places = 0
    for offer_at, fare_at, quantity in lines:
        fares = night.offers[offer_at].fares
        total += quantity * fares[fare_at].amount if fares else 0
        places += quantity
    return total, places


def _reference(rank: int) -> str:
    """A reference like any other; no two ranks share one."""
    mixed = (rank * 0x2545F4914F6CD + 0x1B873593ABCDE) & FIFTY_BITS
    mixed = (mixed ^ mixed >> 23) * 0x9E3779B97F4A7 & FIFTY_BITS
    mixed ^= mixed >> 27
    return "".join(PAIRS[mixed >> shift & 1023] for shift in range(0, 5 * REFERENCE_LENGTH, 10))


def _codes(rng: random.Random) -> Iterator[str]:
    """Ticket codes: five bits of chance for each symbol."""
    while True:
        symbols = base64.b64encode(rng.randbytes(CODE_LENGTH * 600)).translate(AS_READABLE).decode()
        for start in range(0, len(symbols), CODE_LENGTH):
            yield symbols[start : start + CODE_LENGTH]


TABLES: dict[str, tuple[str, Callable[[Records], Iterator[str]]]] = {
    "ticket_holders": ("id organiser_id name email created_at updated_at", _holders),
    "bookings": (
        "id reference show_id status channel payment_status user_id sold_by_user_id"
        " ticket_holder_id email email_key total_amount currency held_at held_until confirmed_at"
        " cancelled_at comp_reason created_at updated_at version",
        _bookings,
    ),
    "booking_lines": (
        "id booking_id show_id tier_id price_id quantity unit_amount currency",
        _lines,
    ),
    "booking_secrets": ("booking_id secret_hash created_at", _secrets),
    "places": (
        "id show_id stock_id booking_id line_id ordinal row number key off_centre",
        _places,
    ),
    "tickets": (
        "id show_id booking_id line_id place_id ticket_holder_id code status created_at updated_at",
        _tickets,
    ),
    "check_ins": (
        "show_id ticket_id gate admitted_by_user_id admitted_at created_at updated_at",
        _check_ins,
    ),
    "outbox_messages": ("topic payload attempts due_at created_at updated_at", _words),
}
