"""Every answer in the other tests is held equal to marshmallow's; here is what they may miss."""

import enum
from types import SimpleNamespace

import pytest
from marshmallow import (
    INCLUDE,
    RAISE,
    Schema,
    ValidationError,
    fields,
    post_dump,
    post_load,
    validate,
    validates_schema,
)

from utils.prepared_schema import dumped, prepared_to_read, read


class Colour(enum.Enum):
    RED = "red"


class Inner(Schema):
    size = fields.Integer()


class Outer(Schema):
    name = fields.String(data_key="called")
    colour = fields.Enum(Colour, by_value=True)
    inner = fields.Nested(Inner)
    inners = fields.Nested(Inner, many=True)
    sizes = fields.List(fields.Nested(Inner))
    deep = fields.Integer(attribute="inner.size")
    about = fields.Function(lambda thing: f"about {getattr(thing, 'name', None) or thing['name']}")
    many = fields.List(fields.Date())

    @post_dump
    def sign(self, data, **_kwargs):
        return data | {"signed": True}


THING = {
    "name": "Stage",
    "colour": Colour.RED,
    "inner": {"size": 3},
    "inners": [{"size": 1}, {"size": 2}],
    "sizes": [{"size": 4}],
    "many": [],
}


def plain(said):
    return {**said, "colour": said["colour"].value} if said.get("colour") else said


@pytest.mark.parametrize(
    "thing",
    [
        THING,
        SimpleNamespace(**THING),
        {**THING, "inner": None, "colour": None, "many": None},
        {"name": "Stage"},
    ],
)
def test_says_what_marshmallow_says(thing):
    said = plain(dumped(Outer(), thing))

    assert said == Outer().dump(thing)
    assert list(said) == list(Outer().dump(thing))


class Part(Schema):
    size = fields.Integer(strict=True, required=True)
    label = fields.String(allow_none=True, load_default="none")

    @post_load
    def pair(self, data, **_kwargs):
        return data["size"], data["label"]


class Whole(Schema):
    class Meta:
        unknown = RAISE

    name = fields.String(data_key="called", required=True)
    part = fields.Nested(Part, allow_none=True)
    parts = fields.List(fields.Nested(Part), validate=validate.Length(1, 2))
    tags = fields.List(fields.String(), load_default=list)

    @validates_schema
    def not_both(self, data, **_kwargs):
        if "part" in data and "parts" in data:
            raise ValidationError("Give either.", "part")


@pytest.mark.parametrize(
    "given",
    [
        {"called": "Stage"},
        {"called": "Stage", "part": None, "tags": ["a"]},
        {"called": "Stage", "part": {"size": 1, "label": None}},
        {"called": "Stage", "parts": [{"size": 1}, {"size": 2, "label": "x"}]},
        {"called": "Stage", "parts": []},
        {"called": "Stage", "parts": [{"size": 1}] * 3},
        {"called": "Stage", "parts": [{"size": "1"}, None, 3]},
        {"called": "Stage", "parts": "ab"},
        {"called": "Stage", "part": {"size": 1, "more": 2}},
        {"called": "Stage", "part": {"size": 1}, "parts": [{"size": 1}]},
        {"called": None},
        {"name": "Stage"},
        [],
        "Stage",
        None,
    ],
)
def test_reads_what_marshmallow_reads(given):
    def outcome(load):
        try:
            return load(given)
        except ValidationError as error:
            return error.messages

    schema = Whole()

    assert prepared_to_read(schema)
    assert outcome(lambda body: read(schema, body)) == outcome(schema.load)


@pytest.mark.parametrize("schema", [Whole(partial=True), Whole(many=True), Whole(unknown=INCLUDE)])
def test_leaves_to_marshmallow_what_reads_in_a_way_of_its_own(schema):
    assert prepared_to_read(schema) is None
