"""Values that may be a moment old."""

import threading
import time

import pytest

from utils.ttl_cache import Lately, TtlCache


def cache(seconds=60.0, largest=10):
    return TtlCache(lambda: seconds, largest=largest)


class Counter:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return self.calls


def test_computes_once_while_the_value_is_fresh():
    kept, compute = cache(), Counter()

    assert [kept.get("a", compute), kept.get("a", compute), kept.get("b", compute)] == [1, 1, 2]


def test_keeps_none_too():
    kept, calls = cache(), []

    for _ in range(2):
        assert kept.get("a", lambda: calls.append(1)) is None
    assert len(calls) == 1


def test_computes_anew_when_the_time_is_over():
    kept, compute = cache(seconds=0.01), Counter()
    kept.get("a", compute)
    time.sleep(0.02)

    assert kept.get("a", compute) == 2


def test_zero_seconds_keep_nothing():
    kept, compute = cache(seconds=0), Counter()

    assert [kept.get("a", compute), kept.get("a", compute)] == [1, 2]


def test_the_oldest_goes_first():
    kept, compute = cache(largest=2), Counter()
    for key in "abc":
        kept.get(key, compute)

    assert [kept.get("c", compute), kept.get("b", compute), kept.get("a", compute)] == [3, 2, 4]


def test_forgets_when_told():
    kept, compute = cache(), Counter()
    kept.get("a", compute)
    kept.forget("a")
    kept.forget("never there")

    assert kept.get("a", compute) == 2


def test_a_failure_is_not_kept():
    kept, compute = cache(), Counter()

    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: 1 / 0)

    assert kept.get("a", compute) == 1


def test_one_thread_computes_while_the_others_wait():
    kept, compute = cache(), Counter()
    together = threading.Barrier(8)
    got = []

    def slow():
        time.sleep(0.05)
        return compute()

    def ask():
        together.wait()
        got.append(kept.get("a", slow))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == [1] * 8


def test_another_key_does_not_wait():
    kept = cache()
    started, finish = threading.Event(), threading.Event()

    def stuck():
        started.set()
        finish.wait(5)

    thread = threading.Thread(target=lambda: kept.get("a", stuck))
    thread.start()
    started.wait(5)
    try:
        assert kept.get("b", lambda: "at once") == "at once"
    finally:
        finish.set()
        thread.join()


def test_what_happened_lately_is_known_for_a_while():
    known, forgotten = Lately(60.0, largest=10), Lately(0.0, largest=10)
    known.add("a")
    forgotten.add("a")

    assert ("a" in known, "b" in known, "a" in forgotten) == (True, False, False)


def test_remembers_no_more_than_it_may():
    known = Lately(60.0, largest=2)
    for key in "abc":
        known.add(key)

    assert [key in known for key in "abc"] == [False, False, True]
