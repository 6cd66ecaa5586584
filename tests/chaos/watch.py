"""The invariants, looked at again and again while the house is under fire."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy.exc import DBAPIError

from init import db
from services import verify_service
from services.verify_service import Breach

EVERY = 0.25  # seconds


@dataclass
class Watch:
    """What was seen: how often, how often there was no database to look at, and what was broken."""

    looks: int = 0
    blind: int = 0
    slowest: float = 0.0  # seconds that one look took
    memory: int = 0  # bytes of the largest worker ever
    broken: list[Breach] = field(default_factory=list)

    def look(self) -> None:
        """Look once; a database that is away is not a breach."""
        began = time.monotonic()
        try:
            broken = verify_service.broken(limit=5)
            self.looks += 1
        except DBAPIError:
            self.blind += 1
            broken = []
        finally:
            _let_go()
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.broken += broken[: 20 - len(self.broken)]


@contextmanager
def watching(
    app: Flask, memory: Callable[[], int], building: AbstractContextManager[Any]
) -> Iterator[Watch]:
    """Look every 250 ms, on a connection of its own, until the block ends; and then once more.

    Whoever is `building`, with the factories, commits a stock before its places: not then.
    """
    watch, over = Watch(), threading.Event()

    def keep_looking() -> None:
        with app.app_context():
            while not over.is_set():
                began = time.monotonic()
                with building:
                    watch.look()
                watch.memory = max(watch.memory, memory())
                over.wait(max(0.0, EVERY - (time.monotonic() - began)))

    thread = threading.Thread(target=keep_looking, name="watch", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()
    seen = watch.looks
    with app.app_context():
        for _ in range(3):  # the first may meet a connection that has died meanwhile
            watch.look()
            if watch.looks > seen:
                return
    watch.broken.append(Breach("looked-at-last", 0, "there was no database to look at"))


def _let_go() -> None:
    try:
        db.session.rollback()
    except DBAPIError:
        db.session().invalidate()
