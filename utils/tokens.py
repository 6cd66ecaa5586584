"""Random codes and secrets, and what is kept of them."""

import hashlib
import hmac
import secrets

from config import settings

READABLE = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def readable(length: int) -> str:
    """A random code that people can read out: none of its symbols is I, O, 0 or 1."""
    # 256 is a multiple of the 32 symbols: each is as likely as any other.
    return "".join(READABLE[byte % len(READABLE)] for byte in secrets.token_bytes(length))


def digest(secret: str) -> bytes:
    """What the database keeps of a random secret (SHA-256; enough for 128 random bits)."""
    return hashlib.sha256(secret.encode()).digest()


def derived(purpose: str, *facts: object) -> str:
    """A secret that only this installation can work out again from `facts`."""
    message = "\x1f".join([purpose, *map(str, facts)]).encode()
    return hmac.new(settings.secret_key.encode(), message, hashlib.sha256).hexdigest()
