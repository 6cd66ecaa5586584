"""How each operation is shown in docs/clients: who sends it, with what, and what is kept of it.

The rows stand in the order in which they are run, which is green on a fresh demo world, and again
on a used one: what the demo made is read, and what a row changes was made by a row before it.
A body is the document's own example, with the fields that are named here in their place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.demo_service import LOGINS, PASSWORD

BASE_URL = "http://127.0.0.1:5000"
DEFAULT = (
    "organiser"  # whom the collection signs in; the other demo accounts have tokens of their own
)
NOBODY = "nobody"
GUEST = "guest"  # shows the secret of the booking that was made
NEW_GUEST = "new guest"  # has none yet
ACCOUNTS = tuple(role for role in LOGINS if role != DEFAULT)

Words = Mapping[str, str]
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Step:
    """A request that a script sends first, because the example needs something made for it."""

    operation: str
    body: Mapping[str, Any] | None = None
    path: Words = field(default_factory=dict)
    by: str = DEFAULT
    keep: Words = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """One operation, sent `by` an account, a guest or nobody.

    `path` and `query` and `body` are filled with variables or literals; a parameter of the path
    that is not named is the variable of its own name. `keep` fills variables from the answer, by
    paths into it, and `forget` gives them back their first values. `answers` names the schema of
    the answer where the document leaves a choice.
    """

    operation: str
    by: str = DEFAULT
    path: Words = field(default_factory=dict)
    query: Words = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    keep: Words = field(default_factory=dict)
    forget: tuple[str, ...] = ()
    before: tuple[Step, ...] = ()
    answers: str | None = None


# What a local environment may say otherwise.
SETTINGS = {
    "base_url": BASE_URL,
    "email": LOGINS[DEFAULT],
    "password": PASSWORD,
    **{f"{role}_email": LOGINS[role] for role in ACCOUNTS},
}
OTHER_TOKENS = tuple(f"{role}_token" for role in ACCOUNTS)
# What scripts fill in. An id is first one of the demo world's.
KEPT = {
    "access_token": "",
    "refresh_token": "",
    **dict.fromkeys(OTHER_TOKENS, ""),
    "etag": "",
    "venue_id": "1",
    "seat_map_id": "1",
    "releasing_tier_id": "1",
    "organiser_id": "1",
    "user_id": "9",
    "key_id": "1",
    "invitation_id": "",
    "applicant_id": "",
    "account_id": "4",
    "sign_in_id": "",
    "event_id": "1",
    "draft_event_id": "12",
    "cancelled_event_id": "",
    "completed_event_id": "",
    "show_id": "1",
    "completed_show_id": "",
    "moving_show_id": "",
    "relocation_id": "",
    "stock_id": "1",
    "tier_id": "1",
    "place_id": "2051",
    "holder_id": "2",
    "booking_id": "21",
    "booking_secret": "",
    "booking_reference": "",
    "booked_place_id": "",
    "booking_holder_id": "",
    "ticket_code": "",
}
TOKENS = {"access_token": "access_token", "refresh_token": "refresh_token"}

NAIROBI, SYDNEY, TONIGHT = {"show_id": "1"}, {"show_id": "2"}, {"show_id": "5"}
DRAFT = {"event_id": "{{draft_event_id}}"}
APPLICANT = {"organiser_id": "{{applicant_id}}"}
TO_CANCEL = {"event_id": "{{cancelled_event_id}}"}
TO_COMPLETE = {"event_id": "{{completed_event_id}}"}
ITS_SHOW = {"show_id": "{{completed_show_id}}"}
MOVING = {"show_id": "{{moving_show_id}}"}
PREVIEW = {"dry_run": "true"}
A_PRICE = {"amount": 50_000, "currency": "KES"}

EXAMPLES = (
    # Who you are
    Example("register", NOBODY, body={"email": "newcomer-{{$guid}}@example.com"}),
    Example(
        "login",
        NOBODY,
        body={"email": "{{email}}", "password": "{{password}}"},
        keep=TOKENS,
        forget=OTHER_TOKENS,  # after another database or another address, they are nobody's
    ),
    Example("token", NOBODY, body={"username": "{{attendee_email}}", "password": "{{password}}"}),
    Example("refresh", NOBODY, body={"refresh_token": "{{refresh_token}}"}, keep=TOKENS),
    Example("forgot_password", NOBODY),
    Example("logout", forget=("access_token", "refresh_token")),
    Example("logout_everywhere", forget=("access_token", "refresh_token")),
    Example("show_me"),
    Example("edit_me"),
    Example("replace_me"),
    Example("change_password"),
    Example("change_email"),
    Example("send_verification"),
    Example("export_me"),
    Example("list_sign_ins", keep={"sign_in_id": "items.0.id"}),
    Example("end_sign_in", forget=("access_token", "refresh_token")),
    Example("list_users", "admin", query={"q": "my"}, keep={"account_id": "items.0.id"}),
    Example("show_user", "admin", path={"user_id": "{{account_id}}"}),
    Example("ban_user", "admin", path={"user_id": "{{account_id}}"}),
    Example("unban_user", "admin", path={"user_id": "{{account_id}}"}),
    Example("change_role", "admin", path={"user_id": "{{account_id}}"}),
    # The catalogue
    Example("list_venues", NOBODY, query={"city": "nairobi"}),
    Example("create_venue", "admin", keep={"venue_id": "id"}),
    Example("show_venue", NOBODY),
    Example("edit_venue", "admin"),
    Example("replace_venue", "admin"),
    Example("list_seat_maps", NOBODY),
    Example(
        "create_seat_map",
        "admin",
        query={"dry_run": "false"},
        keep={"seat_map_id": "id"},
        answers="SeatMap",
    ),
    Example("show_seat_map_schema", NOBODY),
    Example("show_seat_map", NOBODY),
    Example("edit_seat_map", "admin"),
    Example("lay_out_seat_map", "admin", query={"dry_run": "false"}, answers="SeatMapVersion"),
    Example("list_seat_map_versions", NOBODY),
    Example("show_seat_map_version", NOBODY, path={"number": "2"}),
    Example("delete_seat_map", "admin", forget=("seat_map_id",)),
    Example("delete_venue", "admin", forget=("venue_id",)),
    Example("list_organisers", NOBODY, query={"q": "live"}),
    Example("create_organiser", keep={"organiser_id": "id"}),
    Example("show_organiser", NOBODY),
    Example("edit_organiser"),
    Example("replace_organiser"),
    Example("apply_for_verification"),
    Example("show_verification"),
    Example(
        "add_member", "admin", body={"email": "{{attendee_email}}"}, keep={"user_id": "user_id"}
    ),
    Example("list_members"),
    Example("show_member"),
    Example("edit_member"),
    Example("remove_member", forget=("user_id",)),
    Example("create_api_key", body={"mode": "test"}, keep={"key_id": "id"}),
    Example("list_api_keys"),
    Example("show_api_key"),
    Example("revoke_api_key", forget=("key_id",)),
    Example("delete_organiser", forget=("organiser_id",)),
    Example(
        "invite_member",
        body={"email": "stagehand-{{$guid}}@example.com"},
        keep={"invitation_id": "id"},
    ),
    Example("list_invitations"),
    Example("withdraw_invitation", forget=("invitation_id",)),
    Example("list_events", NOBODY, query={"city": "nairobi", "q": "around the clock"}),
    Example("create_event", keep={"event_id": "id"}),
    Example("list_my_events", query={"status": "draft"}),
    Example("show_event"),
    Example("edit_event"),
    Example("replace_event"),
    Example("publish_event", path=DRAFT),
    Example("unpublish_event", path=DRAFT),
    Example(
        "cancel_event",
        path=TO_CANCEL,
        before=(Step("create_event", {"title": "Not to be"}, keep={"cancelled_event_id": "id"}),),
    ),
    Example(
        "complete_event",
        path=TO_COMPLETE,
        before=(
            Step("create_event", {"title": "Over already"}, keep={"completed_event_id": "id"}),
            Step(
                "create_show",
                {
                    **TO_COMPLETE,
                    "starts_at": "2040-06-15T20:00:00+03:00",
                    "time_zone": "Africa/Nairobi",
                    "currency": "KES",
                },
                keep={"completed_show_id": "id"},
            ),
            Step("create_tier", {"name": "Regular", "price": A_PRICE, "capacity": 9}, ITS_SHOW),
            Step("publish_event", path=TO_COMPLETE),
            Step("delete_show", path=ITS_SHOW),
        ),
    ),
    Example("delete_event", path={"event_id": "1"}, query=PREVIEW, answers="CancelPreview"),
    Example("list_shows", NOBODY, query={"city": "london", "on_sale": "true"}),
    Example("create_show", "manager", body={"event_id": "{{event_id}}"}, keep={"show_id": "id"}),
    Example("show_show", "manager"),
    Example("edit_show", "manager"),
    Example("replace_show", "manager"),
    Example("postpone_show", "manager"),
    Example("reschedule_show", "manager"),
    Example("pause_show", "manager"),
    Example("resume_show", "manager"),
    Example("copy_show", "manager"),
    Example(
        "relocate_show",
        "manager",
        path=MOVING,
        keep={"relocation_id": "id"},
        answers="Relocation",
        before=(
            Step(
                "create_show",
                {
                    "event_id": "{{event_id}}",
                    "venue_id": 1,
                    "starts_at": "2040-06-17T20:00:00+03:00",
                    "currency": "KES",
                },
                by="manager",
                keep={"moving_show_id": "id"},
            ),
        ),
    ),
    Example("list_relocations", "manager", path=MOVING),
    Example("show_relocation", "manager"),
    Example("apply_relocation", "manager"),
    Example("delete_show", path=NAIROBI, query=PREVIEW, answers="CancelPreview"),
    # What admins look at
    Example("list_moderated_events", "admin", query={"moderation": "not_required"}),
    Example("list_applications", "admin"),
    Example(
        "verify_organiser",
        "admin",
        path=APPLICANT,
        before=(
            Step(
                "create_organiser",
                {"name": "New in town", "email": "office@newintown.example"},
                by="admin",
                keep={"applicant_id": "id"},
            ),
            Step("apply_for_verification", path=APPLICANT, by="admin"),
        ),
    ),
    Example("refuse_organiser", "admin", path=APPLICANT),
    # What is for sale
    Example("create_stock", "manager", keep={"stock_id": "id"}),
    Example("list_stocks", "manager"),
    Example("show_stock", "manager"),
    Example("edit_stock", "manager"),
    Example("set_section_limits", "manager"),
    Example("show_section_limits", "manager"),
    Example("plan_tier", "manager"),
    Example("list_price_list", "manager"),
    Example("create_tier", "manager", keep={"tier_id": "id"}),
    Example("list_tiers", "manager"),
    Example("show_tier", "manager"),
    Example("edit_tier", "manager"),
    Example("replace_tier", "manager"),
    Example(
        "release_stock",
        "manager",
        body={"tier_id": "{{releasing_tier_id}}"},
        before=(
            Step(
                "create_tier",
                {"name": "Late", "price": A_PRICE, "capacity": 5},
                {"show_id": "{{show_id}}"},
                by="manager",
                keep={"releasing_tier_id": "id"},
            ),
        ),
    ),
    Example("take_back_stock", "manager"),
    Example("delete_stock", "manager", forget=("stock_id",)),
    Example("delete_tier", "manager", forget=("tier_id",)),
    Example("show_availability", NOBODY, path=NAIROBI),
    Example("show_tier_availability", NOBODY, path={"tier_id": "1"}),
    Example(
        "list_seats_of_show",
        NOBODY,
        path=SYDNEY,
        query={"section": "Stalls", "row": "F", "status": "available"},
        keep={"place_id": "items.0.id"},
    ),
    Example("list_seats", NOBODY, query={**SYDNEY, "section": "Circle", "row": "B"}),
    Example("show_seat", NOBODY),
    Example("show_seat_map_of_show", NOBODY, path=SYDNEY),
    Example("show_seat_status", NOBODY, path=SYDNEY),
    Example("show_seat_offers", NOBODY, path=SYDNEY),
    Example("draw_seat_map", NOBODY, path=SYDNEY),
    # Selling
    Example("create_ticket_holder", "attendee", keep={"holder_id": "id"}),
    Example("list_ticket_holders", "attendee"),
    Example("show_ticket_holder", "attendee"),
    Example("edit_ticket_holder", "attendee"),
    Example("replace_ticket_holder", "attendee"),
    Example("delete_ticket_holder", "attendee", forget=("holder_id",)),
    Example("list_bookings", "attendee"),
    Example("quote_booking", NOBODY),
    Example(
        "place_booking",
        NEW_GUEST,
        keep={
            "booking_id": "id",
            "booking_secret": "secret",
            "booking_reference": "reference",
            "booking_holder_id": "ticket_holder.id",
            "booked_place_id": "places.1.id",
        },
    ),
    Example("show_booking", GUEST),
    Example("edit_booking", GUEST),
    Example("replace_booking", GUEST, body={"ticket_holder_id": "{{booking_holder_id}}"}),
    Example("add_seats", GUEST),
    Example("remove_seat", GUEST, path={"place_id": "{{booked_place_id}}"}),
    Example("replace_items", GUEST),
    Example("swap_seats", GUEST),
    Example("extend_booking", GUEST),
    Example("recover_booking", NOBODY, body={"reference": "{{booking_reference}}"}),
    Example("confirm_booking"),
    Example("cancel_booking", GUEST),
    # The door
    Example(
        "check_in",
        "door",
        path=NAIROBI,
        body={"code": "{{ticket_code}}"},
        before=(
            Step(
                "place_booking",
                {
                    "show_id": 1,
                    "items": [{"tier_id": 1, "quantity": 1}],
                    "channel": "desk",
                    "confirm": True,
                },
                by="manager",
                keep={"ticket_code": "tickets.0.code"},
            ),
        ),
    ),
    Example("list_check_ins", "door", path=TONIGHT),
    Example("list_attendees", "door", path=TONIGHT, query={"status": "valid"}),
    Example("export_attendees", "door", path=TONIGHT),
    Example("list_audit_entries", "admin", query={"after": "", "per_page": "5"}),
    # Plumbing
    Example("welcome", NOBODY),
    Example("health", NOBODY),
    Example("ready", NOBODY),
    Example("list_problems", NOBODY),
    Example("show_problem", NOBODY, path={"code": "sold-out"}),
)
# What no example can do in a fresh demo world, and why.
NOT_SHOWN: dict[str, str] = {
    "accept_invitation": "the token is in the mail, and nowhere else",
    "list_moves": "nobody has a seat of the show that the example moves",
    "submit_event": "the demo publishes without asking: MODERATION is off",
    "approve_event": "nothing waits for an approval while MODERATION is off",
    "reject_event": "nothing is rejected while MODERATION is off",
    "verify_email": "it takes the token of a mail; `flask mails` shows one",
    "reset_password": "it takes the token of a mail; `flask mails` shows one",
    "leave": "it would end an account that the others need",
}
