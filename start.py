"""`make run`: migrations, a demo world in an empty database, then the API under gunicorn."""

import runpy
import socket
import sys

import click
from flask import Flask
from flask_migrate import upgrade
from gunicorn.app.base import BaseApplication
from sqlalchemy.exc import OperationalError

from config import ROOT, ConfigurationError, settings
from init import db
from main import create_app
from services import demo_service, health_service
from utils import dev_database
from utils.transaction import abandon

CURL = """\
  curl -s {address}/bookings/ -H 'Content-Type: application/json' -d '{{
    "show_id": 1, "items": [{{"tier_id": 1, "quantity": 2}}],
    "buyer": {{"name": "You", "email": "you@example.com"}}}}'
"""


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn in this process, with the settings of gunicorn.conf.py."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        super().__init__()

    def load_config(self) -> None:
        for name, value in runpy.run_path(str(ROOT / "gunicorn.conf.py")).items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)
        self.cfg.set("when_ready", lambda _arbiter: greet())
        self.cfg.set("post_fork", lambda _arbiter, _worker: dev_database.leave_to_parent())

    def load(self) -> Flask:
        return self.app


def production() -> Flask:
    """The API for `make serve`, once it is safe to serve it; SystemExit with one line otherwise."""
    app = create_app({"env": "production"})
    with app.app_context():
        try:
            if health_service.migrations_missing():
                raise ConfigurationError("the database lacks migrations: run `flask db create`.")
            if demo_service.is_here():
                raise ConfigurationError("there are demo accounts in the database.")
        except OperationalError as error:
            raise ConfigurationError(f"the database does not answer: {error.orig}") from None
        _disconnect()
    return app


def main() -> None:
    """`make run`: the API with demo data, on a private PostgreSQL unless told of another."""
    app = create_app()
    if settings.in_production:
        raise ConfigurationError("`make run` is for development; use `make serve`.")
    serve(app)


def serve(app: Flask) -> None:
    """Bring the database up to date, fill an empty one, and serve until interrupted."""
    _require_free_port()
    with app.app_context():
        if health_service.migrations_missing():
            abandon()
            upgrade()
        if demo_service.is_empty():
            click.echo("The database is empty: making a demo world.")
            demo_service.seed()
            for name, secret in demo_service.hand_out_keys().items():
                click.echo(f"Its {name}'s API key, shown this once: {secret}")
        _disconnect()
    Server(app).run()


def greet() -> None:
    """Say where the API is and how to try it."""
    address = f"http://{settings.host}:{settings.port}"
    lines = [
        f"GigMate is ready at {address}",
        f"  documentation  {address}/docs",
        f"  demo accounts  all with the password {demo_service.PASSWORD}",
        *(f"    {role:<10} {email}" for role, email in demo_service.LOGINS.items()),
        "  book two places as a guest:",
        CURL.format(address=address).rstrip(),
        "Stop with Ctrl-C; the data stays.",
    ]
    click.echo("\n".join(lines))
    sys.stdout.flush()


def _disconnect() -> None:
    """Workers are forked from here: they must not share this process's connections."""
    db.session.remove()
    db.engine.dispose()


def _require_free_port() -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise SystemExit(
                f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
                "choose another port, for example PORT=5001."
            ) from None
