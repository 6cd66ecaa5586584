"""The only place that commits, and the only place that locks a row by itself."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Select, inspect
from sqlalchemy.exc import DBAPIError

from init import Base, db
from utils.errors import PreconditionFailed
from utils.statement import Statement

Row = TypeVar("Row", bound=Base)

_OPEN = "transaction is open"
_LOCK_KEYS = Statement(
    "lock_keys",
    "SELECT pg_advisory_xact_lock(key) FROM unnest(CAST(:keys AS bigint[])) AS key ORDER BY key",
)


@contextmanager
def transaction() -> Iterator[None]:
    """One all-or-nothing unit of work; a nested block joins the outermost one."""
    session = db.session()
    if session.info.get(_OPEN):
        yield
        return
    session.info[_OPEN] = True
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info[_OPEN] = False


def lock(row: Row) -> Row:
    """Re-read `row` and keep everyone else off it until the transaction ends.

    Raises PreconditionFailed when the caller named the version that it believes in
    (`row.expected_version`, from `If-Match`) and the row has moved on.
    """
    # FOR NO KEY UPDATE: foreign keys that point at the row may be looked up meanwhile, which
    # PostgreSQL does when no lock order foresees it, as at the second update of a row.
    _wait_for_turns(type(row), [row.id])  # type: ignore[attr-defined]
    columns = inspect(type(row)).column_attrs.keys()
    db.session.refresh(row, columns, with_for_update={"key_share": True})
    expected = getattr(row, "expected_version", None)
    if expected is not None and expected != getattr(row, "version", None):
        raise PreconditionFailed("It changed while you were editing it; read it again.")
    return row


def lock_all(query: Select[Row]) -> list[Row]:
    """The rows that `query` finds, re-read and locked one after the other by ascending id."""
    kind = query.column_descriptions[0]["entity"]
    if hasattr(kind, "turn_key"):
        _wait_for_turns(kind, db.session.scalars(query.with_only_columns(kind.id)))
    ordered = query.order_by(None).order_by(kind.id).with_for_update(of=kind, key_share=True)
    found = db.session.scalars(ordered.execution_options(populate_existing=True))
    return list(found.unique())


def lock_key(*facts: object) -> int:
    """A 64-bit key for a PostgreSQL advisory lock on something that has no row to lock."""
    text = "\x1f".join(map(str, facts))
    number = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(number, "big", signed=True)


def lock_keys(keys: Iterable[int]) -> None:
    """Take advisory locks, in ascending order, until the transaction ends."""
    if wanted := sorted(set(keys)):
        _LOCK_KEYS.run(keys=wanted)


def _wait_for_turns(kind: type[Base], ids: Iterable[int]) -> None:
    """Queue up for rows whose model has a `turn_key`, so that nobody else overtakes for ever."""
    turn_key = getattr(kind, "turn_key", None)
    if turn_key is not None:
        lock_keys(map(turn_key, ids))


def abandon() -> None:
    """Forget what was read and let the connection go back to the pool."""
    if not db.session.info.get(_OPEN):
        db.session.rollback()


def let_go(_error: BaseException | None = None) -> None:
    """End a request: give its connection back, also one that the database has cut meanwhile."""
    try:
        db.session.rollback()
    except DBAPIError:
        db.session().invalidate()
