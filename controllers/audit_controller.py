"""/audit: who did what."""

from typing import Any

from sqlalchemy import Select

from controllers.callers import for_caller
from models import AuditEntry
from models.permissions import Permission
from models.values import Caller
from schemas.audit_schema import AuditEntrySchema, AuditFilters
from services import audit_service
from utils.http import Blueprint

audit_bp = Blueprint("audit", __name__, url_prefix="/audit", description=__doc__)


@audit_bp.get("/")
@audit_bp.page(AuditEntrySchema(), filters=AuditFilters(), endless=True)
@for_caller(Permission.AUDIT_READ)
def list_audit_entries(wanted: dict[str, Any], caller: Caller) -> Select[AuditEntry]:
    """Changes of money, roles, states and permissions, newest first.

    Admins read all of them; owners and managers, what was done to their organisers' things.
    """
    return audit_service.search(caller, wanted)
