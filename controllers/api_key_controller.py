"""/organisers/<id>/api_keys: keys for programs that work for an organiser."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from models import ApiKey, Organiser
from models.permissions import Permission, authorize
from models.values import Caller
from schemas.api_key_schema import ApiKeyInputSchema, ApiKeySchema, NewApiKeySchema
from services import api_key_service, organiser_service
from utils.http import Blueprint

api_keys_bp = Blueprint("api_keys", __name__, url_prefix="/organisers", description=__doc__)


@api_keys_bp.get("/<id:organiser_id>/api_keys")
@api_keys_bp.page(ApiKeySchema())
@for_caller(Permission.KEY_EDIT)
def list_api_keys(organiser_id: int, caller: Caller) -> Select[ApiKey]:
    """An organiser's keys, newest first, also those that are revoked."""
    return api_key_service.of(_organiser(organiser_id, caller))


@api_keys_bp.post("/<id:organiser_id>/api_keys")
@api_keys_bp.arguments(ApiKeyInputSchema())
@api_keys_bp.response(
    201, NewApiKeySchema(), location="/organisers/{o.organiser_id}/api_keys/{o.id}"
)
@for_caller(Permission.KEY_EDIT)
def create_api_key(facts: dict[str, Any], organiser_id: int, caller: Caller) -> ApiKey:
    """Make a key for a program; `secret` is shown this one time, and never again."""
    return api_key_service.create(caller, _organiser(organiser_id, caller), **facts)


@api_keys_bp.get("/<id:organiser_id>/api_keys/<id:key_id>")
@api_keys_bp.response(200, ApiKeySchema())
@for_caller(Permission.KEY_EDIT)
def show_api_key(organiser_id: int, key_id: int, caller: Caller) -> ApiKey:
    """One key: what it may do, and when it was last used."""
    return api_key_service.find(_organiser(organiser_id, caller), key_id)


@api_keys_bp.delete("/<id:organiser_id>/api_keys/<id:key_id>")
@api_keys_bp.response(204)
@for_caller(Permission.KEY_EDIT)
def revoke_api_key(organiser_id: int, key_id: int, caller: Caller) -> None:
    """Revoke a key: its next request is refused; may be repeated, and its history stays."""
    api_key_service.revoke(api_key_service.find(_organiser(organiser_id, caller), key_id))


def _organiser(organiser_id: int, caller: Caller) -> Organiser:
    organiser = organiser_service.find(organiser_id, caller=caller)
    authorize(caller, Permission.KEY_EDIT, organiser)
    return organiser
