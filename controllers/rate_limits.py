"""How often an account sells, and how often somebody signs in, registers or asks for a secret.

Selling is limited by account and never by address, since whole countries share one; guests are
limited by their mailbox at each show. What asks about accounts is limited by address and account.

Flask-Limiter is configured here and does the counting. Its hooks, which look for limits at every
request and would cost a hold a twentieth of its time, are not used: a limited view asks for itself.
"""

import functools
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import limits
import structlog
from flask import Flask, Response, g, request
from flask_limiter import Limiter
from limits.errors import ConfigurationError as NoStorage
from limits.storage import Storage

from config import ConfigurationError, settings
from controllers.callers import identity_in
from utils.addresses import mailbox_of, network_of
from utils.errors import TooManyRequests, Unauthenticated
from utils.http import refuses
from utils.rate_counts import BoundedCounts, seconds_until
from utils.tokens import derived

View = Callable[..., Any]
REDIS = ("redis://", "rediss://", "redis+unix://")
PATIENCE = 0.3  # seconds for a Redis to answer
TAKES_TOKENS = ("auth.refresh", "auth.token")
AWAY = 10  # seconds for which one that did not is left alone
log = structlog.get_logger()


class _Counting:
    """Where hits are counted: where the configuration says, and here while that is away."""

    def __init__(self) -> None:
        self._here = BoundedCounts()
        self._everywhere: Storage = self._here
        self._away_until = 0.0

    def begin(self, app: Flask) -> None:
        """Count where settings.ratelimit_storage_uri says. Raises ConfigurationError."""
        self._here = BoundedCounts()
        self._away_until = 0.0
        uri = settings.ratelimit_storage_uri
        options: dict[str, Any] = {}
        if uri == "memory://":
            uri = "bounded://"
        elif uri.startswith(REDIS):
            options = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
        else:
            raise ConfigurationError("RATELIMIT_STORAGE_URI is no memory:// or redis:// address.")
        limiter = Limiter(_network, storage_uri=uri, storage_options=options)
        app.extensions.setdefault("limiter", set()).add(limiter)  # so that it adds no hooks
        try:
            limiter.init_app(app)
        except NoStorage:
            raise ConfigurationError(
                "RATELIMIT_STORAGE_URI names a Redis: `pip install redis`, which speaks to it."
            ) from None
        except ValueError:
            raise ConfigurationError("RATELIMIT_STORAGE_URI is not an address.") from None
        self._everywhere = limiter.storage

    def hit(self, limit: limits.RateLimitItem, *key: str) -> tuple[int, float]:
        """Count one more: how many there are in this window, and when it ends."""
        storage = self._everywhere if time.monotonic() >= self._away_until else self._here
        name = limit.key_for(*key)
        try:
            return storage.incr(name, limit.get_expiry()), storage.get_expiry(name)
        except Exception as error:
            if storage is self._here:
                raise
            self._away_until = time.monotonic() + AWAY
            log.warning("rate limits are counted here", seconds=AWAY, error=type(error).__name__)
            return self.hit(limit, *key)


counting = _Counting()


def register_rate_limits(app: Flask) -> None:
    """Tell how much is left on the answers of limited views. Raises ConfigurationError."""
    for name in ("sell_limit", "account_limit"):
        try:
            _limits_in(getattr(settings, name))
        except ValueError:
            raise ConfigurationError(
                f"{name.upper()}={getattr(settings, name)!r} is not a limit like `120 per minute`."
            ) from None
    counting.begin(app)

    @app.after_request
    def tell_what_is_left(response: Response) -> Response:
        if told := g.get("rate_limit"):
            limit, left, ends_at = told
            response.headers["RateLimit-Limit"] = str(limit)
            response.headers["RateLimit-Remaining"] = str(left)
            response.headers["RateLimit-Reset"] = str(seconds_until(ends_at))
        return response


def limit_selling(view: View) -> View:
    """Let an account do this as often as settings.sell_limit says."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if settings.rate_limits and g.caller.user_id:
            _spend("sell", settings.sell_limit, g.caller.key)
        return view(*args, **kwargs)

    return _documented(wrapper)


def limit_asking(view: View) -> View:
    """Let an address, an account, and whoever is named in the body, do this as
    settings.account_limit says.

    Where refresh tokens are taken, one of ours counts by itself: it cannot be guessed, and all who
    share an address renew theirs when it suits them. Goes below what reads the body.
    """

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if settings.rate_limits:
            what = request.endpoint or ""
            body: Mapping[str, Any] = args[0] if args else {}
            email = body.get("username") or body.get("email")
            token = None if email else _refresh_token(what, body)
            if token is None:
                _spend(what, settings.account_limit, _network())
            if g.caller.key:
                _spend(what, settings.account_limit, g.caller.key)
            if email:
                _spend(what, settings.account_limit, derived("limit", mailbox_of(email)))
            elif token:
                _spend(what, settings.account_limit, derived("limit", token))
        return view(*args, **kwargs)

    return _documented(wrapper)


def _refresh_token(what: str, body: Mapping[str, Any]) -> str | None:
    """The refresh token of ours that is asked about, where one is taken."""
    token: str | None = body.get("refresh_token") or request.headers.get("Refresh-Token")
    if what not in TAKES_TOKENS or not token:
        return None
    try:
        identity_in(token, "refresh")
    except Unauthenticated:
        return None
    return token


def _spend(what: str, text: str, who: str) -> None:
    """Count it, remember what is left of the tightest limit, and refuse when nothing was."""
    for limit in _limits_in(text):
        count, ends_at = counting.hit(limit, what, who)
        left = max(0, limit.amount - count)
        told = g.get("rate_limit")
        if told is None or left < told[1]:
            g.rate_limit = limit.amount, left, ends_at
        if count > limit.amount:
            raise TooManyRequests.until(
                seconds_until(ends_at), "That is too often; try again later."
            )


@functools.lru_cache
def _limits_in(text: str) -> list[limits.RateLimitItem]:
    """The limits of a setting, such as `120 per minute; 2000 per hour`. Raises ValueError."""
    found = limits.parse_many(text)
    if not found or any(limit.amount < 1 or limit.multiples < 1 for limit in found):
        raise ValueError(text)
    return found


def _network() -> str:
    return network_of(request.remote_addr) or "unknown"


def _documented(view: View) -> View:
    documented = refuses(TooManyRequests)(view)
    documented._apidoc["limited"] = True  # type: ignore[attr-defined]
    return documented
