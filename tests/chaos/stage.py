"""Where a scenario plays: the house, what is on sale in it, and the buyers' ways."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from psycopg2.errors import DeadlockDetected
from sqlalchemy import text

from controllers.callers import tokens_for
from init import db
from models import Show
from services.auth_service import SignedIn
from tests.chaos.account import Order
from tests.chaos.client import Answer, Buyer, Client, Pause, post
from tests.chaos.server import NAIVE, House, Postgres, Web
from tests.factories import ShowFactory, SignInFactory, TierFactory, member

HASTE = 0.05  # seconds until somebody who was not served asks again
PATIENCE = 12.0  # seconds until they give up
WARM = 100  # answers before a fault begins
RECOVERS = 5.0  # seconds after a fault in which there should be a success


@dataclass(frozen=True)
class Seller:
    """Whom buyers ask, and whether they name their requests."""

    web: Web
    headers: Mapping[str, str] = field(default_factory=dict)
    keys: bool = True


@dataclass(frozen=True)
class Sale:
    """A show with free tiers, each with places of its own."""

    show_id: int
    tiers: Sequence[int]


class Stage:
    """The house, with one instance of the API open and a naive seller at hand."""

    def __init__(self, house: House, app: Flask, *, seed: int, quick: bool) -> None:
        self.house, self.app, self.seed, self.quick = house, app, seed, quick
        self.building = threading.Lock()
        self.web = house.open().ready()
        self._naive: Web | None = None

    @property
    def postgres(self) -> Postgres:
        return self.house.postgres

    def real(self, *, keys: bool = True) -> Seller:
        """The API itself."""
        return Seller(self.web, keys=keys)

    def naive(self, wrong: str, *, keys: bool = True) -> Seller:
        """The seller with that wrong with it, see tests.chaos.naive."""
        if self._naive is None:
            self._naive = self.house.open(NAIVE, extra=("--workers", "2")).ready()
        return Seller(self._naive, {"Naive": wrong}, keys)

    def clear(self) -> None:
        """Empty every table; keys go on counting, so that nothing remembered fits by accident."""
        tables = ", ".join(f'"{table.name}"' for table in db.metadata.sorted_tables)
        with self.app.app_context():
            db.session.remove()
            while True:
                with suppress(DeadlockDetected):  # with whoever is still busy with the last play
                    self.postgres.run(f"TRUNCATE {tables} CASCADE")
                    return


class Play:
    """One run of a scenario: who was asked, what was ordered and answered, what was measured."""

    def __init__(self, name: str, stage: Stage, seller: Seller) -> None:
        self.name, self.stage, self.seller = name, stage, seller
        self.random = self.dice("fault")
        self.client = Client([seller.web.address])
        self.orders: list[Order] = []
        self.runs: list[list[Answer]] = []
        self.measures: dict[str, float] = {}
        self.notes: list[str] = []

    def dice(self, whose: object) -> random.Random:
        """Chance of one's own: it does not depend on who else draws when."""
        return random.Random(f"{self.stage.seed} {self.name} {whose}")

    def sale(self, *capacities: int, **tier: Any) -> Sale:
        """A show with a tier for each capacity; `section` makes a tier of that section's seats."""
        with self.stage.building, self.stage.app.app_context():
            show = ShowFactory(venue__layout=tier.pop("layout", None))
            tiers = [
                TierFactory(show=show, capacity=capacity, price=0, **tier).id
                for capacity in capacities
            ]
            sale = Sale(show.id, tiers)
            db.session.remove()
            with db.engine.begin() as connection:
                connection.execute(text("ANALYZE places"))
        return sale

    def organiser_of(self, sale: Sale) -> Mapping[str, str]:
        """The headers that somebody sends who works for the show's organiser."""
        with self.stage.building, self.stage.app.app_context():
            user = member(db.session.get_one(Show, sale.show_id).event.organiser)
            signed_in = SignedIn(user, SignInFactory(user_id=user.id).id)
            token = tokens_for(signed_in)["access_token"]
            db.session.remove()
        return {"Authorization": f"Bearer {token}"}

    def order(
        self,
        sale: Sale,
        lines: Mapping[int, int],
        *,
        seats: tuple[str, ...] = (),
        confirm: bool = False,
        keep: bool = False,
    ) -> Order:
        """Something that a new guest wants, in the order of `lines`."""
        number = len(self.orders) + 1
        email = f"{self.name}-{number}@example.com"
        items: list[dict[str, Any]] = [
            {"tier_id": tier, **({"seats": list(seats)} if seats else {"quantity": quantity})}
            for tier, quantity in lines.items()
        ]
        body = {
            "show_id": sale.show_id,
            "items": items,
            "buyer": {"name": f"Guest {number}", "email": email},
            **({"confirm": True} if confirm else {}),
        }
        headers = dict(self.seller.headers)
        if self.seller.keys:
            headers["Idempotency-Key"] = f"{self.stage.seed}-{self.name}-{number}"
        request = post("/bookings/", body, headers=headers, keep=keep)
        order = Order(email, request, lines, seats)
        self.orders.append(order)
        return order

    def run(self, buyers: Iterable[Buyer]) -> None:
        """Let all of them act at once, until the last has finished."""
        self.runs.append(self.client.run(buyers))

    def under_fire(
        self,
        sale: Sale,
        fault: Callable[[], None],
        *,
        buyers: int = 24,
        before: float = 0.4,
        after: float = 0.6,
    ) -> None:
        """Have `buyers` buy one thing after the other before, during and after `fault`.

        Each third of them does not ask again when the connection dies.
        """
        over = threading.Event()

        def happen() -> None:
            time.sleep(before)
            while len(self.client.answers) < WARM and not over.is_set():
                time.sleep(0.01)
            fault()
            healed = time.time()
            time.sleep(after)
            while time.time() < healed + RECOVERS and not over.is_set():
                last = self.client.answers[-WARM:]
                if any(answer.decided and answer.at > healed for answer in last):
                    return
                time.sleep(0.01)

        with meanwhile(happen, over):
            self.run(self._keep_buying(sale, number, over) for number in range(buyers))

    def _keep_buying(self, sale: Sale, number: int, over: threading.Event) -> Buyer:
        dice = self.dice(number)
        while not over.is_set():
            lines = {dice.choice(sale.tiers): dice.randint(1, 2)}
            order = self.order(sale, lines, confirm=True, keep=number % 2 == 0)
            yield from insist(order, retries=number % 3 != 0)


