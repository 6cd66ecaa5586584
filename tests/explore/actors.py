"""Who takes steps: a session that runs an operation of the product, and the clock."""

import json
import random
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from tests.explore import footprints, statements, wire
from tests.explore.footprints import NOTHING, Row, Touch
from tests.explore.statements import Written
from utils.error_handlers import GIVE_WAY
from utils.errors import CONSTRAINTS, ApiError

PATIENCE = 20  # seconds, for what takes milliseconds


class Abandoned(BaseException):
    """The rest of an operation that nobody wants to see."""


@dataclass
class Step:
    """What an actor is about to do; what it touches is known for sure when it is done."""

    sql: str
    parameters: Any
    touch: Touch


TOLD = "NOTICE:  explore "  # how the laboratory's triggers tell what a statement wrote


class Clock:
    """Time itself: one step, after which a hold that was about to run out is dead."""

    naps = False

    def __init__(self, strike: Callable[[], None], hold: Row) -> None:
        self.strike = strike
        touch = Touch(publishes=(("bookings", hold),), moves_time=True)
        self.next: Step | None = Step("the clock strikes", None, touch)
        self.outcome = "struck"

    def go(self) -> None:
        self.next = None
        self.strike()


class Session:
    """An operation in a thread and a database session of its own, stopped before each step.

    `arrivals` gets the session each time it has come to its next step, or to its end; then `next`
    is that step, or None and `outcome` a word of success or the code of the refusal. Between
    `go` and that it is under way, and perhaps waits for a lock of another.
    """

    def __init__(
        self,
        name: str,
        deed: Callable[[], str],
        context: Callable[[], AbstractContextManager[Any]],
        arrivals: "SimpleQueue[Session]",
        *,
        seed: int,
    ) -> None:
        self.name = name
        self.next: Step | None = None
        self.outcome = ""
        self.crashed = False
        self.backend = 0
        self.naps = self.done = False
        self.asks = False  # the database, and has no answer yet
        self.wrote: set[str] = set()  # tables
        self.answers = False  # it has just committed what it came for
        self.dice = random.Random(seed)
        self._deed, self._context, self._arrivals = deed, context, arrivals
        self._go = threading.Lock()  # half the work of a semaphore
        self._go.acquire()
        self._held = NOTHING
        self._abandoned = False
        self._step = Step("", None, NOTHING)
        self._thread = threading.Thread(target=self._play, name=name, daemon=True)

    def start(self) -> None:
        """Run up to the first step."""
        self._thread.start()

    def go(self) -> None:
        """Let the next step happen."""
        self.next = None
        self.naps = False
        self._go.release()

    def abandon(self) -> None:
        """Take no further step, and roll back."""
        self._abandoned = True
        self._go.release()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join(PATIENCE)

    def before(self, sql: str, parameters: Any, backend: int) -> None:
        """Called by the wire: wait for the scheduler where the order can matter to somebody."""
        if self._abandoned:
            if sql == wire.ROLLBACK:
                return
            raise Abandoned
        self.backend = backend
        self.answers = sql == wire.COMMIT and bool(self._held.writes)
        if sql in (wire.COMMIT, wire.ROLLBACK):
            touch = footprints.ending(self._held, commits=sql == wire.COMMIT)
            self._held = NOTHING
        elif sql.startswith("ROLLBACK TO"):
            touch = footprints.ending(self._held, commits=False)
        else:
            touch = statements.of_statement(sql, parameters)
        self._step = Step(sql, parameters, touch)
        if not touch.nothing:
            self._arrive(self._step)
        self.asks = sql not in (wire.COMMIT, wire.ROLLBACK)

    def after(self, notices: list[str]) -> None:
        """Called by the wire when a statement is over, unless it failed."""
        self.asks = False
        told = [json.loads(notice[len(TOLD) :]) for notice in notices if notice.startswith(TOLD)]
        written = [Written(*facts) for facts in told]
        self._step.touch = statements.refined(self._step.touch, written, self._held)
        self._held += self._step.touch
        self.wrote.update(row.table for row in written)

    def stands_in_the_way_of(self, step: Step) -> bool:
        """Whether this transaction has locked what a step of another is going to lock."""
        return any(
            wanted.excludes(lock)
            for wanted in (*step.touch.locks, *step.touch.presumed)
            for lock in (*self._held.locks, *self._held.presumed)
        )

    def nap(self, _seconds: float) -> None:
        """Called in place of sleeping: others first."""
        self.naps = True
        self._arrive(Step("a nap", None, NOTHING))

    def _arrive(self, step: Step) -> None:
        self.next = step
        self._arrivals.put(self)
        self._go.acquire()
        if self._abandoned:
            raise Abandoned

    def _play(self) -> None:
        with wire.playing(self):
            try:
                with self._context():
                    self.outcome = self._outcome()
            except Abandoned:
                self.outcome = "abandoned"
            except BaseException as error:
                self._crash(error)
        self.done = True
        self._arrivals.put(self)

    def _outcome(self) -> str:
        """What a client would be told: a word of success, or the code of the problem."""
        try:
            return self._deed()
        except ApiError as refusal:
            return refusal.code
        except StaleDataError:
            return "conflict (stale)"
        except IntegrityError as error:
            name = getattr(getattr(error.orig, "diag", None), "constraint_name", None) or ""
            if name in CONSTRAINTS:
                return CONSTRAINTS[name].code
            return self._crash(error)
        except DBAPIError as error:
            if getattr(error.orig, "pgcode", None) in GIVE_WAY:
                return "busy"
            return self._crash(error)
        except Exception as error:
            return self._crash(error)

    def _crash(self, error: BaseException) -> str:
        self.crashed = True
        line = str(error).strip().splitlines()
        self.outcome = f"{type(error).__name__}: {line[0] if line else ''}"
        return self.outcome


Actor = Session | Clock
