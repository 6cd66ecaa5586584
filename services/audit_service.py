"""The audit: who changed money, a role, a state or a permission, written with the change itself.

Whoever lets somebody in says who acts (`acting`); the services that change things say what
(`record`), inside the transaction of the change. Nothing personal goes in: ids, states and amounts.
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from init import Base
from models.values import Actor
from utils.statement import Statement

_ACTOR: ContextVar[Actor] = ContextVar("actor", default=Actor())  # noqa: B039 (it is frozen)

RECORD = Statement(
    "record",
    """
    INSERT INTO audit_entries (action, target_type, target_id, organiser_id, origin, user_id,
                               sign_in_id, api_key_id, booking_id, request_id, before, after,
                               reason)
    VALUES (:action, :target_type, :target_id, :organiser_id, :origin, :user_id, :sign_in_id,
            :api_key_id, :booking_id, :request_id, CAST(:before AS jsonb), CAST(:after AS jsonb),
            :reason)
    """,
)


def acting(actor: Actor) -> None:
    """From here on, in this thread, it is `actor` who does what is done."""
    _ACTOR.set(actor)


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
        type(target).__name__.lower(),
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
    actor = _ACTOR.get()
    RECORD.run(
        action=action,
        target_type=target_type,
        target_id=target_id,
        organiser_id=organiser_id,
        origin=actor.origin,
        user_id=actor.caller.user_id,
        sign_in_id=actor.caller.sign_in_id,
        api_key_id=actor.caller.api_key_id,
        booking_id=actor.caller.booking_id,
        request_id=actor.request_id,
        before=json.dumps(before or {}, default=str),
        after=json.dumps(after or {}, default=str),
        reason=reason,
    )
