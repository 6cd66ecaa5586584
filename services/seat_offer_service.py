"""Which tiers sell which seats, in few words: for pages that draw a hall with its prices."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config import settings
from models.sale import SaleSheet, SaleStock, SaleTier
from models.values import Caller
from services import availability_service, layout_service, seen_show_service
from services.layout_service import Layout
from services.seen_show_service import SeenShow
from utils.statement import Statement
from utils.ttl_cache import TtlCache

SHOWS_REMEMBERED = 50
Sellers = tuple[int, ...]  # ids of the tiers that sell a seat, in their order
RowOf = tuple[str, str]  # a section and a row of it

# Rows that are in one stock are counted; only of the others each seat is named. A show's places are
# read once, because no index finds those of a row.
ASSIGNED = Statement(
    "seat_offers",
    """
    WITH counted AS MATERIALIZED (
        SELECT k.section_name, p."row", p.stock_id, count(*) AS seats, array_agg(p.key) AS keys,
               count(*) OVER (PARTITION BY k.section_name, p."row") AS stocks
          FROM places p JOIN stocks k ON k.id = p.stock_id
         WHERE p.show_id = :show_id AND p.key IS NOT NULL AND k.section_name = ANY(:sections)
         GROUP BY k.section_name, p."row", p.stock_id)
    SELECT c.section_name, c."row", c.stock_id,
           CASE WHEN c.stocks > 1 OR c.seats < coalesce(wanted.seats, 0) THEN c.keys END
      FROM counted c
      LEFT JOIN unnest(CAST(:sections AS text[]), CAST(:rows AS text[]), CAST(:sizes AS bigint[]))
                AS wanted(section, "row", seats)
             ON wanted.section = c.section_name AND wanted."row" = c."row"
    """,
)


@dataclass(frozen=True, slots=True)
class RowsOf:
    section: str
    rows: Sequence[str]


@dataclass(frozen=True, slots=True)
class Area:
    """Seats that the same tiers sell: sections and rows that are theirs alone, and the others."""

    tier_ids: Sellers
    sections: Sequence[str]
    rows: Sequence[RowsOf]
    seats: Sequence[str]


@dataclass(frozen=True, slots=True)
class SeatOffers:
    show_id: int
    seat_map_version_id: int | None
    seat_map: str
    tiers: Sequence[SaleTier]
    areas: Sequence[Area]
    etag: str


@dataclass(frozen=True, slots=True)
class Assigned:
    """Who sells the seats of a show: of whole sections, else of whole rows, else of each."""

    sheet: SaleSheet
    sections: Mapping[str, Sellers]
    rows: Mapping[RowOf, Sellers]
    seats: Mapping[str, Sellers]
    standing: Mapping[str, Sellers]  # by section

    def of_row(self, section: str, row: str) -> Sellers | None:
        """The tiers that sell a whole row; None where its seats have to be asked."""
        whole = self.sections.get(section)
        return whole if whole is not None else self.rows.get((section, row))

    def sellers(self, section: str, row: str, key: str) -> Sellers:
        """The tiers that sell a seat; none for one of the house."""
        together = self.of_row(section, row)
        return together if together is not None else self.seats.get(key, ())


_recent: TtlCache[int, Assigned] = TtlCache(
    lambda: settings.availability_seconds, largest=SHOWS_REMEMBERED
)


def of_show(show_id: int, *, caller: Caller) -> SeatOffers:
    """Who sells what at a show that `caller` may see, settings.availability_seconds old at most."""
    show = seen_show_service.find_recent(show_id, caller=caller)
    layout = layout_service.of_show(show)
    found = assigned(show, layout)
    areas = _areas(found, layout)
    tiers = list(found.sheet.tiers.values())
    content = hashlib.blake2b(repr((show.map_id, tiers, areas)).encode(), digest_size=12)
    return SeatOffers(show.id, show.map_id, show.map_path, tiers, areas, content.hexdigest())


def assigned(show: SeenShow, layout: Layout) -> Assigned:
    """Which tiers sell each of a show's seats as of a moment ago, also those that wait to open."""
    return _recent.get(show.id, lambda: _read(show, layout))


