"""Every setting, read once from the environment; `.env.example` and the README list them all."""

import os
import secrets
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path

from dotenv import load_dotenv

ROOT = Path(__file__).parent
STATE = ROOT / ".gigmate"
WEAK = {"", "secret", "changeme", "change-me", "password", "dev", "development", "test"}
SHORTEST_SECRET = 32


class ConfigurationError(SystemExit):
    """A start that must not happen, told in one line."""

    def __init__(self, line: str) -> None:
        super().__init__(f"GigMate does not start: {line}")


@dataclass
class Settings:
    """What differs between one installation and the next. Times are in seconds unless named."""

    env: str = "development"
    database_uri: str = ""
    secret_key: str = ""
    host: str = "127.0.0.1"
    port: int = 5000
    public_url: str = ""
    hold_minutes: int = 15
    longest_hold_minutes: int = 30
    max_per_buyer: int = 5
    claim_wait_ms: int = 400
    access_token_minutes: int = 15
    refresh_token_days: int = 7
    bcrypt_rounds: int = 12
    password_hashes_at_once: int = 1
    verify_link_hours: int = 48
    reset_link_minutes: int = 60
    invitation_days: int = 7
    moderation: bool = False
    verified_organisers_only: bool = False
    hold_budget_minutes: int = 600
    guesses_per_account: int = 5
    guesses_per_address: int = 30
    guess_window_minutes: int = 15
    rate_limits: bool = True
    ratelimit_storage_uri: str = "memory://"
    sell_limit: str = "120 per minute"
    account_limit: str = "30 per minute"
    trusted_proxies: int = 0
    cors_origins: str = ""
    max_body_bytes: int = 1_000_000
    max_seat_map_bytes: int = 24_000_000
    workers: int = 4
    threads: int = 8
    pool_timeout: int = 5
    statement_timeout_ms: int = 15_000
    lock_timeout_ms: int = 5_000
    prepare: bool = True
    availability_seconds: float = 1.0
    sheet_seconds: float = 1.0
    log_level: str = "INFO"

    @property
    def in_production(self) -> bool:
        return self.env == "production"

    @property
    def hold(self) -> timedelta:
        """How long an unconfirmed booking keeps its places."""
        return timedelta(minutes=self.hold_minutes)

    @property
    def longest_hold(self) -> timedelta:
        """The latest that any extension can move a hold's end, from its start."""
        return timedelta(minutes=self.longest_hold_minutes)

    def update(self, **values: object) -> None:
        """Replace settings in place, so that everyone who imported them sees the new ones."""
        known = {setting.name for setting in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise ConfigurationError(f"there is no setting {name}.")
            setattr(self, name, value)

    def reset(self) -> None:
        """Go back to what the program ships with."""
        self.update(**{f.name: getattr(Settings(), f.name) for f in fields(self)})


SWITCH = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
MAY_BE_ZERO = {"TRUSTED_PROXIES"}
KINDS = {int: "a whole number", float: "a number", str: "text"}
ENVIRONMENT = {
    "GIGMATE_ENV": "env",
    "DATABASE_URI": "database_uri",
    "SECRET_KEY": "secret_key",
    "HOST": "host",
    "PORT": "port",
    "PUBLIC_URL": "public_url",
    "HOLD_MINUTES": "hold_minutes",
    "LONGEST_HOLD_MINUTES": "longest_hold_minutes",
    "MAX_PER_BUYER": "max_per_buyer",
    "CLAIM_WAIT_MS": "claim_wait_ms",
    "ACCESS_TOKEN_MINUTES": "access_token_minutes",
    "REFRESH_TOKEN_DAYS": "refresh_token_days",
    "BCRYPT_ROUNDS": "bcrypt_rounds",
    "PASSWORD_HASHES_AT_ONCE": "password_hashes_at_once",
    "VERIFY_LINK_HOURS": "verify_link_hours",
    "RESET_LINK_MINUTES": "reset_link_minutes",
    "INVITATION_DAYS": "invitation_days",
    "MODERATION": "moderation",
    "VERIFIED_ORGANISERS_ONLY": "verified_organisers_only",
    "HOLD_BUDGET_MINUTES": "hold_budget_minutes",
    "GUESSES_PER_ACCOUNT": "guesses_per_account",
    "GUESSES_PER_ADDRESS": "guesses_per_address",
    "GUESS_WINDOW_MINUTES": "guess_window_minutes",
    "RATE_LIMITS": "rate_limits",
    "RATELIMIT_STORAGE_URI": "ratelimit_storage_uri",
    "SELL_LIMIT": "sell_limit",
    "ACCOUNT_LIMIT": "account_limit",
    "TRUSTED_PROXIES": "trusted_proxies",
    "CORS_ORIGINS": "cors_origins",
    "MAX_BODY_BYTES": "max_body_bytes",
    "MAX_SEAT_MAP_BYTES": "max_seat_map_bytes",
    "WORKERS": "workers",
    "THREADS": "threads",
    "POOL_TIMEOUT": "pool_timeout",
    "STATEMENT_TIMEOUT_MS": "statement_timeout_ms",
    "LOCK_TIMEOUT_MS": "lock_timeout_ms",
    "PREPARE": "prepare",
    "AVAILABILITY_SECONDS": "availability_seconds",
    "SHEET_SECONDS": "sheet_seconds",
    "LOG_LEVEL": "log_level",
}

settings = Settings()


def read_environment() -> None:
    """Fill `settings` from the environment and `.env`; refuse what cannot be meant."""
    load_dotenv(ROOT / ".env")
    settings.reset()
    for variable, name in ENVIRONMENT.items():
        if text := os.environ.get(variable, "").strip():
            settings.update(**{name: _parsed(variable, text, type(getattr(settings, name)))})
    if settings.env not in ("development", "production"):
        raise ConfigurationError("GIGMATE_ENV is neither development nor production.")
    if settings.in_production:
        _refuse_unsafe_production()
    elif not settings.secret_key:
        settings.update(secret_key=machine_secret())


def _parsed(variable: str, text: str, kind: type) -> object:
    if kind is bool:
        if text.lower() not in SWITCH:
            raise ConfigurationError(f"{variable}={text!r} is neither on nor off.")
        return SWITCH[text.lower()]
    try:
        value = kind(text)
    except ValueError:
        raise ConfigurationError(f"{variable}={text!r} is not {KINDS[kind]}.") from None
    if kind in (int, float) and value <= 0 and variable not in MAY_BE_ZERO:
        raise ConfigurationError(f"{variable}={text!r} must be more than zero.")
    return value


def _refuse_unsafe_production() -> None:
    if os.environ.get("FLASK_DEBUG", "0").lower() not in ("", "0", "false"):
        raise ConfigurationError("FLASK_DEBUG is on in production.")
    if not settings.database_uri:
        raise ConfigurationError("production needs DATABASE_URI.")
    secret = settings.secret_key
    if len(secret.encode()) < SHORTEST_SECRET or secret.lower() in WEAK or len(set(secret)) < 10:
        raise ConfigurationError(
            f"SECRET_KEY is missing or weak: give at least {SHORTEST_SECRET} random bytes, "
            "for example from `python -c 'import secrets; print(secrets.token_urlsafe(48))'`."
        )


def machine_secret() -> str:
    """This machine's development secret, made at first use and never shipped."""
    path = STATE / "secret_key"
    STATE.mkdir(exist_ok=True)
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text()
