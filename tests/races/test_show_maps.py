"""A show's map is changed while people buy its seats."""

import threading
from contextlib import suppress

import pytest
from sqlalchemy import func, select

from init import db
from models import Place
from models.layout import plain_row, seated
from services import seat_map_service, show_edit_service, show_map_service
from tests.factories import AdminFactory, ShowFactory, TierFactory, UserFactory, VenueFactory

SEATS = [str(n) for n in range(1, 13)]
PATIENCE = 2.0  # seconds that the map waits for buyers whom it keeps waiting itself


@pytest.mark.parametrize("locked", [True, False])
def test_a_sale_finds_the_old_map_or_the_new_one(
    app, committed, as_user, in_parallel, sound, monkeypatch, locked
):
    """Those who buy what is being taken away come too late; without the lock they would have it."""
    venue = VenueFactory(layout=[("Stalls", {"A": 12})])
    show = ShowFactory(venue=venue)
    tier_id = TierFactory(show=show, section="Stalls", price=0).id
    fewer = seated("Stalls", [plain_row("A", SEATS[6:])])
    seat_map_service.lay_out(venue, [fewer])
    db.session.commit()
    checked, bought = threading.Event(), threading.Barrier(3)
    require_fit = show_map_service._require_fit

    def require_and_dawdle(facts):
        require_fit(facts)
        checked.set()
        with suppress(threading.BrokenBarrierError):
            bought.wait(PATIENCE)

    monkeypatch.setattr(show_map_service, "_require_fit", require_and_dawdle)
    if not locked:
        monkeypatch.setattr(show_edit_service, "lock", lambda row: row)
    path = f"/shows/{show.id}"

    def send(request):
        method, path, headers, body = request
        if method == "POST":
            checked.wait(10)
        with app.test_client() as client:
            status = client.open(path, method=method, headers=headers, json=body).status_code
        if method == "POST":
            with suppress(threading.BrokenBarrierError):
                bought.wait(PATIENCE)
        return status

    orders = [
        ("POST", "/bookings/", as_user(UserFactory()), order(show, tier_id, f"STALLS/A-{n}"))
        for n in (1, 2)
    ]
    move = "PATCH", path, as_user(AdminFactory()), {"seat_map_version": 2}
    moved, *sales = in_parallel([move, *orders], send)

    assert moved == 200
    gone = select(func.count()).where(Place.key.in_(["STALLS/A-1", "STALLS/A-2"]))
    if locked:
        assert all(status in (400, 404, 409) for status in sales)
        assert db.session.scalar(gone) == 0
        assert sound() == []
    else:
        assert sales == [201, 201]
        assert db.session.scalar(gone) == 2
        assert "seats-are-on-the-map" in {breach.invariant for breach in sound()}


def test_parties_get_the_best_row_that_the_new_map_has(app, committed, as_user):
    """What a process remembers of rows is of the map before, and nobody has bought a seat there."""
    back = plain_row("B", SEATS)
    parted = seated("Stalls", [plain_row("A", SEATS[:4], gaps_after=(2,)), back])
    venue = VenueFactory(layout=[parted])
    show = ShowFactory(venue=venue)
    tier_id = TierFactory(show=show, section="Stalls", price=0).id
    seat_map_service.lay_out(venue, [seated("Stalls", [plain_row("A", SEATS[:4]), back])])
    db.session.commit()
    item = {"tier_id": tier_id, "quantity": 4, "together": True}
    party = {"show_id": show.id, "items": [item]}
    path, manager = f"/shows/{show.id}", as_user(AdminFactory())

    def row_of_a_party():
        headers = as_user(UserFactory())
        with app.test_client() as client:
            answer = client.post("/bookings/", json=party, headers=headers)
        return {place["key"][:8] for place in answer.json["places"]}

    assert row_of_a_party() == {"STALLS/B"}
    with app.test_client() as client:
        moved = client.patch(path, json={"seat_map_version": 2}, headers=manager)
    assert moved.status_code == 200
    assert row_of_a_party() == {"STALLS/A"}


def order(show, tier_id, seat):
    return {"show_id": show.id, "items": [{"tier_id": tier_id, "seats": [seat]}]}
