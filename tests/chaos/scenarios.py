"""What is played, the control of each, and which numbers have to hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from tests.chaos import crowds, faults
from tests.chaos.stage import Play, Seller, Stage

ALWAYS = {
    "oversold": 0,
    "doubled": 0,
    "lost": 0,
    "refused_while_free": 0,
    "deadlocks": 0,
    "errors": 0,
    "undecided": 0,
    "breaches": 0,
}
NO_ANSWER_LOST: Mapping[str, float] = {"died": 0}
IN_WORDS = {
    "oversold": "places sold twice",
    "doubled": "bookings beyond the one that was ordered",
    "lost": "acknowledged and lost",
    "refused_while_free": "refused while a place was free",
    "deadlocks": "deadlocks",
    "errors": "500s and other answers that nobody expects",
    "undecided": "orders without a decision",
    "breaches": "broken invariants",
    "died": "requests without an answer",
    "failed": "requests that failed",
    "longest_gap": "seconds without a success",
    "first_success": "seconds until the first success",
    "decided": "seconds until all were decided",
    "organiser_waited": "seconds that the organiser waited",
    "sold_while_paused": "sold while the sale was paused",
}


@dataclass(frozen=True)
class Control:
    """Something deliberately broken, and the numbers that have to show it."""

    title: str
    play: Callable[[Play], None]
    notices: tuple[str, ...]
    seller: Callable[[Stage], Seller] = Stage.real


@dataclass(frozen=True)
class Scenario:
    """A play, and the most that each of its numbers may be, besides those that are always 0."""

    name: str
    title: str
    play: Callable[[Play], None]
    control: Control
    bounds: Mapping[str, float] = field(default_factory=dict)

    @property
    def limits(self) -> Mapping[str, float]:
        return {**ALWAYS, **self.bounds}


def _naive(wrong: str, *, keys: bool = True) -> Callable[[Stage], Seller]:
    return lambda stage: stage.naive(wrong, keys=keys)


def _without_keys(stage: Stage) -> Seller:
    return stage.real(keys=False)


def scenarios(*, quick: bool) -> list[Scenario]:
    """All of them, in the order in which they are played; `quick` ones are shorter."""
    return [
        Scenario(
            "rush-500",
            "500 buyers for 10 places",
            partial(crowds.rush, buyers=500, rounds=1 if quick else 5),
            Control(
                "a seller that does not lock",
                partial(crowds.rush, buyers=60),
                ("oversold", "breaches"),
                _naive("unlocked"),
            ),
            {"decided": 1.0, **NO_ANSWER_LOST},
        ),
        Scenario(
            "rush-1000",
            "1,000 buyers for 10 places",
            partial(crowds.rush, buyers=1000),
            Control(
                "a booking deleted and a place given away, both behind the server's back",
                crowds.tampered,
                ("lost", "breaches"),
            ),
            NO_ANSWER_LOST,
        ),
        Scenario(
            "one-seat",
            "200 buyers for one seat",
            crowds.one_seat,
            Control(
                "a seller that does not lock",
                partial(crowds.one_seat, buyers=40),
                ("oversold", "breaches"),
                _naive("unlocked"),
            ),
            NO_ANSWER_LOST,
        ),
        Scenario(
            "duplicates",
            "50 idempotency keys, each 10 times at once",
            crowds.duplicates,
            Control(
                "clients that send no key",
                partial(crowds.duplicates, keys=10),
                ("doubled",),
                _without_keys,
            ),
            NO_ANSWER_LOST,
        ),
        Scenario(
            "several-tiers",
            "baskets of several tiers in random order",
            crowds.several_tiers,
            Control(
                "a seller that waits for places in the order of the basket",
                partial(crowds.several_tiers, buyers=30),
                ("deadlocks",),
                _naive("crosswise"),
            ),
            NO_ANSWER_LOST,
        ),
        Scenario(
            "dying-holds",
            "holds that die while everyone retries",
            partial(crowds.dying_holds, seconds=1.0 if quick else 2.0),
            Control(
                "a seller to whom dead holds are taken",
                partial(crowds.dying_holds, buyers=20, seconds=0.8),
                ("refused_while_free",),
                _naive("unreaped"),
            ),
            NO_ANSWER_LOST,
        ),
        Scenario(
            "kill-workers",
            "kill -9 of a web worker every half second",
            partial(faults.workers_killed, times=2 if quick else 5),
            Control(
                "an arbiter that sleeps, and clients that retry without keys",
                faults.workers_not_replaced,
                ("doubled", "longest_gap"),
                _naive("dawdling", keys=False),
            ),
            {"longest_gap": 1.0},
        ),
        Scenario(
            "stop-postgres",
            "PostgreSQL stopped at once and started again",
            partial(faults.postgres_stopped, times=1 if quick else 2),
            Control(
                "a PostgreSQL that does not wait for its disk",
                faults.postgres_forgets,
                ("lost",),
            ),
            {"first_success": 2.0},
        ),
        Scenario(
            "cut-connections",
            "every database connection terminated, again and again",
            partial(faults.connections_cut, times=3 if quick else 6),
            Control(
                "a seller to whom a lost connection is a surprise",
                partial(faults.connections_cut, times=2),
                ("errors",),
                _naive("plain"),
            ),
            {"longest_gap": 1.0},
        ),
        Scenario(
            "deploy",
            "SIGTERM of the old instance while the new one serves",
            faults.deployed,
            Control(
                "gunicorn's own threaded worker",
                partial(faults.deployed_with, worker_class="gthread"),
                ("died",),
            ),
            {"failed": 0, **NO_ANSWER_LOST},
        ),
        Scenario(
            "no-connections",
            "no database connection to be had",
            faults.connections_exhausted,
            Control(
                "a seller to whom that is a surprise",
                faults.connections_exhausted,
                ("errors",),
                _naive("plain"),
            ),
            {"first_success": 2.0},
        ),
        Scenario(
            "all-waiting",
            "every thread waits for one lock",
            faults.show_locked,
            Control(
                "workers that sleep on",
                partial(faults.show_locked, seconds=0.3, asleep=2.2),
                ("first_success",),
            ),
            {"first_success": 2.0, **NO_ANSWER_LOST},
        ),
        Scenario(
            "pause-sale",
            "the organiser pauses the sale while everybody buys",
            faults.sale_paused,
            Control(
                "somebody who holds on to the show",
                partial(faults.sale_paused, in_the_way=2.3),
                ("organiser_waited",),
            ),
            {"organiser_waited": 2.0, "sold_while_paused": 0, **NO_ANSWER_LOST},
        ),
        Scenario(
            "long-report",
            "a long report beside an on-sale",
            partial(faults.reported, seconds=1.0 if quick else 2.0),
            Control(
                "a report that locks what it counts",
                partial(faults.reported, seconds=1.3, lock="LOCK TABLE places IN SHARE MODE"),
                ("longest_gap",),
            ),
            {"longest_gap": 1.0, **NO_ANSWER_LOST},
        ),
    ]
