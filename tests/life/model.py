"""A box office in plain Python: what must come of every step in the life of a booking.

One show, a handful of places, no database and no clock. Each verb has two halves: `may_…` raises
`Refused` as the API must refuse (or `Replayed`), and the verb does what the API says it has done.
A hold that is dead owns nothing from that moment on, whether or not anybody has swept it up.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """The answer must be this status and code, with these facts beside them."""

    def __init__(self, status: int, code: str, **facts: Any) -> None:
        super().__init__(status, code, facts)
        self.status, self.code, self.facts = status, code, facts


class Replayed(Exception):
    """The answer must be, byte for byte, one that was given before."""

    def __init__(self, answer: Any) -> None:
        super().__init__("answered before")
        self.answer = answer


@dataclass(frozen=True)
class Tier:
    """An offer; `stocks` in selling order, `most` in one booking, `limit` for one buyer."""

    stocks: tuple[str, ...]
    prices: dict[str, int]
    least: int = 1
    most: int = 6
    limit: int = 6
    then: str | None = None  # who sells its stocks once it has closed


TIERS = {
    "Early": Tier(("Early",), {"Early": 1500}, limit=2, then="Regular"),
    "Free": Tier(("Floor",), {"Free": 0}, most=3, limit=3),
    "Regular": Tier(("Floor", "Back"), {"Adult": 2000, "Child": 900}, least=2, limit=6),
    "Stalls": Tier(("Stalls",), {"Seat": 5000}, limit=3),
}
ROOM = {"Early": 5, "Floor": 9, "Back": 6, "Stalls": 6}  # what each section could hold
LICENCE = 20
SEATS = tuple(f"STALLS/A-{number}" for number in range(1, ROOM["Stalls"] + 1))
STAFF = ("owner", "door")
NOBODY = ("stranger", "wrong secret")
WORDS = {"show-cancelled": "cancelled", "sale-ended": "sale_ended", "sale-paused": "paused"}
DESK = ("desk", "comp")


@dataclass(frozen=True)
class Wanted:
    """A line of a request."""

    tier: str | None
    quantity: int = 0
    seats: tuple[str, ...] = ()
    price: str | None = None
    stock: str | None = None


@dataclass
class Line:
    tier: str | None
    price: str | None
    quantity: int
    unit: int
    stocks: tuple[str, ...]
    seats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Place:
    stock: str
    key: str | None
    line: int  # which of the booking's lines


@dataclass
class Ticket:
    code: str
    name: str | None  # None: the booking's holder
    status: str = "valid"


@dataclass
class Booking:
    buyer: str | None  # who may see and change it besides the organiser's people
    mailbox: str | None  # whom the limits count
    channel: str
    holder: str
    lines: list[Line]
    places: dict[int, Place] = field(default_factory=dict)
    status: str = "held"
    minutes: int = 15
    note: str | None = None
    names: dict[int, str] = field(default_factory=dict)
    tickets: dict[int, Ticket] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(line.quantity * line.unit for line in self.lines)

    @property
    def paid(self) -> bool:
        return not self.total or bool(self.tickets)

    @property
    def lives(self) -> bool:
        return self.status in ("held", "confirmed")


class BoxOffice:
    """The one show."""

    def __init__(self) -> None:
        self.capacity = {"Early": 3, "Floor": 6, "Back": 3}
        self.seats = set(SEATS[:4])
        self.prices = {(t, p): amount for t, tier in TIERS.items() for p, amount in tier.prices.items()}
        self.closed: set[str] = set()
        self.paused = self.cancelled = False
        self.bookings: dict[int, Booking] = {}
        self.answers: dict[tuple[str, str], tuple[Any, Any]] = {}

    # What there is

    def size(self, stock: str) -> int:
        return len(self.seats) if stock == "Stalls" else self.capacity[stock]

    def count(self, stock: str) -> tuple[int, int, int]:
        """Free, held and sold."""
        of = Counter(b.status for b in self.bookings.values() for p in b.places.values() if p.stock == stock)
        return self.size(stock) - of.total(), of["held"], of["confirmed"]

    def stocks_of(self, tier: str) -> tuple[str, ...]:
        fallen = [t for name, t in TIERS.items() if t.then == tier and name in self.closed]
        return TIERS[tier].stocks + tuple(stock for t in fallen for stock in t.stocks)

    def refusal_of(self, tier: str) -> Refused | None:
        """Why the open sale does not sell a tier."""
        if self.cancelled:
            return Refused(409, "show-cancelled")
        if tier in self.closed:
            return Refused(409, "sale-ended")
        return Refused(409, "sale-paused") if self.paused else None

    def count_of(self, tier: str) -> tuple[int, ...]:
        """Free, held and sold of what a tier sells."""
        return tuple(map(sum, zip(*map(self.count, self.stocks_of(tier)), strict=True)))

    def state(self, tier: str) -> str:
        """The word for a tier at the open sale."""
        if refusal := self.refusal_of(tier):
            return WORDS[refusal.code]
        counts = self.count_of(tier)
        if not sum(counts):
            return "not_on_sale_yet"
        if counts[0] < TIERS[tier].least:
            return "sold_out"
        return "few_left" if counts[0] * 10 <= sum(counts) else "available"

    # Who asks, and whether they asked before

    def sees(self, who: str, booking: Booking) -> bool:
        return who in (*STAFF, booking.buyer)

    def require_access(self, who: str, booking: Booking) -> None:
        """Changing and cancelling are the buyer's, and the organiser's managers'."""
        if who in NOBODY:
            raise Refused(401, "unauthenticated")
        if not self.sees(who, booking):
            raise Refused(404, "not-found")
        if who not in (booking.buyer, "owner"):
            raise Refused(403, "forbidden")

    def require_manager(self, who: str, *, hidden: bool = False) -> None:
        """The show is the owner's to run; its stocks are `hidden` from all but the staff."""
        if who in NOBODY or who.startswith("guest"):
            raise Refused(401, "unauthenticated")
        if hidden and who not in STAFF:
            raise Refused(404, "not-found")
        if who != "owner":
            raise Refused(403, "forbidden")

    def replay(self, scope: str | None, key: str | None, request: Any) -> None:
        if (scope, key) in self.answers:
            first, answer = self.answers[scope, key]
            raise Replayed(answer) if first == request else Refused(422, "idempotency-key-reused")

    # The basket

    def priced(self, wanted: Iterable[Wanted], channel: str) -> list[Line]:
        if self.cancelled:
            raise Refused(409, "show-cancelled")
        lines: dict[Any, Line] = {}
        for item in wanted:
            tier = TIERS.get(item.tier or "")
            if (item.tier and not tier) or (item.stock and channel not in DESK):
                raise Refused(400, "invalid")
            if tier is None and (channel != "comp" or item.stock is None):
                raise Refused(400, "invalid")
            if tier and channel not in DESK and (refusal := self.refusal_of(item.tier)):
                raise refusal
            price = item.price or (next(iter(tier.prices)) if tier else None)
            if tier and (price not in tier.prices or (not item.price and len(tier.prices) > 1)):
                raise Refused(400, "invalid")
            stocks = (item.stock,) if item.stock else self.stocks_of(item.tier)
            unit = 0 if channel == "comp" else self.prices[item.tier, price]
            same = (item.tier, price, stocks, bool(item.seats))
            line = lines.setdefault(same, Line(item.tier, price, 0, unit, stocks))
            line.quantity += item.quantity or len(item.seats)
            line.seats += item.seats
        priced = list(lines.values())
        seats = [seat for line in priced for seat in line.seats]
        if len(set(seats)) < len(seats):
            raise Refused(400, "invalid")
        if channel not in DESK:
            for name, quantity in _by_tier(priced).items():
                if not TIERS[name].least <= quantity <= TIERS[name].most:
                    raise Refused(400, "invalid")
        return priced

    def require_sold(self, lines: Sequence[Line]) -> None:
        """Chosen seats are there, and their tiers sell them."""
        if any(set(line.seats) - (self.seats if "Stalls" in line.stocks else set()) for line in lines):
            raise Refused(400, "invalid")

    def require_free(self, lines: Sequence[Line], mailbox: str | None, own: Booking | None = None) -> None:
        """All of it, or nothing; what the booking itself has is free for it."""
        has = Counter(place.stock for place in own.places.values()) if own else Counter()
        free = {stock: self.count(stock)[0] + has[stock] for stock in ROOM}
        taken = {p.key for b in self.bookings.values() if b is not own for p in b.places.values()}
        anywhere = {stock for line in lines if not line.seats for stock in line.stocks}
        short = sum(free[stock] for stock in anywhere) < sum(l.quantity for l in lines if not l.seats)
        missing = any(seat in taken or seat not in self.seats for l in lines for seat in l.seats)
        if own or not (short or missing):
            self._require_within_limits(lines, mailbox, own)
        for line in sorted(lines, key=lambda line: (not line.seats, len(line.stocks))):
            self.require_sold([line])
            if gone := [seat for seat in line.seats if seat in taken]:
                raise Refused(409, "seat-taken", seats=gone)
            left = sum(free[stock] for stock in line.stocks)
            if not line.seats and left < line.quantity:
                raise Refused(409, "sold-out", left=left)
            needed = line.quantity
            for stock in line.stocks:
                used = min(needed, free[stock])
                free[stock], needed = free[stock] - used, needed - used

    def _require_within_limits(self, lines: Sequence[Line], mailbox: str | None, own: Booking | None) -> None:
        mine = [
            b for b in self.bookings.values()
            if mailbox and b.mailbox == mailbox and b is not own and b.lives and b.channel not in DESK
        ]
        have = _by_tier(line for booking in mine for line in booking.lines)
        wanted: Counter[str] = Counter()
        for line in lines if mailbox else ():
            wanted[line.tier] += line.quantity
            limit = TIERS[line.tier].limit
            if have[line.tier] + wanted[line.tier] > limit:
                raise Refused(409, "limit-reached", limit=limit, have=have[line.tier])

    def take(self, booking: Booking, places: dict[int, Place]) -> None:
        """Give a booking the places that the API chose, which must be such as it may choose."""
        others = [b for b in self.bookings.values() if b is not booking]
        assert not any(places.keys() & other.places.keys() for other in others), "sold twice"
        for number, line in enumerate(booking.lines):
            got = [place for place in places.values() if place.line == number]
            assert len(got) == line.quantity
            assert all(place.stock in line.stocks for place in got)
            assert set(line.seats) <= {place.key for place in got}
        assert len(places) == sum(line.quantity for line in booking.lines)
        booking.places = places
        assert all(self.count(stock)[0] >= 0 for stock in ROOM), "oversold"

    # The life of a booking

    def may_hold(self, who: str, wanted: Sequence[Wanted], *, mailbox: str | None, channel: str,
                 confirm: bool, key: str | None, request: Any) -> list[Line]:
        if channel in DESK and who != "owner":
            raise Refused(403, "forbidden")
        if who == "stranger" and mailbox is None:
            raise Refused(400, "invalid")
        self.replay(mailbox if who == "stranger" else who, key, request)
        lines = self.priced(wanted, channel)
        if confirm and who != "owner" and any(line.unit for line in lines):
            raise Refused(409, "payment-required")
        self.require_free(lines, None if channel in DESK else mailbox)
        return lines

    def may_change(self, who: str, booking: Booking, wanted: Sequence[Wanted], *, stale: bool,
                   add: bool = False) -> list[Line]:
        self.require_access(who, booking)
        self.require_fresh(stale)
        self.require_alive(booking)
        lines = self.priced([*self.basket(booking), *wanted] if add else wanted, booking.channel)
        held = {(line.tier, line.price): line.unit for line in booking.lines}
        for line in lines:
            line.unit = held.get((line.tier, line.price), line.unit)
        self.require_free(lines, booking.mailbox, own=booking)
        return lines

    def change(self, booking: Booking, lines: list[Line], places: dict[int, Place]) -> None:
        booking.lines = lines
        self.take(booking, places)
        booking.names = {place: name for place, name in booking.names.items() if place in places}

    def basket(self, booking: Booking) -> list[Wanted]:
        """What a booking has, as a request would ask for it; the desk's choice of a stock stays."""
        wanted = []
        for number, line in enumerate(booking.lines):
            mine = sorted((i, p) for i, p in booking.places.items() if p.line == number)
            own = self.stocks_of(line.tier) if line.tier else ()
            odd = [p.stock for _, p in mine if p.stock not in own and booking.channel in DESK]
            seats = tuple(p.key for _, p in mine if p.key)
            quantity = 0 if seats else line.quantity
            wanted.append(Wanted(line.tier, quantity, seats, line.price, next(iter(odd), None)))
        return wanted

    def may_remove(self, who: str, booking: Booking, place: int, *, stale: bool) -> None:
        self.require_access(who, booking)
        self.require_fresh(stale)
        self.require_alive(booking)
        if place not in booking.places:
            raise Refused(404, "not-found")
        tier = booking.lines[booking.places[place].line].tier
        left = _by_tier(booking.lines)[tier] - 1
        too_few = tier and booking.channel not in DESK and 0 < left < TIERS[tier].least
        if len(booking.places) == 1 or too_few:
            raise Refused(400, "invalid")

    def remove(self, booking: Booking, place: int) -> None:
        gone = booking.places.pop(place)
        booking.names.pop(place, None)
        line = booking.lines[gone.line]
        line.quantity, line.seats = line.quantity - 1, tuple({*line.seats} - {gone.key})
        kept = [number for number, line in enumerate(booking.lines) if line.quantity]
        booking.lines = [booking.lines[number] for number in kept]
        booking.places = {
            i: Place(p.stock, p.key, kept.index(p.line)) for i, p in booking.places.items()
        }

    def require_fresh(self, stale: bool) -> None:
        if stale:
            raise Refused(412, "precondition-failed")

    def require_alive(self, booking: Booking) -> None:
        if booking.status == "expired":
            raise Refused(409, "hold-expired")
        if booking.status != "held":
            raise Refused(409, "booking-moved-on")

    def may_extend(self, who: str, booking: Booking, key: str | None, request: Any) -> None:
        self.require_access(who, booking)
        self.replay(who, key, request)
        self.require_alive(booking)
        if booking.minutes > 15:
            raise Refused(409, "already-extended")

    def may_edit(self, who: str, booking: Booking, places: Iterable[int], *, holder_is_theirs: bool,
                 stale: bool) -> None:
        self.require_access(who, booking)
        self.require_fresh(stale)
        if not holder_is_theirs:
            raise Refused(400, "invalid")
        if booking.status != "confirmed":
            self.require_alive(booking)
        if set(places) - booking.places.keys():
            raise Refused(400, "invalid")

    def name(self, booking: Booking, names: dict[int, str]) -> None:
        if booking.status == "held":
            booking.names = dict(names)
        for place, name in names.items():
            ticket = booking.tickets.get(place)
            if ticket and ticket.status == "valid":
                ticket.name = name

    def may_confirm(self, who: str, booking: Booking, key: str | None, request: Any) -> None:
        self.require_access(who, booking)
        self.replay(who, key, request)
        if self.cancelled:
            raise Refused(409, "show-cancelled")
        self.require_alive(booking)
        if booking.total and who != "owner":
            raise Refused(409, "payment-required")

    def confirm(self, booking: Booking, codes: dict[int, str]) -> None:
        assert codes.keys() == booking.places.keys()
        known = {t.code for b in self.bookings.values() for t in b.tickets.values()}
        assert len(set(codes.values()) - known) == len(codes), "two tickets open with one code"
        booking.status = "confirmed"
        booking.tickets = {place: Ticket(code, booking.names.get(place)) for place, code in codes.items()}
        booking.names = {}

    def may_cancel(self, who: str, booking: Booking, *, stale: bool) -> None:
        self.require_access(who, booking)
        if not booking.lives:
            return  # it may be repeated
        self.require_fresh(stale)
        if who != "owner" and any(t.status == "used" for t in booking.tickets.values()):
            raise Refused(409, "booking-moved-on")

    def end(self, booking: Booking, status: str) -> None:
        """Cancelled, or run out: its places are free, and its tickets open nothing."""
        if booking.lives:
            booking.status, booking.places = status, {}
            for ticket in booking.tickets.values():
                ticket.status = "void"

    # The door

    def may_admit(self, who: str, code: str, key: str | None, request: Any) -> Ticket:
        if who in NOBODY or who.startswith("guest"):
            raise Refused(401, "unauthenticated")
        if who not in STAFF:
            raise Refused(403, "forbidden")
        self.replay(who, key, request)
        if self.cancelled:
            raise Refused(409, "show-cancelled")
        tickets = [t for b in self.bookings.values() for t in b.tickets.values() if t.code == code]
        if not tickets:
            raise Refused(404, "unknown-ticket")
        if tickets[0].status != "valid":
            used = tickets[0].status == "used"
            raise Refused(409, "already-used" if used else "ticket-void")
        return tickets[0]

    # The organiser

    def may_pause(self, who: str) -> None:
        self.require_manager(who)
        if self.cancelled:
            raise Refused(409, "show-cancelled")

    def cancel_show(self) -> None:
        self.cancelled = True
        for booking in self.bookings.values():
            self.end(booking, "cancelled")

    def may_resize(self, who: str, stock: str, capacity: int) -> None:
        self.require_manager(who, hidden=True)
        more, in_use = capacity - self.capacity[stock], sum(self.count(stock)[1:])
        left = min(ROOM[stock] - self.size(stock), LICENCE - sum(map(self.size, ROOM)))
        if more > left and more > 0:
            raise Refused(409, "capacity-exceeded", left=left)
        if capacity < in_use:
            raise Refused(409, "capacity-in-use", in_use=in_use)

    def may_move_seat(self, who: str, seat: str, *, add: bool) -> None:
        self.require_manager(who, hidden=True)
        if seat not in (SEATS if add else self.seats):
            raise Refused(400, "invalid")
        if add and seat in self.seats:
            raise Refused(409, "seat-in-stock", seats=[seat])
        if add and sum(map(self.size, ROOM)) == LICENCE:
            raise Refused(409, "capacity-exceeded", left=0)
        if not add and any(p.key == seat for b in self.bookings.values() for p in b.places.values()):
            raise Refused(409, "capacity-in-use", seats=[seat])


def _by_tier(lines: Iterable[Line]) -> Counter[str]:
    """How many places of each tier."""
    counted: Counter[str] = Counter()
    for line in lines:
        counted[line.tier] += line.quantity
    return counted
