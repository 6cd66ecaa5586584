"""`flask db`: beside Flask-Migrate's own commands, those that make, fill and check a database."""

import functools
import json
import re
import sys
from collections.abc import Callable
from typing import Any, cast

import click
from flask import Flask
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from config import settings
from controllers.permission_table import permissions
from models.values import STRANGER
from schemas.fields import LARGEST_ID
from services import (
    demo_large,
    demo_service,
    mail_service,
    report_service,
    schema_service,
    seat_drawing_service,
    user_service,
    verify_service,
)
from services.demo_large_world import LargeWorld, WorldDoesNotFit
from services.mail_service import Queued
from services.verify_service import INVARIANTS, Breach
from utils.errors import ApiError
from utils.progress import Progress

NOT_MIGRATED = ("42P01", "42703")  # no such table, no such column


def register_commands(app: Flask) -> None:
    """Add the commands to the group that Flask-Migrate has given the app."""
    group = cast(click.Group, app.cli.commands["db"])
    for command in (create, drop, seed, total_count, verify, roles):
        group.add_command(command)
    app.cli.add_command(make_admin)
    app.cli.add_command(permissions)
    app.cli.add_command(mails)
    app.cli.add_command(draw)


def plainly(deed: Callable[..., None]) -> Callable[..., None]:
    """Tell what a person can do something about in one line, and exit with 1."""

    @functools.wraps(deed)
    def told(*args: Any, **kwargs: Any) -> None:
        try:
            deed(*args, **kwargs)
        except ApiError as refusal:
            raise click.ClickException(refusal.detail) from None
        except PoolTimeout:
            raise click.ClickException("Every connection to the database is in use.") from None
        except DBAPIError as error:
            raise click.ClickException(_what_is_wrong(error)) from None

    return told


def _what_is_wrong(error: DBAPIError) -> str:
    if getattr(error.orig, "pgcode", None) in NOT_MIGRATED:
        return "The database is not up to date: run `flask db create`."
    said = str(error.orig).strip().splitlines() or ["no word from it"]
    return f"The database refuses: {said[0]}"


@click.command()
@with_appcontext
@plainly
def create() -> None:
    """Make the tables, or bring them up to date.

    The same as `upgrade` to the newest migration; what is there already stays as it is.
    """
    upgrade()
    click.echo(f"The tables of {schema_service.address()} are up to date.")


@click.command()
@click.option("-y", "--yes", is_flag=True, help="Do not ask, on a terminal either.")
@click.option("--force", is_flag=True, help="Do it on a production configuration, too.")
@with_appcontext
@plainly
def drop(yes: bool, force: bool) -> None:
    """Drop all tables of GigMate, with everything in them.

    Asks first on a terminal. What else is in the database stays.
    """
    address = schema_service.address()
    if settings.in_production and not force:
        raise click.ClickException(
            f"{address} is in production: nothing is dropped without --force."
        )
    if sys.stdin.isatty() and not yes:
        click.confirm(f"Drop every table of {address}, with everything in it?", abort=True)
    schema_service.drop()
    click.echo(f"Dropped the tables of {address}.")


def _large(what: str) -> str:
    default = getattr(LargeWorld(), what.split()[-1])
    return f"Large: how many {what}.  [default: {default:,}]"


@click.command()
@click.option(
    "--size",
    type=click.Choice(["small", "large"]),
    default="small",
    show_default=True,
    help="Large takes two to five minutes, and 4 GB of disk with what is written on the way.",
)
@click.option("--bookings", type=click.IntRange(1, 10_000_000), help=_large("confirmed bookings"))
@click.option("--shows", type=click.IntRange(1, 100_000), help=_large("shows"))
@click.option("--events", type=click.IntRange(1, 100_000), help=_large("events"))
@click.option("--seed", type=int, help="Large: another number, another world.  [default: 1]")
@with_appcontext
@plainly
def seed(size: str, **numbers: Any) -> None:
    """Fill a database that has no accounts yet with a demo world.

    Halls, organisers, tours, tiers and bookings in every state, dated from today, and one account
    per role, all with the same published password; also two API keys, a shop's and a scanner's,
    made for this database and shown this once. Refused on a production configuration.

    A large world, to measure in, has 2,000 events more, with 10,000 shows and 1,000,000 confirmed
    bookings; show 19 has 80,000 seats, and shows 20 to 29 have 20,000 places each. It is made
    whole or not at all, while nobody else uses the database.
    """
    named = {name: number for name, number in numbers.items() if number is not None}
    if named and size != "large":
        raise click.UsageError(f"--{next(iter(named))} is for --size large.")
    progress = Progress()
    try:
        made = demo_service.seed(LargeWorld(**named) if size == "large" else None, tell=progress)
    except (demo_service.NoDemoHere, WorldDoesNotFit) as refusal:
        raise click.ClickException(str(refusal)) from None
    except KeyboardInterrupt:
        progress.clear()
        raise click.ClickException(_after_interruption()) from None
    if not made:
        again = "flask db seed --size large" if size == "large" else "flask db seed"
        raise click.ClickException(
            "There are accounts already, and nothing was added; to start over: "
            f"flask db drop && flask db create && {again}"
        )
    counts = [f"{count:,} {name.replace('_', '-')}" for name, count in made.items()]
    click.echo(f"Made {', '.join(counts[:-1])} and {counts[-1]}.")
    click.echo(f"Accounts, all with the password {demo_service.PASSWORD}:")
    for role, email in demo_service.LOGINS.items():
        click.echo(f"  {role:<10} {email}")
    for name, secret in demo_service.hand_out_keys().items():
        click.echo(f"  {name + ' key':<10} {secret}")
    if size == "large":
        click.echo(f"  {'buyer':<10} {demo_large.account_email(0)} and many more")


