"""The published JSON Schema and what reads documents by hand say the same."""

import copy
import json

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from schemas import seat_labels, seat_map_rows
from schemas.seat_labels import NotDescribed
from schemas.seat_map_document import EXAMPLES, SCHEMA
from schemas.seat_map_reading import read_map

VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
# What no schema can say: whether labels exist, repeat, fit together, or are too many.
ACROSS = (
    "There is another",
    "There is no",
    "No row has",
    "Nothing says which",
    "is the last seat",
    "with no accessible seat",
    "nobody's companion",
    "holds 200,000",
    "runs backwards",
    "to leave out",
    "longer than",
    "Describes none",
    "is no range",
    "Is not a range",
    "two ways",
    "only numbers",
    "Rows have no aisle",
    "seats at most",
    "rows at most",
    "of them, or which",
    ": Must be 1 to 10 characters",
)

# Small words, so that what is made meets itself.
labels = st.sampled_from(["A", "B", "1", "2", "3", "", "x" * 11, "a/b", " A", "A-1", "½", "\u200e"])
described = st.sampled_from(
    ["1-3", "A-B", "3-1", "1-4 odd", "1 | 2", "1,2", "A-T without I", "", "-", "1-"]
)
numbers = st.sampled_from([0, 1, 2, 3, 1.5, 2.0, -1, True, "1", None, 100_001, 1e9])
flags = st.sampled_from([True, False, None, 1, "true"])
anything = st.one_of(labels, described, numbers, flags, st.just([]), st.just({}))


def objects(**members):
    """Objects with some of these members, and perhaps one that nobody knows."""
    optional = {name: st.one_of(value, value, value, anything) for name, value in members.items()}
    known = st.fixed_dictionaries({}, optional=optional)
    return st.one_of(known, known, known, st.builds(lambda a: a | {"odd": 1}, known))


def lists(items, most=3):
    return st.lists(items, max_size=most)


seats = objects(
    number=labels,
    gap_before=flags,
    x=numbers,
    y=numbers,
    accessible=flags,
    companion=flags,
    restricted_view=flags,
)
rows_seats = st.one_of(described, lists(st.one_of(labels, seats)))
aisles = lists(st.one_of(numbers, labels))
marks = lists(st.sampled_from(["A-1", "A-2", "B-9", 1]))
points = lists(lists(numbers), 4)
rows = objects(row=labels, seats=rows_seats, aisles_after=aisles)
exceptions = lists(objects(rows=described, seats=described, aisles_after=aisles))
tables = objects(table=labels, seats=st.one_of(numbers, rows_seats), x=numbers, y=numbers)
names = st.sampled_from(["Floor", "floor", "VIP A", "vip_a", "", " ", "x" * 101, "a\nb"])
marked = {"accessible": marks, "companion": marks, "restricted_view": marks}


def sections(kind, **members):
    return objects(name=names, kind=st.just(kind), **members)


any_section = st.one_of(
    sections("standing", capacity=numbers, outline=points),
    sections("seated", rows=numbers, seats_per_row=numbers, **marked),
    sections("seated", seats=lists(objects(row=labels, numbers=lists(labels)))),
    sections("seated", rows=described, seats=described, aisles_after=aisles, exceptions=exceptions),
    sections("seated", rows=lists(st.one_of(labels, rows)), seats=described, **marked),
    sections("tables", tables=st.one_of(described, lists(st.one_of(labels, tables)))),
    sections("tables", tables=described, seats_per_table=numbers, **marked),
    sections("lying", capacity=numbers),
)
stages = objects(x=numbers, y=numbers, width=numbers, height=numbers, label=names)
documents = objects(
    name=st.one_of(st.just("Hall"), names),
    note=names,
    stage=stages,
    sections=lists(any_section),
)


def mistakes(document):
    try:
        read_map(document)
    except ValidationError as error:
        return [(path, told) for path, each in error.messages.items() for told in each]
    return []


@settings(max_examples=1500, deadline=None)
@given(documents)
def test_what_is_read_is_what_the_schema_allows(document):
    found = mistakes(document)
    of_shape = [told for _, told in found if not any(words in told for words in ACROSS)]

    if VALIDATOR.is_valid(document):
        assert of_shape == []
    else:
        assert found != []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_each_example_is_valid_and_is_read(example):
    assert VALIDATOR.is_valid(example)
    assert mistakes(example) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["name"])
def test_without_any_member_that_must_be_there_neither_takes_it(example):
    for path, name in list(_members(example)):
        broken = copy.deepcopy(example)
        parent = broken
        for step in path:
            parent = parent[step]
        del parent[name]
        if not VALIDATOR.is_valid(broken):
            assert mistakes(broken) != [], (path, name)


