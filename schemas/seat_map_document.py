"""The JSON Schema of a seat map, as it is published, with examples.

seat_map_reading reads the same by hand and checks more: what no schema can say has a sentence at
its path there.
"""

from typing import Any

from models.venue import LARGEST_VENUE
from schemas.seat_labels import DESCRIPTION, LABEL, LONGEST_DESCRIPTION, LONGEST_LABEL
from schemas.seat_map_checks import MOST_MARKED
from schemas.seat_map_reading import (
    LARGEST_STAGE,
    LONGEST_NAME,
    LONGEST_NOTE,
    MOST_CORNERS,
    MOST_SECTIONS,
)
from schemas.seat_map_rows import FARTHEST, MOST_AT_TABLE, MOST_IN_ROW, MOST_ROWS

Rule = dict[str, Any]


def _ref(name: str) -> Rule:
    return {"$ref": f"#/$defs/{name}"}


def _list(items: Rule, most: int, *, least: int = 1) -> Rule:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _object(required: str, about: str, **properties: Rule) -> Rule:
    return {
        "description": about,
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def _whole(smallest: int, largest: int) -> Rule:
    return {"type": "integer", "minimum": smallest, "maximum": largest}


def _name(longest: int) -> Rule:
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": r"\S"}


FLAG: Rule = {"type": "boolean"}
BOTH_OR_NONE: Rule = {"x": ["y"], "y": ["x"]}
MARKED: dict[str, Rule] = {
    name: _list({"type": "string"}, MOST_MARKED, least=0)
    for name in ("accessible", "companion", "restricted_view")
}
AISLES: Rule = _list({"oneOf": [_ref("label"), _whole(0, 10**9)]}, 100, least=0)


def _section(kind: str, required: str, about: str, **properties: Rule) -> Rule:
    common = {
        "name": _name(LONGEST_NAME),
        "kind": {"const": kind},
        "outline": _list(_ref("corner"), MOST_CORNERS, least=3),
    }
    return _object(f"name kind {required}", about, **common, **properties)


DEFS: dict[str, Rule] = {
    "label": {
        "description": "What is painted on a row, a table or a seat",
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST_LABEL,
        "pattern": LABEL,
    },
    "described": {
        "description": "Labels and ranges: `1-40`, `40-1`, `39-1 odd | 2-40 even` with an aisle "
        "between, `2, 4, 6`, `1-20 without 13`, `A-T without I, O`, `AA-FF`",
        "type": "string",
        "maxLength": LONGEST_DESCRIPTION,
        "pattern": DESCRIPTION,
    },
    "coordinate": {
        "description": "In seats' widths; y grows away from the stage",
        "type": "number",
        "minimum": -FARTHEST,
        "maximum": FARTHEST,
    },
    "corner": {
        "type": "array",
        "items": _ref("coordinate"),
        "minItems": 2,
        "maxItems": 2,
    },
    "seat": {
        **_object(
            "number",
            "A seat with all that is known of it; without coordinates it is drawn where a plain "
            "hall would have it. `gap_before`: an aisle, or nothing, comes before it",
            number=_ref("label"),
            gap_before=FLAG,
            x=_ref("coordinate"),
            y=_ref("coordinate"),
            accessible=FLAG,
            companion=FLAG,
            restricted_view=FLAG,
        ),
        "dependentRequired": BOTH_OR_NONE,
        "not": {
            "required": ["accessible", "companion"],
            "properties": {"accessible": {"const": True}, "companion": {"const": True}},
        },
    },
    "seats": {
        "description": "The seats of one row in the order in which people sit: printed numbers lie",
        "oneOf": [
            _ref("described"),
            _list({"oneOf": [_ref("label"), _ref("seat")]}, MOST_IN_ROW),
        ],
    },
    "row": _object(
        "row",
        "A row with what is its own",
        row=_ref("label"),
        seats=_ref("seats"),
        aisles_after=AISLES,
    ),
    "table": {
        **_object(
            "table",
            "A table; where it stands, its seats are laid round it",
            table=_ref("label"),
            seats={
                "oneOf": [
                    _whole(1, MOST_AT_TABLE),
                    _ref("described"),
                    _list({"oneOf": [_ref("label"), _ref("seat")]}, MOST_AT_TABLE),
                ]
            },
            x=_ref("coordinate"),
            y=_ref("coordinate"),
        ),
        "dependentRequired": BOTH_OR_NONE,
    },
    "standing": _section(
        "standing",
        "capacity",
        "A floor to stand on",
        capacity=_whole(1, LARGEST_VENUE),
    ),
    "counted": _section(
        "seated",
        "rows seats_per_row",
        "Rows called A to Z, AA, AB …, with seats called 1, 2 …",
        rows=_whole(1, MOST_ROWS),
        seats_per_row=_whole(1, MOST_IN_ROW),
        **MARKED,
    ),
    "listed": _section(
        "seated",
        "seats",
        "Rows with the numbers of their seats",
        seats=_list(
            _object(
                "row numbers",
                "A row",
                row=_ref("label"),
                numbers=_list(_ref("label"), MOST_IN_ROW),
            ),
            MOST_ROWS,
        ),
        **MARKED,
    ),
    "rows": _section(
        "seated",
        "rows",
        "Rows in order, the best first. `seats` and `aisles_after` hold for all rows that "
        "say nothing else, alone or in `exceptions`; an aisle is after a printed number",
        rows={
            "oneOf": [
                _ref("described"),
                _list({"oneOf": [_ref("label"), _ref("row")]}, MOST_ROWS),
            ]
        },
        seats=_ref("described"),
        aisles_after=AISLES,
        exceptions=_list(
            {
                **_object(
                    "rows",
                    "Rows that differ from the others",
                    rows=_ref("described"),
                    seats=_ref("described"),
                    aisles_after=AISLES,
                ),
                "anyOf": [{"required": ["seats"]}, {"required": ["aisles_after"]}],
            },
            MOST_ROWS,
        ),
        **MARKED,
    ),
    "tables": _section(
        "tables",
        "tables",
        "Tables, each with `seats`, or all with `seats_per_table`",
        tables={
            "oneOf": [
                _ref("described"),
                _list({"oneOf": [_ref("label"), _ref("table")]}, MOST_ROWS),
            ]
        },
        seats_per_table=_whole(1, MOST_AT_TABLE),
        **MARKED,
    ),
    "stage": _object(
        "x y width height",
        "Where the stage is drawn: its upper left corner and its size, in seats' widths",
        x=_ref("coordinate"),
        y=_ref("coordinate"),
        width={"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST_STAGE},
        height={"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST_STAGE},
        label=_name(LONGEST_NAME),
    ),
}
SECTIONS = ("standing", "counted", "listed", "rows", "tables")

EXAMPLES: list[dict[str, Any]] = [
    {
        "name": "Theatre",
        "stage": {"x": -8, "y": -6, "width": 16, "height": 4, "label": "Stage"},
        "sections": [
            {
                "name": "Stalls",
                "kind": "seated",
                "rows": "A-T without I, O",
                "seats": "39-1 odd | 2-40 even",
                "exceptions": [{"rows": "A-B", "seats": "31-1 odd | 2-32 even"}],
                "accessible": ["T-39", "T-40"],
                "companion": ["T-37", "T-38"],
            },
            {
                "name": "Circle",
                "kind": "seated",
                "rows": "AA-FF",
                "seats": "1-40",
                "aisles_after": [10, 30],
                "restricted_view": ["FF-1", "FF-40"],
            },
        ],
    },
    {
        "name": "Club",
        "note": "With the small stage",
        "sections": [
            {"name": "General Admission", "kind": "standing", "capacity": 1200},
            {
                "name": "VIP",
                "kind": "tables",
                "tables": [
                    {"table": "1", "seats": 4, "x": -12, "y": 20},
                    {"table": "2", "seats": 6, "x": 12, "y": 20},
                ],
            },
        ],
    },
    {
        "name": "Seat by seat",
        "sections": [
            {
                "name": "Box 4",
                "kind": "seated",
                "outline": [[0, 0], [4, 0], [4, 3], [0, 3]],
                "rows": [
                    {
                        "row": "A",
                        "seats": [
                            {"number": "1", "x": 0.5, "y": 1, "accessible": True},
                            {"number": "2", "x": 1.5, "y": 1, "companion": True},
                            {"number": "3", "x": 3, "y": 1.2, "gap_before": True},
                        ],
                    }
                ],
            }
        ],
    },
    {
        "name": "Counted",
        "sections": [
            {"name": "Terrace", "kind": "seated", "rows": 10, "seats_per_row": 40},
            {
                "name": "Gallery",
                "kind": "seated",
                "seats": [{"row": "A", "numbers": ["2", "1", "3"]}],
            },
        ],
    },
]

SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Seat map",
    **_object(
        "name sections",
        "How a hall is laid out: sections in the order in which they are shown, and their rows "
        "from the best back",
        name=_name(LONGEST_NAME),
        note={"oneOf": [_name(LONGEST_NOTE), {"type": "null"}]},
        stage={"oneOf": [_ref("stage"), {"type": "null"}]},
        sections=_list({"oneOf": [_ref(name) for name in SECTIONS]}, MOST_SECTIONS),
    ),
    "examples": EXAMPLES,
    "$defs": DEFS,
}


def inlined(rule: Any) -> Any:
    """The schema without references, for a document that has others."""
    if isinstance(rule, list):
        return [inlined(each) for each in rule]
    if not isinstance(rule, dict):
        return rule
    if "$ref" in rule:
        return inlined(DEFS[rule["$ref"].removeprefix("#/$defs/")])
    return {name: inlined(each) for name, each in rule.items() if name not in ("$defs", "$schema")}
