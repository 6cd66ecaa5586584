"""How a picture of a hall looks: on light and dark screens, and on paper.

States are told apart by shape: a free seat is a disc, one that is taken, or sold, a bar, one that
is held stands upright, one of the house is a square, one in no stock a dot. Colours tell prices.
"""

BANDS = ("#1b6ef3", "#b5450b", "#0f7b54", "#8b2fc9", "#946200", "#c2185b", "#00727d", "#5a6472")
ON_DARK = ("#7fb0ff", "#ff9d66", "#4fd1a1", "#cf9bff", "#f0c04a", "#ff8ab5", "#5cd0dc", "#aeb8c6")

# What is written into a path for one seat, from where to where, and with which stroke.
SHAPES = {
    "taken": ("h6", -3, 0, 6, 0),
    "sold": ("h6", -3, 0, 6, 0),
    "held": ("v6", 0, -3, 0, 6),
    "house": ("h0", 0, 0, 0, 0),
    "unassigned": ("h0", 0, 0, 0, 0),
}
DISC = ("h0", 0, 0, 0, 0)


def _bands(colours: tuple[str, ...]) -> str:
    return "".join(f".b{number}{{stroke:{colour}}}" for number, colour in enumerate(colours))


STYLE = (
    "svg{--ink:#1c2230;--paper:#fff;--area:#f1f3f7;--edge:#c3c9d4;--gone:#8f98a8}"
    "text{fill:var(--ink);font-family:system-ui,sans-serif;stroke:var(--paper);"
    "paint-order:stroke;stroke-linejoin:round}"
    "path{fill:none}.paper{fill:var(--paper)}"
    ".area,.stage{fill:var(--area);stroke:var(--edge)}"
    ".f{stroke-width:7.4;stroke-linecap:round}"
    ".taken,.sold,.held{stroke:var(--gone);stroke-width:1.8}"
    ".house{stroke:var(--gone);stroke-width:4;stroke-linecap:square}"
    ".unassigned{stroke:var(--gone);stroke-width:2.2;stroke-linecap:round}"
    + _bands(BANDS)
    + "@media(prefers-color-scheme:dark){"
    "svg{--ink:#eef1f6;--paper:#12151c;--area:#1d222c;--edge:#454d5c;--gone:#7d8798}"
    + _bands(ON_DARK)
    + "}@media print{svg{--ink:#000;--paper:#fff;--area:#fff;--edge:#666;--gone:#666}"
    + _bands(BANDS)
    + "}"
)
