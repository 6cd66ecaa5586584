"""How a picture of a hall looks: on light and dark screens, and on paper.

States are told apart by shape: a free seat is a disc, one that is taken, or sold, a bar, one that
is held stands upright, one of the house is a square, one in no stock a dot. A free seat that is not
like the others is smaller. Colours tell prices.
"""

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one medium."""

    ink: str
    paper: str
    area: str
    edge: str
    gone: str
    bands: tuple[str, ...]

    def rules(self) -> str:
        bands = "".join(f".b{n}{{stroke:{colour}}}" for n, colour in enumerate(self.bands))
        return (
            f"text{{fill:{self.ink};stroke:{self.paper}}}.paper{{fill:{self.paper}}}"
            f".rim{{stroke:{self.edge}}}.floor{{stroke:{self.area}}}"
            f".area,.stage{{fill:{self.area};stroke:{self.edge}}}"
            f".o{{stroke:{self.ink}}}"
            f".taken,.sold,.held,.house,.unassigned{{stroke:{self.gone}}}{bands}"
        )


LIGHT = Palette("#1c2230", "#fff", "#f1f3f7", "#c3c9d4", "#7d8695", BANDS)
DARK = Palette("#eef1f6", "#12151c", "#1d222c", "#454d5c", "#8b95a6", ON_DARK)
PAPER = Palette("#000", "#fff", "#fff", "#666", "#555", BANDS)

# No variables: not everything that draws SVG knows them.
STYLE = (
    "text{font-family:system-ui,sans-serif;paint-order:stroke;stroke-linejoin:round}"
    "path{fill:none}"
    ".rim,.floor{stroke-width:18;stroke-linecap:round;stroke-linejoin:round}"
    ".rim{stroke-width:20}"
    ".edge{stroke-width:3}"
    ".f{stroke-width:7.4;stroke-linecap:round}"
    ".o{stroke-width:4.2}"
    ".taken,.sold,.held{stroke-width:1.8}"
    ".house{stroke-width:4;stroke-linecap:square}"
    ".unassigned{stroke-width:2.2;stroke-linecap:round}"
    f"{LIGHT.rules()}"
    f"@media (prefers-color-scheme:dark){{{DARK.rules()}}}"
    f"@media print{{{PAPER.rules()}}}"
)
