"""/seat_maps: the ways to lay out a venue, each with its numbered versions."""

from typing import Any

import orjson
from flask import Response, g, request
from sqlalchemy import Select

from config import settings
from controllers.callers import for_caller
from models import MemberRole, SeatMap, SeatMapVersion
from models.layout import WantedMap
from models.permissions import Permission, authorize
from models.values import Caller
from schemas.seat_map_document import SCHEMA
from schemas.seat_map_schema import (
    CreateSeatMapParameters,
    EditSeatMapSchema,
    JsonSchemaSchema,
    SeatMapDocumentSchema,
    SeatMapFilters,
    SeatMapPreviewSchema,
    SeatMapSchema,
    SeatMapVersionSchema,
    preview,
)
from services import seat_map_service, seat_map_versions, venue_service
from services.seat_map_service import DefaultMap, MapInUse
from services.stock_service import NameTaken
from utils.http import JSON, Blueprint, answer, if_match, or_answers, refuses

seat_maps_bp = Blueprint("seat_maps", __name__, description=__doc__)

SCHEMA_JSON = "application/schema+json"
FOR_EVER = "public, max-age=31536000, immutable"
PREVIEW = SeatMapPreviewSchema()


def largest_map() -> int:
    """How many bytes a map may have: as many as a stadium's, from those who may lay out halls."""
    caller: Caller = g.caller
    lays_out = caller.is_admin or caller.organisers_as(MemberRole.OWNER, MemberRole.MANAGER)
    return settings.max_seat_map_bytes if lays_out else settings.max_body_bytes


@seat_maps_bp.get("/venues/<id:venue_id>/seat_maps")
@seat_maps_bp.page(SeatMapSchema(), filters=SeatMapFilters())
@for_caller(Permission.CATALOGUE_READ)
def list_seat_maps(wanted: dict[str, Any], venue_id: int, caller: Caller) -> Select[SeatMap]:
    """The ways to lay out a venue, by name."""
    venue = venue_service.find(venue_id, caller=caller)
    return seat_map_service.of_venue(venue, wanted, caller=caller)


@seat_maps_bp.post("/venues/<id:venue_id>/seat_maps")
@seat_maps_bp.query(CreateSeatMapParameters())
@seat_maps_bp.arguments(SeatMapDocumentSchema(), largest=largest_map)
@seat_maps_bp.response(201, SeatMapSchema(), location="/seat_maps/{o.id}")
@or_answers(200, PREVIEW)
@refuses(NameTaken)
@for_caller(Permission.VENUE_EDIT)
def create_seat_map(
    document: WantedMap, wanted: dict[str, Any], venue_id: int, caller: Caller
) -> SeatMap | Response:
    """Lay a venue out in another way; with `dry_run`, say what that would be (200).

    It can have 24 MB: the largest stadium, seat by seat.
    """
    venue = venue_service.find(venue_id, caller=caller)
    authorize(caller, Permission.VENUE_EDIT, venue)
    if wanted["dry_run"]:
        seat_map_service.require_fit(venue, document.sections)
        return answer(PREVIEW, preview(document))
    return seat_map_service.create(venue, document, caller=caller)


@seat_maps_bp.get("/seat_maps/schema")
@seat_maps_bp.response(200, JsonSchemaSchema(), content_type=SCHEMA_JSON)
def show_seat_map_schema() -> Response:
    """The JSON Schema (2020-12) of a seat map, with examples."""
    return Response(orjson.dumps(SCHEMA), content_type=SCHEMA_JSON)


@seat_maps_bp.get("/seat_maps/<id:seat_map_id>")
@seat_maps_bp.response(200, SeatMapSchema())
@for_caller(Permission.CATALOGUE_READ)
def show_seat_map(seat_map_id: int, caller: Caller) -> SeatMap:
    """One map, and what its current version holds."""
    return seat_map_service.find(seat_map_id, caller=caller)


