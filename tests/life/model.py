"""A box office in plain Python: what must come of every step in the life of a booking.

One show, a handful of places, no database and no clock. Each verb has two halves: `may_…` raises
`Refused` as the API must refuse (or `Replayed`), first things first, and the verb does what the
API says it has done. A hold that is dead owns nothing from that moment on, swept up or not.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tests.life.values import (
    DESK,
    LICENCE,
    NOBODY,
    ROOM,
    SEATS,
    STAFF,
    TIERS,
    Booking,
    Line,
    Place,
    Refused,
    Replayed,
    Ticket,
    Wanted,
    by_tier,
    refuse_if,
)

WORDS = {"show-cancelled": "cancelled", "sale-ended": "sale_ended", "sale-paused": "paused"}


class BoxOffice:
    """The one show."""

    def __init__(self) -> None:
        self.capacity = {"Early": 3, "Floor": 6, "Back": 3}
        self.seats = set(SEATS[:4])
        self.prices = {(t, p): price for t, of in TIERS.items() for p, price in of.prices.items()}
        self.closed: set[str] = set()
        self.paused = self.cancelled = False
        self.bookings: dict[int, Booking] = {}
        self.answers: dict[tuple[str | None, str | None], tuple[Any, Any]] = {}

    # What there is

    def size(self, stock: str) -> int:
        return len(self.seats) if stock == "Stalls" else self.capacity[stock]

    def count(self, stock: str) -> tuple[int, int, int]:
        """Free, held and sold."""
        claimed = [(b.status, p) for b in self.bookings.values() for p in b.places.values()]
        of = Counter(status for status, place in claimed if place.stock == stock)
        return self.size(stock) - of.total(), of["held"], of["confirmed"]

    def count_of(self, tier: str) -> tuple[int, ...]:
        """The same of all that a tier sells."""
        return tuple(map(sum, zip(*map(self.count, self.stocks_of(tier)), strict=True)))

    def stocks_of(self, tier: str) -> tuple[str, ...]:
        fallen = [of for name, of in TIERS.items() if of.then == tier and name in self.closed]
        return TIERS[tier].stocks + tuple(stock for of in fallen for stock in of.stocks)

    def taken(self, but: Booking | None = None) -> set[str | None]:
        return {p.key for b in self.bookings.values() if b is not but for p in b.places.values()}

    def may_sell(self, tier: str) -> None:
        refuse_if(self.cancelled, 409, "show-cancelled")
        refuse_if(tier in self.closed, 409, "sale-ended")
        refuse_if(self.paused, 409, "sale-paused")

    def state(self, tier: str) -> str:
        """The word for a tier at the open sale."""
        try:
            self.may_sell(tier)
        except Refused as refusal:
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
        refuse_if(who in NOBODY, 401, "unauthenticated")
        refuse_if(not self.sees(who, booking), 404, "not-found")
        refuse_if(who not in (booking.buyer, "owner"), 403, "forbidden")

    def require_role(self, who: str, *roles: str, hidden: bool = False) -> None:
        """The show is for its organiser to run; its stocks are `hidden` from all but the staff."""
        refuse_if(who in NOBODY or who.startswith("guest"), 401, "unauthenticated")
        refuse_if(hidden and who not in STAFF, 404, "not-found")
        refuse_if(who not in roles, 403, "forbidden")

    def replay(self, scope: str | None, key: str | None, request: Any) -> None:
        if (scope, key) in self.answers:
            first, answer = self.answers[scope, key]
            refuse_if(first != request, 422, "idempotency-key-reused")
            raise Replayed(answer)

    def require_fresh(self, stale: bool) -> None:
        refuse_if(stale, 412, "precondition-failed")

    def require_alive(self, booking: Booking) -> None:
        refuse_if(booking.status == "expired", 409, "hold-expired")
        refuse_if(booking.status != "held", 409, "booking-moved-on")

    # The basket

    def priced(self, wanted: Iterable[Wanted], channel: str) -> list[Line]:
        refuse_if(self.cancelled, 409, "show-cancelled")
        at_desk = channel in DESK
        merged: dict[Any, Line] = {}
        for item in wanted:
            tier = TIERS.get(item.tier or "")
            refuse_if(item.tier and not tier, 400, "invalid")
            refuse_if(item.stock and not at_desk, 400, "invalid")
            refuse_if(not tier and not (item.stock and channel == "comp"), 400, "invalid")
            price = None
            if tier and item.tier:
                if not at_desk:
                    self.may_sell(item.tier)
                refuse_if(not item.price and len(tier.prices) > 1, 400, "invalid")
                price = item.price or next(iter(tier.prices))
                refuse_if(price not in tier.prices, 400, "invalid")
            unit = 0 if channel == "comp" else self.prices[item.tier or "", price or ""]
            stocks = (item.stock,) if item.stock else self.stocks_of(item.tier or "")
            same = (item.tier, price, stocks, bool(item.seats))
            line = merged.setdefault(same, Line(item.tier, price, 0, unit, stocks))
            line.quantity += item.quantity or len(item.seats)
            line.seats += item.seats
        lines = list(merged.values())
        seats = [seat for line in lines for seat in line.seats]
        refuse_if(len(set(seats)) < len(seats), 400, "invalid")
        for name, quantity in by_tier(lines).items() if not at_desk else ():
            of = TIERS[name or ""]
            refuse_if(not of.least <= quantity <= of.most, 400, "invalid")
        return lines

    def require_sold(self, lines: Iterable[Line]) -> None:
        """Chosen seats are there, and their tiers sell them."""
        for line in lines:
            sold = self.seats if "Stalls" in line.stocks else set()
            refuse_if(set(line.seats) - sold, 400, "invalid")

    def require_free(self, lines: Sequence[Line], mailbox: str | None, own: Booking | None) -> None:
        """All of it, or nothing; what the booking itself has is free for it."""
        has = Counter(place.stock for place in own.places.values()) if own else Counter()
        free = {stock: self.count(stock)[0] + has[stock] for stock in ROOM}
        seats, taken = {seat for line in lines for seat in line.seats}, self.taken(but=own)
        somewhere = {stock for line in lines if not line.seats for stock in line.stocks}
        wanted = sum(line.quantity for line in lines if not line.seats)
        plain = sum(free[stock] for stock in somewhere) < wanted or seats - (self.seats - taken)
        if own or not plain:
            self.require_within_limits(lines, mailbox, own)
        for line in sorted(lines, key=lambda line: (not line.seats, len(line.stocks))):
            self.require_sold([line])
            gone = [seat for seat in line.seats if seat in taken]
            refuse_if(gone, 409, "seat-taken", seats=gone)
            left = sum(free[stock] for stock in line.stocks)
            refuse_if(not line.seats and left < line.quantity, 409, "sold-out", left=left)
            needed = line.quantity
            for stock in line.stocks:
                used = min(needed, free[stock])
                free[stock], needed = free[stock] - used, needed - used

    def require_within_limits(
        self, lines: Sequence[Line], mailbox: str | None, own: Booking | None
    ) -> None:
        mine = [b for b in self.bookings.values() if b.mailbox == mailbox and b is not own]
        live = [b for b in mine if b.lives and b.channel not in DESK]
        have, more = by_tier(line for booking in live for line in booking.lines), Counter()
        for line in lines if mailbox else ():
            more[line.tier] += line.quantity
            limit, had = TIERS[line.tier or ""].limit, have[line.tier]
            refuse_if(had + more[line.tier] > limit, 409, "limit-reached", limit=limit, have=had)

    def take(self, booking: Booking, places: dict[int, Place]) -> None:
        """Give a booking the places that the API chose, which must be such as it may choose."""
        others = [b for b in self.bookings.values() if b is not booking]
        assert not any(places.keys() & other.places.keys() for other in others), "sold twice"
        assert len(places) == sum(line.quantity for line in booking.lines)
        for number, line in enumerate(booking.lines):
            got = [place for place in places.values() if place.line == number]
            assert len(got) == line.quantity
            assert all(place.stock in line.stocks for place in got)
            assert set(line.seats) <= {place.key for place in got}
        booking.places = places
        assert all(self.count(stock)[0] >= 0 for stock in ROOM), "oversold"

    def basket(self, booking: Booking) -> list[Wanted]:
        """What a booking has, as a request would ask for it; the desk's choice of a stock stays."""
        wanted = []
        for number, line in enumerate(booking.lines):
            mine = [p for _, p in sorted(booking.places.items()) if p.line == number]
            own = self.stocks_of(line.tier) if line.tier else ()
            odd = [p.stock for p in mine if p.stock not in own and booking.channel in DESK]
            seats = tuple(place.key for place in mine if place.key)
            quantity = 0 if seats else line.quantity
            wanted.append(Wanted(line.tier, quantity, seats, line.price, next(iter(odd), None)))
        return wanted

    # The life of a booking

    def may_quote(self, wanted: Sequence[Wanted]) -> int:
        """The price of it."""
        lines = self.priced(wanted, "web")
        self.require_sold(lines)
        return sum(line.unit * line.quantity for line in lines)

    def may_hold(
        self, who: str, wanted: Sequence[Wanted], mailbox: str | None, channel: str, confirm: bool,
        key: str | None, request: Any,
    ) -> list[Line]:  # fmt: skip
        refuse_if(who == "wrong secret", 401, "unauthenticated")
        refuse_if(channel in DESK and who != "owner", 403, "forbidden")
        refuse_if(who == "stranger" and mailbox is None, 400, "invalid")
        self.replay(mailbox if who == "stranger" else who, key, request)
        lines = self.priced(wanted, channel)
        costs = any(line.unit for line in lines)
        refuse_if(confirm and costs and who != "owner", 409, "payment-required")
        self.require_free(lines, None if channel in DESK else mailbox, None)
        return lines

    def may_change(
        self, who: str, booking: Booking, wanted: Sequence[Wanted], stale: bool, add: bool
    ) -> list[Line]:
        self.require_access(who, booking)
        self.require_fresh(stale)
        self.require_alive(booking)
        lines = self.priced([*self.basket(booking), *wanted] if add else wanted, booking.channel)
        held = {(line.tier, line.price): line.unit for line in booking.lines}
        for line in lines:  # what was held at a price keeps it
            line.unit = held.get((line.tier, line.price), line.unit)
        self.require_free(lines, booking.mailbox, own=booking)
        return lines

    def change(self, booking: Booking, lines: list[Line], places: dict[int, Place]) -> None:
        booking.lines = lines
        self.take(booking, places)
        booking.names = {place: name for place, name in booking.names.items() if place in places}

    def may_remove(self, who: str, booking: Booking, place: int, stale: bool) -> None:
        self.require_access(who, booking)
        self.require_fresh(stale)
        self.require_alive(booking)
        refuse_if(place not in booking.places, 404, "not-found")
        refuse_if(len(booking.places) == 1, 400, "invalid")
        tier = booking.lines[booking.places[place].line].tier
        if tier and booking.channel not in DESK:
            left = by_tier(booking.lines)[tier] - 1
            refuse_if(0 < left < TIERS[tier].least, 400, "invalid")

    def remove(self, booking: Booking, place: int) -> None:
        gone = booking.places.pop(place)
        booking.names.pop(place, None)
        line = booking.lines[gone.line]
        line.quantity, line.seats = line.quantity - 1, tuple({*line.seats} - {gone.key})
        kept = [number for number, line in enumerate(booking.lines) if line.quantity]
        booking.lines = [booking.lines[number] for number in kept]
        for i, p in booking.places.items():
            booking.places[i] = Place(p.stock, p.key, kept.index(p.line))

    def may_swap(
        self, who: str, booking: Booking, pairs: dict[str, str], key: str | None, request: Any
    ) -> None:
        """Seats for others that the lines sell; at the desk, also what is not sold just now."""
        self.require_access(who, booking)
        self.replay(who, key, request)
        if booking.status != "confirmed":
            self.require_alive(booking)
        own = {place.key: place for place in booking.places.values() if place.key}
        refuse_if(pairs.keys() - own.keys(), 400, "invalid")
        refuse_if(own.keys() & set(pairs.values()) - pairs.keys(), 400, "invalid")
        moved = {to: booking.lines[own[seat].line] for seat, to in pairs.items()}
        for line in booking.lines:
            seats = [to for to, of in moved.items() if of is line]
            if seats and who != "owner":
                refuse_if(line.tier is None, 409, "sale-ended")
                self.may_sell(line.tier or "")
            refuse_if(set(seats) - self.seats, 400, "invalid")
        taken = self.taken(but=booking)
        for line in booking.lines:
            gone = [to for to, of in moved.items() if of is line and to in taken]
            refuse_if(gone, 409, "seat-taken", seats=gone)
        left = [i for i, place in booking.places.items() if place.key in pairs]
        used = [i for i in left if i in booking.tickets and booking.tickets[i].status == "used"]
        refuse_if(used and who != "owner", 409, "booking-moved-on")

    def swap(self, booking: Booking, pairs: dict[str, str], ids: dict[str | None, int]) -> None:
        """Everybody keeps the line, the name and the ticket; `ids` are places by key."""
        to = {i: ids[pairs[p.key]] for i, p in booking.places.items() if p.key in pairs}
        booking.places = {
            to.get(i, i): Place(p.stock, pairs.get(p.key or "", p.key), p.line)
            for i, p in booking.places.items()
        }
        booking.names = {to.get(i, i): name for i, name in booking.names.items()}
        booking.tickets = {to.get(i, i): ticket for i, ticket in booking.tickets.items()}
        for line in booking.lines:
            line.seats = tuple(pairs.get(seat, seat) for seat in line.seats)
        assert not self.taken(but=booking) & {p.key for p in booking.places.values() if p.key}

    def may_extend(self, who: str, booking: Booking, key: str | None, request: Any) -> None:
        self.require_access(who, booking)
        self.replay(who, key, request)
        self.require_alive(booking)
        refuse_if(booking.minutes > 15, 409, "already-extended")

    def may_edit(
        self, who: str, booking: Booking, places: Iterable[int], usable_holder: bool, stale: bool
    ) -> None:
        self.require_access(who, booking)
        self.require_fresh(stale)
        refuse_if(not usable_holder, 400, "invalid")
        if booking.status != "confirmed":
            self.require_alive(booking)
        refuse_if(set(places) - booking.places.keys(), 400, "invalid")

    def name(self, booking: Booking, names: dict[int, str]) -> None:
        """Say who comes: all of them while it is held, some of them afterwards."""
        if booking.status == "held":
            booking.names = dict(names)
        for place, name in names.items():
            ticket = booking.tickets.get(place)
            if ticket and ticket.status == "valid":
                ticket.name = name

    def may_confirm(self, who: str, booking: Booking, key: str | None, request: Any) -> None:
        self.require_access(who, booking)
        self.replay(who, key, request)
        refuse_if(self.cancelled, 409, "show-cancelled")
        self.require_alive(booking)
        refuse_if(booking.total and who != "owner", 409, "payment-required")

    def confirm(self, booking: Booking, codes: dict[int, str]) -> None:
        assert codes.keys() == booking.places.keys()
        known = {t.code for b in self.bookings.values() for t in b.tickets.values()}
        assert len(set(codes.values()) - known) == len(codes), "two tickets open with one code"
        names, booking.names, booking.status = booking.names, {}, "confirmed"
        booking.tickets = {place: Ticket(code, names.get(place)) for place, code in codes.items()}

    def may_cancel(self, who: str, booking: Booking, stale: bool) -> None:
        """It may be repeated, whatever version is named."""
        self.require_access(who, booking)
        if booking.lives:
            self.require_fresh(stale)
            used = any(ticket.status == "used" for ticket in booking.tickets.values())
            refuse_if(used and who != "owner", 409, "booking-moved-on")

    def end(self, booking: Booking, status: str) -> None:
        """Cancelled, or run out: its places are free, and its tickets open nothing."""
        if booking.lives:
            booking.status, booking.places = status, {}
            for ticket in booking.tickets.values():
                ticket.status = "void"

    # The door

    def may_admit(self, who: str, code: str, key: str | None, request: Any) -> Ticket:
        self.require_role(who, *STAFF)
        self.replay(who, key, request)
        refuse_if(self.cancelled, 409, "show-cancelled")
        tickets = [t for b in self.bookings.values() for t in b.tickets.values() if t.code == code]
        refuse_if(not tickets, 404, "unknown-ticket")
        refuse_if(tickets[0].status == "void", 409, "ticket-void")
        refuse_if(tickets[0].status == "used", 409, "already-used")
        return tickets[0]

    # The organiser

    def may_pause(self, who: str) -> None:
        self.require_role(who, "owner")
        refuse_if(self.cancelled, 409, "show-cancelled")

    def may_cancel_show(self, who: str) -> None:
        self.require_role(who, "owner")

    def cancel_show(self) -> None:
        self.cancelled = True
        for booking in self.bookings.values():
            self.end(booking, "cancelled")

    def may_resize(self, who: str, stock: str, capacity: int) -> None:
        self.require_role(who, "owner", hidden=True)
        more, in_use = capacity - self.capacity[stock], sum(self.count(stock)[1:])
        left = min(ROOM[stock] - self.size(stock), LICENCE - sum(map(self.size, ROOM)))
        refuse_if(more > max(left, 0), 409, "capacity-exceeded", left=left)
        refuse_if(capacity < in_use, 409, "capacity-in-use", in_use=in_use)

    def may_move_seat(self, who: str, seat: str, add: bool) -> None:
        self.require_role(who, "owner", hidden=True)
        refuse_if(seat not in (SEATS if add else self.seats), 400, "invalid")
        if add:
            refuse_if(seat in self.seats, 409, "seat-in-stock", seats=[seat])
            full = sum(map(self.size, ROOM)) == LICENCE
            refuse_if(full, 409, "capacity-exceeded", left=0)
        else:
            refuse_if(seat in self.taken(), 409, "capacity-in-use", seats=[seat])