def insist(order: Order, *, retries: bool = True) -> Buyer:
    """Ask until there is a decision: the same request, and so with the same key, again."""
    give_up = time.monotonic() + PATIENCE
    while True:
        answer: Answer = yield order.request
        order.answers.append(answer)
        decided = answer.status not in (0, 503)
        if decided or (answer.died and not retries) or time.monotonic() > give_up:
            return
        yield Pause(HASTE)


def confirm(order: Order) -> Buyer:
    """Turn the order's hold into tickets, if it still lives."""
    booking = order.acknowledged[0].json
    if "secret" not in booking:
        return  # a seller that confirms nothing
    headers = {"Booking-Secret": booking["secret"], "Idempotency-Key": f"confirm-{booking['id']}"}
    request = post(f"/bookings/{booking['id']}/confirm", {}, headers=headers)
    answer = yield request
    order.confirmations.append(answer)


@contextmanager
def meanwhile(deed: Callable[[], None], over: threading.Event | None = None) -> Iterator[None]:
    """Have a deed done while the block runs, wait for its end, and raise what it raised.

    `over` is set as soon as either is done, whatever came of it.
    """
    raised: list[BaseException] = []

    def do() -> None:
        try:
            deed()
        except BaseException as error:
            raised.append(error)
        finally:
            if over is not None:
                over.set()

    thread = threading.Thread(target=do, name="fault", daemon=True)
    thread.start()
    try:
        yield
    finally:
        if over is not None:
            over.set()
        thread.join()
    if raised:
        raise raised[0]
