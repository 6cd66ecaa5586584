"""Wrong passwords, counted in the database: all workers together let somebody guess a few times.

Counted are those for one account from one address, for one account from anywhere, and from one
address for any account, whether there is such an account or not. Each count ends a while after its
first guess (settings.guess_window_minutes), however many are refused meanwhile, so that nobody is
locked out for good; and who comes from where the account has signed in lately is not kept out by
what others do elsewhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from config import settings
from utils.addresses import mailbox_of, network_of
from utils.errors import ApiError, TooManyRequests
from utils.statement import Statement
from utils.tokens import derived
from utils.transaction import transaction

ANYWHERE = 10  # times as many for an account from all addresses as from one

LATELY = Statement(
    "guesses_lately",
    """
    SELECT about, failures, extract(epoch FROM first_at + CAST(:window AS interval)
                                               - (SELECT clock_timestamp()))
      FROM failed_guesses
     WHERE about = ANY(CAST(:abouts AS bytea[]))
       AND first_at > (SELECT clock_timestamp()) - CAST(:window AS interval)
    """,
    alone=True,
)

SIGNED_IN_FROM = Statement(
    "signed_in_from",
    """
    SELECT DISTINCT s.address FROM users u JOIN sign_ins s ON s.user_id = u.id
     WHERE lower(u.email) = :email AND u.deleted_at IS NULL AND s.address IS NOT NULL
       AND s.created_at > (SELECT clock_timestamp()) - interval '30 days'
    """,
    alone=True,
)

# In the order of their digests: two who count the same never wait for each other crosswise.
COUNT = Statement(
    "count_guess",
    """
    INSERT INTO failed_guesses AS g (about, failures, first_at)
    SELECT about, 1, clock_timestamp() FROM unnest(CAST(:abouts AS bytea[])) AS about
    ON CONFLICT (about) DO UPDATE
       SET failures = CASE WHEN g.first_at > statement_timestamp() - CAST(:window AS interval)
                           THEN g.failures + 1 ELSE 1 END,
           first_at = CASE WHEN g.first_at > statement_timestamp() - CAST(:window AS interval)
                           THEN g.first_at ELSE statement_timestamp() END
    """,
)

# Whoever counts one sweeps up a few that are over; after counting, and waiting for nobody.
SWEEP = Statement(
    "sweep_guesses",
    """
    DELETE FROM failed_guesses WHERE id = ANY(ARRAY(
        SELECT id FROM failed_guesses
         WHERE first_at <= (SELECT clock_timestamp()) - CAST(:window AS interval)
         ORDER BY first_at LIMIT 10 FOR UPDATE SKIP LOCKED))
    """,
)

FORGIVE = Statement("forgive_guesses", "DELETE FROM failed_guesses WHERE about = :about")


@contextmanager
def guarded(email: str, address: str | None, *, sign_in_id: int | None = None) -> Iterator[None]:
    """Let the block see whether a password is right, and count it if the block refuses it.

    Raises TooManyRequests, before anything is spent on the password, when too many were wrong
    lately. Whoever guesses from within a sign-in is at home there, and counted by it instead of an
    address. Use it outside of a transaction: a count must outlive the refusal.
    """
    here = f"sign-in {sign_in_id}" if sign_in_id else address
    guess = _Guess.of(email, here)
    wrong_before = _require_few(guess, address, at_home=sign_in_id is not None)
    try:
        yield
    except ApiError as refusal:
        if refusal.status < 500:
            with transaction():
                COUNT.run(abouts=sorted(guess.abouts), window=_window())
                SWEEP.run(window=_window())
        raise
    if wrong_before:
        with transaction():
            FORGIVE.run(about=guess.here)


@dataclass(frozen=True)
class _Guess:
    """What one guess is counted under: digests, which tell nobody who or where."""

    email: str
    here: bytes
    anywhere: bytes
    address: bytes | None

    @classmethod
    def of(cls, email: str, address: str | None) -> "_Guess":
        account, network = mailbox_of(email), network_of(address)
        return cls(
            account,
            here=_digest("account", account, network or ""),
            anywhere=_digest("account", account),
            address=_digest("address", network) if network else None,
        )

    @property
    def abouts(self) -> list[bytes]:
        return [about for about in (self.here, self.anywhere, self.address) if about]


def forgive(email: str) -> None:
    """Forget what was guessed from anywhere: the owner has shown their mailbox."""
    FORGIVE.run(about=_digest("account", mailbox_of(email)))


def _require_few(guess: _Guess, address: str | None, *, at_home: bool) -> bool:
    """Whether any were wrong for this account from this address; refuse when too many were."""
    rows = LATELY.all(abouts=guess.abouts, window=_window())
    lately = {bytes(about): (failures, float(seconds)) for about, failures, seconds in rows}
    limits = {
        guess.here: settings.guesses_per_account,
        guess.address: settings.guesses_per_address,
        guess.anywhere: ANYWHERE * settings.guesses_per_account,
    }
    waits = {
        about: seconds for about, (failures, seconds) in lately.items() if failures >= limits[about]
    }
    if list(waits) == [guess.anywhere] and (at_home or _is_at_home(guess.email, address)):
        return guess.here in lately
    if waits:
        raise TooManyRequests.until(
            max(waits.values()), "Too many wrong passwords lately; try again later."
        )
    return guess.here in lately


def _is_at_home(email: str, address: str | None) -> bool:
    """Whether the account has signed in from this address lately."""
    network = network_of(address)
    if network is None:
        return False
    return any(network_of(known) == network for (known,) in SIGNED_IN_FROM.all(email=email))


def _digest(*facts: Any) -> bytes:
    return bytes.fromhex(derived("guess", *facts))


def _window() -> timedelta:
    return timedelta(minutes=settings.guess_window_minutes)
