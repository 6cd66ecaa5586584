"""Who a booking is for: a ticket holder by id, a person named inline, or the one who asks."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from init import db
from models import TicketHolder
from models.sale import SaleSheet
from models.values import BuyerKey, Caller, PlacedHolder, WantedBuyer, WantedPlaces, email_key
from services import ticket_holder_service
from services.pricing_service import AT_THE_DESK
from utils.errors import Invalid
from utils.statement import Statement
from utils.tokens import readable

WALK_UP = "Walk-up"
SECRET_LENGTH = 32  # of 32 symbols: 160 bits
NEW_HOLDER = Statement(
    "new_holder",
    """
    INSERT INTO ticket_holders (name, email, phone, user_id, organiser_id)
    VALUES (:name, :email, :phone, :user_id, :organiser_id) RETURNING id
    """,
)


@dataclass(frozen=True)
class Buyer:
    """Who a booking is for, who answers for it, and who counts against the limits."""

    user_id: int | None
    sold_by_user_id: int | None
    sold_by_key_id: int | None
    email: str | None
    email_key: str | None
    holder: PlacedHolder
    owner: dict[str, Any]
    secret: str | None = None

    @property
    def key(self) -> BuyerKey:
        """Whom the limits count."""
        return BuyerKey(self.user_id, self.email_key)


def buyer_of(caller: Caller, wanted: WantedPlaces, sheet: SaleSheet) -> Buyer:
    """The buyer of a booking, worked out before anything is locked.

    Limits count by account and by its mailbox; a guest's by the mailbox given. Raises Invalid where
    nobody is named, or a ticket holder that is not the caller's.
    """
    desk = wanted.channel in AT_THE_DESK
    mine = caller.user_id is not None and not desk
    owner = {"user_id": caller.user_id} if mine else {"organiser_id": sheet.organiser_id}
    account_key = email_key(caller.email) if mine and caller.email else None

    def buyer(holder: PlacedHolder, secret: str | None = None) -> Buyer:
        address = holder.email or (caller.email if mine else None)
        return Buyer(
            user_id=caller.user_id if mine else None,
            sold_by_user_id=caller.user_id if desk else None,
            sold_by_key_id=caller.api_key_id,
            email=address,
            email_key=account_key or (email_key(address) if address else None),
            holder=holder,
            owner=owner,
            secret=secret,
        )

    if wanted.ticket_holder_id is not None:
        return buyer(_known_holder(caller, wanted.ticket_holder_id))
    if wanted.buyer is not None:
        person = wanted.buyer
        if mine:
            return buyer(_same_person(caller, person))
        secret = None if desk else readable(SECRET_LENGTH)
        return buyer(PlacedHolder(0, person.name, person.email, person.phone), secret)
    if mine:
        name, address = caller.name or "", caller.email or ""
        if caller.ticket_holder_id is None:
            return buyer(_same_person(caller, WantedBuyer(name, address)))
        known = caller.holder_name or name
        return buyer(PlacedHolder(caller.ticket_holder_id, known, caller.holder_email))
    if desk:
        return buyer(PlacedHolder(0, WALK_UP, None))
    if caller.api_key_id is not None:
        raise Invalid.at("buyer", "A key sells in the buyer's name: say who that is.")
    raise Invalid.at("buyer", "Sign in, or name the buyer with an e-mail address.")


def _known_holder(caller: Caller, holder_id: int) -> PlacedHolder:
    query = ticket_holder_service.visible_to(caller).where(TicketHolder.id == holder_id)
    holder = db.session.scalar(query) if caller.user_id is not None else None
    if holder is None:
        raise Invalid.at("ticket_holder_id", "You have no such ticket holder.")
    return PlacedHolder(holder.id, holder.name, holder.email, holder.phone)


def _same_person(caller: Caller, person: WantedBuyer) -> PlacedHolder:
    """The user's own record of this person, so that buying again does not make another."""
    holder_id = db.session.scalar(
        select(TicketHolder.id)
        .where(
            TicketHolder.user_id == caller.user_id,
            TicketHolder.name == person.name,
            TicketHolder.email == person.email,
            TicketHolder.deleted_at.is_(None),
        )
        .order_by(TicketHolder.id)
        .limit(1)
    )
    return PlacedHolder(holder_id or 0, person.name, person.email, person.phone)


def written(buyer: Buyer) -> PlacedHolder:
    """The buyer's ticket holder, written now if it is new."""
    holder = buyer.holder
    if holder.id:
        return holder
    holder_id = NEW_HOLDER.scalar(
        name=holder.name,
        email=holder.email,
        phone=holder.phone,
        user_id=buyer.owner.get("user_id"),
        organiser_id=buyer.owner.get("organiser_id"),
    )
    return replace(holder, id=holder_id)
