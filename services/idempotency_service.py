"""The answers that were given to requests with an Idempotency-Key, kept for a day.

The key is written in the transaction of its effect: both are there, or neither.
"""

from datetime import timedelta

from sqlalchemy import func, insert, select, text

from init import db
from models import IdempotencyKey
from models.values import Once, lock_key
from utils.clock import now
from utils.errors import KeyReused

KEPT = timedelta(hours=24)


# Whoever writes one answer sweeps up a few that are over, so that no worker has to. The ids come
# first: with an OR over the table, the day after an on-sale every answer reads all of its keys.
FORGET = text(
    """
    DELETE FROM idempotency_keys WHERE id = ANY(ARRAY(
        SELECT id FROM (SELECT id FROM idempotency_keys
                         WHERE created_at <= (SELECT clock_timestamp()) - :kept
                         ORDER BY created_at LIMIT 10 FOR UPDATE SKIP LOCKED) AS oldest
        UNION ALL
        SELECT id FROM idempotency_keys
         WHERE scope = :scope AND key = :key
           AND created_at <= (SELECT clock_timestamp()) - :kept))
    """
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
        db.session.execute(select(func.pg_advisory_xact_lock(lock_key_of(once))))
        replay_if_answered(once)


def replay_if_answered(once: Once | None) -> None:
    """Raise Replay with the kept answer, if there is one; KeyReused if another request has it."""
    if once is None:
        return
    row = db.session.execute(
        select(
            IdempotencyKey.fingerprint,
            IdempotencyKey.status,
            IdempotencyKey.location,
            IdempotencyKey.body,
        ).where(
            IdempotencyKey.scope == (once.scope or ""),
            IdempotencyKey.key == once.key,
            IdempotencyKey.created_at > now() - KEPT,
        )
    ).one_or_none()
    if row is None:
        return
    if row.fingerprint != once.fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request; take a new one.")
    raise Replay(row.status, row.location, row.body)


def keep(once: Once | None, result: object) -> None:
    """Write down the answer, in the transaction of its effect; and forget a few old ones."""
    if once is None:
        return
    once.answer = once.render(result)
    status, location, body = once.answer
    db.session.execute(FORGET, {"scope": once.scope or "", "key": once.key, "kept": KEPT})
    db.session.execute(
        insert(IdempotencyKey).values(
            scope=once.scope or "",
            key=once.key,
            fingerprint=once.fingerprint,
            status=status,
            location=location,
            body=body,
        )
    )
