"""Password hashes, a few at once: each costs a quarter of a second of CPU."""

import functools
import threading

from config import settings
from init import bcrypt
from utils.errors import Busy
from utils.transaction import abandon

PATIENCE = 5  # seconds
NO_HASH = "!"  # of an account that is gone: no password has it
# The salt and the hash of something that was thrown away.
NOBODYS = "nzsdjRLKdpIeL/iiAr85BOW7IT49DR/RLhpe717Ess13zvpSh15WK"


def hashed(password: str) -> str:
    """What is kept of a password. Raises Busy."""
    with _Turn():
        return str(bcrypt.generate_password_hash(password, settings.bcrypt_rounds).decode())


def matches(password_hash: str | None, password: str) -> bool:
    """Whether a password is the one that was hashed. Raises Busy.

    Without a hash it is not, and takes the same time to say so.
    """
    known = password_hash is not None and password_hash != NO_HASH
    decoy = f"$2b${settings.bcrypt_rounds:02}${NOBODYS}"
    with _Turn():
        right = bcrypt.check_password_hash(password_hash if known else decoy, password)
    return bool(right) and known


# Let a few run, so that selling goes on beside them.
@functools.cache
def _turnstile() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(settings.password_hashes_at_once)


class _Turn:
    """A place at the turnstile, waited for no longer than a person would."""

    def __enter__(self) -> None:
        abandon()
        if not _turnstile().acquire(timeout=PATIENCE):
            raise Busy("Many people are signing in at this moment; try again.")

    def __exit__(self, *_args: object) -> None:
        _turnstile().release()
