"""A sale during which something breaks; each with a control that has to go wrong."""

import os
import signal
import threading
import time
from contextlib import ExitStack, closing, suppress
from random import Random

import psycopg2

from models.show import turn_key
from tests.chaos.client import Client, post
from tests.chaos.server import Postgres, Web
from tests.chaos.stage import Play, Sale

AMPLE = 2500, 2500  # places of the two tiers: hardly anybody buys more in these few seconds
FORGETFUL = {
    "synchronous_commit": "off",
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "1GB",
}
REPORT = """
    SELECT count(*), sum(length(b.email)), avg(l.quantity)
      FROM bookings b JOIN booking_lines l ON l.booking_id = b.id
      JOIN places p ON p.booking_id = b.id
      JOIN tickets t ON t.place_id = p.id
      CROSS JOIN generate_series(1, 200) AS over_and_over
"""


def workers_killed(play: Play, *, times: int = 5) -> None:
    """kill -9 of a web worker every half second, and at last of all of them at once."""
    web = play.seller.web

    def kill() -> None:
        for _ in range(times):
            _signal(_one_of(web.workers(), play.random), signal.SIGKILL)
            time.sleep(0.5)
        _signal(web.workers(), signal.SIGKILL)

    play.under_fire(play.sale(*AMPLE), kill)


def workers_not_replaced(play: Play) -> None:
    """All workers are killed while the arbiter sleeps, and clients ask again without keys."""
    web = play.seller.web

    def kill() -> None:
        web.process.send_signal(signal.SIGSTOP)
        try:
            _signal(web.workers(), signal.SIGKILL)
            time.sleep(1.2)
        finally:
            web.process.send_signal(signal.SIGCONT)

    play.under_fire(play.sale(*AMPLE), kill)


def postgres_stopped(play: Play, *, times: int = 2, sale: Sale | None = None) -> None:
    """PostgreSQL is stopped at once, as when the power goes, and started again."""
    sale = sale or play.sale(*AMPLE)
    postgres = play.stage.postgres
    accepted: list[float] = []

    def stop() -> None:
        for _ in range(times):
            postgres.kill()
            accepted.append(postgres.revive())
            time.sleep(0.7)

    play.under_fire(sale, stop, before=0.6, after=0.3)
    play.measures["first_success"] = max(_first_success(play, since) for since in accepted)


def postgres_forgets(play: Play) -> None:
    """The same, but PostgreSQL says "committed" before it is written to the disk."""
    postgres, sale = play.stage.postgres, play.sale(*AMPLE)
    for name, value in FORGETFUL.items():
        postgres.run(f"ALTER SYSTEM SET {name} = '{value}'")
    postgres.run("SELECT pg_reload_conf()")
    try:
        postgres_stopped(play, times=1, sale=sale)
    finally:
        for name in FORGETFUL:
            postgres.run(f"ALTER SYSTEM RESET {name}")
        postgres.run("SELECT pg_reload_conf()")


def connections_cut(play: Play, *, times: int = 6) -> None:
    """Every connection to the database is terminated, again and again."""

    def cut() -> None:
        for _ in range(times):
            play.stage.postgres.cut()
            time.sleep(play.random.uniform(0.1, 0.3))

    play.under_fire(play.sale(*AMPLE), cut)


def connections_exhausted(play: Play, *, seconds: float = 0.8) -> None:
    """Somebody takes every connection that PostgreSQL has left, and then lets go."""
    postgres = play.stage.postgres
    let_go: list[float] = []

    def exhaust() -> None:
        with closing(postgres.connect()) as administrator, ExitStack() as hoard:
            _take_all(postgres, hoard, until=0)
            postgres.cut(administrator)
            _take_all(postgres, hoard, until=time.monotonic() + seconds)
        let_go.append(time.time())

    play.under_fire(play.sale(*AMPLE), exhaust, after=1.0)
    play.measures["first_success"] = _first_success(play, let_go[0])
    if not any(answer.status in (500, 503) for answer in play.client.answers):
        play.notes.append("nobody went without a connection")


