"""How many places of a section a show sells at most, and to one buyer: as an organiser sets it.

`quota_service` holds sales to it. What was sold before a limit was set stays sold.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from init import db
from models import Section, SectionLimit, Show
from models.sale import SaleLimit
from services import audit_service, stock_service
from utils.errors import Invalid
from utils.transaction import transaction


@dataclass(frozen=True)
class SectionLimits:
    """A show's limits, in the order of its map; the show's version is theirs."""

    show_id: int
    items: Sequence[SaleLimit]
    etag: str


def of_show(show: Show) -> SectionLimits:
    """The limits that a show has."""
    return SectionLimits(show.id, [_value(*row) for row in _rows(show)], show.etag)


def replace(show: Show, wanted: Sequence[SaleLimit]) -> SectionLimits:
    """Make `wanted` the only limits of a show.

    Raises Invalid for a section that its map does not have, or that is named twice.
    """
    with transaction():
        stock_service.lock_show(show)
        show.touch()  # sheets that were read before are out of date
        known = {part.name: part for part in stock_service.sections(show)}
        _require_sense(wanted, known)
        there = {part.name: limit for limit, part in _rows(show)}
        before = _facts(show)
        for limit in wanted:
            row = there.pop(limit.section, None)
            if row is None:
                row = SectionLimit(show_id=show.id, section_id=known[limit.section].id)
                db.session.add(row)
            elif (row.max_places, row.max_per_buyer) != (limit.max_places, limit.max_per_buyer):
                row.set_at = func.clock_timestamp()
            row.max_places, row.max_per_buyer = limit.max_places, limit.max_per_buyer
        for row in there.values():
            db.session.delete(row)
        db.session.flush()
        if (after := _facts(show)) != before:
            audit_service.record("show.limit_sections", show, before=before, after=after)
    return of_show(show)


def copy(source: Show, target: Show) -> None:
    """Give a new show the limits of another one, as far as its map has sections of those names."""
    known = {part.name: part for part in stock_service.sections(target)}
    for limit, part in _rows(source):
        if part.name in known:
            values = {"max_places": limit.max_places, "max_per_buyer": limit.max_per_buyer}
            here = {"show_id": target.id, "section_id": known[part.name].id}
            db.session.add(SectionLimit(**here, **values))


def follow_map(show: Show) -> None:
    """Put the limits of a show that was given another map on the sections of the same names.

    Runs in the caller's transaction, the show locked; limits of other sections go.
    """
    with db.session.no_autoflush:  # the show has not got its new date yet, perhaps
        known = {part.name: part for part in stock_service.sections(show)}
        there = _rows(show)
    for limit, part in there:
        if part.name not in known:
            db.session.delete(limit)
        elif known[part.name].id != part.id:
            limit.section_id = known[part.name].id


def _rows(show: Show) -> list[tuple[SectionLimit, Section]]:
    query = (
        select(SectionLimit, Section)
        .join(Section, Section.id == SectionLimit.section_id)
        .where(SectionLimit.show_id == show.id)
        .order_by(Section.position, Section.id)
    )
    return [(limit, part) for limit, part in db.session.execute(query)]


def _value(limit: SectionLimit, part: Section) -> SaleLimit:
    return SaleLimit(part.name, limit.max_places, limit.max_per_buyer)


def _facts(show: Show) -> dict[str, dict[str, int | None]]:
    return {
        part.name: {"max_places": limit.max_places, "max_per_buyer": limit.max_per_buyer}
        for limit, part in _rows(show)
    }


def _require_sense(wanted: Sequence[SaleLimit], known: dict[str, Section]) -> None:
    seen: set[str] = set()
    for number, limit in enumerate(wanted):
        at = f"items.{number}.section"
        if limit.section not in known:
            raise Invalid.at(at, f"There is no section {limit.section} on the show's map.")
        if limit.section in seen:
            raise Invalid.at(at, f"There are two limits of {limit.section}.")
        seen.add(limit.section)
