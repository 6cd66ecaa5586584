"""Cursors of seat status: what a client has seen, in a text that it only hands back.

A cursor keeps which transactions its answer had not seen: those that were under way then, and all
from `next_xid` on. What they have changed is what is new to the client, in whichever order they
commit; no counter has to say so. It is signed, so that nobody has the database look for what was
never answered.
"""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from utils.errors import Invalid
from utils.tokens import derived

FORM = re.compile(r"1(\.[0-9a-f]{1,16}){5}(\.[0-9a-f]{1,16}){0,250}", re.ASCII)
MOST_UNDER_WAY = 250
LONGEST = 10_000
TAG_LENGTH = 32
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which transactions a statement could not see: those `under_way`, and from `next_xid` on."""

    next_xid: int
    under_way: tuple[int, ...]

    @classmethod
    def read(cls, text: str, own: str | None) -> "Snapshot":
        """From PostgreSQL's `xmin:xmax:xip,…`, and the reader's own transaction if it writes."""
        _, xmax, xip = text.split(":")
        under_way = {int(xid) for xid in xip.split(",") if xid}
        if own is not None and int(own) < int(xmax):
            under_way.add(int(own))  # its later writes are news, too
        if len(under_way) > MOST_UNDER_WAY:
            return cls(min(under_way), ())  # tells too much again rather than too little
        return cls(int(xmax), tuple(sorted(under_way)))


@dataclass(frozen=True, slots=True)
class Cursor:
    """An answer that a client has: of a show at a version, at an instant, in whose words."""

    show_id: int
    version: int
    staff: bool
    as_of: datetime
    snapshot: Snapshot

    def __str__(self) -> str:
        xmax = self.snapshot.next_xid
        numbers = [self.show_id, self.version, int(self.staff), (self.as_of - EPOCH) // MICROSECOND]
        numbers += [xmax, *(xmax - xid for xid in self.snapshot.under_way)]
        payload = ".".join(["1", *(f"{number:x}" for number in numbers)])
        signed = f"{payload}~{_tag(payload)}".encode()
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """The cursor that an answer carried. Raises Invalid for anything else."""
        payload = _payload(text)
        if payload is None:
            raise Invalid.at("since", "Is not a cursor of seat status; read the whole of it.")
        show_id, version, staff, at, xmax, *back = (int(n, 16) for n in payload.split(".")[1:])
        snapshot = Snapshot(xmax, tuple(xmax - number for number in back))
        return cls(show_id, version, bool(staff), EPOCH + at * MICROSECOND, snapshot)


def _payload(text: str) -> str | None:
    """What was signed here, or None."""
    if len(text) > LONGEST:
        return None
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        signed = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError):
        return None
    payload, _, tag = signed.rpartition("~")
    if not FORM.fullmatch(payload) or not hmac.compare_digest(tag, _tag(payload)):
        return None
    return payload


def _tag(payload: str) -> str:
    return derived("seat cursor", payload)[:TAG_LENGTH]
