"""What is measured: for each thing that people do, the requests and a sample to record."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text

from benchmarks import crowd, world
from benchmarks.recipe import Facts, Recipe, recording
from benchmarks.world import Offer, Person
from init import db

SIDES = ("bare", "gigmate")
# A hot hold by whoever asks: nobody is looked up for a guest, who is GigMate's own side.
CREDENTIALS = {"token": "a user's token", "key": "a shop's key"}
SCENARIOS = (
    "hot_hold",
    "who_asks",
    "thousand_shows",
    "chosen_seats",
    "refused",
    "hold_and_confirm",
    "event_list",
    "event_detail",
    "not_modified",
    "availability",
    "booking_list",
    "check_in",
    "beside_guesses",
    "beside_logins",
)
HOT = 30_000  # places: more than one load sells
LARGEST = 80_000
AUTHENTICATED = 0.85  # of the rate of guests: what looking up who asks may cost


@dataclass
class Scenario:
    """One kind of request, of GigMate and of the bare program."""

    name: str
    title: str
    bar: float | None  # the least share of the bare program's rate; None where there is none
    script: Callable[[str, int], str]  # of a side and a round; one more than there are warms up
    recipe: Recipe | None
    things: list[Facts] = field(default_factory=list)
    refused: bool = False  # whether 409 is the right answer
    # What else goes on, given the address of the API. It is then measured beside itself alone.
    beside: Callable[[str], AbstractContextManager[None]] | None = None
    others: Mapping[str, str] = field(default_factory=dict)  # sides of GigMate's, by their titles
    share: float | None = None  # the least that each of them has of GigMate's own rate

    @property
    def sides(self) -> tuple[str, ...]:
        """Who is measured in turn."""
        return (*(SIDES if self.recipe or self.beside else SIDES[1:]), *self.others)


class Stage:
    """Everything that the scenarios need, made once in the database."""

    def __init__(self, client: FlaskClient, rounds: int, tell: Callable[[str], None]) -> None:
        self.client, self.rounds, self.tell = client, rounds, tell
        world.set_apart()
        self.people = world.buyers()
        self.admin = world.admin()
        self.confirm = Recipe()

    def build(self, names: Iterable[str]) -> list[Scenario]:
        """The scenarios of these names."""
        made = []
        for name in names:
            self.tell(f"staging {name}")
            made.append(getattr(self, name)())
        world.analyze()
        return made

    def hot_hold(self) -> Scenario:
        offers = [world.offer(HOT) for _ in range(2 * self.rounds + 3)]
        recipe = self._recorded_hold(offers.pop(), {"quantity": 2})

        def script(side: str, number: int) -> str:
            return self._holds(side, "hot_hold", [offers[_nth(side, number)]], _nth(side, number))

        return Scenario(
            "hot_hold", "hold two standing, one hot show", 0.40, script, recipe, _facts(offers)
        )

    def who_asks(self) -> Scenario:
        sides = ("gigmate", *CREDENTIALS)
        offers = [world.offer(HOT) for _ in range(len(sides) * (self.rounds + 1))]
        keys = [world.shop_key(offer) for offer in offers]

        def script(side: str, number: int) -> str:
            nth = len(sides) * number + sides.index(side)
            return self._holds_by(side, offers[nth], keys[nth])

        title = "hold two, one hot show, as a guest"
        return Scenario(
            "who_asks", title, None, script, None, others=CREDENTIALS, share=AUTHENTICATED
        )

    def thousand_shows(self) -> Scenario:
        offers = world.small_offers(1000, 100)
        recipe = self._recorded_hold(world.offer(100), {"quantity": 2})

        def script(side: str, _number: int) -> str:
            return self._holds(side, "thousand_shows", offers)

        title = "hold two standing, a thousand shows"
        return Scenario("thousand_shows", title, None, script, recipe, _facts(offers))

    def chosen_seats(self) -> Scenario:
        offers = [world.offer(HOT, numbered=True) for _ in range(2 * self.rounds + 3)]
        sample = offers.pop()
        recipe = self._recorded_hold(sample, {"seats": ["S/1", "S/2"]})
        recipe.stands_for(first_seat="S/1", second_seat="S/2")

        def script(side: str, number: int) -> str:
            nth = _nth(side, number)
            return self._holds(side, "chosen_seats", [offers[nth]], nth, seats=True)

        title = "hold two chosen seats, one hot show"
        return Scenario("chosen_seats", title, None, script, recipe, _facts(offers))

    def refused(self) -> Scenario:
        sold_out = world.offer(LARGEST)
        world.sell_out(sold_out, held=20_000, buyer=self.people[0])
        for _ in range(2):  # the second is told what the first has found out
            recipe = self._recorded_hold(sold_out, {"quantity": 2}, status=409)

        def script(side: str, _number: int) -> str:
            return self._holds(side, "refused", [sold_out])

        title = "refusal: 80,000 places sold out, 20,000 of them held"
        return Scenario("refused", title, None, script, recipe, _facts([sold_out]), refused=True)

    def hold_and_confirm(self) -> Scenario:
        offers = [world.offer(HOT, price=0) for _ in range(2 * self.rounds + 3)]
        sample, person = offers.pop(), self.people[0]
        recipe = self._recorded_hold(sample, {"quantity": 2})
        booking = self.last_answer
        confirm = Recipe()
        with recording(confirm):
            self._send("POST", f"/bookings/{booking['id']}/confirm", person, None, 200)
        first, second = (place["id"] for place in booking["places"])
        confirm.stands_for(
            **person.facts,
            **sample.facts,
            booking_id=booking["id"],
            line_id=booking["lines"][0]["id"],
            first_place_id=first,
            second_place_id=second,
        )
        for number, ticket in enumerate(self.last_answer["tickets"]):
            confirm.stands_for(**{f"code_{number}": ticket["code"]})
        self.confirm = confirm

        def script(side: str, number: int) -> str:
            offer = offers[_nth(side, number)]
            return self._holds_and_confirms(side, offer, _nth(side, number))

        return Scenario(
            "hold_and_confirm",
            "hold and confirm",
            0.35,
            script,
            recipe,
            _facts(offers),
        )

    def event_list(self) -> Scenario:
        path = "/events/?per_page=20"
        recipe = self._recorded("GET", path, None)
        script = self._reads("event_list", lambda _thing: path, [{}])
        return Scenario("event_list", "event list, 20 of them", 0.35, script, recipe)

    def event_detail(self) -> Scenario:
        events = self._some("SELECT id AS event_id FROM events WHERE status = 'published'")
        recipe = self._recorded("GET", f"/events/{events[0]['event_id']}", None)
        recipe.stands_for(event_id=events[0]["event_id"])
        script = self._reads("event_detail", lambda event: f"/events/{event['event_id']}", events)
        return Scenario("event_detail", "event detail", 0.35, script, recipe, events)

    def not_modified(self) -> Scenario:
        events = self._some("SELECT id AS event_id FROM events WHERE status = 'published'", 1)
        path = f"/events/{events[0]['event_id']}"
        etag = self.client.get(path).headers["ETag"]
        recipe = self._recorded("GET", path, None)
        script = self._reads("not_modified", lambda _event: path, events, {"If-None-Match": etag})
        return Scenario("not_modified", "event detail, not modified", 0.5, script, recipe, events)

    def availability(self) -> Scenario:
        show_id = self._some(
            "SELECT show_id FROM stocks GROUP BY show_id ORDER BY sum(capacity) DESC, show_id", 1
        )[0]["show_id"]
        path = f"/shows/{show_id}/availability"
        script = self._reads("availability", lambda _thing: path, [{}])
        return Scenario("availability", "availability of 80,000 places", None, script, None)

    def booking_list(self) -> Scenario:
        busy = self._some(
            "SELECT user_id FROM bookings WHERE user_id IS NOT NULL AND id < 1000000000"
            " GROUP BY user_id ORDER BY count(*) DESC, user_id",
            1,
        )
        path = "/bookings/?after=&per_page=20"
        person = world.sign_in(busy[0]["user_id"]) if busy else self.people[0]
        recipe = self._recorded("GET", path, person)
        headers = {"Authorization": f"Bearer {person.token}"}
        script = self._reads("booking_list", lambda _thing: path, [{}], headers)
        return Scenario("booking_list", "one's bookings, endless list", None, script, recipe)

    def check_in(self) -> Scenario:
        tickets = self._some(
            "SELECT t.code, t.id AS ticket_id, t.booking_id, t.line_id, t.place_id, t.show_id"
            " FROM tickets t JOIN shows s ON s.id = t.show_id JOIN events e ON e.id = s.event_id"
            " WHERE t.status = 'valid' AND s.status = 'confirmed' AND e.status = 'published'"
            " AND t.code <> ALL(ARRAY(SELECT code FROM tickets WHERE id > 12000000000))",
            40_000,
        )
        sample = tickets.pop()
        path = f"/shows/{sample['show_id']}/check_ins"
        recipe = self._recorded("POST", path, self.admin, {"code": sample["code"]}, 201)
        recipe.stands_for(**sample)
        half = len(tickets) // (2 * self.rounds + 2)

        def script(side: str, number: int) -> str:
            first = _nth(side, number) * half
            mine = tickets[first : first + half]
            return self._scans(side, mine, first)

        return Scenario("check_in", "check-in", None, script, recipe, tickets)

    def beside_guesses(self) -> Scenario:
        title = "hold two, beside 100 wrong passwords a minute"
        return self._beside("beside_guesses", title, crowd.guessing, bar=0.90)

    def beside_logins(self) -> Scenario:
        title = "hold two, beside a flood of sign-ins"
        return self._beside("beside_logins", title, crowd.signing_in, bar=0.75)

    def _beside(
        self,
        name: str,
        title: str,
        beside: Callable[[str], AbstractContextManager[None]],
        *,
        bar: float,
    ) -> Scenario:
        offers = [world.offer(HOT) for _ in range(2 * self.rounds + 2)]

        def script(side: str, number: int) -> str:
            return self._holds("gigmate", name, [offers[_nth(side, number)]])

        return Scenario(name, title, bar, script, None, beside=beside)

    def _recorded_hold(self, offer: Offer, line: Facts, status: int = 201) -> Recipe:
        person = self.people[0]
        body = {"show_id": offer.show_id, "items": [{"tier_id": offer.tier_id, **line}]}
        recipe = self._recorded("POST", "/bookings/", person, body, status)
        recipe.stands_for(**person.facts, **offer.facts)
        if status == 201:
            answer = self.last_answer
            recipe.stands_for(booking_id=answer["id"], line_id=answer["lines"][0]["id"])
        return recipe

    def _recorded(
        self,
        method: str,
        path: str,
        person: Person | None,
        body: Facts | None = None,
        status: int = 200,
    ) -> Recipe:
        recipe = Recipe()
        with recording(recipe):
            self._send(method, path, person, body, status)
        return recipe

    def _send(
        self, method: str, path: str, person: Person | None, body: Facts | None, status: int
    ) -> None:
        headers = {"Authorization": f"Bearer {person.token}"} if person else {}
        answer = self.client.open(path, method=method, json=body, headers=headers)
        if answer.status_code != status:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        self.last_answer: Any = answer.json

    def _some(self, query: str, count: int = 1000) -> list[Facts]:
        with db.engine.connect() as connection:
            rows = connection.execute(text(f"{query} LIMIT {count}")).mappings()
            return [dict(row) for row in rows]

    def _tokens(self) -> str:
        return _lua([person.token for person in self.people])

    def _holds(
        self, side: str, name: str, offers: list[Offer], first: int = 0, *, seats: bool = False
    ) -> str:
        body = (
            "'{\"show_id\":' .. o[1] .. ',\"items\":[{\"tier_id\":' .. o[2] .. ',' .. line .. '}]}'"
        )
        line = (
            "'\"seats\":[\"S/' .. (2 * n - 1) .. '\",\"S/' .. (2 * n) .. '\"]'"
            if seats
            else "'\"quantity\":2'"
        )
        path = (
            "'/bookings/'" if side == "gigmate" else f"'/{name}/' .. p .. '/' .. ({first} + i - 1)"
        )
        return f"""
