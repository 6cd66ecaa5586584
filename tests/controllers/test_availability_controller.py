"""/shows/<id>/availability and /tiers/<id>/availability, seen from outside."""

from datetime import UTC, datetime, timedelta

import pytest

from config import settings
from models import AvailabilityDisplay, EventStatus, ShowStatus, Tier
from services import availability_service
from tests.factories import (
    EventFactory,
    OrganiserFactory,
    ShowFactory,
    StockFactory,
    TierFactory,
    member,
)
from tests.factories.claims import claim

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def organiser(session):
    return OrganiserFactory()


@pytest.fixture
def staff(organiser, as_user):
    return as_user(member(organiser))


@pytest.fixture
def show(organiser):
    return ShowFactory(event=EventFactory(organiser=organiser))


def of(client, tier, headers=None):
    response = client.get(f"/tiers/{tier.id}/availability", headers=headers)
    assert response.status_code == 200
    return response.json


def of_show(client, show, headers=None):
    response = client.get(f"/shows/{show.id}/availability", headers=headers)
    assert response.status_code == 200
    return response.json


class TestTier:
    def test_says_everything_a_buyer_needs(self, client, show):
        tier = TierFactory(show=show, name="Regular", capacity=20, on_sale_at=NOW - HOUR)
        claim(tier.stocks[0], 3, "confirmed")
        claim(tier.stocks[0], 2, "held")
        claim(tier.stocks[0], 5, "dead")

        told = of(client, tier)

        assert told | {"on_sale_at": "", "off_sale_at": ""} == {
            "tier_id": tier.id,
            "name": "Regular",
            "state": "available",
            "message": "15 places left.",
            "on_sale": True,
            "sold_out": False,
            "can_purchase": True,
            "available": 15,
            "on_sale_at": "",
            "off_sale_at": "",
            "min_per_booking": 1,
            "max_per_booking": 10,
            "limited_prices": [],
        }
        assert told["on_sale_at"].endswith("+03:00")
        assert datetime.fromisoformat(told["off_sale_at"]) == show.starts_at

    def test_what_is_held_and_sold_is_the_organisers_to_know(self, client, show, staff):
        tier = TierFactory(show=show, capacity=20)
        claim(tier.stocks[0], 3, "confirmed")
        claim(tier.stocks[0], 2, "held")

        told = of(client, tier, staff)

        assert (told["capacity"], told["held"], told["sold"]) == (20, 2, 3)
        assert {"capacity", "held", "sold"} & of(client, tier).keys() == set()

    def test_shows_words_where_the_organiser_wants_words(self, client, organiser, staff):
        show = ShowFactory(
            event=EventFactory(organiser=organiser),
            availability_display=AvailabilityDisplay.WORD,
        )
        tier = TierFactory(show=show, capacity=20)

        told = of(client, tier)

        assert (told["available"], told["state"]) == (None, "available")
        assert told["message"] == "Places are available."
        assert of(client, tier, staff)["available"] == 20
        claim(tier.stocks[0], 19)
        assert of(client, tier)["message"] == "Few places are left."
        assert "20" not in str(of_show(client, show)["tiers"][0]["message"])
        assert of_show(client, show)["available"] is None

    @pytest.mark.parametrize(
        ("taken", "state", "message"),
        [
            (17, "available", "3 places left."),
            (18, "few_left", "Only 2 places left."),
            (19, "few_left", "Only 1 place left."),
            (20, "sold_out", "Sold out."),
        ],
    )
    def test_says_when_it_runs_out(self, client, show, taken, state, message):
        tier = TierFactory(show=show, capacity=20)
        claim(tier.stocks[0], taken)

        told = of(client, tier)

        assert (told["state"], told["message"]) == (state, message)
        assert told["sold_out"] == (state == "sold_out")
        assert told["can_purchase"] == (state != "sold_out")
        assert told["on_sale"]

    def test_fewer_than_anyone_may_buy_is_sold_out(self, client, show):
        tier = TierFactory(show=show, capacity=3, min_per_booking=4)

        told = of(client, tier)

        assert (told["available"], told["sold_out"], told["can_purchase"]) == (3, True, False)

    @pytest.mark.parametrize(
        ("about", "state"),
        [
            ({"on_sale_at": NOW + HOUR}, "not_on_sale_yet"),
            ({"off_sale_at": NOW - HOUR}, "sale_ended"),
            ({"stocks": []}, "not_on_sale_yet"),
            ({"show__sales_paused": True}, "paused"),
            ({"show__status": ShowStatus.CANCELLED}, "cancelled"),
            ({"show__status": ShowStatus.POSTPONED}, "postponed"),
            ({"show__starts_at": NOW - HOUR}, "sale_ended"),
            ({"show__event__status": EventStatus.CANCELLED}, "cancelled"),
        ],
    )
    def test_says_why_it_cannot_be_bought(self, client, session, about, state):
        tier = TierFactory(**about)

        told = of(client, tier)

        assert told["state"] == of_show(client, tier.show)["state"] == state
        assert (told["on_sale"], told["can_purchase"]) == (False, False)
        assert told["message"].endswith(".")

    def test_has_what_fell_to_it(self, client, show):
        regular = TierFactory(show=show, capacity=5)
        early = TierFactory(show=show, capacity=3, then_tier_id=regular.id, off_sale_at=NOW - HOUR)

        assert of(client, regular)["available"] == 8
        assert of(client, early)["state"] == "sale_ended"

    def test_a_price_list_is_not_for_sale(self, client, show, session):
        planned = Tier(event_id=show.event_id, name="A", max_per_booking=1, max_per_buyer=1)
        session.add(planned)
        session.commit()

        assert client.get(f"/tiers/{planned.id}/availability").status_code == 404
        assert client.get("/tiers/999999/availability").status_code == 404


