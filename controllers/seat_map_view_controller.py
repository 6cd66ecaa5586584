"""A show's hall for those who choose seats: its map, what is taken, who sells what, a picture."""

from typing import Any

from flask import Response, request

from controllers.callers import for_caller
from models.permissions import Permission
from models.values import Caller
from schemas.seat_map_view_schema import (
    SeatMapParameters,
    SeatMapViewSchema,
    SeatOffersSchema,
    SeatStatusParameters,
    SeatStatusSchema,
)
from services import (
    layout_service,
    seat_drawing_service,
    seat_offer_service,
    seat_status_service,
    seen_show_service,
)
from services.seat_offer_service import SeatOffers
from utils.http import JSON, Blueprint
from utils.ready_text import ReadyText
from utils.security_headers import POLICY

seat_map_view_bp = Blueprint("seat_map_view", __name__, description=__doc__)
FOR_EVER = "max-age=31536000, immutable"
SVG = "image/svg+xml"
SMALLEST_GZIPPED = 1_000  # bytes
# Nothing but its own styles, also when it is opened by itself.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


@seat_map_view_bp.get("/shows/<id:show_id>/seat_map")
@seat_map_view_bp.query(SeatMapParameters())
@seat_map_view_bp.response(200, SeatMapViewSchema())
@for_caller(Permission.CATALOGUE_READ)
def show_seat_map_of_show(wanted: dict[str, Any], show_id: int, caller: Caller) -> Response:
    """How the hall of a show is laid out: sections, rows and seats.

    The answer may be kept for ever. A show that is given another map has it at another address,
    with `?version=`, which seat_status names as `seat_map`.
    """
    show = seen_show_service.find(show_id, caller=caller)
    layout = layout_service.of_show(show, wanted.get("version"))
    whose = "public" if show.is_public else "private"
    lasts = FOR_EVER if show.map_id is not None else "no-cache"
    return _sent(layout.text, JSON, f"{whose}, {lasts}", etag=layout.etag)


@seat_map_view_bp.get("/shows/<id:show_id>/seat_status")
@seat_map_view_bp.query(SeatStatusParameters())
@seat_map_view_bp.response(200, SeatStatusSchema())
@for_caller(Permission.CATALOGUE_READ)
def show_seat_status(wanted: dict[str, Any], show_id: int, caller: Caller) -> Response:
    """Which seats of a show are not free, or, since a cursor, which have changed.

    Begin without `since`, and then ask with the `cursor` of each answer. The whole may come again
    at any time (`whole`), as when what is on offer has changed.
    """
    text = seat_status_service.of_show(show_id, caller=caller, since=wanted.get("since"))
    return _sent(text, JSON, "private, no-cache")


@seat_map_view_bp.get("/shows/<id:show_id>/seat_offers")
@seat_map_view_bp.response(200, SeatOffersSchema())
@for_caller(Permission.CATALOGUE_READ)
def show_seat_offers(show_id: int, caller: Caller) -> SeatOffers:
    """Which tiers sell which seats of a show, and their prices."""
    return seat_offer_service.of_show(show_id, caller=caller)


@seat_map_view_bp.get("/shows/<id:show_id>/seat_map.svg")
@seat_map_view_bp.response(200, content_type=SVG)
@for_caller(Permission.CATALOGUE_READ)
def draw_seat_map(show_id: int, caller: Caller) -> Response:
    """The hall of a show as a picture: what is free, what it costs, and a legend.

    Shapes tell the states apart; it is drawn for light and dark screens, and for paper.
    """
    text = seat_drawing_service.of_show(show_id, caller=caller)
    response = _sent(text, SVG, "private, no-cache")
    response.headers[POLICY] = PICTURE_POLICY
    return response


def _sent(text: ReadyText, content_type: str, lasts: str, *, etag: str | None = None) -> Response:
    """The text, or 304 to whoever has it, compressed where that is read and worth it."""
    small = request.accept_encodings["gzip"] > 0 and len(text.body) > SMALLEST_GZIPPED
    response = Response(content_type=content_type)
    response.headers["Cache-Control"] = lasts
    response.headers["Vary"] = "Accept-Encoding"
    if etag is not None:
        # Another coding is another text, and a strong tag is of one text.
        ours = {False: etag, True: f"{etag}-gzip"}
        response.set_etag(ours[small])
        if any(request.if_none_match.contains_weak(each) for each in ours.values()):
            response.status_code = 304
            del response.headers["Content-Type"]
            return response
    if small:
        response.headers["Content-Encoding"] = "gzip"
    response.set_data(text.gzipped if small else text.body)
    return response
