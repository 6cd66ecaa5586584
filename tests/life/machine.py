"""The lives that bookings may have: each deed is asked of the model and of the API."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from tests.life.model import BoxOffice
from tests.life.stage import MAILBOXES, Stage
from tests.life.values import DESK, SEATS, TIERS, Booking, Place, Refused, Replayed, Wanted

EVERY = 8  # steps between two looks at everything
OFFERS = [(name, price) for name, tier in TIERS.items() for price in tier.prices]
ODD = [
    Wanted("Regular", 2),  # at which price?
    Wanted("Elsewhere", 1),
    Wanted("Early", 1, price="Adult"),
    Wanted("Free", 1, stock="Back"),
    Wanted(None, 1, stock="Back"),
    Wanted("Regular", seats=SEATS[:1], price="Adult"),
    Wanted("Stalls", seats=("STALLS/Z-1",)),
]


def some(offer: tuple[str, str], quantity: int) -> Wanted:
    """Mostly as many as one may have."""
    name, price = offer
    return Wanted(name, quantity or TIERS[name].least, price=price)


any_places = st.builds(some, st.sampled_from(OFFERS), st.sampled_from([0, 0, 1, 2, 2, 3, 4]))
chosen = st.lists(st.sampled_from(SEATS[:5]), min_size=1, max_size=2, unique=True)
chosen_seats = chosen.map(lambda seats: Wanted("Stalls", seats=tuple(seats)))
baskets = st.lists(st.one_of(any_places, any_places, chosen_seats), min_size=1, max_size=3)
which = st.integers(0, 20)
keys = st.sampled_from([None, None, "k1", "k2"])
buyers = st.sampled_from(["asha", "asha", "brian", "brian", "rival", "owner", *MAILBOXES])
askers = st.sampled_from(["buyer", "buyer", "buyer", "owner"])
others = st.sampled_from(["asha", "brian", "door", "rival", "guest", "stranger", "wrong secret"])
managers = st.sampled_from(["owner"] * 12 + ["door", "rival", "asha", "stranger", "wrong secret"])
conditions = st.sampled_from([None, None, None, "fresh", "fresh", "stale"])
names = st.sampled_from(["Nia", "Omar", "Zoë"])


now_and_then = precondition(lambda self: self.steps % 3 == 2)


def there_is(*statuses: str) -> Callable[..., Any]:
    """Mostly do it where it may succeed; now and then to any booking at all."""

    def fits(self: "LifeOfABooking") -> bool:
        bookings = self.model.bookings.values()
        return any(b.status in statuses or self.steps % 6 == 5 for b in bookings)

    return precondition(fits)


class LifeOfABooking(RuleBasedStateMachine):
    """What may be done to bookings, by whomever, in any order."""

    stage: Stage
    connection: Connection

    def __init__(self) -> None:
        super().__init__()
        self.undo = self.connection.begin_nested()
        self.night = self.stage.next_night()
        self.model = BoxOffice()
        self.keyed: list[tuple[Callable[..., None], dict[str, Any]]] = []
        self.told: dict[tuple[int, str], Any] = {}
        self.touched: int | None = None
        self.done = False
        self.steps = 0

    def teardown(self) -> None:
        try:
            self.look_at_everything()
        finally:
            self.undo.rollback()

    # Holding

    @initialize(who=buyers, line=any_places)
    def open_the_sale(self, who: str, line: Wanted) -> None:
        self.place(who=who, basket=[line])

    @rule(who=buyers, basket=baskets, confirm=st.sampled_from([False, False, True]), key=keys)
    def hold(self, who: str, basket: list[Wanted], confirm: bool, key: str | None) -> None:
        self.place(who=who, basket=basket, confirm=confirm, key=key)

    @rule(who=buyers, line=any_places, key=keys)
    def hold_some(self, who: str, line: Wanted, key: str | None) -> None:
        self.place(who=who, basket=[line], key=key)

    @rule(who=buyers, line=chosen_seats)
    def hold_seats(self, who: str, line: Wanted) -> None:
        self.quote("stranger", [line])
        self.place(who=who, basket=[line])

    @now_and_then
    @rule(who=st.sampled_from(["asha", "owner", None]), line=st.sampled_from(ODD))
    def hold_oddly(self, who: str | None, line: Wanted) -> None:
        self.quote(who or "stranger", [line])
        self.place(who=who, basket=[line])

    @rule(
        who=managers,
        basket=st.one_of(baskets, st.lists(st.sampled_from(ODD), min_size=1, max_size=1)),
        channel=st.sampled_from(DESK),
        stock=st.sampled_from([None, None, "Back", "Early", "Floor"]),
        confirm=st.booleans(),
    )
    def sell_at_the_desk(
        self, who: str, basket: list[Wanted], channel: str, stock: str | None, confirm: bool
    ) -> None:
        if stock:
            basket = [w if w.seats else replace(w, stock=stock) for w in basket]
        self.place(who=who, basket=basket, channel=channel, confirm=confirm)

    @precondition(lambda self: self.keyed)
    @rule(n=which, other_body=st.booleans())
    def send_again(self, n: int, other_body: bool) -> None:
        deed, facts = self.keyed[-1 - n % len(self.keyed)]
        if other_body and "basket" in facts:
            facts = {**facts, "note": "changed"}
        deed(**facts)

    def place(
        self,
        *,
        who: str | None,
        basket: list[Wanted],
        channel: str = "web",
        confirm: bool = False,
        key: str | None = None,
        note: str | None = None,
    ) -> None:
        self.note(self.place, who=who, basket=basket, confirm=confirm, key=key)
        asker = "stranger" if who is None or "@" in who else who
        body: dict[str, Any] = {"show_id": self.night.show, "items": self.items(basket)}
        body |= {"channel": channel} if channel in DESK else {}
        body |= {"comp_reason": "Press"} if channel == "comp" else {}
        body |= {"confirm": True} if confirm else {}
        body |= {"note": note} if note else {}
        mailbox = MAILBOXES.get(who or "", f"{who}@example.com" if who else None)
        if asker == "stranger" and who in MAILBOXES:
            body["buyer"] = {"name": "Gast", "email": who}
        request = ("POST /bookings/", json.dumps(body))
        may = self.model.may_hold
        lines, foretold = foretell(may, asker, basket, mailbox, channel, confirm, key, request)
        answer = self.night.ask("POST /bookings/", asker, body, **_once(key))
        if not self.agree(answer, 201, foretold):
            return
        told = answer.json
        buyer: str | None = asker
        if asker == "stranger":
            buyer = f"guest {told['id']}"
            self.night.callers[buyer] = {"Booking-Secret": told["secret"]}
        if channel in DESK:
            buyer = mailbox = None
        booking = Booking(buyer, mailbox, channel, told["ticket_holder"]["name"], lines, note=note)
        self.model.bookings[told["id"]] = booking
        self.model.take(booking, self.places_in(told))
        if confirm:
            self.model.confirm(booking, codes_in(told))
        self.remember(mailbox if asker == "stranger" else asker, key, request, answer)
        self.touched = told["id"]
        assert answer.headers["Location"] == f"/bookings/{told['id']}"
        assert facts_of(told) == facts_in(booking)

    def quote(self, who: str, basket: list[Wanted]) -> None:
        body = {"show_id": self.night.show, "items": self.items(basket)}
        total, foretold = foretell(self.model.may_quote, basket)
        answer = self.night.ask("POST /bookings/quote", who, body)
        if self.agree(answer, 200, foretold):
            assert answer.json["total"]["amount"] == total

    # A hold

    @there_is("held")
    @rule(n=which, who=askers, key=keys)
    def extend(self, n: int, who: str, key: str | None) -> None:
        self.extend_one(**self.one(n, who, "held"), key=key)

    def extend_one(self, booking_id: int, who: str, key: str | None) -> None:
        booking = self.model.bookings[booking_id]
        self.note(self.extend_one, booking_id=booking_id, who=who, key=key)
        request = f"POST /bookings/{booking_id}/extend"
        _, foretold = foretell(self.model.may_extend, who, booking, key, (request, ""))
        answer = self.night.ask(request, who, **_once(key))
        if self.agree(answer, 200, foretold):
            booking.minutes = 30
            self.remember(who, key, (request, ""), answer)

    @there_is("held")
    @rule(n=which, who=askers, basket=baskets, condition=conditions)
    def replace_items(self, n: int, who: str, basket: list[Wanted], condition: str | None) -> None:
        one = self.one(n, who, "held")
        self.change(**one, basket=basket, condition=condition, request="PUT /bookings/{}/items")

    @there_is("held")
    @rule(n=which, who=askers, line=chosen_seats, condition=conditions)
    def add_seats(self, n: int, who: str, line: Wanted, condition: str | None) -> None:
        one = self.one(n, who, "held")
        self.change(**one, basket=[line], condition=condition, request="POST /bookings/{}/seats")

    def change(
        self, booking_id: int, who: str, basket: list[Wanted], condition: str | None, request: str
    ) -> None:
        booking = self.model.bookings[booking_id]
        add = request.startswith("POST")
        body = self.items(basket)[0] if add else {"items": self.items(basket)}
        lines, foretold = foretell(
            self.model.may_change, who, booking, basket, condition == "stale", add
        )
        matching = self.if_match(booking_id, condition)
        answer = self.night.ask(request.format(booking_id), who, body, **matching)
        if self.agree(answer, 200, foretold):
            self.model.change(booking, lines, self.places_in(answer.json))

    @there_is("held")
    @rule(n=which, who=askers, place=which, condition=conditions)
    def remove_seat(self, n: int, who: str, place: int, condition: str | None) -> None:
        booking_id, who = self.one(n, who, "held").values()
        booking = self.model.bookings[booking_id]
        everywhere = [p for b in self.model.bookings.values() for p in b.places]
        places = list(booking.places) or everywhere or [1]
        place_id = everywhere[0] if place == 20 and everywhere else places[place % len(places)]
        _, foretold = foretell(self.model.may_remove, who, booking, place_id, condition == "stale")
        request = f"DELETE /bookings/{booking_id}/seats/{place_id}"
        answer = self.night.ask(request, who, **self.if_match(booking_id, condition))
        if self.agree(answer, 200, foretold):
            self.model.remove(booking, place_id)

    @there_is("held", "confirmed")
    @rule(
        n=which,
        who=askers,
        to=st.lists(st.sampled_from(SEATS), min_size=1, max_size=2, unique=True),
        key=keys,
    )
    def swap(self, n: int, who: str, to: list[str], key: str | None) -> None:
        one = self.one(n, who, "held", "confirmed")
        seated = [
            i for i, b in self.model.bookings.items() if any(p.key for p in b.places.values())
        ]
        if seated and n % 5:
            self.touched = one["booking_id"] = seated[-1 - n % len(seated)]
            one["who"] = self.model.bookings[self.touched].buyer or "owner"
        places = self.model.bookings[one["booking_id"]].places.values()
        mine = sorted(place.key for place in places if place.key) or list(SEATS[:2])
        pairs = {seat: other for seat, other in zip(mine, to, strict=False) if seat != other}
        if pairs:
            self.swap_one(**one, pairs=pairs, key=key)

    def swap_one(self, booking_id: int, who: str, pairs: dict[str, str], key: str | None) -> None:
        booking = self.model.bookings[booking_id]
        self.note(self.swap_one, booking_id=booking_id, who=who, pairs=pairs, key=key)
        body = {"seats": [{"from": seat, "to": other} for seat, other in pairs.items()]}
        request = f"POST /bookings/{booking_id}/swap"
        whole = (request, json.dumps(body))
        _, foretold = foretell(self.model.may_swap, who, booking, pairs, key, whole)
        answer = self.night.ask(request, who, body, **_once(key))
        if self.agree(answer, 200, foretold):
            ids = {place["key"]: place["id"] for place in answer.json["places"]}
            self.model.swap(booking, pairs, ids)
            self.remember(who, key, whole, answer)

    @there_is("held", "confirmed")
    @rule(
        n=which,
        who=askers,
        method=st.sampled_from(["PATCH", "PUT"]),
        people=st.lists(names, max_size=2),
        elsewhere=st.sampled_from([False, False, False, True]),
        holder=st.sampled_from([None, None, "Juma", "Somebody"]),
        condition=conditions,
    )
    def name_holders(
        self,
        n: int,
        who: str,
        method: str,
        people: list[str],
        elsewhere: bool,
        holder: str | None,
        condition: str | None,
    ) -> None:
        booking_id, who = self.one(n, who, "held", "confirmed").values()
        booking = self.model.bookings[booking_id]
        places = [*booking.places, 1, 2] if not elsewhere else [1, *booking.places, 2]
        named = dict(zip(places, people, strict=False))
        people_body = [{"place_id": place, "name": name} for place, name in named.items()]
        body: dict[str, Any] = {"attendees": people_body}
        if holder is not None:
            body["ticket_holder_id"] = self.night.holders[holder]
        elif method == "PUT":
            now = self.night.ask(f"GET /bookings/{booking_id}", "owner").json
            body["ticket_holder_id"] = now["ticket_holder"]["id"]
        theirs = holder in (None, booking.holder, {"asha": "Juma", "rival": "Somebody"}.get(who))
        stale = condition == "stale"
        _, foretold = foretell(self.model.may_edit, who, booking, named, theirs, stale)
        matching = self.if_match(booking_id, condition)
        answer = self.night.ask(f"{method} /bookings/{booking_id}", who, body, **matching)
        if self.agree(answer, 200, foretold):
            booking.holder = holder or booking.holder
            self.model.name(booking, named)
            if method == "PUT":
                booking.note = None

    @precondition(lambda self: self.model.bookings)
    @rule(
        n=which, who=others, deed=st.sampled_from(["cancel", "confirm", "extend", "name", "items"])
    )
    def somebody_else_tries(self, n: int, who: str, deed: str) -> None:
        if deed == "cancel":
            self.cancel(n, who, None)
        elif deed == "confirm":
            self.confirm(n, who, "k1")
        elif deed == "extend":
            self.extend(n, who, "k2")
        elif deed == "name":
            self.name_holders(n, who, "PATCH", ["Nia"], False, None, None)
        else:
            self.replace_items(n, who, [Wanted("Early", 1)], None)

    # Its end

    @there_is("held")
    @rule(n=which, who=askers, key=keys)
    def confirm(self, n: int, who: str, key: str | None) -> None:
        self.confirm_one(**self.one(n, who, "held"), key=key)

    @there_is("held")
    @rule(n=which)
    def pay_at_the_desk(self, n: int) -> None:
        self.confirm_one(**self.one(n, "owner", "held"), key=None)

    def confirm_one(self, booking_id: int, who: str, key: str | None) -> None:
        booking = self.model.bookings[booking_id]
        self.note(self.confirm_one, booking_id=booking_id, who=who, key=key)
        request = f"POST /bookings/{booking_id}/confirm"
        _, foretold = foretell(self.model.may_confirm, who, booking, key, (request, ""))
        answer = self.night.ask(request, who, **_once(key))
        if self.agree(answer, 200, foretold):
            self.model.confirm(booking, codes_in(answer.json))
            self.remember(who, key, (request, ""), answer)

    @there_is("held", "confirmed")
    @rule(n=which, who=askers, condition=conditions)
    def cancel(self, n: int, who: str, condition: str | None) -> None:
        booking_id, who = self.one(n, who, "held", "confirmed").values()
        booking = self.model.bookings[booking_id]
        _, foretold = foretell(self.model.may_cancel, who, booking, condition == "stale")
        matching = self.if_match(booking_id, condition)
        answer = self.night.ask(f"DELETE /bookings/{booking_id}", who, **matching)
        if self.agree(answer, 200, foretold):
            self.model.end(booking, "cancelled")

    @now_and_then
    @precondition(lambda self: self.holds())
    @rule(n=which)
    def let_it_die(self, n: int) -> None:
        holds = self.holds()
        self.touched = holds[-1 - n % len(holds)]
        self.night.age(
            "UPDATE bookings SET held_at = held_at - interval '1 hour',"
            " held_until = held_until - interval '1 hour' WHERE id = :id",
            id=self.touched,
        )
        self.model.end(self.model.bookings[self.touched], "expired")
        self.done = True

    @now_and_then
    @rule(what=st.sampled_from(["sweep", "keys", "early"]))
    def time_passes(self, what: str) -> None:
        self.done = True
        if what == "sweep":  # a worker may, at any moment
            self.night.sweep()
        elif what == "keys":
            self.night.age("UPDATE idempotency_keys SET created_at = created_at - interval '1 day'")
            self.model.answers.clear()
        elif self.steps > 8:
            early = self.night.tiers["Early"]
            close = "UPDATE tiers SET off_sale_at = clock_timestamp() WHERE id = :id"
            self.night.age(close, id=early)
            self.model.closed.add("Early")

    # The door

    @precondition(lambda self: self.tickets())
    @rule(n=which, who=st.one_of(st.just("door"), managers), key=keys)
    def check_in(self, n: int, who: str, key: str | None) -> None:
        tickets = self.tickets()
        self.touched, code = tickets[-1 - n % len(tickets)]
        self.admit(who=who, code=code if n < 20 else "A" * 20, key=key)

    def admit(self, who: str, code: str, key: str | None) -> None:
        self.note(self.admit, who=who, code=code, key=key)
        request, body = f"POST /shows/{self.night.show}/check_ins", {"code": code, "gate": "North"}
        whole = (request, json.dumps(body))
        ticket, foretold = foretell(self.model.may_admit, who, code, key, whole)
        answer = self.night.ask(request, who, body, **_once(key))
        if self.agree(answer, 201, foretold):
            ticket.status = "used"
            self.remember(who, key, whole, answer)

    # The organiser, and the clock

    @now_and_then
    @rule(who=managers, pause=st.sampled_from([False, False, True]))
    def pause_or_resume(self, who: str, pause: bool) -> None:
        _, foretold = foretell(self.model.may_pause, who)
        deed = "pause" if pause else "resume"
        if self.agree(self.night.ask(f"POST /shows/{self.night.show}/{deed}", who), 200, foretold):
            self.model.paused = pause

    @now_and_then
    @rule(
        who=managers, stock=st.sampled_from(["Early", "Floor", "Back"]), capacity=st.integers(0, 10)
    )
    def resize(self, who: str, stock: str, capacity: int) -> None:
        _, foretold = foretell(self.model.may_resize, who, stock, capacity)
        request = f"PATCH /stocks/{self.night.stocks[stock]}"
        if self.agree(self.night.ask(request, who, {"capacity": capacity}), 200, foretold):
            self.model.capacity[stock] = capacity

    @now_and_then
    @rule(who=managers, seat=st.sampled_from([*SEATS, "STALLS/Z-1"]), add=st.booleans())
    def move_seat(self, who: str, seat: str, add: bool) -> None:
        _, foretold = foretell(self.model.may_move_seat, who, seat, add)
        request = f"PATCH /stocks/{self.night.stocks['Stalls']}"
        body = {"add_seats" if add else "remove_seats": [seat]}
        if self.agree(self.night.ask(request, who, body), 200, foretold):
            (self.model.seats.add if add else self.model.seats.remove)(seat)

    @now_and_then
    @rule(amount=st.integers(0, 3))
    def reprice(self, amount: int) -> None:
        price = {"amount": amount * 100, "currency": "KES"}
        answer = self.night.ask(
            f"PATCH /tiers/{self.night.tiers['Stalls']}", "owner", {"price": price}
        )
        assert answer.status_code == 200, answer.text
        self.model.prices["Stalls", "Seat"] = amount * 100
        self.done = True

    @precondition(lambda self: self.steps > 20 and not self.model.cancelled)
    @rule(who=managers)
    def cancel_the_show(self, who: str) -> None:
        _, foretold = foretell(self.model.may_cancel_show, who)
        here = f"DELETE /shows/{self.night.show}"
        preview = self.night.ask(f"{here}?dry_run=true", who)
        if self.agree(preview, 200, foretold):
            live = [b for b in self.model.bookings.values() if b.lives]
            places = sum(len(b.places) for b in live)
            assert preview.json == {"shows": 1, "bookings": len(live), "places": places}
        for _ in range(2):  # it may be repeated
            if self.agree(self.night.ask(here, who), 200, foretold):
                self.model.cancel_show()

    # Looking

    @invariant()
    def what_was_done_can_be_read(self) -> None:
        """After each deed; what a refusal may have changed, at the next look at everything."""
        self.steps += 1
        if self.steps % EVERY == 0:
            self.look_at_everything()
        elif self.done:
            self.look_at_availability("owner")
            if self.touched is not None:
                self.look_at(self.touched)
        self.done, self.touched = False, None

    def look_at(self, booking_id: int) -> None:
        booking = self.model.bookings[booking_id]
        answer = self.night.ask(f"GET /bookings/{booking_id}", booking.buyer or "owner")
        assert answer.status_code == 200, answer.text
        assert facts_of(answer.json) == facts_in(booking)
        version = (booking_id, answer.headers["ETag"])
        assert self.told.setdefault(version, answer.json) == answer.json, "two things, one ETag"

    def look_at_everything(self) -> None:
        here = f"GET /bookings/?show_id={self.night.show}&per_page=100"
        for who in ("owner", "asha"):
            told = {item["id"]: facts_of(item) for item in self.night.ask(here, who).json["items"]}
            assert told == {
                booking_id: facts_in(booking)
                for booking_id, booking in self.model.bookings.items()
                if self.model.sees(who, booking)
            }
            self.look_at_availability(who)
        assert self.night.broken() == []

    def look_at_availability(self, who: str) -> None:
        answer = self.night.ask(f"GET /shows/{self.night.show}/availability", who)
        told = {tier["name"]: tier for tier in answer.json["tiers"]}
        assert told.keys() == TIERS.keys()
        for name, tier in told.items():
            free, held, sold = self.model.count_of(name)
            assert (tier["state"], tier["available"]) == (self.model.state(name), free)
            counts = (held, sold) if who == "owner" else (None, None)
            assert (tier.get("held"), tier.get("sold")) == counts

    # Helpers

    def agree(self, answer: TestResponse, status: int, foretold: Exception | None) -> bool:
        """Hold an answer to what was foretold; whether the deed was done."""
        done = agree(answer, status, foretold)
        self.done = self.done or done
        return done

    def one(self, n: int, who: str, *statuses: str) -> dict[str, Any]:
        """A booking, the newest for n = 0 and mostly one of these statuses, and who asks for it."""
        fitting = [i for i, b in self.model.bookings.items() if b.status in statuses]
        ids = fitting if fitting and n != 13 else list(self.model.bookings)
        self.touched = ids[-1 - n % len(ids)]
        booking = self.model.bookings[self.touched]
        if who == "buyer":
            who = booking.buyer or "owner"
        if who == "guest":
            guests = [caller for caller in self.night.callers if caller.startswith("guest")]
            who = guests[0] if guests else "stranger"
        return {"booking_id": self.touched, "who": who}

    def holds(self) -> list[int]:
        return [i for i, booking in self.model.bookings.items() if booking.status == "held"]

    def tickets(self) -> list[tuple[int, str]]:
        return [(i, t.code) for i, b in self.model.bookings.items() for t in b.tickets.values()]

    def items(self, basket: list[Wanted]) -> list[dict[str, Any]]:
        return [self.item(wanted) for wanted in basket]

    def item(self, wanted: Wanted) -> dict[str, Any]:
        tiers, prices, stocks = self.night.tiers, self.night.prices, self.night.stocks
        priced = [price for (_, name), price in prices.items() if name == wanted.price]
        item = {
            "tier_id": tiers[wanted.tier] if wanted.tier else None,
            "price_id": prices.get((wanted.tier, wanted.price), next(iter(priced), None)),
            "stock_id": stocks[wanted.stock] if wanted.stock else None,
            "quantity": wanted.quantity or None,
            "seats": list(wanted.seats) or None,
        }
        return {name: value for name, value in item.items() if value is not None}

    def if_match(self, booking_id: int, condition: str | None) -> dict[str, str]:
        if condition is None:
            return {}
        now = self.night.ask(f"GET /bookings/{booking_id}", "owner").headers["ETag"]
        old = [etag for known, etag in self.told if known == booking_id and etag != now]
        return {"If_Match": now if condition == "fresh" else next(reversed(old), '"0.1-held"')}

    def note(self, deed: Callable[..., None], **facts: Any) -> None:
        """Keep in mind what is asked for with a key, to ask for it again."""
        if facts["key"]:
            self.keyed.append((deed, facts))

    def remember(
        self, scope: str | None, key: str | None, request: Any, answer: TestResponse
    ) -> None:
        if key and scope:
            self.model.answers[scope, key] = (request, (answer.status_code, answer.data))

    def places_in(self, told: dict[str, Any]) -> dict[int, Place]:
        return {i: Place(*place) for i, place in facts_of(told)["places"].items()}


def foretell(may: Callable[..., Any], *args: Any, **facts: Any) -> tuple[Any, Exception | None]:
    """What the model makes of it, and how it must be refused or replayed."""
    try:
        return may(*args, **facts), None
    except (Refused, Replayed) as foretold:
        return None, foretold


def agree(answer: TestResponse, status: int, foretold: Exception | None) -> bool:
    """Hold an answer to what was foretold; whether the deed was done."""
    replayed = answer.headers.get("Idempotent-Replayed") == "true"
    assert replayed == isinstance(foretold, Replayed), answer.text
    if isinstance(foretold, Replayed):
        assert (answer.status_code, answer.data) == foretold.answer
        return False
    if isinstance(foretold, Refused):
        told = (answer.status_code, answer.json.get("code"))
        assert told == (foretold.status, foretold.code), (foretold, answer.text)
        assert answer.json.items() >= foretold.facts.items(), (foretold, answer.text)
        return False
    assert answer.status_code == status, answer.text
    return True


def _once(key: str | None) -> dict[str, str]:
    return {"Idempotency_Key": key} if key else {}


def codes_in(told: dict[str, Any]) -> dict[int, str]:
    return {ticket["place_id"]: ticket["code"] for ticket in told["tickets"]}


def facts_of(told: dict[str, Any]) -> dict[str, Any]:
    """What a booking's JSON says, in the model's words."""
    numbers = {line["id"]: number for number, line in enumerate(told["lines"])}
    held_at, held_until = (datetime.fromisoformat(told[at]) for at in ("held_at", "held_until"))
    return {
        "status": told["status"],
        "channel": told["channel"],
        "paid": told["payment_status"] == "paid",
        "total": told["total"]["amount"],
        "minutes": round((held_until - held_at).total_seconds() / 60),
        "extended": told["extended"],
        "holder": told["ticket_holder"]["name"],
        "note": told["note"],
        "names": {named["place_id"]: named["name"] for named in told["attendees"]},
        "lines": [
            (
                line["tier"] and line["tier"]["name"],
                line["price"] and line["price"]["name"],
                line["quantity"],
                line["unit_price"]["amount"],
            )
            for line in told["lines"]
        ],
        "places": {
            place["id"]: (place["section"], place["key"], numbers[place["line_id"]])
            for place in told["places"]
        },
        "tickets": {
            ticket["code"]: (
                # A void ticket forgets its place once the stock loses it.
                ticket["place_id"] if ticket["status"] != "void" else None,
                ticket["status"],
                ticket["ticket_holder"]["name"],
            )
            for ticket in told["tickets"]
        },
    }


def facts_in(booking: Booking) -> dict[str, Any]:
    """The same of the model's booking."""
    return {
        "status": booking.status,
        "channel": booking.channel,
        "paid": booking.paid,
        "total": booking.total,
        "minutes": booking.minutes,
        "extended": booking.minutes > 15,
        "holder": booking.holder,
        "note": booking.note,
        "names": booking.names,
        "lines": [(line.tier, line.price, line.quantity, line.unit) for line in booking.lines],
        "places": {i: (p.stock, p.key, p.line) for i, p in booking.places.items()},
        "tickets": {
            ticket.code: (
                place if ticket.status != "void" else None,
                ticket.status,
                ticket.name or booking.holder,
            )
            for place, ticket in booking.tickets.items()
        },
    }
