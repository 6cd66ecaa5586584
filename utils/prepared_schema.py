"""Schemas made ready to dump: what marshmallow would say, without asking it about every value.

A schema looks up each field's attribute, accessor, hooks and type for each object; here that is
worked out once. Values that JSON knows go out as they are, orjson writes enums by value, and
fields of other kinds are asked as ever. The tests hold every answer equal to `schema.dump`.
"""

import functools
from collections.abc import Callable
from typing import Any

from marshmallow import Schema, fields, missing
from marshmallow.decorators import POST_DUMP
from marshmallow.utils import get_value

Get = Callable[[Any], Any]
Say = Callable[[Any, Any], Any]  # of a value and the object that it belongs to
AS_THEY_ARE = (fields.String, fields.Integer, fields.Boolean, fields.Enum)


def dumped(schema: Schema, result: Any) -> Any:
    """What `schema.dump` says of one object, as JSON text would have it."""
    return prepared(schema)(result)


@functools.cache
def prepared(schema: Schema) -> Get:
    """A function from an object, or a mapping, to what the schema says of it."""
    members = [_member(name, field) for name, field in schema.dump_fields.items()]
    hooks = [getattr(schema, name) for name, _many, _ in schema._hooks[POST_DUMP]]

    def dump(result: Any) -> Any:
        said = {}
        for key, get, say in members:
            value = get(result)
            if value is not missing:
                said[key] = value if say is None or value is None else say(value, result)
        for hook in hooks:
            said = hook(said, many=False)
        return said

    return dump


def _member(name: str, field: fields.Field[Any]) -> tuple[str, Get, Say | None]:
    attribute = field.attribute or name
    key = field.data_key or name
    if not field._CHECK_ATTRIBUTE:
        return key, lambda result: field.serialize(attribute, result), None
    get = _getter(attribute)
    if type(field).get_value is not fields.Field.get_value:
        get = functools.partial(field.get_value, attr=attribute)
    return key, get, _speaker(field, attribute)


def _getter(attribute: str) -> Get:
    if "." in attribute:
        return lambda result: get_value(result, attribute, missing)

    def get(result: Any) -> Any:
        if isinstance(result, dict):
            return result.get(attribute, missing)
        return getattr(result, attribute, missing)

    return get


def _speaker(field: fields.Field[Any], attribute: str) -> Say | None:
    if isinstance(field, AS_THEY_ARE) and type(field)._serialize.__module__ == fields.__name__:
        return None
    if isinstance(field, fields.Nested):
        one = prepared(field.schema)
        if field.many or field.schema.many:
            return lambda values, _of: [one(value) for value in values]
        return lambda value, _of: one(value)
    if isinstance(field, fields.List):
        inner = _speaker(field.inner, attribute)
        if inner is None:
            return lambda values, _of: list(values)
        return lambda values, of: [None if v is None else inner(v, of) for v in values]
    return lambda value, of: field._serialize(value, attribute, of)
