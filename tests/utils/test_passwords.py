"""Hashing passwords beside everything else."""

import os
import sys
import threading
import time

import pytest

from utils import passwords
from utils.errors import Busy


@pytest.fixture
def few(app, monkeypatch):
    """One hashes at a time, and no more than two requests wait for it."""
    slots = {"_turnstile": threading.BoundedSemaphore(1), "_waiting_room": threading.Semaphore(2)}
    for name, semaphore in slots.items():
        monkeypatch.setattr(passwords, name, lambda semaphore=semaphore: semaphore)
    with app.app_context():
        yield


def test_what_is_kept_matches_and_nothing_else_does(app):
    with app.app_context():
        kept = passwords.hashed("correct horse")

        assert passwords.matches(kept, "correct horse")
        assert not passwords.matches(kept, "battery staple")
        assert not passwords.matches(passwords.NO_HASH, "correct horse")
        assert not passwords.matches(None, "correct horse")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives threads priorities")
def test_threads_that_hash_step_back(app):
    mine = os.getpriority(os.PRIO_PROCESS, 0)

    theirs = passwords._hashers().submit(os.getpriority, os.PRIO_PROCESS, 0).result()

    assert theirs == max(mine, passwords.STEP_BACK)
    assert os.getpriority(os.PRIO_PROCESS, 0) == mine


def test_who_finds_the_waiting_room_full_is_told_at_once(few):
    with passwords._turn():
        passwords._waiting_room().acquire()
        started = time.monotonic()

        with pytest.raises(Busy):
            passwords.matches(None, "x")

    assert time.monotonic() - started < 1


def test_who_waits_too_long_is_told(few, monkeypatch):
    monkeypatch.setattr(passwords, "PATIENCE", 0.05)

    with passwords._turn(), pytest.raises(Busy):
        passwords.hashed("x" * 10)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(app):
    passwords._hashers().submit(int).result()
    pid = os.fork()
    if pid == 0:
        right = passwords._hashers().submit(lambda: 7).result(timeout=5) == 7
        os._exit(0 if right else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