@seat_maps_bp.patch("/seat_maps/<id:seat_map_id>")
@seat_maps_bp.arguments(EditSeatMapSchema(partial=True))
@seat_maps_bp.response(200, SeatMapSchema())
@refuses(NameTaken)
@for_caller(Permission.VENUE_EDIT)
def edit_seat_map(changes: dict[str, Any], seat_map_id: int, caller: Caller) -> SeatMap:
    """Rename a map, or have new shows get it."""
    seat_map = _editable(seat_map_id, caller)
    return seat_map_service.edit(if_match(seat_map), changes, caller=caller)


@seat_maps_bp.delete("/seat_maps/<id:seat_map_id>")
@seat_maps_bp.response(204, versioned=True)
@refuses(DefaultMap, MapInUse)
@for_caller(Permission.VENUE_EDIT)
def delete_seat_map(seat_map_id: int, caller: Caller) -> None:
    """Delete a map that no show to come has; shows that are over keep theirs."""
    if seat_map_service.is_gone(seat_map_id, caller=caller):
        return
    seat_map_service.delete(if_match(_editable(seat_map_id, caller)))


@seat_maps_bp.get("/seat_maps/<id:seat_map_id>/versions")
@seat_maps_bp.page(SeatMapVersionSchema())
@for_caller(Permission.CATALOGUE_READ)
def list_seat_map_versions(seat_map_id: int, caller: Caller) -> Select[SeatMapVersion]:
    """A map's versions, the newest first."""
    return seat_map_versions.of_map(seat_map_service.find(seat_map_id, caller=caller))


@seat_maps_bp.post("/seat_maps/<id:seat_map_id>/versions")
@seat_maps_bp.query(CreateSeatMapParameters())
@seat_maps_bp.arguments(SeatMapDocumentSchema(), largest=largest_map)
@seat_maps_bp.response(
    201,
    SeatMapVersionSchema(),
    location="/seat_maps/{o.seat_map_id}/versions/{o.number}",
    versioned=True,
    conditional=True,
)
@or_answers(200, PREVIEW)
@for_caller(Permission.VENUE_EDIT)
def lay_out_seat_map(
    document: WantedMap, wanted: dict[str, Any], seat_map_id: int, caller: Caller
) -> SeatMapVersion | Response:
    """The next version of a map, for shows to come; those that have another one keep it.

    With `dry_run`, say what it would be (200). `If-Match` takes the map's ETag. The map keeps its
    name; the version keeps the one in the document.
    """
    seat_map = _editable(seat_map_id, caller)
    if wanted["dry_run"]:
        seat_map_service.require_fit(seat_map.venue, document.sections)
        return answer(PREVIEW, preview(document))
    version = seat_map_service.lay_out_anew(if_match(seat_map), document)
    return seat_map_versions.find(seat_map, version.number)


@seat_maps_bp.get("/seat_maps/<id:seat_map_id>/versions/<id:number>")
@seat_maps_bp.response(200, SeatMapDocumentSchema(), versioned=True)
@for_caller(Permission.CATALOGUE_READ)
def show_seat_map_version(seat_map_id: int, number: int, caller: Caller) -> Response:
    """A version, whole, in the form in which it can be sent in again; it never changes."""
    version = seat_map_versions.find(seat_map_service.find(seat_map_id, caller=caller), number)
    etag = seat_map_versions.etag(version)
    if request.if_none_match.contains_weak(etag):
        response = Response(status=304)
    else:
        response = Response(seat_map_versions.rendered(version), content_type=JSON)
    response.set_etag(etag)
    response.headers["Cache-Control"] = FOR_EVER
    return response


def _editable(seat_map_id: int, caller: Caller) -> SeatMap:
    seat_map = seat_map_service.find(seat_map_id, caller=caller)
    authorize(caller, Permission.VENUE_EDIT, seat_map)
    return seat_map
