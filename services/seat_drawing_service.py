"""The hall of a show as a picture: what is free, what it costs, and a legend.

Every seat of a small hall says what it is; of a large one, sections do, and their seats are
strokes of a few long paths, so that a stadium stays a megabyte. All names are somebody's input
and are escaped; nothing in a picture runs.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

import orjson

from config import settings
from models.values import Caller
from services import (
    availability_service,
    layout_service,
    seat_offer_service,
    seat_status_service,
    seen_show_service,
)
from services.layout_service import (
    LAYOUTS_REMEMBERED,
    TENTHS,
    LaidOutRow,
    LaidOutSection,
    Layout,
    Point,
)
from services.seat_offer_service import Sellers
from services.seat_picture_style import BANDS, DISC, SHAPES, STYLE
from services.seat_picture_words import Seen, offered, seated, short, standing
from services.seen_show_service import SeenShow
from utils.ready_text import ReadyText
from utils.ttl_cache import TtlCache

SHOWS_REMEMBERED = 20
SEATS_OF_A_SMALL_HALL = 1_500
LONGEST_LEGEND = 24
GAP = 2.5 * TENTHS  # from which on what is between two seats is no part of their row
SEATS_OF_A_CURVE = 8
LONGEST_TABLE = 12
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
STATES = {
    "taken": "taken",
    "sold": "sold",
    "held": "held",
    "house": "of the house",
    "unassigned": "in no stock",
}

_recent: TtlCache[tuple[int, bool], ReadyText] = TtlCache(
    lambda: settings.availability_seconds, largest=SHOWS_REMEMBERED
)
# What is under the seats is the same for ever, as the layout is.
_grounds: TtlCache[str, list[str]] = TtlCache(lambda: math.inf, largest=LAYOUTS_REMEMBERED)


def of_show(show_id: int, *, caller: Caller) -> ReadyText:
    """The SVG of a show that `caller` may see, settings.availability_seconds old at most."""
    show = seen_show_service.find_recent(show_id, caller=caller)
    staff = seen_show_service.is_staff(caller, show)
    return _recent.get((show.id, staff), lambda: ReadyText(_drawn(show, staff=staff).encode()))


def _drawn(show: SeenShow, *, staff: bool) -> str:
    layout = layout_service.of_show(show)
    status = seat_status_service.whole(show, staff=staff).status
    states = orjson.loads(f"{{{status.seats}}}")
    offers = seat_offer_service.assigned(show, layout)
    _, counts = availability_service.counted(show.id)
    return draw(Seen(show, layout, states, offers, counts, staff))


def draw(seen: Seen) -> str:
    """The picture as SVG."""
    bands = {sellers: n for n, sellers in enumerate(_bands(seen))}
    small = seen.layout.seat_count <= SEATS_OF_A_SMALL_HALL
    left, top, width, height = (number * TENTHS for number in seen.layout.bounds)
    unit = max(width / 60, 9.0)
    width, pad = max(width, 40 * unit), 2 * unit
    left -= (width - seen.layout.bounds[2] * TENTHS) / 2
    found = [_section(seen, section, bands, small=small) for section in seen.layout.sections]
    drawn = [section.svg for section in found]
    lines = [section.line for section in found] or ["There is no map of the hall."]
    names = [_name(section, unit, small=small) for section in found]
    legend, deep = _legend(seen, bands, left, top + height + pad, width, unit)
    box = (left - pad, top - pad, width + 2 * pad, height + deep + 2 * pad)
    title = f"{seen.show.title}: the seats"
    where = f"At {seen.show.venue}. " if seen.show.venue else ""
    x, y, wide, high = (_number(number) for number in box)
    return "".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="t d" ',
            f'viewBox="{x} {y} {wide} {high}">',
            f'<title id="t">{_text(title)}</title>',
            f'<desc id="d">{_text(where + ". ".join(lines))}.</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="paper" x="{x}" y="{y}" width="{wide}" height="{high}"/>',
            *_grounds.get(seen.layout.etag, lambda: [_area(each) for each in seen.layout.sections]),
            _stage(seen.layout, unit),
            *drawn,
            *names,
            *legend,
            "</svg>\n",
        ]
    )


@dataclass(frozen=True, slots=True)
class DrawnSection:
    """A section, how it is drawn, and what it says."""

    section: LaidOutSection
    svg: str
    line: str


def _bands(seen: Seen) -> list[Sellers]:
    """The offers that there are, each in a colour of its own, in the order of their tiers."""
    offers = seen.offers
    every = (offers.sections, offers.rows, offers.seats, offers.standing)
    known = {sellers for some in every for sellers in some.values()} - {()}
    order = {tier_id: n for n, tier_id in enumerate(seen.sheet.tiers)}
    return sorted(known, key=lambda sellers: [order.get(tier_id, 0) for tier_id in sellers])


def _section(
    seen: Seen, section: LaidOutSection, bands: Mapping[Sellers, int], *, small: bool
) -> DrawnSection:
    if not section.rows:
        line = standing(seen, section)
        number = bands.get(seen.offers.standing.get(section.name, ()))
        edge = "" if number is None else f" edge b{number % len(BANDS)}"
        floor = f'<polygon class="area{edge}" points="{_points(section.outline)}"/>'
        return DrawnSection(section, f"<g><title>{_text(line)}</title>{floor}</g>", line)
    free: defaultdict[Sellers, int] = defaultdict(int)
    pen, special = _Pen(), seen.layout.special
    titled: list[str] = []
    for mark, name, key, x, y in _seats(seen, section, bands, free):
        kind = special.get(key) if special else None
        if kind is not None and mark.startswith("f "):
            mark = f"{mark} o"
        if small:
            path = _Pen.one(mark, x, y)
            what = ", ".join(filter(None, (key, kind, name)))
            titled.append(f'<path class="{mark}" d="{path}"><title>{_text(what)}</title></path>')
        else:
            pen.draw(mark, x, y)
    line = seated(seen, section, free)
    seats = "".join(titled) if small else pen.svg()
    svg = f"<g><title>{_text(line)}</title>{seats}</g>"
    return DrawnSection(section, svg, line)


def _area(section: LaidOutSection) -> str:
    """What is under the seats of a section: its outline, or, where none was drawn, its rows."""
    if not section.rows:
        return ""
    if section.is_drawn:
        return f'<polygon class="area" points="{_points(section.outline)}"/>'
    path = "".join(
        f"M{row.xs[run[0]]} {row.ys[run[0]]}"
        + "".join(f"L{row.xs[n]} {row.ys[n]}" for n in run[1:] or run)
        for row in section.rows
        for run in _runs(row)
    )
    return f'<path class="rim" d="{path}"/><path class="floor" d="{path}"/>'


def _runs(row: LaidOutRow) -> Iterator[list[int]]:
    """The seats of a row up to each gap; of a long one some, which is enough for a curve."""
    step = SEATS_OF_A_CURVE if len(row.xs) > LONGEST_TABLE else 1
    run = [0]
    for n in range(1, len(row.xs)):
        if math.dist((row.xs[n], row.ys[n]), (row.xs[n - 1], row.ys[n - 1])) > GAP:
            yield [*run, n - 1]
            run = [n]
        elif n - run[-1] == step:
            run.append(n)
    yield [*run, len(row.xs) - 1]


def _seats(
    seen: Seen,
    section: LaidOutSection,
    bands: Mapping[Sellers, int],
    free: dict[Sellers, int],
) -> Iterator[tuple[str, str, str, int, int]]:
    """Each seat's class, what it is in words, its key, and where it is; counts those free."""
    states, offers = seen.states, seen.offers
    classes = {sellers: f"f b{number % len(BANDS)}" for sellers, number in bands.items()}
    names = {sellers: f"free, {offered(seen, sellers)}" for sellers in bands}
    for row in section.rows:
        together = offers.of_row(section.name, row.label)
        for key, x, y in zip(row.keys, row.xs, row.ys, strict=True):
            state = states.get(key)
            if state is not None:
                yield state, STATES[state], key, x, y
                continue
            sellers = offers.seats.get(key, ()) if together is None else together
            shape = classes.get(sellers)
            if shape is not None:
                free[sellers] += 1
                yield shape, names[sellers], key, x, y
            else:  # it was given to a tier, or taken from one, between two looks
                yield "unassigned", "not for sale", key, x, y


