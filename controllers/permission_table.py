"""`flask permissions`: who may call what, as the code has it."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click
from flask import Flask, current_app
from flask.cli import with_appcontext

from models.permissions import RULES

NO_PERMISSION = "-"
OPEN = "open to all; what it takes may be a credential"


@dataclass(frozen=True)
class Line:
    """A route, the permission that it names, and whom the rules of that let in."""

    method: str
    path: str
    permission: str
    who: list[str]


def lines(app: Flask) -> Iterator[Line]:
    """Every route, by path; one that names no permission is open to all."""
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        permission = getattr(app.view_functions[rule.endpoint], "permission", None)
        who = [each.__name__.replace("_", " ") for each in RULES[permission]] if permission else []
        path = re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Line(method, path, str(permission or NO_PERMISSION), who or [OPEN])


@click.command("permissions")
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON array.")
@with_appcontext
def permissions(as_json: bool) -> None:
    """Print who may call what: every route, its permission, and the rules of that.

    One rule that says yes is enough. The rules are in models/permissions.py, top to bottom; what
    somebody cannot even see is not found, whatever their permission.
    """
    table = list(lines(current_app))
    if as_json:
        click.echo(json.dumps([asdict(line) for line in table], indent=2))
        return
    widths = [max(len(text) for text in column) for column in _columns(table)]
    for line in table:
        cells = (line.method, line.path, line.permission)
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        click.echo("  ".join([*padded, ", ".join(line.who)]))


def _columns(table: list[Line]) -> list[list[str]]:
    return [
        [line.method for line in table],
        [line.path for line in table],
        [line.permission for line in table],
    ]
