"""When the order of two steps can matter: what each reads, locks, writes and makes visible.

Under READ COMMITTED a session sees of another only its commits and its locks. So two steps of
different sessions commute unless

- both lock the same row in modes that exclude each other (PostgreSQL's table of row locks), rows
  looked up for foreign keys and keys that must be unique included; or
- one ends a transaction whose locks exclude what the other wants; or
- one commits a row that the other looks for, in its old form or its new; or
- one is the clock, and the other asks it about a row whose time it is.

What is not known of a step is taken to be everything: that costs time, and hides nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

KEY_SHARE, SHARE, NO_KEY_UPDATE, UPDATE = "key share", "share", "no key update", "update"
EXCLUDING = {
    frozenset(modes)
    for modes in (
        (KEY_SHARE, UPDATE),
        (SHARE, NO_KEY_UPDATE),
        (SHARE, UPDATE),
        (NO_KEY_UPDATE,),
        (NO_KEY_UPDATE, UPDATE),
        (UPDATE,),
    )
}

Where = Mapping[str, frozenset[str]]
"""The values that a column must have for a row to concern a step; {} is every row."""

Row = Mapping[str, str | None]
ANY: Where = {}


@dataclass(frozen=True, eq=False)
class Look:
    """The rows of a table that a step looks for."""

    table: str
    where: Where

    def finds(self, row: Row) -> bool:
        return all(row.get(column) in values for column, values in self.where.items())


@dataclass(frozen=True, eq=False)
class Lock:
    """The rows of a table, or one of its keys, that a step locks."""

    table: str
    mode: str
    where: Where

    def excludes(self, other: "Lock") -> bool:
        if self.table != other.table or frozenset((self.mode, other.mode)) not in EXCLUDING:
            return False
        return all(
            self.where[column] & other.where[column] for column in self.where.keys() & other.where
        )


@dataclass(frozen=True, eq=False)
class Touch:
    """What one step does that others could notice, or that others could do to it."""

    looks: tuple[Look, ...] = ()
    locks: tuple[Lock, ...] = ()
    presumed: tuple[Lock, ...] = ()  # of a statement that is not over
    writes: tuple[tuple[str, Row], ...] = ()  # by table; nobody sees them until the commit
    publishes: tuple[tuple[str, Row], ...] = ()
    asks_time: bool = False
    moves_time: bool = False
    everything: bool = False

    def __add__(self, other: "Touch") -> "Touch":
        return Touch(
            self.looks + other.looks,
            self.locks + other.locks,
            self.presumed + other.presumed,
            self.writes + other.writes,
            self.publishes + other.publishes,
            self.asks_time or other.asks_time,
            self.moves_time or other.moves_time,
            self.everything or other.everything,
        )

    @property
    def nothing(self) -> bool:
        """Whether its order with any other step is all the same."""
        return self.only_reads and not (self.looks or self.asks_time)

    @property
    def only_reads(self) -> bool:
        return not (
            self.locks or self.presumed or self.publishes or self.moves_time or self.everything
        )


NOTHING = Touch()


def ending(held: Touch, *, commits: bool) -> Touch:
    """The end of a transaction that did all that `held` says: locks go, and changes are seen."""
    if held.everything:
        return Touch(everything=True)
    locks = held.locks + held.presumed
    return Touch(locks=locks, publishes=held.writes if commits else ())


def matters(one: Touch, other: Touch) -> bool:
    """Whether the order of two steps of different sessions can make a difference."""
    if one.everything or other.everything:
        return not (one.nothing or other.nothing)
    if (one.moves_time or other.moves_time) and not (one.asks_time or other.asks_time):
        return False
    return (
        _shows(one, other)
        or _shows(other, one)
        or any(
            lock.excludes(also)
            for lock in (*one.locks, *one.presumed)
            for also in (*other.locks, *other.presumed)
        )
    )


def _shows(one: Touch, other: Touch) -> bool:
    return any(
        look.table == table and look.finds(row)
        for table, row in one.publishes
        for look in other.looks
    )