class _Pen:
    """Draws the seats of a section as one path for each shape, from one to the next."""

    def __init__(self) -> None:
        self._paths: dict[str, list[str]] = {}
        self._at: dict[str, tuple[int, int]] = {}
        self._shape = ""
        self._path: list[str] = []
        self._x = self._y = 0
        self._step = SHAPES.get("", DISC)

    @staticmethod
    def one(shape: str, x: int, y: int) -> str:
        """The path of a single seat."""
        stroke, dx, dy, _, _ = SHAPES.get(shape, DISC)
        return f"M{x + dx} {y + dy}{stroke}"

    def draw(self, shape: str, x: int, y: int) -> None:
        """Go on with the path of this shape; seats beside each other mostly have the same."""
        if shape != self._shape:
            self._take(shape)
        stroke, dx, dy, along, down = self._step
        x += dx
        y += dy
        self._path.append(f"m{x - self._x} {y - self._y}{stroke}")
        self._x = x + along
        self._y = y + down

    def _take(self, shape: str) -> None:
        self._at[self._shape] = self._x, self._y
        self._shape, self._step = shape, SHAPES.get(shape, DISC)
        self._path = self._paths.setdefault(shape, [])
        self._x, self._y = self._at.get(shape, (0, 0))

    def svg(self) -> str:
        return "".join(
            f'<path class="{shape}" d="{"".join(path)}"/>' for shape, path in self._paths.items()
        )


