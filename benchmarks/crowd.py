"""What else may go on while the box office sells: people who guess passwords."""

import http.client
import itertools
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

GUESSES = 100
CROWD = 16
TOLD = "    answers to the sign-ins: "
_numbers = itertools.count(1)  # so that each round has addresses and accounts of its own


@contextmanager
def guessing(address: str) -> Iterator[None]:
    """Wrong passwords for one account, from one address, at the pace of 100 in a minute."""
    with _crowd(address, 1, same_account=True, every=60 / GUESSES):
        yield


@contextmanager
def signing_in(address: str) -> Iterator[None]:
    """As many sign-ins as fit, each for another account from another address."""
    with _crowd(address, CROWD, same_account=False, every=0.0):
        yield


@contextmanager
def _crowd(address: str, people: int, *, same_account: bool, every: float) -> Iterator[None]:
    over = threading.Event()
    answers: Counter[int] = Counter()

    def person() -> None:
        number = next(_numbers)
        while not over.is_set():
            began = time.monotonic()
            answers[_tried(address, number)] += 1
            number = number if same_account else next(_numbers)
            over.wait(max(0.0, began + every - time.monotonic()))

    threads = [threading.Thread(target=person, daemon=True) for _ in range(people)]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        over.set()
        for each in threads:
            each.join()
        print(f"{TOLD}{dict(sorted(answers.items()))}", file=sys.stderr, flush=True)


def _tried(address: str, number: int) -> int:
    """The status that a wrong password for an account gets, sent from an address of its own."""
    server = urlsplit(address)
    mine = f"127.{1 + number // 65_025 % 250}.{number // 255 % 255}.{1 + number % 254}"
    connection = http.client.HTTPConnection(
        server.hostname or "", server.port, timeout=30, source_address=(mine, 0)
    )
    body = json.dumps({"email": f"guest-{number}@example.com", "password": "wrong"})
    try:
        connection.request("POST", "/auth/login", body, {"Content-Type": "application/json"})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
