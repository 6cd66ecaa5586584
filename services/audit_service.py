"""The audit: who changed money, a role, a state or a permission, written with the change itself.

Whoever lets somebody in says who acts (`acting`); the services that change things say what
(`record`), inside the transaction of the change. Nothing personal goes in: ids, states and amounts.
A hot statement takes its entry along, with INTO and BY.
"""

import json
import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Select, false, select
from sqlalchemy.orm import with_expression

from init import Base
from models import AuditEntry, MemberRole, SignIn
from models.permissions import Permission
from models.values import Actor, Caller
from utils.errors import Forbidden
from utils.statement import Statement

_ACTOR: ContextVar[Actor] = ContextVar("actor", default=Actor())  # noqa: B039 (it is frozen)

INTO = """
    INSERT INTO audit_entries (action, target_type, target_id, organiser_id, before, after, reason,
                               origin, user_id, sign_in_id, api_key_id, booking_id, request_id)
"""
BY = """
    CAST(:actor_origin AS text), CAST(:actor_user_id AS bigint),
    CAST(:actor_sign_in_id AS bigint), CAST(:actor_api_key_id AS bigint),
    CAST(:actor_booking_id AS bigint), CAST(:actor_request_id AS text)
"""
RECORD = Statement(
    "record",
    f"""
    {INTO} VALUES (:action, :target_type, :target_id, :organiser_id, CAST(:before AS jsonb),
                   CAST(:after AS jsonb), :reason, {BY})
    """,
)
EXACT = {
    "action": AuditEntry.action,
    "target_type": AuditEntry.target_type,
    "target_id": AuditEntry.target_id,
    "organiser_id": AuditEntry.organiser_id,
    "user_id": AuditEntry.user_id,
    "api_key_id": AuditEntry.api_key_id,
    "request_id": AuditEntry.request_id,
}


def acting(actor: Actor) -> None:
    """From here on, in this thread, it is `actor` who does what is done."""
    _ACTOR.set(actor)


def actor_facts() -> dict[str, Any]:
    """Who acts, as the parameters of BY."""
    actor = _ACTOR.get()
    return {
        "actor_origin": actor.origin,
        "actor_user_id": actor.caller.user_id,
        "actor_sign_in_id": actor.caller.sign_in_id,
        "actor_api_key_id": actor.caller.api_key_id,
        "actor_booking_id": actor.caller.booking_id,
        "actor_request_id": actor.request_id,
    }


def record(
    action: str,
    target: Base,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Write down what is done to a row that has an id, and perhaps an organiser."""
    record_of(
        action,
        _kind(target),
        target.id,  # type: ignore[attr-defined]
        organiser_id=getattr(target, "organiser_id", None),
        before=before,
        after=after,
        reason=reason,
    )


def record_of(
    action: str,
    target_type: str,
    target_id: int,
    *,
    organiser_id: int | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Write down what is done to a thing that is known by its kind and id."""
    RECORD.run(
        action=action,
        target_type=target_type,
        target_id=target_id,
        organiser_id=organiser_id,
        before=json.dumps(before or {}, default=str),
        after=json.dumps(after or {}, default=str),
        reason=reason,
        **actor_facts(),
    )


def _kind(target: Base) -> str:
    """What the API calls such a thing: ApiKey is api_key."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(target).__name__).lower()


def search(caller: Caller, wanted: Mapping[str, Any]) -> Select[AuditEntry]:
    """The entries that `caller` may read and that fit, newest first.

    Admins read all, and from which address a person acted; owners and managers, what was done to
    their organisers' things. Raises Forbidden for anyone else.
    """
    query = select(AuditEntry).order_by(AuditEntry.id.desc())
    if caller.is_admin:
        address = select(SignIn.address).where(SignIn.id == AuditEntry.sign_in_id)
        query = query.options(with_expression(AuditEntry.address, address.scalar_subquery()))
    else:
        mine = caller.organisers_as(MemberRole.OWNER, MemberRole.MANAGER)
        if not mine:
            raise Forbidden("You manage no organiser.", permission=Permission.AUDIT_READ)
        if wanted.get("organiser_id") not in (None, *mine):
            return query.where(false())
        query = query.where(AuditEntry.organiser_id.in_(mine))
    for name, column in EXACT.items():
        if wanted.get(name) is not None:
            query = query.where(column == wanted[name])
    if since := wanted.get("since"):
        query = query.where(AuditEntry.at >= since)
    if until := wanted.get("until"):
        query = query.where(AuditEntry.at < until)
    return query
