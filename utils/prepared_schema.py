"""Schemas made ready: what marshmallow would say, without asking it about every value.

A schema looks up each field's attribute, accessor, hooks and type for each object; here that is
worked out once. Values that JSON knows go out as they are, orjson writes enums by value, and
fields of other kinds are asked as ever. What comes in right is read by the fields alone; at the
first mistake marshmallow reads all of it again, and names each. The tests hold every answer equal
to `schema.dump` and `schema.load`.
"""

import functools
from collections.abc import Callable
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, missing
from marshmallow.decorators import POST_DUMP, POST_LOAD, PRE_LOAD, VALIDATES, VALIDATES_SCHEMA
from marshmallow.utils import get_value
from marshmallow.validate import Length

Get = Callable[[Any], Any]
Say = Callable[[Any, Any], Any]  # of a value and the object that it belongs to
Load = Callable[[Any], Any]
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


def read(schema: Schema, given: Any) -> Any:
    """What `schema.load` makes of what was given. Raises ValidationError with every mistake."""
    load = prepared_to_read(schema)
    if load is not None:
        try:
            return load(given)
        except ValidationError:
            pass
    return schema.load(given)


@functools.cache
def prepared_to_read(schema: Schema) -> Load | None:
    """A function that reads what is right and raises ValidationError at the first mistake.

    None for a schema that reads in a way of its own: in part, several, or what it does not know.
    """
    validators, finishers = schema._hooks[VALIDATES_SCHEMA], schema._hooks[POST_LOAD]
    of_its_own = schema._hooks[PRE_LOAD] or schema._hooks[VALIDATES]
    simple = not any(
        many or how.get("pass_original") for _name, many, how in [*finishers, *validators]
    )
    if of_its_own or not simple or schema.many or schema.partial or schema.unknown != RAISE:
        return None
    members = [_wanted(name, field) for name, field in schema.load_fields.items()]
    names = {key for key, _name, _read in members}
    checks = [getattr(schema, name) for name, _many, _how in validators]
    hooks = [getattr(schema, name) for name, _many, _how in finishers]
    said = {"many": False, "partial": schema.partial, "unknown": schema.unknown}

    def load(given: Any) -> Any:
        if not isinstance(given, dict) or not given.keys() <= names:
            raise ValidationError("Not what is wanted.")
        result: Any = {}
        for key, name, read in members:
            value = read(given.get(key, missing), given)
            if value is not missing:
                result[name] = value
        for check in checks:
            check(result, **said)
        for hook in hooks:
            result = hook(result, **said)
        return result

    return load


def _wanted(name: str, field: fields.Field[Any]) -> tuple[str, str, Callable[[Any, Any], Any]]:
    key, attribute = field.data_key or name, field.attribute or name

    def as_ever(value: Any, given: Any) -> Any:
        return field.deserialize(value, key, given)

    one = _nested(field)
    if one is not None:

        def mapping(value: Any, given: Any) -> Any:
            if not isinstance(value, dict):
                return as_ever(value, given)
            result = one(value)
            field._validate(result)
            return result

        return key, attribute, mapping
    each = _nested(field.inner) if isinstance(field, fields.List) else None
    if each is not None and all(isinstance(check, Length) for check in field.validators):

        def mappings(value: Any, given: Any) -> Any:
            if not isinstance(value, list):
                return as_ever(value, given)
            field._validate(value)  # how many, before what is in them
            return [each(inner) for inner in value]

        return key, attribute, mappings
    return key, attribute, as_ever


def _nested(field: fields.Field[Any]) -> Load | None:
    if not isinstance(field, fields.Nested) or field.many or field.unknown is not None:
        return None
    kind = type(field)
    if field.pre_load or field.post_load or kind._deserialize is not fields.Nested._deserialize:
        return None
    return prepared_to_read(field.schema)