local tokens = {self._tokens()}
local offers = {_lua([[offer.show_id, offer.tier_id] for offer in offers])}
local n = 0
request = function()
  n = n + 1
  local p = math.random(#tokens)
  local i = math.random(#offers)
  local o = offers[i]
  local line = {line}
  return wrk.format("POST", {path}, {{["Content-Type"] = "application/json",
    ["Authorization"] = "Bearer " .. tokens[p]}}, {body})
end
"""

    def _holds_by(self, side: str, offer: Offer, key: str) -> str:
        basket = f'"show_id":{offer.show_id},"items":[{{"tier_id":{offer.tier_id},"quantity":2}}]'
        buyer = '\',"buyer":{"name":"Buyer","email":"buyer\' .. p .. \'@example.com"}\''
        shown = {
            "token": '["Authorization"] = "Bearer " .. tokens[p]',
            "key": f'["X-API-Key"] = "{key}"',
        }
        return f"""
local tokens = {self._tokens()}
request = function()
  local p = math.random(#tokens)
  local buyer = {"''" if side == "token" else buyer}
  return wrk.format("POST", "/bookings/", {{["Content-Type"] = "application/json",
    {shown.get(side, "")}}}, '{{{basket}' .. buyer .. '}}')
end
"""

    def _holds_and_confirms(self, side: str, offer: Offer, nth: int) -> str:
        hold = "'/bookings/'" if side == "gigmate" else f"'/hold_and_confirm/' .. p .. '/{nth}'"
        confirm = (
            "'/bookings/' .. held[1] .. '/confirm'"
            if side == "gigmate"
            else f"'/confirm/' .. held[2] .. '/{nth}/' .. held[1] .. '/' .. held[3]"
        )
        people = {person.facts["user_id"]: n for n, person in enumerate(self.people, start=1)}
        return f"""
local tokens = {self._tokens()}
local numbers = {{{",".join(f"[{user}]={n}" for user, n in people.items())}}}
local body = '{{"show_id":{offer.show_id},"items":[{{"tier_id":{offer.tier_id},"quantity":2}}]}}'
local queue = {{}}
request = function()
  local held = table.remove(queue)
  local p = held and held[2] or math.random(#tokens)
  local headers = {{["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. tokens[p]}}
  if held then
    headers["Content-Type"] = nil
    return wrk.format("POST", {confirm}, headers, "")
  end
  return wrk.format("POST", {hold}, headers, body)
end
response = function(status, headers, body)
  local id, user
  local places = {{}}
  if {json.dumps(side)} == "gigmate" then
    if string.find(body, '"status":"held"', 1, true) then
      id = string.match(body, '"id":(%d+)')
      user = string.match(body, '"user_id":(%d+)')
      queue[#queue + 1] = {{id, numbers[tonumber(user)]}}
    end
  else
    id = string.match(body, '"booking_id":(%d+)')
    local line = string.match(body, '"line_id":(%d+)')
    local person = string.match(body, '"person":(%d+)')
    if id and line and person then
      for place in string.gmatch(body, '"id":(%d+)') do places[#places + 1] = place end
      if #places == 2 then
        queue[#queue + 1] = {{id, tonumber(person), line .. '/' .. places[1] .. '/' .. places[2]}}
      end
    end
  end
end
"""

    def _reads(
        self,
        name: str,
        path_of: Callable[[Facts], str],
        things: list[Facts],
        headers: Mapping[str, str] | None = None,
    ) -> Callable[[str, int], str]:
        def script(side: str, _number: int) -> str:
            paths = [
                path_of(thing) if side == "gigmate" else f"/{name}/0/{n}"
                for n, thing in enumerate(things)
            ]
            return f"""
local paths = {_lua(paths)}
local headers = {{{",".join(f"[{json.dumps(k)}]={json.dumps(v)}" for k, v in (headers or {}).items())}}}
request = function()
  return wrk.format("GET", paths[math.random(#paths)], headers)
end
"""

        return script

    def _scans(self, side: str, tickets: list[Facts], first: int) -> str:
        paths = [f"/shows/{ticket['show_id']}/check_ins" for ticket in tickets]
        if side == "bare":
            paths = [f"/check_in/0/{first + n}" for n in range(len(tickets))]
        return f"""
local paths = {_lua(paths)}
local codes = {_lua([ticket["code"] for ticket in tickets])}
local n = 0
request = function()
  n = n + 1
  if n > #codes then wrk.thread:stop() n = 1 end
  return wrk.format("POST", paths[n], {{["Content-Type"] = "application/json",
    ["Authorization"] = "Bearer {self.admin.token}"}}, '{{"code":"' .. codes[n] .. '"}}')
end
"""


def _nth(side: str, number: int) -> int:
    return 2 * number + SIDES.index(side)


def _facts(offers: list[Offer]) -> list[Facts]:
    return [offer.facts for offer in offers]


def _lua(value: Any) -> str:
    if isinstance(value, list):
        return "{" + ",".join(map(_lua, value)) + "}"
    return json.dumps(value)
