"""`flask seat-maps`: halls in and out of files, for people with spreadsheets."""

import json
from pathlib import Path
from typing import Any, NoReturn

import click
from flask import Flask
from flask.cli import with_appcontext
from marshmallow import ValidationError

from config import settings
from controllers.cli_controller import plainly
from models.layout import WantedMap
from models.values import STRANGER
from schemas.fields import LARGEST_ID
from schemas.seat_map_csv import WrongLines, lines_of, read_lines
from schemas.seat_map_mistakes import each_of
from schemas.seat_map_pretix import read_plan
from schemas.seat_map_reading import name_is_wrong, read_map
from schemas.seat_map_schema import preview
from services import seat_map_service, seat_map_versions, venue_service
from utils import strict_json

KEY = click.IntRange(1, LARGEST_ID)
READ = click.Path(exists=True, dir_okay=False, path_type=Path)
BY_SUFFIX = {".csv": "csv"}


@click.group("seat-maps")
def seat_maps() -> None:
    """Read seat maps out of files, and write them into some."""


def register_commands(app: Flask) -> None:
    """Add the group to the app's commands."""
    app.cli.add_command(seat_maps)


@seat_maps.command("export")
@click.argument("seat_map_id", type=KEY)
@click.option("--version", "number", type=KEY, help="An older one, by number.")
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json")
@with_appcontext
@plainly
def export_map(seat_map_id: int, number: int | None, form: str) -> None:
    """Print a version of the seat map SEAT_MAP_ID, the current one unless told.

    JSON is whole, and can be imported or sent to the API as it is. CSV has a line for each seat,
    and neither the stage nor the outlines of sections.
    """
    seat_map = seat_map_service.find(seat_map_id, caller=STRANGER)
    version = seat_map_versions.find(seat_map, number or seat_map.current_version or 1)
    document = seat_map_versions.document(version)
    if form == "csv":
        for line in lines_of(document):
            click.echo(line, nl=False)
    else:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2))


@seat_maps.command("import")
@click.argument("venue_id", type=KEY)
@click.argument("file", type=READ)
@click.option("--name", help="What the map is called; the file's own name unless told.")
@click.option("--into", type=KEY, help="Make it the next version of this map of the venue.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "csv", "pretix"]),
    help="CSV where the file is called so, else JSON; pretix is its seating plan.",
)
@click.option("--dry-run", is_flag=True, help="Say what it would be, and write nothing.")
@with_appcontext
@plainly
def import_map(
    venue_id: int, file: Path, name: str | None, into: int | None, form: str | None, dry_run: bool
) -> None:
    """Lay the venue VENUE_ID out in another way, as FILE says.

    Every mistake in the file is told, by its line or its place in the document, and nothing is
    written then. A CSV has the columns section, kind (standing, seated or tables), row, seat,
    gap_before, accessible, companion, restricted_view, x, y, and capacity for standing sections;
    the seats of a row are in the order in which people sit.
    """
    form = form or BY_SUFFIX.get(file.suffix.lower(), "json")
    wanted = _read(file, form, name)
    venue = venue_service.find(venue_id, caller=STRANGER)
    if dry_run:
        seat_map_service.require_fit(venue, wanted.sections)
        _tell(wanted)
        return
    if into is None:
        made = seat_map_service.create(venue, wanted, caller=STRANGER)
        told = f"Made seat map {made.id}, {made.name}"
    else:
        seat_map = seat_map_service.find(into, caller=STRANGER)
        if seat_map.venue_id != venue.id:
            raise click.ClickException(f"Seat map {into} is of another venue.")
        version = seat_map_service.lay_out_anew(seat_map, wanted)
        told = f"Made version {version.number} of seat map {into}"
    seats = preview(wanted)["seats"]
    click.echo(f"{told}: {wanted.capacity:,} places, {seats:,} of them seats.")


def _read(file: Path, form: str, name: str | None) -> WantedMap:
    """The map in a file; ends with exit code 1 and every mistake where there are any."""
    if file.stat().st_size > settings.max_seat_map_bytes:
        raise click.ClickException(f"{file} is larger than {settings.max_seat_map_bytes:,} bytes.")
    if name is not None and (wrong := name_is_wrong(name)):
        raise click.BadParameter(wrong, param_hint="--name")
    try:
        if form == "csv":
            return read_lines(file.read_text("utf-8"), name or file.stem)
        document: Any = strict_json.loads(file.read_bytes())
        if name is not None and isinstance(document, dict):
            document["name"] = name
        return read_plan(document) if form == "pretix" else read_map(document)
    except UnicodeDecodeError:
        raise click.ClickException(f"{file} is not UTF-8.") from None
    except WrongLines as wrong:
        _give_up(file, [f"line {n}: {told}" if n else told for n, told in wrong.mistakes])
    except ValidationError as error:
        _give_up(file, [f"{path}: {told}" for path, told in each_of(error)])


def _give_up(file: Path, mistakes: list[str]) -> NoReturn:
    for mistake in mistakes:
        click.echo(mistake, err=True)
    raise click.ClickException(f"{file} was not imported: {len(mistakes)} mistakes.")


def _tell(wanted: WantedMap) -> None:
    """A line for each section, and the sum."""
    told = preview(wanted)
    for section in told["sections"]:
        click.echo(
            f"  {section['name']}: {section['kind']}, {section['rows']} rows, "
            f"{section['capacity']:,} places"
        )
    click.echo(
        f"{told['name']}: {told['capacity']:,} places, {told['seats']:,} of them seats. "
        "Nothing was written."
    )
