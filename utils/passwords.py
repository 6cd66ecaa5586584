"""Passwords as they are kept, and a flood of them kept from slowing down everything else.

To hash one costs a quarter of a second of CPU, on purpose. A few threads of each process do nothing
else, and step back for all others where the system lets a thread do so (Linux does); and at most
half of the process's requests wait for them, so that the rest go on selling.
"""

import functools
import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from config import settings
from init import bcrypt
from utils.errors import Busy
from utils.transaction import abandon

PATIENCE = 5  # seconds, as long as a person would wait for their turn
STEP_BACK = 10
NO_HASH = "!"  # of an account that is gone: no password has it
# The salt and the hash of something that was thrown away.
NOBODYS = "nzsdjRLKdpIeL/iiAr85BOW7IT49DR/RLhpe717Ess13zvpSh15WK"


def hashed(password: str) -> str:
    """What is kept of a password. Raises Busy where too many want to know of theirs."""
    with _turn():
        made = _hashers().submit(bcrypt.generate_password_hash, password, settings.bcrypt_rounds)
        return str(made.result().decode())


def matches(password_hash: str | None, password: str) -> bool:
    """Whether this is the password. Raises Busy where too many want to know of theirs.

    Without a hash, or with NO_HASH, it is not, and takes the same time to say so.
    """
    known = password_hash is not None and password_hash != NO_HASH
    looked_at = password_hash if known else f"$2b${settings.bcrypt_rounds:02}${NOBODYS}"
    with _turn():
        checked = _hashers().submit(bcrypt.check_password_hash, looked_at, password)
        return bool(checked.result()) and known


@contextmanager
def _turn() -> Iterator[None]:
    """A thread that hashes, waited for without a connection to the database."""
    abandon()
    busy = Busy("Many people are signing in at this moment; try again.")
    if not _waiting_room().acquire(blocking=False):
        raise busy
    try:
        if not _turnstile().acquire(timeout=PATIENCE):
            raise busy
        try:
            yield
        finally:
            _turnstile().release()
    finally:
        _waiting_room().release()


@functools.cache
def _waiting_room() -> threading.BoundedSemaphore:
    room = max(settings.password_hashes_at_once, settings.threads // 2)
    return threading.BoundedSemaphore(room)


@functools.cache
def _turnstile() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(settings.password_hashes_at_once)


@functools.cache
def _hashers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.password_hashes_at_once, "passwords", _step_back)


def _step_back() -> None:
    """Have this thread, for all of its life, run when others do not want to."""
    if sys.platform == "linux":  # elsewhere a thread's number names no process
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), STEP_BACK)


def _begin_anew() -> None:
    """A process made by fork has none of its parent's threads."""
    for each in (_waiting_room, _turnstile, _hashers):
        each.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
