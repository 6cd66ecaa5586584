"""One ordering, run: two sessions and perhaps the clock, one step at a time.

A step that meets the other's lock has begun, and waits; what it goes on to do when the lock is
let go belongs to it, and happens before anything else moves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

from psycopg2.extensions import connection

from tests.explore.actors import PATIENCE, Actor, Clock, Session, Step
from tests.explore.wire import COMMIT, ROLLBACK

LETTERS = "abt"
ENDINGS = (COMMIT, ROLLBACK)  # also of a part: ROLLBACK TO
SOON, LATER = 0.0004, 0.004  # seconds: does it wait for a lock, or is it at work?
WAITING = "SELECT backend FROM unnest(%s) AS backend WHERE pg_blocking_pids(backend) && %s"


class Stuck(RuntimeError):
    """An actor neither took its step nor waits for another: the explorer itself has failed."""


@dataclass(frozen=True)
class Moment:
    """Where somebody has to go next: who can, and what each would do."""

    number: int
    ready: tuple[int, ...]
    steps: tuple[Step | None, ...]
    last: int | None


Choose = Callable[[Moment], int | None]


@dataclass
class Event:
    """A step taken, and whether it had to wait for a lock."""

    actor: int
    step: Step
    waited: bool = False


@dataclass
class Ordering:
    """What was done in which order, and what came of it."""

    events: list[Event] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)
    deadlock: bool = False
    complete: bool = True

    @property
    def schedule(self) -> str:
        return "".join(LETTERS[event.actor] for event in self.events)


class Stage:
    """The actors of one ordering, and the connection from which they are watched."""

    def __init__(
        self, actors: Sequence[Actor], arrivals: "SimpleQueue[Session]", watch: connection
    ) -> None:
        self.actors, self.arrivals, self.watch = actors, arrivals, watch
        self.sessions = [actor for actor in actors if isinstance(actor, Session)]
        self.under_way: set[Session] = set()
        self.ordering = Ordering()

    def run(self, choose: Choose, after_commit: Callable[[], None]) -> Ordering:
        """Take steps as `choose` says until all are done; None from it abandons the rest."""
        for session in self.sessions:
            session.start()
            self._settle(session)
        last: int | None = None
        try:
            while ready := self._ready():
                steps = tuple(actor.next for actor in self.actors)
                last = choose(Moment(len(self.ordering.events), ready, steps, last))
                if last is None:
                    self.ordering.complete = False
                    break
                self._take(last)
                if self.ordering.events[-1].step.touch.publishes:
                    after_commit()
        finally:
            self._end()
        return self.ordering

    def _ready(self) -> tuple[int, ...]:
        """Who can take a step; nobody once all are done."""
        while True:
            ready = tuple(
                number
                for number, actor in enumerate(self.actors)
                if actor.next is not None and not actor.naps
            )
            if ready:
                return ready
            if self._wake(self.sessions):
                continue
            # Nobody can go, and some wait. PostgreSQL would end it at the expense of one of them,
            # and now of this one and now of that: here it ends the ordering.
            self.ordering.deadlock = bool(self.under_way)
            return ()

    def _take(self, number: int) -> None:
        actor = self.actors[number]
        step = actor.next
        assert step is not None
        event = Event(number, step)
        self.ordering.events.append(event)
        if isinstance(actor, Clock):
            actor.go()
            self._wake(self.sessions)
            return
        others = [session for session in self.sessions if session is not actor]
        soon = any(session.stands_in_the_way_of(step) for session in others)
        actor.go()
        self._settle(actor, soon=soon, lets_go=step.sql.startswith(ENDINGS))
        event.waited = actor in self.under_way
        if step.sql in (COMMIT, ROLLBACK) or actor.done:
            self._wake(others)

    def _wake(self, sessions: Sequence[Session]) -> bool:
        """Let those who nap look again; whether there were any."""
        napping = [session for session in sessions if session.naps]
        for session in napping:
            session.go()
            self._settle(session)
        return bool(napping)

    def _settle(self, moved: Session, *, soon: bool = False, lets_go: bool = True) -> None:
        """Wait until all who are under way have come to their next step, or wait for a lock.

        `soon` says that this is likely, and `lets_go` that who waits already may be waiting no
        more.
        """
        waiting = set(self.under_way)
        self.under_way.add(moved)
        passed = 0.0
        while self.under_way and (lets_go or self.under_way != waiting):
            pause = SOON if (soon or waiting) and passed < 10 * SOON else LATER
            if self._arrived(pause):
                continue
            passed += pause
            if self._all_wait():
                return
            if passed > PATIENCE:
                names = ", ".join(session.name for session in self.under_way)
                raise Stuck(f"{names}: neither at work nor waiting for the other.")

    def _arrived(self, pause: float) -> bool:
        try:
            self.under_way.discard(self.arrivals.get(timeout=pause))
        except Empty:
            return False
        return True

    def _all_wait(self) -> bool:
        if not all(session.asks for session in self.under_way):
            return False
        everyone = [session.backend for session in self.sessions]
        with self.watch.cursor() as cursor:
            cursor.execute(WAITING, ([s.backend for s in self.under_way], everyone))
            waiting = {row[0] for row in cursor.fetchall()}
        return all(session.backend in waiting for session in self.under_way)

    def _end(self) -> None:
        unfinished = [session for session in self.sessions if not session.done]
        for session in unfinished:
            session.abandon()
        # Those who wait do so for ever, if nobody tells them.
        waiting = [session.backend for session in unfinished if session in self.under_way]
        if waiting:
            with self.watch.cursor() as cursor:
                cursor.execute("SELECT pg_cancel_backend(b) FROM unnest(%s) AS b", (waiting,))
        for session in self.sessions:
            session.join()
        self.ordering.outcomes = [
            "deadlock" if actor in self.under_way else actor.outcome for actor in self.actors
        ]
        self.ordering.crashes = [s.outcome for s in self.sessions if s.crashed]