def _members(value, path=()):
    if isinstance(value, dict):
        for name, inner in value.items():
            yield path, name
            yield from _members(inner, (*path, name))
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from _members(inner, (*path, n))


@pytest.mark.parametrize(
    "number",
    [10**400, -(10**400), 1e308, float("inf"), float("nan")],
    ids=["huge", "below all", "far", "infinite", "none"],
)
def test_a_number_that_no_drawing_has_is_named(number):
    stage = {"x": number, "y": 0, "width": 1, "height": number}
    row = {"row": "A", "seats": [{"number": "1", "x": number, "y": 0}]}
    section = {"name": "B", "kind": "seated", "rows": [row], "outline": [[number, 0]] * 3}
    floor = {"name": "F", "kind": "standing", "capacity": number}
    document = {"name": "A", "stage": stage, "sections": [section, floor]}

    assert [path for path, _ in mistakes(document)] == [
        "stage.x",
        "stage.height",
        "sections.0.outline.0",
        "sections.0.rows.0.seats.0.x",
        "sections.1.capacity",
    ]


def test_no_more_is_read_than_a_hall_could_have(monkeypatch):
    """A few bytes can describe a thousand rows, and a small body a hundred million of them."""
    read = []
    monkeypatch.setattr(
        seat_map_rows, "_are_labels", lambda labels, *_: not read.append(len(labels))
    )
    of_each = range(1, 1_000_000, 1000)
    exceptions = [{"rows": f"{n}-{n + 999}", "seats": "1-1000"} for n in of_each]
    section = {"kind": "seated", "rows": "A", "seats": "1-2", "exceptions": exceptions}
    sections = [section | {"name": f"S{n}"} for n in range(20)]

    found = mistakes({"name": "", "sections": sections})

    assert [path for path, _ in found] == ["name", "sections.0.exceptions.200"]
    assert sum(read) < 500_000


def test_the_schema_is_itself_valid():
    jsonschema_rs.meta.validate(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA


class TestDescriptions:
    @pytest.mark.parametrize(
        ("described", "names", "gaps"),
        [
            ("1-4", "1 2 3 4", []),
            ("4-1", "4 3 2 1", []),
            ("1-7 odd", "1 3 5 7", []),
            ("5-1 odd | 2-6 even", "5 3 1 2 4 6", [3]),
            ("2, 4,6", "2 4 6", []),
            ("1-3|4-6 | 7", "1 2 3 4 5 6 7", [3, 6]),
            ("08-11", "08 09 10 11", []),
            ("W1-W3", "W1 W2 W3", []),
            ("1-5 without 2 and 4", "1 3 5", []),
            ("1-5 without 2, 4", "1 3 5", []),
            ("1-3 | 4-6 without 3, 4", "1 2 5 6", [2]),
            ("A-D", "A B C D", []),
            ("c-e", "c d e", []),
            ("AA-CC", "AA BB CC", []),
            ("AA-AC", "AA AB AC", []),
            ("Y-AB", "Y Z AA AB", []),
            ("½, III", "½ III", []),
        ],
    )
    def test_says_which_seats_in_which_order(self, described, names, gaps):
        assert seat_labels.is_description(described)

        read = seat_labels.seats(described)

        assert (" ".join(read.names), sorted(read.gaps)) == (names, gaps)

    @pytest.mark.parametrize(
        ("described", "told"),
        [
            ("T-A", "backwards"),
            ("1-3000", "longer"),
            ("1-2000,1-2000", "longer"),
            ("5 odd", "no range"),
            ("A-T odd", "only numbers"),
            ("A-9", "no range"),
            ("é-ü", "no range"),
            ("A-BB", "two ways"),
            ("2-2 odd", "none"),
            ("1-3 without 4", "no 4"),
            ("1 without 1", "none"),
        ],
    )
    def test_tells_what_cannot_be_read(self, described, told):
        with pytest.raises(NotDescribed, match=told):
            seat_labels.seats(described)

    @pytest.mark.parametrize("described", ["T-A", "20-1", "A, D-B", "R9-R1"])
    def test_rows_do_not_run_back_by_mistake(self, described):
        with pytest.raises(NotDescribed, match="backwards"):
            seat_labels.rows(described)

    @pytest.mark.parametrize(
        "hostile",
        ["a without " + "and " * 480 + "|", "1-2," * 490 + "/", " " * 1990 + "/", "1" * 2000],
    )
    def test_what_is_no_description_is_refused_at_once(self, hostile):
        assert not seat_labels.is_description(hostile)
