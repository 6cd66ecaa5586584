"""What is true of one row. Importing this package defines the whole schema."""

from models.api_key import ApiKey, KeyMode, Scope
from models.audit_entry import AuditEntry
from models.booking import (
    Booking,
    BookingLine,
    BookingSecret,
    BookingStatus,
    Channel,
    PaymentStatus,
)
from models.event import Event, EventStatus, Moderation
from models.idempotency_key import IdempotencyKey
from models.organiser import (
    MemberRole,
    Organiser,
    OrganiserInvitation,
    OrganiserMember,
    Verification,
)
from models.outbox_message import OutboxMessage
from models.relocation import Outcome, Relocation, RelocationMove, RelocationStatus, Unplaced
from models.seat_map import MapSeat, SeatKind, SeatMap, SeatMapVersion, Section, SectionKind
from models.show import AvailabilityDisplay, Show, ShowStatus
from models.stock import Place, Stock
from models.ticket import CheckIn, Ticket, TicketStatus
from models.ticket_holder import TicketHolder
from models.tier import Price, PriceAudience, SectionLimit, Tier, TierStock
from models.user import AccountLink, FailedGuess, LinkPurpose, Role, SignIn, User
from models.venue import Venue

__all__ = [
    "AccountLink",
    "ApiKey",
    "AuditEntry",
    "AvailabilityDisplay",
    "Booking",
    "BookingLine",
    "BookingSecret",
    "BookingStatus",
    "Channel",
    "CheckIn",
    "Event",
    "EventStatus",
    "FailedGuess",
    "IdempotencyKey",
    "KeyMode",
    "LinkPurpose",
    "MapSeat",
    "MemberRole",
    "Moderation",
    "Organiser",
    "OrganiserInvitation",
    "OrganiserMember",
    "OutboxMessage",
    "Outcome",
    "PaymentStatus",
    "Place",
    "Price",
    "PriceAudience",
    "Relocation",
    "RelocationMove",
    "RelocationStatus",
    "Role",
    "Scope",
    "SeatKind",
    "SeatMap",
    "SeatMapVersion",
    "Section",
    "SectionKind",
    "SectionLimit",
    "Show",
    "ShowStatus",
    "SignIn",
    "Stock",
    "Ticket",
    "TicketHolder",
    "TicketStatus",
    "Tier",
    "TierStock",
    "Unplaced",
    "User",
    "Venue",
    "Verification",
]
