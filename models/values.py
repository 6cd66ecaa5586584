"""Plain values that layers pass to each other: who asks, what is wanted, what was made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from models.api_key import KeyMode, Scope
from models.booking import BookingStatus, Channel, PaymentStatus
from models.organiser import MemberRole
from models.user import Role
from utils.money import Money

NOBODY: Mapping[int, MemberRole] = MappingProxyType({})


@dataclass(frozen=True)
class Caller:
    """Who asks: a signed-in user, a program with an API key, a guest who shows a booking's secret,
    or a stranger.
    """

    user_id: int | None = None
    sign_in_id: int | None = None
    email: str | None = None
    name: str | None = None
    role: Role | None = None
    ticket_holder_id: int | None = None
    holder_name: str | None = None
    holder_email: str | None = None
    memberships: Mapping[int, MemberRole] = field(default_factory=lambda: NOBODY)
    booking_id: int | None = None
    api_key_id: int | None = None
    api_key_organiser_id: int | None = None
    api_key_mode: KeyMode | None = None
    scopes: frozenset[Scope] = frozenset()

    @property
    def key(self) -> str | None:
        """Who this is, for idempotency keys, limits and logs; None for a stranger."""
        if self.user_id:
            return f"user:{self.user_id}"
        if self.api_key_id:
            return f"key:{self.api_key_id}"
        return f"booking:{self.booking_id}" if self.booking_id else None

    @property
    def is_admin(self) -> bool:
        return self.role == Role.ADMIN

    @property
    def is_stranger(self) -> bool:
        """Whether nothing at all is known of who asks."""
        return self.user_id is None and self.booking_id is None and self.api_key_id is None

    @property
    def sees_drafts_of(self) -> list[int]:
        """The organisers whose unpublished things the caller sees: those it works for, or its
        key's, unless that key only sells.
        """
        if self.api_key_organiser_id is None:
            return list(self.memberships)
        return [self.api_key_organiser_id] if self.scopes - {Scope.SELL} else []

    def organisers_as(self, *roles: MemberRole) -> list[int]:
        """The organisers that the caller works for in one of `roles`; in any, without roles."""
        return [
            organiser_id
            for organiser_id, role in self.memberships.items()
            if not roles or role in roles
        ]


STRANGER = Caller()


@dataclass(frozen=True)
class Actor:
    """Who is behind a change, for the audit: a caller over the API, or a command."""

    caller: Caller = STRANGER
    origin: str = "command"
    request_id: str | None = None


@dataclass
class Once:
    """A request that names itself with an Idempotency-Key, and how its answer is written."""

    key: str
    scope: str | None
    fingerprint: bytes
    render: Callable[[Any], tuple[int, str | None, bytes]]
    answer: Any = None


@dataclass(frozen=True)
class WantedBuyer:
    """The person a booking is for, as the request names them."""

    name: str
    email: str
    phone: str | None = None

    @property
    def email_key(self) -> str:
        return email_key(self.email)


@dataclass(frozen=True)
class BuyerKey:
    """What counts as the same buyer at a show: an account, or a mailbox."""

    user_id: int | None
    email_key: str | None


@dataclass(frozen=True)
class WantedLine:
    """Some places of a tier, the best or chosen; desk and comps may name the stock.

    The best seats are beside each other or none, if `together`; `accessible` of them are that.
    """

    quantity: int
    tier_id: int | None = None
    price_id: int | None = None
    stock_id: int | None = None
    seats: tuple[str, ...] = ()
    together: bool = False
    accessible: int = 0


@dataclass(frozen=True)
class WantedSwap:
    """A seat of a booking that is left, and the one that is taken instead, by their keys."""

    leave: str
    take: str


@dataclass(frozen=True)
class WantedPlaces:
    """What a booking asks for."""

    show_id: int
    lines: tuple[WantedLine, ...]
    buyer: WantedBuyer | None = None
    ticket_holder_id: int | None = None
    channel: Channel = Channel.WEB
    confirm: bool = False
    comp_reason: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class PlacedHolder:
    id: int
    name: str
    email: str | None
    phone: str | None = None


@dataclass(frozen=True)
class PlacedPlace:
    id: int
    line_id: int
    stock_id: int
    section: str
    row: str | None
    number: str | None
    key: str | None


@dataclass(frozen=True)
class Named:
    """A tier or a price by its name."""

    id: int
    name: str


@dataclass(frozen=True)
class PlacedLine:
    id: int
    tier_id: int | None
    price_id: int | None
    tier: Named | None
    price: Named | None
    quantity: int
    unit_price: Money

    @property
    def amount(self) -> Money:
        return self.unit_price * self.quantity


class ShownEvent(dict[str, Any]):
    """An event read for its answer alone: by the names of its columns, and its organiser's."""

    @property
    def etag(self) -> str:
        return f"{self['id']}.{self['version']}-{self['organiser_version']}"


@dataclass(frozen=True)
class PlacedBooking:
    """A booking as an answer shows it, just made or read for that; it dumps like a Booking."""

    id: int
    reference: str
    show_id: int
    channel: Channel
    total: Money
    held_at: datetime
    held_until: datetime
    ticket_holder: PlacedHolder | Mapping[str, Any]
    ticket_holder_id: int
    user_id: int | None
    lines: Sequence[PlacedLine | Mapping[str, Any]]
    places: Sequence[PlacedPlace | Mapping[str, Any]]
    note: str | None = None
    comp_reason: str | None = None
    secret: str | None = None
    current_status: BookingStatus = BookingStatus.HELD
    payment_status: PaymentStatus = PaymentStatus.UNPAID
    extended: bool = False
    confirmed_at: datetime | None = None
    cancelled_at: datetime | None = None
    version: int = 1
    tickets: Sequence[Mapping[str, Any]] = ()
    attendees: Mapping[str, Any] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        return f"{self.id}.{self.version}-{self.current_status}"


def email_key(email: str) -> str:
    """What counts as the same mailbox for a buyer's limit: case and `+tags` do not make another."""
    local, _, domain = email.strip().lower().rpartition("@")
    return f"{local.split('+')[0]}@{domain}"