def show_locked(play: Play, *, seconds: float = 0.8, asleep: float = 0.0) -> None:
    """One lock on the show keeps every thread and its connection waiting.

    Workers that are `asleep` do not notice for so many seconds that it is over.
    """
    sale, web = play.sale(*AMPLE), play.seller.web
    let_go: list[float] = []

    def hold_on() -> None:
        with closing(play.stage.postgres.connect()) as connected:
            connected.autocommit = False
            with connected, connected.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [turn_key(sale.show_id)])
                cursor.execute("SELECT FROM shows WHERE id = %s FOR UPDATE", [sale.show_id])
                time.sleep(seconds)
                if asleep:
                    _signal(web.workers(), signal.SIGSTOP)
        let_go.append(time.time())
        if asleep:
            time.sleep(asleep)
            _signal(web.workers(), signal.SIGCONT)

    play.under_fire(sale, hold_on, buyers=60)
    play.measures["first_success"] = _first_success(play, let_go[0])


def sale_paused(play: Play, *, in_the_way: float = 0.0) -> None:
    """The organiser pauses the sale and lets it go on, while everybody buys.

    With something `in_the_way`, somebody holds on to the show for so many seconds.
    """
    sale = play.sale(*AMPLE)
    headers = play.organiser_of(sale)
    organiser = Client([play.seller.web.address])
    paused, resumed = [], []

    def organise() -> None:
        with closing(play.stage.postgres.connect()) as other:
            other.autocommit = False
            if in_the_way:
                other.cursor().execute("SELECT FROM shows FOR SHARE")
                threading.Timer(in_the_way, other.rollback).start()
            paused.append(organiser.ask(post(f"/shows/{sale.show_id}/pause", {}, headers=headers)))
            time.sleep(0.3)
            resumed.append(
                organiser.ask(post(f"/shows/{sale.show_id}/resume", {}, headers=headers))
            )

    play.under_fire(sale, organise, buyers=48)
    organiser.close()
    waited = [
        answer.at - answer.sent_at if answer.ok else float("inf") for answer in paused + resumed
    ]
    play.measures["organiser_waited"] = max(waited)
    play.measures["sold_while_paused"] = sum(
        answer.ok and not answer.replayed
        for answer in play.client.answers
        if answer.sent_at > paused[0].at and answer.at < resumed[0].sent_at
    )


def deployed(play: Play) -> None:
    """The next instance is started beside the old one, which is told to stop when it is ready."""
    old = play.stage.web
    play.stage.web = _replace(play, old)


def deployed_with(play: Play, *, worker_class: str) -> None:
    """The same, with another kind of worker in the old instance."""
    old = play.stage.house.open(extra=("--worker-class", worker_class)).ready()
    play.client.addresses[:] = [old.address]
    _replace(play, old).end()


def _replace(play: Play, old: Web) -> Web:
    begun: list[Web] = []
    took: list[float] = []

    def deploy() -> None:
        begun.append(play.stage.house.open().ready())
        play.client.addresses.append(begun[0].address)
        told = time.monotonic()
        old.stop()
        took.append(time.monotonic() - told)

    play.under_fire(play.sale(*AMPLE), deploy, after=0.4)
    play.notes.append(f"the old instance was gone {took[0]:.1f} s after SIGTERM")
    return begun[0]


def reported(play: Play, *, seconds: float = 2.0, lock: str = "") -> None:
    """Somebody reads the whole house for seconds, in one transaction, beside the sale."""

    def report() -> None:
        with closing(play.stage.postgres.connect()) as connected:
            connected.autocommit = False
            with connected, connected.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                if lock:
                    cursor.execute(lock)
                over = time.monotonic() + seconds
                while time.monotonic() < over:
                    cursor.execute(REPORT)

    play.under_fire(play.sale(*AMPLE), report)


def _take_all(postgres: Postgres, hoard: ExitStack, *, until: float) -> None:
    """Take every connection that there is, once, and what becomes free until then."""
    while True:
        try:
            hoard.callback(postgres.connect().close)
        except psycopg2.OperationalError:
            if time.monotonic() >= until:
                return
            time.sleep(0.01)


def _one_of(workers: list[int], dice: Random) -> list[int]:
    return [dice.choice(workers)] if workers else []


def _signal(workers: list[int], what: signal.Signals) -> None:
    for pid in workers:
        with suppress(ProcessLookupError):
            os.kill(pid, what)


def _first_success(play: Play, since: float) -> float:
    """Seconds from `since` to the first success after it; for ever if there is none."""
    after = [answer.at for answer in play.client.answers if answer.decided and answer.at >= since]
    return min(after, default=float("inf")) - since
