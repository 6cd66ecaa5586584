"""The mails that outbox messages ask for: to whom, about what, and with which link.

A message carries ids alone, and everything else is looked up when it is sent: so nothing personal
lies in the outbox, and what was taken back meanwhile is not sent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from config import settings
from init import db
from models import AccountLink, Booking, OrganiserInvitation, OutboxMessage, User
from services import booking_service, link_service
from utils.tokens import derived


class NoPublicUrl(RuntimeError):
    """In production, the links of mails lead to the configured address or nowhere."""


@dataclass(frozen=True)
class Letter:
    """A mail with a link in it."""

    to: str
    subject: str
    link: str


@dataclass(frozen=True)
class Queued:
    """A letter and the message that asks for it."""

    id: int
    at: datetime
    topic: str
    letter: Letter


def verify_email(payload: Mapping[str, Any]) -> Letter | None:
    """To the address that is to be verified."""
    link, user = _account_link(payload)
    if link is None or user is None:
        return None
    path = f"/verify_email?token={link_service.token_of(link)}"
    return Letter(link.email or user.email, "Verify your e-mail address", _url(path))


def reset_password(payload: Mapping[str, Any]) -> Letter | None:
    """To the account's address."""
    link, user = _account_link(payload)
    if link is None or user is None:
        return None
    path = f"/reset_password?token={link_service.token_of(link)}"
    return Letter(user.email, "Set a new password", _url(path))


def invitation(payload: Mapping[str, Any]) -> Letter | None:
    """To whoever is to work for an organiser."""
    offer = db.session.get(OrganiserInvitation, payload["invitation_id"])
    if offer is None or offer.withdrawn_at is not None:
        return None
    path = f"/invitations?token={offer.id}.{derived('invitation', offer.id)}"
    return Letter(offer.email, "You are invited to work with an organiser", _url(path))


def booking_secret(payload: Mapping[str, Any]) -> Letter | None:
    """To the address that bought: one that only counts as the same may be another's."""
    booking = db.session.get(Booking, payload["booking_id"])
    if booking is None or booking.email is None:
        return None
    secret = booking_service.recovered_secret(booking.id, payload["nonce"])
    path = f"/bookings/{booking.id}?secret={secret}"
    return Letter(booking.email, f"Your booking {booking.reference}", _url(path))


LETTERS: dict[str, Callable[[Mapping[str, Any]], Letter | None]] = {
    "mail.verify_email": verify_email,
    "mail.reset_password": reset_password,
    "mail.invitation": invitation,
    "mail.booking_secret": booking_secret,
}


def letter_of(topic: str, payload: Mapping[str, Any]) -> Letter | None:
    """The mail that a message asks for; None where it is for nobody any more.

    Raises NoPublicUrl in production where PUBLIC_URL is not set.
    """
    build = LETTERS.get(topic)
    return build(payload) if build else None


def queued(limit: int) -> list[Queued]:
    """The last letters that were asked for, the newest first, sent or not."""
    query = (
        select(OutboxMessage)
        .where(OutboxMessage.topic.in_(LETTERS))
        .order_by(OutboxMessage.id.desc())
        .limit(limit)
    )
    return [
        Queued(message.id, message.created_at, message.topic, letter)
        for message in db.session.scalars(query)
        if (letter := letter_of(message.topic, message.payload)) is not None
    ]


def _account_link(payload: Mapping[str, Any]) -> tuple[AccountLink | None, User | None]:
    if payload["link_id"] is None:  # nobody has the address that was given
        return None, None
    link = db.session.get(AccountLink, payload["link_id"])
    return link, db.session.get(User, link.user_id) if link is not None else None


def _url(path: str) -> str:
    """An address of this installation: never of the host that some request named."""
    if not settings.public_url and settings.in_production:
        raise NoPublicUrl("PUBLIC_URL is not set, and the links in mails need it.")
    root = settings.public_url or f"http://{settings.host}:{settings.port}"
    return root.rstrip("/") + path
