"""API keys: what a program shows, for which organiser it works, and what it may do for it."""

import functools
import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select

from init import db
from models import ApiKey, KeyMode, Organiser, Scope
from models.values import Caller
from services import audit_service
from utils.clock import now
from utils.errors import Forbidden, Invalid, NotFound, Unauthenticated
from utils.statement import Statement
from utils.tokens import READABLE, digest, readable
from utils.transaction import lock, transaction

SECRET_LENGTH = 40  # of 32 symbols: 200 bits
SHOWN = 8  # of them, to tell one key from another
STARTS = tuple(f"gm_{mode}_" for mode in KeyMode)
WELL_FORMED = re.compile(rf"gm_({'|'.join(KeyMode)})_[{READABLE}]{{{SECRET_LENGTH}}}")


class KeyIsForTests(Forbidden):
    """A test key reads, quotes and holds, but nothing that it does lasts; use a live one."""

    code, title = "test-key", "A test key does nothing that lasts"


# Asked on every request with a key: two index look-ups.
KEY = Statement(
    "api_key",
    """
    SELECT k.id, k.organiser_id, k.mode, k.scopes,
           k.last_used_at > t.now - interval '1 minute' AS noted
      FROM (SELECT clock_timestamp() AS now) t
      JOIN api_keys k ON k.secret_hash = :secret_hash
      JOIN organisers o ON o.id = k.organiser_id
     WHERE k.revoked_at IS NULL AND o.deleted_at IS NULL
       AND (k.expires_at IS NULL OR k.expires_at > t.now)
    """,
    alone=True,
)

# Nobody waits for it: whoever is there first writes it down for all.
NOTE_USE = Statement(
    "note_use_of_key",
    """
    UPDATE api_keys SET last_used_at = clock_timestamp()
     WHERE id = (SELECT id FROM api_keys
                  WHERE id = :id AND (last_used_at IS NULL
                        OR last_used_at <= clock_timestamp() - interval '1 minute')
                    FOR NO KEY UPDATE SKIP LOCKED)
    """,
)


def looks_like_one(token: str) -> bool:
    """Whether a bearer token is meant to be a key, and no user's."""
    return token.startswith(STARTS)


def caller_with(secret: str) -> Caller:
    """The program that shows a key: what that key may do is read at this moment.

    Writes down, at most once a minute, that it is in use. Raises Unauthenticated for all that
    opens nothing, in the same words: malformed, unknown, revoked, expired, of a deleted organiser.
    """
    row = KEY.first(secret_hash=digest(secret)) if WELL_FORMED.fullmatch(secret) else None
    if row is None:
        raise Unauthenticated("The API key opens nothing: unknown, revoked or expired.")
    key_id, organiser_id, mode, scopes, noted = row
    if not noted:
        with transaction():
            NOTE_USE.run(id=key_id)
    return _program(key_id, organiser_id, mode, tuple(scopes))


# What was just read says it all: who shows the same key is the same caller.
@functools.lru_cache(1_000)
def _program(key_id: int, organiser_id: int, mode: str, scopes: tuple[str, ...]) -> Caller:
    return Caller(
        api_key_id=key_id,
        api_key_organiser_id=organiser_id,
        api_key_mode=KeyMode(mode),
        scopes=frozenset(map(Scope, scopes)),
    )


def require_lasting(caller: Caller, sold_by: ApiKey | None = None) -> None:
    """Raise KeyIsForTests where a test key wants what lasts, or has sold what it is about."""
    modes = caller.api_key_mode, sold_by.mode if sold_by else None
    if KeyMode.TEST in modes:
        raise KeyIsForTests("What a test key holds ends with its hold; use a live key.")


def of(organiser: Organiser) -> Select[ApiKey]:
    """The keys of `organiser`, the newest first, also those that are revoked."""
    return select(ApiKey).where(ApiKey.organiser_id == organiser.id).order_by(ApiKey.id.desc())


def find(organiser: Organiser, key_id: int) -> ApiKey:
    """One key of `organiser`."""
    key = db.session.scalar(of(organiser).where(ApiKey.id == key_id))
    if key is None:
        raise NotFound(f"There is no API key {key_id}.")
    return key


def create(
    caller: Caller,
    organiser: Organiser,
    *,
    name: str,
    scopes: Sequence[Scope],
    mode: KeyMode = KeyMode.LIVE,
    expires_at: datetime | None = None,
) -> ApiKey:
    """A new key of `organiser`; its `secret` is there this one time, and kept nowhere."""
    symbols = readable(SECRET_LENGTH)
    start = f"gm_{mode}_"
    with transaction():
        if expires_at is not None and db.session.scalar(select(now() >= expires_at)):
            raise Invalid.at("expires_at", "Must be in the future.")
        key = ApiKey(
            organiser_id=organiser.id,
            name=name,
            mode=mode,
            scopes=sorted(scopes),
            prefix=start + symbols[:SHOWN],
            secret_hash=digest(start + symbols),
            made_by_user_id=caller.user_id,
            expires_at=expires_at,
        )
        db.session.add(key)
        db.session.flush()
        audit_service.record("key.create", key, after={"scopes": key.scopes, "mode": mode})
    key.secret = start + symbols
    return key


def revoke(key: ApiKey) -> None:
    """Have a key open nothing from now on; one that is revoked already stays so."""
    with transaction():
        if lock(key).revoked_at is not None:
            return
        key.revoked_at = db.session.scalar(select(now()))
        audit_service.record("key.revoke", key)