def _read(show: SeenShow, layout: Layout) -> Assigned:
    sheet, _ = availability_service.counted(show.id)
    sellers_of: defaultdict[int, list[int]] = defaultdict(list)
    for tier in sheet.tiers.values():
        for stock in sheet.stocks_for(tier):
            sellers_of[stock.id].append(tier.id)
    standing: defaultdict[str, list[int]] = defaultdict(list)
    for stock in sheet.stocks.values():
        if not stock.kind.has_seats:
            standing[stock.section] += sellers_of[stock.id]
    sections = _whole_sections(sheet, layout, sellers_of)
    in_rows = [
        (section.name, row.label, len(row.keys))
        for section in layout.sections
        for row in section.rows
        if section.name not in sections
    ]
    rows: dict[RowOf, Sellers] = {}
    seats: dict[str, Sellers] = {}
    split = _split(show, in_rows) if in_rows else ()
    for section, row, stock_id, keys in split:
        sellers = tuple(sellers_of[stock_id])
        if keys is None:
            rows[section, row] = sellers
        elif sellers:
            seats |= dict.fromkeys(keys, sellers)
    return Assigned(
        sheet,
        sections,
        rows,
        seats,
        {name: tuple(dict.fromkeys(ids)) for name, ids in standing.items()},
    )


def _whole_sections(
    sheet: SaleSheet, layout: Layout, sellers_of: Mapping[int, Sequence[int]]
) -> dict[str, Sellers]:
    """The sections that are in one stock, seat by seat: nobody need look at their places."""
    stocks: defaultdict[str, list[SaleStock]] = defaultdict(list)
    for stock in sheet.stocks.values():
        if stock.capacity:
            stocks[stock.section].append(stock)
    return {
        section.name: tuple(sellers_of[stocks[section.name][0].id])
        for section in layout.sections
        if section.rows and [stock.capacity for stock in stocks[section.name]] == [section.capacity]
    }


def _split(show: SeenShow, in_rows: Sequence[tuple[str, str, int]]) -> Sequence[Any]:
    """Of sections that several stocks have, or none: the rows, and the seats of split ones."""
    rows: Sequence[Any] = ASSIGNED.all(
        show_id=show.id,
        sections=[section for section, _, _ in in_rows],
        rows=[row for _, row, _ in in_rows],
        sizes=[size for _, _, size in in_rows],
    )
    return rows


def _areas(found: Assigned, layout: Layout) -> list[Area]:
    """The offers tier by tier; a row, or a section, all of whose seats go alike is named whole."""
    sections: defaultdict[Sellers, list[str]] = defaultdict(list)
    rows: defaultdict[Sellers, list[RowsOf]] = defaultdict(list)
    seats: defaultdict[Sellers, list[str]] = defaultdict(list)
    for section in layout.sections:
        in_rows: defaultdict[Sellers, list[str]] = defaultdict(list)
        for row in section.rows:
            of_seats = [found.sellers(section.name, row.label, key) for key in row.keys]
            if len(set(of_seats)) == 1:
                in_rows[of_seats[0]].append(row.label)
                continue
            for key, sellers in zip(row.keys, of_seats, strict=True):
                seats[sellers].append(key)
        for sellers, labels in in_rows.items():
            if len(labels) == len(section.rows):
                sections[sellers].append(section.name)
            else:
                rows[sellers].append(RowsOf(section.name, labels))
    for name, sellers in found.standing.items():
        sections[sellers].append(name)
    offered = _in_order(found.sheet, {*sections, *rows, *seats} - {()})
    return [Area(each, sections[each], rows[each], seats[each]) for each in offered]


def _in_order(sheet: SaleSheet, sellers: Iterable[Sellers]) -> list[Sellers]:
    position = {tier_id: n for n, tier_id in enumerate(sheet.tiers)}
    return sorted(sellers, key=lambda ids: [position[tier_id] for tier_id in ids])
