"""Application factory."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
from flask import Flask, Request, Response
from flask.json.provider import JSONProvider
from flask.sessions import SessionInterface, SessionMixin
from flask_swagger_ui import get_swaggerui_blueprint
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from werkzeug.middleware.proxy_fix import ProxyFix

import models  # noqa: F401 (defines the schema)
from config import STATE, ConfigurationError, read_environment, settings
from controllers import BLUEPRINTS, cli_controller, seat_map_commands
from controllers.api_document import INFO, describe, openapi_text, register_commands
from controllers.callers import register_callers
from controllers.rate_limits import register_rate_limits
from init import api, bcrypt, db, jwt, migrate
from utils import dev_database
from utils.cors import register_cors
from utils.error_handlers import register_error_handlers
from utils.http import IdConverter, register_strictness
from utils.request_log import configure_logging, register_request_log
from utils.security_headers import register_security_headers
from utils.transaction import let_go

VERSION = "0.1.0"


class OrjsonProvider(JSONProvider):
    """JSON by orjson."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        return orjson.dumps(obj, option=orjson.OPT_INDENT_2).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return orjson.loads(s)


class Application(Flask):
    """Flask, whose views are no coroutines: nothing asks each of them at every request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function itself."""
        return func


class NoSessions(SessionInterface):
    """Nobody is remembered by a cookie."""

    def open_session(self, app: Flask, request: Request) -> None:
        """None, for which Flask puts a session that refuses to be written."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Nothing to save."""


def create_app(overrides: dict[str, Any] | None = None) -> Flask:
    """The API, configured by the environment and then by `overrides` (names of config.Settings)."""
    read_environment()
    settings.update(**(overrides or {}))
    settings.update(database_uri=_database())
    configure_logging()

    app = Application(__name__, static_folder=None)
    app.json = OrjsonProvider(app)
    app.session_interface = NoSessions()
    app.config.from_mapping(_extension_settings())
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["id"] = IdConverter
    db.init_app(app)
    migrate.init_app(app, db, directory="migrations", compare_type=True)
    jwt.init_app(app)
    bcrypt.init_app(app)
    api.init_app(app, spec_kwargs=INFO)
    describe(api)
    app.teardown_request(let_go)
    _believe_proxies(app)
    register_request_log(app)
    register_security_headers(app)
    register_cors(app)
    register_callers(app)
    register_rate_limits(app)
    register_strictness(app)
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint)
    _serve_documentation(app)
    register_error_handlers(app)
    register_commands(app, api)
    cli_controller.register_commands(app)
    seat_map_commands.register_commands(app)
    return app


def _believe_proxies(app: Flask) -> None:
    """Take who asks, and by what name and scheme, from as many proxies as are trusted."""
    if count := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )


def _extension_settings() -> dict[str, Any]:
    """What the extensions read, in the names that they gave it."""
    return {
        "SECRET_KEY": settings.secret_key,
        "MAX_CONTENT_LENGTH": settings.max_body_bytes,
        "MAX_FORM_MEMORY_SIZE": settings.max_body_bytes,
        "SQLALCHEMY_DATABASE_URI": settings.database_uri,
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_size": settings.threads,  # each has one, and none waits for another
            "max_overflow": 0,
            "pool_timeout": settings.pool_timeout,
            "connect_args": {
                "connect_timeout": 5,
                "application_name": "gigmate",
                "options": f"-c statement_timeout={settings.statement_timeout_ms} "
                f"-c lock_timeout={settings.lock_timeout_ms} "
                # Here, and not as the engine's: psycopg2 would send it again with every switch
                # between reading alone and a transaction.
                "-c default_transaction_isolation=read\\ committed "
                "-c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
            },
        },
        "JWT_SECRET_KEY": settings.secret_key,
        "JWT_ALGORITHM": "HS256",
        "JWT_ENCODE_ISSUER": "gigmate",
        "JWT_DECODE_ISSUER": "gigmate",
        "JWT_ENCODE_AUDIENCE": "gigmate",
        "JWT_DECODE_AUDIENCE": "gigmate",
        "JWT_ACCESS_TOKEN_EXPIRES": timedelta(minutes=settings.access_token_minutes),
        "BCRYPT_HANDLE_LONG_PASSWORDS": True,
        "API_TITLE": "GigMate",
        "API_VERSION": VERSION,
        "OPENAPI_VERSION": "3.1.0",
        "OPENAPI_URL_PREFIX": None,
        "PROPAGATE_EXCEPTIONS": False,
    }


def _database() -> str:
    """The configured database's URI with its driver; a private one's if none is configured."""
    if not settings.database_uri:
        try:
            return dev_database.start(STATE / "postgres")
        except dev_database.NoPostgres as missing:
            raise ConfigurationError(str(missing)) from None
    try:
        uri = make_url(settings.database_uri)
    except ArgumentError:
        raise ConfigurationError("DATABASE_URI is not a database address.") from None
    if uri.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError("DATABASE_URI is not a PostgreSQL address.")
    # SQLAlchemy 2.1 takes plain postgresql:// to mean psycopg 3.
    return uri.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


def _serve_documentation(app: Flask) -> None:
    @app.get("/openapi.json")
    def openapi() -> Response:
        """The contract, as OpenAPI 3.1."""
        return Response(openapi_text(api), content_type="application/json")

    # Without validatorUrl the page would ask validator.swagger.io: /docs asks nobody outside.
    config = {"app_name": "GigMate", "validatorUrl": None}
    app.register_blueprint(get_swaggerui_blueprint("/docs", "/openapi.json", config=config))


if __name__ == "__main__":
    import start

    start.main()
