"""/, /health, /ready: is anyone there?"""

from typing import Any

from schemas.health_schema import HealthSchema, WelcomeSchema
from services import health_service
from utils.http import Blueprint

health_bp = Blueprint("health", __name__, description=__doc__)


@health_bp.get("/")
@health_bp.response(200, WelcomeSchema())
def welcome() -> dict[str, Any]:
    """What this is, and where to go from here."""
    return {
        "name": "GigMate",
        "description": "The box office for live music: plan, book, sell out, repeat.",
        "links": {
            "documentation": "/docs",
            "openapi": "/openapi.json",
            "problems": "/problems",
            "events": "/events/",
            "shows": "/shows/",
            "venues": "/venues/",
            "organisers": "/organisers/",
            "register": "/auth/register",
            "login": "/auth/login",
            "health": "/health",
            "ready": "/ready",
        },
    }


@health_bp.get("/health")
@health_bp.response(200, HealthSchema())
def health() -> dict[str, str]:
    """The process answers; the database is not asked."""
    return {"status": "ok"}


@health_bp.get("/ready")
@health_bp.response(200, HealthSchema())
def ready() -> dict[str, str]:
    """The database answers and has every migration; 503 otherwise."""
    health_service.require_ready()
    return {"status": "ready"}
