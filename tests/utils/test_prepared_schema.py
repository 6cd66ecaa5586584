"""Every answer in the other tests is held equal to marshmallow's; here is what they may miss."""

import enum
from types import SimpleNamespace

import pytest
from marshmallow import Schema, fields, post_dump

from utils.prepared_schema import dumped


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
