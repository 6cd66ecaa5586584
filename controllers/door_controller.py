"""/shows/<id>/attendees and /shows/<id>/check_ins: who comes, and who is in."""

from typing import Any

from flask import Response, stream_with_context
from sqlalchemy import Select

from controllers.callers import for_caller
from controllers.idempotency import idempotent
from models import CheckIn, Show, Ticket
from models.permissions import Permission, authorize
from models.show import ShowCancelled
from models.values import Caller, Once
from schemas.door_schema import (
    AdmissionSchema,
    AdmitSchema,
    AttendeeFilters,
    AttendeeRowSchema,
    CheckInSchema,
)
from services import attendee_service, check_in_service, show_service
from services.api_key_service import KeyIsForTests
from services.check_in_service import Admission, AlreadyUsed, TicketVoid, UnknownTicket, WrongShow
from utils.http import Blueprint, refuses
from utils.spreadsheet import csv_lines

door_bp = Blueprint("door", __name__, url_prefix="/shows", description=__doc__)


@door_bp.get("/<id:show_id>/attendees")
@door_bp.page(AttendeeRowSchema(), filters=AttendeeFilters(), endless=True)
@for_caller(Permission.DOOR_LIST)
def list_attendees(wanted: dict[str, Any], show_id: int, caller: Caller) -> Select[Ticket]:
    """Who comes to a show, newest ticket first; for those who work for it."""
    show = _show(show_id, caller, Permission.DOOR_LIST)
    return attendee_service.attendees(show, wanted)


@door_bp.get("/<id:show_id>/attendees.csv")
@door_bp.response(200, content_type="text/csv", description="The door list as a file")
@for_caller(Permission.DOOR_LIST)
def export_attendees(show_id: int, caller: Caller) -> Response:
    """Who comes to a show, as a file that spreadsheets open safely."""
    show = _show(show_id, caller, Permission.DOOR_LIST)
    lines = csv_lines(attendee_service.COLUMNS, attendee_service.rows(show))
    response = Response(stream_with_context(lines), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="show-{show.id}.csv"'
    return response


@door_bp.post("/<id:show_id>/check_ins")
@door_bp.arguments(AdmitSchema())
@door_bp.response(201, AdmissionSchema())
@idempotent(201)
@refuses(UnknownTicket, WrongShow, TicketVoid, AlreadyUsed, ShowCancelled, KeyIsForTests)
@for_caller(Permission.DOOR_ADMIT)
def check_in(scan: dict[str, Any], show_id: int, caller: Caller, once: Once | None) -> Admission:
    """Let the holder of a ticket's code in: once, and only once.

    A test key lets nobody in.
    """
    show = _show(show_id, caller, Permission.DOOR_ADMIT)
    return check_in_service.admit(
        caller, show, ticket_code=scan["code"], gate=scan["gate"], once=once
    )


@door_bp.get("/<id:show_id>/check_ins")
@door_bp.page(CheckInSchema(), endless=True)
@for_caller(Permission.DOOR_LIST)
def list_check_ins(show_id: int, caller: Caller) -> Select[CheckIn]:
    """Who was let in, newest first."""
    return check_in_service.admissions(_show(show_id, caller, Permission.DOOR_LIST))


def _show(show_id: int, caller: Caller, permission: Permission) -> Show:
    show = show_service.find(show_id, caller=caller)
    authorize(caller, permission, show)
    return show
