"""The answers that were given to requests with an Idempotency-Key, kept for a day.

The key is written in the transaction of its effect: both are there, or neither.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from models.values import Once
from utils.errors import ApiError, KeyReused
from utils.statement import Statement
from utils.transaction import lock_key, lock_keys

KEPT = timedelta(hours=24)


# Whoever writes one answer sweeps up a few that are over, so that no worker has to. The ids come
# first: with an OR over the table, the day after an on-sale every answer reads all of its keys.
FORGET = Statement(
    "forget",
    """
    DELETE FROM idempotency_keys WHERE id = ANY(ARRAY(
        SELECT id FROM (SELECT id FROM idempotency_keys
                         WHERE created_at <= (SELECT clock_timestamp()) - CAST(:kept AS interval)
                         ORDER BY created_at LIMIT 10 FOR UPDATE SKIP LOCKED) AS oldest
        UNION ALL
        SELECT id FROM idempotency_keys
         WHERE scope = :scope AND key = :key
           AND created_at <= (SELECT clock_timestamp()) - CAST(:kept AS interval)))
    """,
)

ANSWER = Statement(
    "answer",
    """
    SELECT fingerprint, status, location, body FROM idempotency_keys
     WHERE scope = :scope AND key = :key
       AND created_at > (SELECT clock_timestamp()) - CAST(:kept AS interval)
    """,
    alone=True,
)
KEEP = Statement(
    "keep",
    """
    INSERT INTO idempotency_keys (scope, key, fingerprint, status, location, body)
    VALUES (:scope, :key, :fingerprint, :status, :location, :body)
    """,
)


class Replay(Exception):
    """Not an error: it carries the answer of the first request out of the transaction."""

    def __init__(self, status: int, location: str | None, body: bytes) -> None:
        super().__init__("answered before")
        self.status, self.location, self.body = status, location, body


def lock_key_of(once: Once) -> int:
    """What duplicates of this request wait for each other on."""
    return lock_key("idempotency", once.scope, once.key)


def wait_for_duplicates(once: Once | None) -> None:
    """Let one of several simultaneous duplicates go on, and give the others its answer.

    Raises Replay when the request was answered, KeyReused when the key belongs to another.
    """
    if once is not None:
        lock_keys([lock_key_of(once)])
        replay_if_answered(once)


@contextmanager
def before_refusing(once: Once | None) -> Iterator[None]:
    """Have what was answered before be answered again, where the block would refuse it now."""
    try:
        yield
    except ApiError:
        if once is not None and once.scope:
            replay_if_answered(once)
        raise


def replay_if_answered(once: Once | None) -> None:
    """Raise Replay with the kept answer, if there is one; KeyReused if another request has it."""
    if once is None:
        return
    row = ANSWER.first(scope=once.scope or "", key=once.key, kept=KEPT)
    if row is None:
        return
    fingerprint, status, location, body = row
    if bytes(fingerprint) != once.fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request; take a new one.")
    raise Replay(status, location, bytes(body))


def keep(once: Once | None, result: object) -> None:
    """Write down the answer, in the transaction of its effect; and forget a few old ones."""
    if once is None:
        return
    once.answer = once.render(result)
    status, location, body = once.answer
    scope = once.scope or ""
    FORGET.run(scope=scope, key=once.key, kept=KEPT)
    KEEP.run(
        scope=scope,
        key=once.key,
        fingerprint=once.fingerprint,
        status=status,
        location=location,
        body=body,
    )
