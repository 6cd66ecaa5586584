"""Relocations as those who work for the organiser read them."""

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager, joinedload

from init import db
from models import Event, Relocation, RelocationMove, Show
from models.values import Caller
from utils.errors import NotFound


def visible_to(caller: Caller) -> Select[Relocation]:
    """The relocations of shows that `caller` works for."""
    query = (
        select(Relocation)
        .join(Relocation.show)
        .join(Show.event)
        .options(
            contains_eager(Relocation.show).contains_eager(Show.event),
            joinedload(Relocation.to_version),
        )
    )
    return query if caller.is_admin else query.where(Event.organiser_id.in_(caller.sees_drafts_of))


def find(relocation_id: int, *, caller: Caller) -> Relocation:
    """One relocation of a show that `caller` works for; to anyone else it does not exist."""
    relocation = db.session.scalar(visible_to(caller).where(Relocation.id == relocation_id))
    if relocation is None:
        raise NotFound(f"There is no relocation {relocation_id}.")
    return relocation


def of_show(show: Show, *, caller: Caller) -> Select[Relocation]:
    """A show's relocations, newest first."""
    return visible_to(caller).where(Relocation.show_id == show.id).order_by(Relocation.id.desc())


def moves_of(relocation: Relocation) -> Select[RelocationMove]:
    """The parties whose seats a relocation renames or cannot place, the latest written first."""
    return (
        select(RelocationMove)
        .where(RelocationMove.relocation_id == relocation.id)
        .options(joinedload(RelocationMove.booking))
        .order_by(RelocationMove.id.desc())
    )
