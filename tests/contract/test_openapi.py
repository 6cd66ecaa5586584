"""The OpenAPI document against the API, operation by operation, with every check there is."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.pytest._test_builder import build_operation_test

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
OPERATIONS = [
    (method.upper(), path)
    for path, operations in json.loads(DOCUMENT.read_bytes())["paths"].items()
    for method in operations
    if method != "parameters"
]

@cache
def loaded(max_examples, coverage=True):
    config = schemathesis.Config.from_dict(
        {
            "seed": 1,
            "generation": {
                "deterministic": True,
                "max-examples": max_examples,
                "with-security-parameters": False,
            },
            "phases": {"coverage": {"enabled": coverage}, "stateful": {"enabled": False}},
        }
    )
    return schemathesis.openapi.from_path(DOCUMENT, config=config)


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
@pytest.mark.parametrize("caller", ["admin", "owner", "attendee", "stranger"])
def test_it(app, world, undone, operation, caller):
    schema = loaded(10)
    schema.app = app
    method, path = operation
    headers = world.callers[caller]

    def one_case(case):
        at_home(case, world)
        with undone():
            try:
                case.call_and_validate(headers=headers)
            except BaseException as e:
                for f in getattr(e, "exceptions", [e]):
                    m = case.meta
                    with open("/tmp/fails.jsonl", "a") as out:
                        print(json.dumps({"op": case.operation.label, "caller": caller, "kind": type(f).__name__, "msg": str(f)[:600],
                            "phase": m.phase.name.value, "data": str(m.phase.data)[:400], "full": str(e)[-1800:]}), file=out)

    test = build_operation_test(
        config=schema.config, operation=schema[path][method], test_func=one_case, given_kwargs={}, feedback=NO_FEEDBACK
    )
    test()


def at_home(case: Any, world) -> None:
    """Point what a case names at rows that exist."""
    for name in case.path_parameters:
        value = case.path_parameters[name]
        if name in world.ids and isinstance(value, int) and 0 < value < 2**63 and value % 4:
            known = world.ids[name]
            case.path_parameters[name] = known[value % len(known)]