def _stage(layout: Layout, unit: float) -> str:
    stage = layout.stage
    if not stage:
        return ""
    x, y, width, height = (float(stage[name]) * TENTHS for name in ("x", "y", "width", "height"))
    label = short(str(stage.get("label") or "Stage"))
    rect = f'x="{_number(x)}" y="{_number(y)}" width="{_number(width)}" height="{_number(height)}"'
    size = min(unit * 1.4, height * 0.7)
    return f'<rect class="stage" {rect} rx="4"/>' + _words(
        x + width / 2, y + height / 2 + size / 3, label, size, middle=True
    )


def _name(drawn: DrawnSection, unit: float, *, small: bool) -> str:
    """The name of a section where it is seen: above its seats, or in the middle of a large one."""
    xs = [x * TENTHS for x, _ in drawn.section.outline]
    ys = [y * TENTHS for _, y in drawn.section.outline]
    middle = (min(xs) + max(xs)) / 2
    name = short(drawn.section.name)
    size = max(min(unit * 1.3, (max(xs) - min(xs)) / max(len(name), 1) * 1.6), unit * 0.5)
    if not drawn.section.rows:
        text = short(drawn.line)
        size = max(min(unit * 1.3, (max(xs) - min(xs)) / len(text) * 1.7), unit * 0.5)
        return _words(middle, (min(ys) + max(ys)) / 2 + size / 3, text, size, middle=True)
    if small:
        return _words(middle, min(ys) - 2, name, min(size, unit), middle=True)
    row = drawn.section.rows[len(drawn.section.rows) // 2]  # of a section in parts, one of them
    seat = len(row.keys) // 2
    return _words(row.xs[seat], row.ys[seat] + size / 3, name, size, middle=True)


def _legend(
    seen: Seen,
    bands: Mapping[Sellers, int],
    left: float,
    top: float,
    width: float,
    unit: float,
) -> tuple[list[str], float]:
    """The legend in columns, and how deep it is."""
    entries = [
        (f"f b{number % len(BANDS)}", offered(seen, sellers)) for sellers, number in bands.items()
    ][:LONGEST_LEGEND]
    if seen.layout.seat_count:
        known = ("held", "sold", "house", "unassigned") if seen.staff else ("taken",)
        entries += [(state, STATES[state]) for state in known]
        if seen.layout.special:
            entries.append(("f o", "accessible, companion or restricted view"))
    columns = 2
    scale = unit / 9
    drawn = []
    for number, (shape, words) in enumerate(entries):
        x = left + (number % columns) * width / columns + unit
        y = top + (number // columns + 0.5) * unit * 1.9
        at = f"translate({_number(x)} {_number(y)}) scale({_number(scale)})"
        path = _Pen.one(shape, 0, 0)
        drawn.append(f'<path class="{shape}" transform="{at}" d="{path}"/>')
        size = min(unit * 1.1, (width / columns - 2.5 * unit) / max(len(words), 1) * 1.75)
        drawn.append(_words(x + unit, y + size / 3, words, size))
    return drawn, -(-len(entries) // columns) * unit * 1.9 + unit


def _words(x: float, y: float, words: str, size: float, *, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return (
        f'<text x="{_number(x)}" y="{_number(y)}" font-size="{_number(size)}"'
        f' stroke-width="{_number(size / 4)}"{anchor}>{_text(words)}</text>'
    )


def _points(outline: Iterable[Point]) -> str:
    return " ".join(f"{_number(x * TENTHS)},{_number(y * TENTHS)}" for x, y in outline)


def _number(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _text(words: str) -> str:
    """Words as XML holds them; what it cannot hold is left out."""
    return escape(NOT_XML.sub("", words), {'"': "&quot;", "'": "&#39;"})
