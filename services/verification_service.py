"""Who an organiser is: it applies, and an admin looks."""

from typing import Any

from sqlalchemy import Select, select

from config import settings
from init import db
from models import Organiser, Verification
from models.organiser import VerificationMovedOn
from services import audit_service, outbox_service
from utils.clock import now
from utils.errors import Conflict, NotFound
from utils.transaction import lock, transaction


class OrganiserNotVerified(Conflict):
    """Only verified organisers put events on here; `verification` says how far this one's is."""

    code, title = "organiser-not-verified", "The organiser is not verified"


def search(wanted: dict[str, Any]) -> Select[Organiser]:
    """The organisers in one state of verification, those first that have waited longest."""
    there = Organiser.verification == wanted["verification"], Organiser.deleted_at.is_(None)
    waiting = select(Organiser).where(*there)
    return waiting.order_by(Organiser.applied_at.asc().nulls_last(), Organiser.id)


def apply(organiser: Organiser, *, note: str | None = None) -> Organiser:
    """Ask an admin to verify who an organiser is. Raises VerificationMovedOn."""
    with transaction():
        if _locked(organiser).verified:
            raise VerificationMovedOn("It is verified.", verification=organiser.verification)
        _apply(organiser, note)
    return organiser


def verify(organiser: Organiser) -> Organiser:
    """Say that an organiser is who it says, also unasked. Raises VerificationMovedOn."""
    with transaction():
        _step(_locked(organiser), Verification.VERIFIED, "organiser.verify")
        outbox_service.publish("organiser.verified", organiser_id=organiser.id)
    return organiser


def refuse(organiser: Organiser, *, reason: str) -> Organiser:
    """Refuse an application, or take a verification back. Raises VerificationMovedOn."""
    with transaction():
        _step(_locked(organiser), Verification.REFUSED, "organiser.refuse", reason=reason)
        outbox_service.publish("organiser.refused", organiser_id=organiser.id)
    return organiser


def look_again(organiser: Organiser) -> None:
    """Have a verified organiser that takes another name, and is locked, wait for another look."""
    _apply(organiser, f"It was verified as {organiser.name}.")


def require_verified(organiser_id: int | None) -> None:
    """Refuse what is announced in the name of an organiser that is not verified, where only those
    may announce anything.
    """
    if not settings.verified_organisers_only or organiser_id is None:
        return
    theirs = select(Organiser.verification).where(Organiser.id == organiser_id)
    verification = db.session.scalar(theirs)
    if verification != Verification.VERIFIED:
        raise OrganiserNotVerified("Apply for verification first.", verification=verification)


def _locked(organiser: Organiser) -> Organiser:
    if lock(organiser).deleted_at is not None:
        raise NotFound(f"There is no organiser {organiser.id}.")
    return organiser


def _apply(organiser: Organiser, note: str | None) -> None:
    _step(organiser, Verification.APPLIED, "organiser.apply", note=note)
    organiser.applied_at = db.session.scalar(select(now()))
    outbox_service.publish("organiser.applied", organiser_id=organiser.id)


def _step(
    organiser: Organiser,
    to: Verification,
    action: str,
    *,
    note: str | None = None,
    reason: str | None = None,
) -> None:
    """Take a step and write it down; what applicants say of themselves is not for the audit."""
    before = organiser.verification
    organiser.become(to, reason=reason or note)
    audit_service.record(
        action,
        organiser,
        before={"verification": before},
        after={"verification": to},
        reason=reason,
    )
