"""Offers copied whole."""

import pytest
from sqlalchemy import func, select

from init import db
from models import Place, Price, Stock, Tier
from services import sale_service, stock_service, tier_service
from tests.factories import EventFactory, ShowFactory, StockFactory, TierFactory, VenueFactory
from tests.factories.claims import claim
from utils.transaction import transaction

LAYOUT = [("Stalls", {"A": 3, "B": 3}), ("Floor", 50)]


@pytest.fixture
def event(session):
    return EventFactory()


def planned(event, name, *, currency="KES", amount=100, **facts):
    tier = Tier(event_id=event.id, name=name, max_per_booking=5, max_per_buyer=5, **facts)
    db.session.add(tier)
    db.session.flush()
    db.session.add(Price(tier_id=tier.id, name="Adult", amount=amount, fee=10, currency=currency))
    db.session.commit()
    return tier


def copied(show):
    with transaction():
        tier_service.copy_price_list(show)
    return offer(show)


def copied_night(source, target):
    with transaction():
        tier_service.copy_offer(source, target)
    return offer(target)


def offer(show):
    """{tier: [(stock, section, capacity)]}, and what every show must be true to."""
    db.session.expire_all()
    stocks = db.session.scalars(select(Stock).where(Stock.show_id == show.id)).all()
    for stock in stocks:
        places = select(func.count()).select_from(Place).where(Place.stock_id == stock.id)
        assert db.session.scalar(places) == stock.capacity
    sheet = sale_service.sheet(show.id)
    return {
        tier.name: [(s.name, s.section, s.capacity) for s in sheet.stocks_for(tier)]
        for tier in sheet.tiers.values()
    }


class TestPriceList:
    def test_gives_each_tier_its_prices_and_planned_stock(self, event):
        planned(event, "VIP", section="Stalls", capacity=2, position=1)
        planned(event, "Regular", section="Floor", capacity=30, position=2)
        show = ShowFactory(event=event, venue=VenueFactory(layout=LAYOUT))

        assert copied(show) == {
            "VIP": [("VIP", "Stalls", 2)],
            "Regular": [("Regular", "Floor", 30)],
        }
        sheet = sale_service.sheet(show.id)
        vip = next(iter(sheet.tiers.values()))
        assert (vip.prices[0].name, vip.prices[0].price.amount, vip.prices[0].fee) == (
            "Adult",
            100,
            10,
        )

    def test_the_only_tier_of_a_section_gets_all_of_it(self, event):
        planned(event, "Seated", section="Stalls")
        planned(event, "Standing A", section="Floor")
        planned(event, "Standing B", section="Floor")
        show = ShowFactory(event=event, venue=VenueFactory(layout=LAYOUT))

        assert copied(show) == {
            "Seated": [("Seated", "Stalls", 6)],
            "Standing A": [],
            "Standing B": [],
        }

    def test_needs_no_section_where_the_map_has_one(self, event):
        planned(event, "Regular")
        show = ShowFactory(event=event, venue=VenueFactory(capacity=70))

        assert copied(show) == {"Regular": [("Regular", "Floor", 70)]}

    def test_what_does_not_fit_comes_without_a_stock(self, event):
        planned(event, "Regular", section="Floor", capacity=30, position=1)
        planned(event, "Too many", section="Floor", capacity=21, position=2)
        planned(event, "Up", section="Balcony", capacity=1, position=3)
        show = ShowFactory(event=event, venue=VenueFactory(layout=LAYOUT), licensed_capacity=50)

        assert copied(show) == {
            "Regular": [("Regular", "Floor", 30)],
            "Too many": [],
            "Up": [],
        }

    def test_without_a_map_the_plan_alone_counts(self, event):
        planned(event, "Regular", section="Somewhere", capacity=30)
        planned(event, "Whoever")
        show = ShowFactory(event=event, venue=None)

        assert copied(show) == {"Regular": [("Regular", "Somewhere", 30)], "Whoever": []}

    def test_brings_only_tiers_with_a_price_in_the_currency_of_the_show(self, event):
        euros = planned(event, "Europe", currency="EUR")
        both = planned(event, "Both", then_tier_id=euros.id)
        db.session.add(Price(tier_id=both.id, name="Adult", amount=1, currency="EUR"))
        db.session.commit()
        show = ShowFactory(event=event)

        assert list(copied(show)) == ["Both"]
        [tier] = sale_service.sheet(show.id).tiers.values()
        assert [price.price.currency for price in tier.prices] == ["KES"]
        assert tier.then_tier_id is None

    def test_then_points_to_the_copy(self, event):
        late = planned(event, "Late", position=2)
        planned(event, "Early", position=1, then_tier_id=late.id)
        show = ShowFactory(event=event)
        copied(show)

        early, late = sale_service.sheet(show.id).tiers.values()

        assert early.then_tier_id == late.id

    def test_deleted_tiers_and_other_lists_stay_out(self, event):
        tier_service.delete(planned(event, "Gone"))
        planned(EventFactory(), "Another event's")
        show = ShowFactory(event=event)

        assert copied(show) == {}


class TestSecondNight:
    def test_has_the_same_offer_with_fresh_places(self, event):
        venue = VenueFactory(layout=LAYOUT)
        first = ShowFactory(event=event, venue=venue)
        stalls = StockFactory(show=first, name="Stalls", section_name="Stalls")
        press = StockFactory(show=first, name="Press", capacity=5)
        late = TierFactory(show=first, name="Late", stocks=[stalls], position=2)
        TierFactory(show=first, name="Early", stocks=[press, stalls], then_tier_id=late.id)
        claim(stalls, 2)
        claim(press, 2, "held")
        second = ShowFactory(event=event, venue=venue, occupies_venue=False)

        assert copied_night(first, second) == {
            "Early": [("Press", "Floor", 5), ("Stalls", "Stalls", 6)],
            "Late": [("Stalls", "Stalls", 6)],
        }
        sheet, counts = sale_service.counted_sheet(second.id)
        assert sum(count.free for count in counts.values()) == 11
        early, late = sheet.tiers.values()
        assert early.then_tier_id == late.id
        seats = select(Place.key).where(Place.show_id == second.id, Place.key.is_not(None))
        assert len(db.session.scalars(seats).all()) == 6

    def test_in_another_hall_takes_what_fits(self, event):
        first = ShowFactory(event=event, venue=VenueFactory(layout=[*LAYOUT, ("Garden", 40)]))
        for section in ("Stalls", "Floor", "Garden"):
            stock = StockFactory(show=first, name=section, section_name=section, capacity=40)
            TierFactory(show=first, name=section, stocks=[stock])
        smaller = VenueFactory(layout=[("Floor", 30), ("Stalls", {"A": 5})])
        second = ShowFactory(event=event, venue=smaller)

        assert copied_night(first, second) == {
            "Stalls": [("Stalls", "Stalls", 3)],
            "Floor": [("Floor", "Floor", 30)],
            "Garden": [],
        }

    def test_in_another_currency_brings_the_stocks_alone(self, event):
        first = TierFactory(show__event=event).show
        second = ShowFactory(event=event, venue=first.venue, currency="EUR", occupies_venue=False)

        assert copied_night(first, second) == {}
        assert len(sale_service.sheet(second.id).stocks) == 1

    def test_leaves_what_is_deleted(self, event):
        tier = TierFactory(show__event=event)
        first = tier.show
        gone = StockFactory(show=first)
        stock_service.delete(gone)
        tier_service.delete(tier)
        second = ShowFactory(event=event, venue=first.venue, occupies_venue=False)

        assert copied_night(first, second) == {}
        assert len(sale_service.sheet(second.id).stocks) == 1
