"""Who puts events on, and the people who work for them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from init import Base
from models.columns import Timestamped, Versioned
from models.user import User
from utils.errors import Conflict


class MemberRole(StrEnum):
    """What a member may do for an organiser: everything, everything but members, or the door."""

    OWNER = "owner"
    MANAGER = "manager"
    DOOR = "door"


class Verification(StrEnum):
    """Whether an admin has looked at who an organiser is."""

    UNVERIFIED = "unverified"
    APPLIED = "applied"
    VERIFIED = "verified"
    REFUSED = "refused"


NEXT = {
    Verification.UNVERIFIED: {Verification.APPLIED, Verification.VERIFIED},
    Verification.APPLIED: {Verification.VERIFIED, Verification.REFUSED},
    Verification.VERIFIED: {Verification.REFUSED, Verification.APPLIED},
    Verification.REFUSED: {Verification.APPLIED, Verification.VERIFIED},
}


class VerificationMovedOn(Conflict):
    """The organiser's verification is past that, or not so far; see `verification`."""

    code, title = "verification-moved-on", "The verification does not stand where this needs it"


class Organiser(Versioned, Base):
    """A promoter, a club, a festival: everything it sells belongs to it."""

    __tablename__ = "organisers"

    name: Mapped[str]
    email: Mapped[str]
    phone: Mapped[str | None]
    description: Mapped[str | None]
    website: Mapped[str | None]
    verification: Mapped[Verification] = mapped_column(
        default=Verification.UNVERIFIED, server_default="unverified"
    )
    verification_reason: Mapped[str | None]
    applied_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

    @property
    def organiser_id(self) -> int:
        """Its own; so that permissions ask every target the same question."""
        return self.id

    @property
    def verified(self) -> bool:
        """What the public reads of its verification."""
        return self.verification == Verification.VERIFIED

    def become(self, to: Verification, *, reason: str | None = None) -> None:
        """Take the next step of its verification, refusing any other; an old reason goes."""
        if to not in NEXT[self.verification]:
            raise VerificationMovedOn(
                f"An organiser that is {self.verification} cannot become {to}.",
                verification=self.verification,
            )
        self.verification, self.verification_reason = to, reason


class OrganiserMember(Timestamped, Base):
    """A user who works for an organiser."""

    __tablename__ = "organiser_members"
    __table_args__ = (UniqueConstraint("organiser_id", "user_id"),)

    organiser_id: Mapped[int] = mapped_column(ForeignKey("organisers.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[MemberRole]

    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


class OrganiserInvitation(Timestamped, Base):
    """An offer to work for an organiser, mailed as a link that is good once until it expires."""

    __tablename__ = "organiser_invitations"
    __table_args__ = (Index("ix_organiser_invitations_organiser", "organiser_id", "id"),)

    organiser_id: Mapped[int] = mapped_column(ForeignKey("organisers.id"))
    email: Mapped[str]
    role: Mapped[MemberRole]
    invited_by_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