class TestShow:
    def test_counts_a_place_that_several_tiers_sell_once(self, client, show, staff):
        floor = StockFactory(show=show, capacity=20)
        TierFactory(show=show, name="A", stocks=[floor], position=1)
        TierFactory(show=show, name="B", stocks=[floor], position=2)
        StockFactory(show=show, name="House", capacity=5)

        public, told = of_show(client, show), of_show(client, show, staff)

        assert [tier["name"] for tier in public["tiers"]] == ["A", "B"]
        assert (public["available"], public["message"]) == (20, "20 places left.")
        assert {"capacity", "held", "sold"} & public.keys() == set()
        assert (told["capacity"], told["held"], told["sold"]) == (25, 0, 0)

    def test_is_what_the_best_of_its_tiers_is(self, client, show):
        gone = TierFactory(show=show, capacity=1)
        claim(gone.stocks[0], 1)
        assert of_show(client, show)["state"] == "sold_out"
        assert of_show(client, show)["sold_out"]

        TierFactory(show=show, name="Later", on_sale_at=NOW + 2 * HOUR)
        TierFactory(show=show, name="Soon", on_sale_at=NOW + HOUR)
        told = of_show(client, show)
        assert (told["state"], told["sold_out"]) == ("not_on_sale_yet", False)
        assert told["message"].startswith("Soon is on sale from")

        TierFactory(show=show, capacity=30)
        told = of_show(client, show)
        assert (told["state"], told["can_purchase"], told["available"]) == ("available", True, 30)

    def test_without_tiers_offers_nothing(self, client, show):
        told = of_show(client, show)

        assert (told["state"], told["tiers"]) == ("not_on_sale_yet", [])
        assert told["message"] == "Nothing is on offer yet."
        assert [told[fact] for fact in ("on_sale", "can_purchase", "sold_out")] == [False] * 3

    def test_of_a_draft_is_told_to_its_members(self, client, organiser, staff):
        event = EventFactory(organiser=organiser, status=EventStatus.DRAFT, published_at=None)
        show = TierFactory(show=ShowFactory(event=event)).show

        assert client.get(f"/shows/{show.id}/availability").status_code == 404
        assert of_show(client, show, staff)["state"] == "not_published"

    def test_costs_the_same_however_many_tiers(self, client, show, count_statements):
        counts = []
        for more in (1, 20):
            for _ in range(more):
                TierFactory(show=show, capacity=1)
            count_statements.clear()
            of_show(client, show)
            counts.append(len(count_statements))
        assert counts[0] == counts[1] <= 2


class TestCached:
    @pytest.fixture(autouse=True)
    def a_minute(self, app):
        settings.update(availability_seconds=60.0)
        yield
        settings.update(availability_seconds=0.0)
        availability_service._recent._entries.clear()

    def test_whoever_asks_shares_one_look(self, client, show, staff):
        tier = TierFactory(show=show, capacity=5)
        assert of(client, tier)["available"] == 5
        claim(tier.stocks[0], 2)

        assert of(client, tier)["available"] == 5
        assert of_show(client, show, staff)["available"] == 5

    def test_a_tier_made_meanwhile_is_found(self, client, show):
        of_show(client, show)
        tier = TierFactory(show=show, capacity=5)

        assert of(client, tier)["available"] == 5
