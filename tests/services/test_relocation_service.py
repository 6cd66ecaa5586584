"""Two thousand people move to another hall, and most parties never notice."""

import pytest
from sqlalchemy import func, select

from init import db
from models import Place, Show, Ticket
from models.values import Caller
from services import relocation_service, seat_map_service, verify_service
from tests.factories import AdminFactory, VenueFactory
from tests.factories.crowds import crowded, rows_of

SOLD = 2000


@pytest.fixture
def admin(session):
    user = AdminFactory()
    return Caller(user_id=user.id, role=user.role)


@pytest.mark.parametrize(
    ("there", "aisles"),
    [
        ([34] * 64 + [20] * 10, (17,)),
        ([22] * 108, (11,)),
        ([40] * 57, (10, 30)),
    ],
    ids=["fewer rows", "smaller rows", "wider rows"],
)
def test_at_least_95_of_100_parties_stay_together(session, admin, there, aisles):
    tier = crowded(rows_of("Stalls", "R", *[30] * 80, gaps_after=(8, 22)), SOLD, seed=11)
    show = db.session.get_one(Show, tier.show_id)
    before = dict(session.execute(select(Ticket.id, Ticket.place_id)).all())
    section = rows_of("Stalls", "N", *there, gaps_after=aisles)
    seat_map_service.lay_out(show.venue, [section])
    db.session.commit()

    told = relocation_service.preview(show, {}, caller=admin).summary
    moved = relocation_service.relocate(show, {}, caller=admin)

    assert moved.summary == told
    assert (told["places"], told["unplaced"]) == (SOLD, 0)
    assert (told["kept"] + told["together"]) / told["parties"] >= 0.95
    assert dict(session.execute(select(Ticket.id, Ticket.place_id)).all()) == before
    assert session.scalar(select(func.count(Place.id))) == sum(there)
    assert verify_service.broken() == []


def test_a_change_of_a_few_rows_moves_who_sat_there_and_nobody_else(session, admin):
    sizes = [30] * 80
    tier = crowded(rows_of("Stalls", "R", *sizes), SOLD, seed=5)
    show = db.session.get_one(Show, tier.show_id)
    fewer = rows_of("Stalls", "R", *[28 if 10 <= n < 13 else 30 for n in range(80)])
    seat_map_service.lay_out(show.venue, [fewer])
    db.session.commit()

    summary = relocation_service.relocate(show, {}, caller=admin).summary

    assert summary["together"] <= 6  # at the ends of three rows
    assert summary["kept"] == summary["parties"] - summary["together"]
    assert verify_service.broken() == []


def test_it_costs_the_same_statements_for_any_number(session, admin, count_statements):
    costs = []
    for sold in (20, 60):
        tier = crowded(rows_of("Stalls", "R", *[30] * 4), sold, seed=1)
        show = db.session.get_one(Show, tier.show_id)
        hall = VenueFactory(layout=[rows_of("Stalls", "N", *[20] * 7)], capacity=1000)
        count_statements.clear()
        relocation_service.relocate(show, {"venue_id": hall.id}, caller=admin)
        costs.append(len(count_statements))
    assert costs[0] == costs[1]
