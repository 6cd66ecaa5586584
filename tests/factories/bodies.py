"""A body that each endpoint accepts, in the world of tests.factories.worlds, by its first ids."""

from typing import Any

EVENT = {"title": "Sol Fest"}
VENUE = {
    "name": "Hall",
    "city": "Nairobi",
    "country": "KE",
    "time_zone": "Africa/Nairobi",
    "capacity": 5000,
}
SEAT_MAP = {
    "name": "Seated",
    "sections": [{"name": "Stalls", "kind": "seated", "rows": "A-B", "seats": "1-12"}],
}
ORGANISER = {"name": "Nights", "email": "office@example.com"}
SHOW = {"starts_at": "2031-01-01T20:00:00+03:00", "currency": "KES"}
STARTS = {"starts_at": "2031-01-01T20:00:00+03:00"}
TIER = {
    "name": "VIP",
    "price": {"amount": 1, "currency": "KES"},
    "section": "Floor",
    "capacity": 1,
}
BASKET = [{"tier_id": 1, "quantity": 1}]

BODIES: dict[str, dict[str, Any]] = {
    "POST /auth/register": {
        "email": "new@example.com",
        "password": "correct horse battery",
        "name": "New",
    },
    "POST /auth/login": {"email": "a@example.com", "password": "correct horse battery"},
    "POST /auth/refresh": {"refresh_token": "x"},
    "POST /auth/forgot_password": {"email": "a@example.com"},
    "POST /auth/verify_email": {"token": "1.x"},
    "POST /auth/reset_password": {"token": "1.x", "password": "correct horse battery"},
    "PATCH /users/me": {"name": "Me"},
    "PUT /users/me": {"name": "Me", "user_name": "me.too"},
    "PUT /users/me/password": {
        "current_password": "correct horse battery",
        "new_password": "correct horse staple",
    },
    "PUT /users/me/email": {"email": "b@example.com", "password": "correct horse battery"},
    "DELETE /users/me": {"password": "correct horse battery"},
    "POST /users/{user_id}/ban": {"reason": "Touting"},
    "POST /users/{user_id}/unban": {"reason": "Sorry"},
    "PUT /users/{user_id}/role": {"role": "organiser", "reason": "Runs a hall"},
    "POST /venues/": VENUE,
    "PATCH /venues/{venue_id}": {"name": "Hall"},
    "PUT /venues/{venue_id}": VENUE,
    "POST /organisers/": ORGANISER,
    "POST /venues/{venue_id}/seat_maps": SEAT_MAP,
    "PATCH /seat_maps/{seat_map_id}": {"name": "Concert"},
    "POST /seat_maps/{seat_map_id}/versions": SEAT_MAP,
    "PATCH /organisers/{organiser_id}": {"name": "Nights"},
    "PUT /organisers/{organiser_id}": ORGANISER,
    "POST /organisers/{organiser_id}/members": {"email": "x@example.com", "role": "door"},
    "POST /organisers/{organiser_id}/apply": {"note": "Ask the KICC"},
    "POST /organisers/{organiser_id}/refuse": {"reason": "Who?"},
    "POST /organisers/{organiser_id}/invitations": {"email": "x@example.com", "role": "door"},
    "POST /invitations/accept": {"token": "x"},
    "PATCH /organisers/{organiser_id}/members/{user_id}": {"role": "manager"},
    "POST /organisers/{organiser_id}/api_keys": {"name": "Shop", "scopes": ["sell"]},
    "POST /events/": EVENT,
    "PATCH /events/{event_id}": EVENT,
    "PUT /events/{event_id}": EVENT,
    "POST /events/{event_id}/cancel": {"reason": "Rain"},
    "POST /events/{event_id}/reject": {"reason": "Who plays?"},
    "POST /events/{event_id}/tiers": TIER,
    "POST /shows/": {**SHOW, "event_id": 1, "venue_id": 1},
    "PATCH /shows/{show_id}": {"currency": "KES"},
    "PUT /shows/{show_id}": SHOW,
    "POST /shows/{show_id}/copy": STARTS,
    "POST /shows/{show_id}/relocate": {"sections": {"Stalls": "Stalls"}, "unplaced": "refuse"},
    "POST /shows/{show_id}/reschedule": STARTS,
    "POST /shows/{show_id}/tiers": TIER,
    "POST /shows/{show_id}/stocks": {"name": "Press", "section": "Floor", "capacity": 1},
    "POST /shows/{show_id}/check_ins": {"code": "X" * 20, "gate": "North"},
    "PUT /shows/{show_id}/section_limits": {"items": [{"section": "Floor", "max_places": 300}]},
    "PATCH /stocks/{stock_id}": {"name": "House"},
    "POST /stocks/{stock_id}/release": {"tier_id": 1},
    "PATCH /tiers/{tier_id}": {"name": "VIP"},
    "PUT /tiers/{tier_id}": {"name": "VIP", "price": {"amount": 1, "currency": "KES"}},
    "POST /ticket_holders/": {"name": "Asha"},
    "PATCH /ticket_holders/{holder_id}": {"name": "Asha"},
    "PUT /ticket_holders/{holder_id}": {"name": "Asha"},
    "POST /bookings/": {"show_id": 1, "items": BASKET, "note": "Hi"},
    "POST /bookings/quote": {"show_id": 1, "items": [{"tier_id": 2, "seats": ["STALLS/B-9"]}]},
    "PATCH /bookings/{booking_id}": {"note": "Hi"},
    "PUT /bookings/{booking_id}": {"ticket_holder_id": 1, "note": "Hi"},
    "PUT /bookings/{booking_id}/items": {"items": BASKET},
    "POST /bookings/{booking_id}/seats": {"tier_id": 2, "seats": ["STALLS/A-5"]},
    "POST /bookings/{booking_id}/swap": {"seats": [{"from": "STALLS/A-1", "to": "STALLS/B-1"}]},
    "POST /bookings/recover": {"email": "x@example.com", "reference": "ABCDEFGH"},
}