def _after_interruption() -> str:
    if demo_service.is_empty():
        return "Interrupted: nothing was added. To start anew, run the same command again."
    return "Interrupted while tidying up: all is there, and the database tidies up by itself."


@click.command("total_count")
@click.argument("event_id", type=click.IntRange(1, LARGEST_ID))
@click.option("--by-section", is_flag=True, help="Say of each section, too, how many.")
@with_appcontext
@plainly
def total_count(event_id: int, by_section: bool) -> None:
    """Print how many tickets of the event EVENT_ID are sold.

    Counts those that are valid or used, of confirmed bookings, over all of its shows.
    """
    sold = report_service.tickets_sold(event_id)
    click.echo(f"Total tickets sold for Event ID {event_id}: {sold}")
    if by_section:
        for section, count in report_service.tickets_sold_by_section(event_id).items():
            click.echo(f"  {section}: {count}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: one JSON object.")
@with_appcontext
@plainly
def verify(as_json: bool) -> None:
    """Check what must be true at any moment; exit with 1 if anything is not.

    Reads only, in one statement, and may run beside the sale at any time.
    """
    broken = verify_service.broken()
    if as_json:
        breaches = [vars(breach) for breach in broken]
        click.echo(json.dumps({"invariants": len(INVARIANTS), "broken": breaches}, indent=2))
    elif broken:
        _print_table(broken)
    else:
        click.echo(f"All {len(INVARIANTS)} invariants hold.")
    if broken:
        sys.exit(1)


def _print_table(broken: list[Breach]) -> None:
    """What is broken, by invariant, with what it should be."""
    width = max(len(str(breach.id)) for breach in broken)
    names = list(dict.fromkeys(breach.invariant for breach in broken))
    for name in names:
        rows = [breach for breach in broken if breach.invariant == name]
        click.echo(f"{name}: {INVARIANTS[name][0]}")
        for breach in rows:
            click.echo(f"  {breach.id:>{width}}  {breach.detail}")
    click.echo(f"{len(names)} of {len(INVARIANTS)} invariants are broken.", err=True)


def _role(_context: click.Context, _parameter: click.Parameter, name: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
        raise click.BadParameter("a role is named in small letters, digits and underscores.")
    return name


@click.command()
@click.option("--app", default=schema_service.APP_ROLE, show_default=True, callback=_role)
@click.option("--reader", default=schema_service.READER_ROLE, show_default=True, callback=_role)
@with_appcontext
@plainly
def roles(app: str, reader: str) -> None:
    """Make the roles with which production uses the database, or bring them up to date.

    APP is for DATABASE_URI: it reads and writes what the API does, but can neither change nor
    delete an entry of the audit. READER reads everything but secrets. Run it as the owner of the
    tables, after every `flask db create`; then give the roles a way in:

    \b
      ALTER ROLE gigmate_app LOGIN PASSWORD '...';
    """
    schema_service.make_roles(app, reader)
    click.echo(f"{app} uses {schema_service.address()}, {reader} reads it. To let them in:")
    for role in (app, reader):
        click.echo(f"  ALTER ROLE {role} LOGIN PASSWORD '...';")


@click.command("make-admin")
@click.argument("email")
@with_appcontext
@plainly
def make_admin(email: str) -> None:
    """Give the account with this e-mail address the role of an admin."""
    user = user_service.make_admin(email)
    click.echo(f"{user.name} <{user.email}> is an admin now.")


@click.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="For programs: a JSON array.")
@with_appcontext
@plainly
def mails(limit: int, as_json: bool) -> None:
    """Show the mails that were asked for, the newest first, each with its link.

    In development, where nothing is sent: open the link, or send its token to the API. Refused on a
    production configuration, where links belong to whom they are mailed.
    """
    if settings.in_production:
        raise click.ClickException("Links belong to whom they are mailed: not in production.")
    queued = mail_service.queued(limit)
    if as_json:
        rows = [
            {"id": each.id, "at": each.at.isoformat(), "topic": each.topic, **vars(each.letter)}
            for each in queued
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print_mails(queued)


@click.command()
@click.argument("show_id", type=click.IntRange(1, LARGEST_ID))
@with_appcontext
@plainly
def draw(show_id: int) -> None:
    """Draw the seats of a show as the public sees them, and write the SVG to standard output.

    The picture of the README is one of the demo world: `flask draw 2 > docs/seats.svg`.
    """
    picture = seat_drawing_service.of_show(show_id, caller=STRANGER)
    click.echo(picture.body.decode(), nl=False)


def _print_mails(queued: list[Queued]) -> None:
    """A line for each: when, to whom, about what, and the link."""
    if not queued:
        click.echo("No mails were asked for.")
        return
    rows = [
        (f"{each.at:%Y-%m-%d %H:%M:%S}", each.letter.to, each.letter.subject, each.letter.link)
        for each in queued
    ]
    head = ("When (UTC)", "To", "Subject", "Link")
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(3)]
    for row in (head, *rows):
        told = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*told, row[-1]]))
