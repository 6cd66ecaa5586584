"""From the announcement to the door, as the people of one evening do it."""

import csv
import io
from datetime import UTC, datetime, timedelta

from services.invitation_service import token_of


def test_announce_sell_and_admit(client):
    def sign_up(name, role="attendee"):
        body = {
            "email": f"{name}@example.com",
            "password": "correct horse battery",
            "name": name.title(),
            "role": role,
        }
        tokens = client.post("/auth/register", json=body).json
        return {"Authorization": f"Bearer {tokens['access_token']}"}

    def made(path, body, headers, status=201):
        response = client.post(path, json=body, headers=headers)
        assert response.status_code == status, response.json
        return response.json

    # Wanjiru announces a concert at her club.
    wanjiru = sign_up("wanjiru", "organiser")
    organiser = made("/organisers/", {"name": "Nairobi Nights", "email": "hi@example.com"}, wanjiru)
    venue = made(
        "/venues/",
        {
            "name": "The Alchemist",
            "city": "Nairobi",
            "country": "KE",
            "time_zone": "Africa/Nairobi",
            "capacity": 300,
            "organiser_id": organiser["id"],
        },
        wanjiru,
    )
    event = made(
        "/events/",
        {"title": "Sol Fest", "artist": "Sauti Sol", "organiser_id": organiser["id"]},
        wanjiru,
    )
    starts_at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    show = made(
        "/shows/",
        {
            "event_id": event["id"],
            "venue_id": venue["id"],
            "starts_at": starts_at,
            "currency": "KES",
        },
        wanjiru,
    )
    tier = made(
        f"/shows/{show['id']}/tiers",
        {
            "name": "Regular",
            "capacity": 5,
            "prices": [{"name": "Adult", "price": {"amount": 150_000, "currency": "KES"}}],
        },
        wanjiru,
    )
    assert client.get(f"/events/{event['id']}").status_code == 404
    made(f"/events/{event['id']}/publish", {}, wanjiru, status=200)
    found = client.get("/events/?q=sol+fest&city=nairobi&on_sale=true").json["items"]
    assert [row["id"] for row in found] == [event["id"]]

    # A guest holds two places, and pays at the desk.
    items = [{"tier_id": tier["id"], "quantity": 2}]
    guest = {"name": "José Ängström", "email": "jose@example.com"}
    held = made("/bookings/", {"show_id": show["id"], "items": items, "buyer": guest}, headers=None)
    assert held["total"] == {"amount": 300_000, "currency": "KES"}
    sold = made(f"/bookings/{held['id']}/confirm", None, wanjiru, status=200)
    assert len(sold["tickets"]) == 2

    # The desk sells one more, and the press gets in for nothing.
    walk_up = {"show_id": show["id"], "items": [{"tier_id": tier["id"], "quantity": 1}]}
    made("/bookings/", walk_up | {"channel": "desk", "confirm": True}, wanjiru)
    comp = {"channel": "comp", "comp_reason": "Review", "confirm": True, "buyer": guest}
    made("/bookings/", walk_up | comp, wanjiru)
    left = client.get(f"/tiers/{tier['id']}/availability").json
    assert left["available"] == 1

    # Otieno takes the list to the door.
    otieno = sign_up("otieno")
    member = {"email": "otieno@example.com", "role": "door"}
    invited = made(f"/organisers/{organiser['id']}/invitations", member, wanjiru)
    made("/invitations/accept", {"token": token_of(invited["id"])}, otieno, status=200)
    listed = client.get(f"/shows/{show['id']}/attendees.csv", headers=otieno)
    rows = list(csv.DictReader(io.StringIO(listed.text)))
    assert len(rows) == 4
    assert {row["name"] for row in rows} == {"José Ängström", "Walk-up"}

    # Each ticket opens the door once.
    scan = {"code": sold["tickets"][0]["code"], "gate": "Main"}
    here = f"/shows/{show['id']}/check_ins"
    assert made(here, scan, otieno)["ticket_holder"] == "José Ängström"
    again = client.post(here, json=scan, headers=otieno)
    assert (again.status_code, again.json["code"], again.json["gate"]) == (
        409,
        "already-used",
        "Main",
    )
