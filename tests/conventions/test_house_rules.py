"""The house rules, as tests: what a review would otherwise have to remember."""

import ast
import re
from pathlib import Path

import pytest

import config
from controllers.api_document import openapi_text, problems_text
from init import Base, api
from utils.errors import every_problem

ROOT = Path(__file__).parents[2]
LAYERS = ("controllers", "jobs", "schemas", "services", "models", "integrations", "utils")
SOURCES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]
NOBODY_IN_PARTICULAR = {  # endpoints that everyone may call, signed in or not
    "auth.forgot_password",
    "auth.login",
    "auth.refresh",
    "auth.register",
    "auth.reset_password",
    "auth.token",
    "auth.verify_email",
    "health.health",
    "health.ready",
    "health.welcome",
    "openapi",
    "problems.list_problems",
    "problems.show_problem",
    "seat_maps.show_seat_map_schema",
    "swagger_ui.show",
}


def files_matching(pattern: str) -> set[str]:
    return {path.name for path in SOURCES if re.search(pattern, path.read_text())}


def test_one_file_commits():
    assert files_matching(r"session\w*\.commit\(") == {"transaction.py"}
    # A statement that finds its connection dead has begun nothing that could be undone.
    assert files_matching(r"session\w*\.rollback\(") == {"transaction.py", "statement.py"}


def test_schemas_are_made_once():
    """What is prepared of one is kept for good: one for each request would fill the memory."""
    assert not files_matching(r"(answer|rendered|dumped|read|loaded)\(\s*\w+Schema\(")


def test_nobody_reads_the_clock_of_this_machine():
    """Holds and sales live by the database's clock (utils/clock.py)."""
    found = files_matching(r"datetime\.(utc)?now\(|date\.today\(|time\.time\(")
    assert found <= {"demo_service.py", "demo_world.py", "rate_counts.py"}


def test_no_float_is_money():
    assert not files_matching(r"Numeric\(|Decimal\(")


def test_every_endpoint_names_its_permission(app):
    silent = {name for name, view in app.view_functions.items() if not hasattr(view, "permission")}
    assert silent == NOBODY_IN_PARTICULAR


def test_every_endpoint_says_what_it_does_in_a_sentence(app):
    for name, view in app.view_functions.items():
        if name != "swagger_ui.show":
            assert view.__doc__, name
            assert view.__doc__.strip().endswith("."), name


def test_every_public_function_of_a_service_says_what_the_caller_gets():
    silent = [
        f"{path.name}:{node.name}"
        for path in SOURCES
        if path.parent.name == "services"
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_problem_has_one_code_and_a_description():
    codes = [problem.code for problem in every_problem()]
    assert len(codes) == len(set(codes))
    for problem in every_problem():
        assert problem.__doc__, problem
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", problem.code)


def test_every_setting_is_in_the_example_environment():
    example = (ROOT / ".env.example").read_text()
    for variable in config.ENVIRONMENT:
        assert re.search(rf"^#? ?{variable}=", example, re.MULTILINE), variable


@pytest.mark.parametrize("model", sorted(m.class_.__name__ for m in Base.registry.mappers))
def test_every_table_can_be_read_by_name(model):
    table = next(m for m in Base.registry.mappers if m.class_.__name__ == model).local_table
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*s", table.name)


def test_the_openapi_document_is_the_one_that_was_agreed_on(app):
    """After a change that is meant: `make docs`, and look at the diff."""
    assert (ROOT / "docs" / "openapi.json").read_text() == openapi_text(api)


def test_the_list_of_problems_is_up_to_date(app):
    assert (ROOT / "docs" / "problems.md").read_text() == problems_text()
