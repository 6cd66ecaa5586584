"""`flask permissions` tells the same as the code and as the documentation."""

import json

from controllers.permission_table import lines
from models.permissions import RULES, Permission


def test_the_command_prints_every_route(app):
    result = app.test_cli_runner().invoke(args=["permissions"])

    assert result.exit_code == 0, result.output
    printed = result.output.splitlines()
    assert len(printed) == len(list(lines(app)))
    [line] = [line for line in printed if line.split()[:2] == ["POST", "/shows/{show_id}/pause"]]
    assert line.split(maxsplit=3)[2:] == ["show:edit", "admin, manager"]


def test_programs_read_json(app):
    result = app.test_cli_runner().invoke(args=["permissions", "--json"])

    assert [line["path"] for line in json.loads(result.output)] == [x.path for x in lines(app)]


def test_every_permission_is_named_by_a_route_or_asked_inside_one(app):
    named = {line.permission for line in lines(app)}

    # Asked of a body: selling at the desk is placing a booking, with another channel.
    assert {str(p) for p in Permission} - named <= {"booking:sell", "sales:read", "stock:edit"}
    assert set(RULES) == set(Permission)


def test_the_documentation_of_each_operation_shows_its_line(app):
    document = app.test_client().get("/openapi.json").json
    for line in lines(app):
        operation = document["paths"].get(line.path, {}).get(line.method.lower())
        if operation and line.permission in set(Permission):
            assert (
                f"Permission `{line.permission}`: {', '.join(line.who)}."
                in (operation["description"])
            )
