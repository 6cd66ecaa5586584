"""What a show sells, and why it cannot be bought."""

from datetime import UTC, datetime, timedelta

import pytest

from init import db
from models import EventStatus, Moderation, ShowStatus, TierStock
from models.sale import StockCount
from models.show import ShowCancelled
from services import sale_service, stock_service, tier_service
from services.sale_service import NotOnSaleYet, NotPublished, SaleEnded, SalePaused
from tests.factories import EventFactory, ShowFactory, StockFactory, TierFactory
from tests.factories.claims import claim

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def sheet_of(show):
    found = sale_service.sheet(show.id)
    assert found is not None
    return found


def names(stocks):
    return [stock.name for stock in stocks]


class TestSheet:
    def test_is_read_in_one_statement(self, session, count_statements):
        show = TierFactory().show
        TierFactory(show=show)
        show_id = show.id
        count_statements.clear()

        sale_service.sheet(show_id)

        assert len(count_statements) == 1

    def test_of_no_show_is_none(self, session):
        assert sale_service.sheet(999_999) is None
        assert sale_service.counted_sheet(999_999) is None

    def test_has_tiers_in_order_with_their_prices_and_stocks(self, session):
        show = ShowFactory()
        TierFactory(show=show, name="Late", position=2)
        TierFactory(show=show, name="Early", position=1, price=100)
        TierFactory(name="Elsewhere")

        sheet = sheet_of(show)

        assert [tier.name for tier in sheet.tiers.values()] == ["Early", "Late"]
        early = next(iter(sheet.tiers.values()))
        assert early.prices[0].price.amount == 100
        assert early.price(None) == early.prices[0] == early.price(early.prices[0].id)
        assert early.price(999_999) is None
        assert names(sheet.stocks_for(early)) == ["Early"]

    def test_a_show_without_tiers_has_an_empty_sheet(self, session):
        sheet = sheet_of(ShowFactory())

        assert (sheet.tiers, sheet.stocks) == ({}, {})

    def test_leaves_out_what_is_deleted(self, session):
        tier, other = TierFactory(), None
        other = TierFactory(show=tier.show)
        stock = StockFactory(show=tier.show)
        tier_service.delete(other)
        stock_service.delete(stock)

        sheet = sheet_of(tier.show)

        assert list(sheet.tiers) == [tier.id]
        assert stock.id not in sheet.stocks

    def test_counts_by_stock_and_a_dead_hold_as_free(self, session, count_statements):
        tier = TierFactory(capacity=10)
        [stock] = tier.stocks
        for quantity, state in ((3, "confirmed"), (2, "held"), (4, "dead")):
            claim(stock, quantity, state)
        empty = StockFactory(show=tier.show, capacity=0)
        show_id, stock_id = tier.show_id, stock.id
        count_statements.clear()

        _sheet, counts = sale_service.counted_sheet(show_id)

        assert len(count_statements) == 1
        assert counts == {
            stock_id: StockCount(free=5, held=2, sold=3),
            empty.id: StockCount(free=0, held=0, sold=0),
        }


class TestThen:
    @pytest.fixture
    def chain(self, session):
        """Early, then Regular, then Late."""
        show = ShowFactory()
        late = TierFactory(show=show, name="Late", off_sale_at=show.starts_at + HOUR)
        regular = TierFactory(show=show, name="Regular", then_tier_id=late.id)
        early = TierFactory(show=show, name="Early", then_tier_id=regular.id)
        return early, regular, late

    def sold_by(self, tier, **kwargs):
        sheet = sheet_of(tier.show)
        return names(sheet.stocks_for(sheet.tiers[tier.id], **kwargs))

    def test_nothing_falls_to_the_next_while_a_tier_sells(self, chain):
        assert [self.sold_by(tier) for tier in chain] == [["Early"], ["Regular"], ["Late"]]

    def test_the_stocks_of_a_closed_tier_fall_to_the_next(self, chain):
        early, regular, late = chain
        early.on_sale_at, early.off_sale_at = NOW - 2 * HOUR, NOW - HOUR
        db.session.commit()

        assert self.sold_by(regular) == ["Regular", "Early"]
        assert self.sold_by(late) == ["Late"]

    def test_and_on_to_the_one_after(self, chain):
        early, regular, late = chain
        early.off_sale_at = regular.off_sale_at = NOW - HOUR
        db.session.commit()

        assert self.sold_by(late) == ["Late", "Regular", "Early"]

    def test_but_not_past_a_tier_that_still_sells(self, chain):
        _early, regular, late = chain
        regular.off_sale_at = NOW - HOUR
        db.session.commit()

        assert self.sold_by(late) == ["Late", "Regular"]

    def test_a_tier_that_is_sold_out_leaves_its_stocks_too(self, chain):
        early, regular, _late = chain

        assert self.sold_by(regular, sold_out={early.id}) == ["Regular", "Early"]

    def test_a_shared_stock_is_there_once(self, chain):
        early, regular, _late = chain
        early.off_sale_at = NOW - HOUR
        db.session.add(
            TierStock(
                tier_id=regular.id,
                stock_id=early.stocks[0].id,
                show_id=early.show_id,
                position=9,
            )
        )
        db.session.commit()

        assert self.sold_by(regular) == ["Regular", "Early"]


class TestRefusal:
    def refused(self, tier):
        sheet = sheet_of(tier.show)
        return sale_service.refusal(sheet, sheet.tiers[tier.id])

    def test_none_for_what_is_on_sale(self, session):
        assert self.refused(TierFactory(on_sale_at=NOW - HOUR)) is None

    @pytest.mark.parametrize(
        ("about_tier", "error"),
        [
            ({"on_sale_at": NOW + HOUR}, NotOnSaleYet),
            ({"off_sale_at": NOW - HOUR}, SaleEnded),
        ],
    )
    def test_outside_its_window(self, session, about_tier, error):
        assert type(self.refused(TierFactory(**about_tier))) is error

    def test_tells_when_it_opens_on_the_clock_of_the_show(self, session):
        opens = datetime(2100, 1, 1, 7, tzinfo=UTC)
        refusal = self.refused(
            TierFactory(name="VIP", on_sale_at=opens, show__starts_at=opens + HOUR)
        )

        assert refusal.facts["on_sale_at"] == opens
        assert refusal.detail == (
            "VIP is on sale from Friday 1 January 2100, 10:00 (Africa/Nairobi)."
        )

    @pytest.mark.parametrize(
        ("about_show", "error"),
        [
            ({"status": ShowStatus.CANCELLED}, ShowCancelled),
            ({"status": ShowStatus.POSTPONED}, SalePaused),
            ({"status": ShowStatus.POSTPONED, "starts_at": None, "ends_at": None}, SalePaused),
            ({"sales_paused": True}, SalePaused),
            ({"starts_at": NOW - 9 * HOUR, "ends_at": NOW - HOUR}, SaleEnded),
            ({"starts_at": NOW - HOUR}, SaleEnded),
        ],
    )
    def test_of_a_show_that_does_not_sell(self, session, about_show, error):
        show = ShowFactory(**about_show)
        assert type(self.refused(TierFactory(show=show))) is error

    @pytest.mark.parametrize(
        ("about_event", "error"),
        [
            ({"status": EventStatus.DRAFT}, NotPublished),
            ({"moderation": Moderation.PENDING}, NotPublished),
            ({"moderation": Moderation.REJECTED}, NotPublished),
            ({"moderation": Moderation.APPROVED}, type(None)),
            ({"status": EventStatus.CANCELLED}, ShowCancelled),
            ({"status": EventStatus.COMPLETED}, SaleEnded),
        ],
    )
    def test_of_an_event_that_is_not_open(self, session, about_event, error):
        show = ShowFactory(event=EventFactory(**about_event))
        assert type(self.refused(TierFactory(show=show))) is error

    def test_a_door_sale_goes_on_as_long_as_it_says_and_never_past_the_end(self, session):
        show = ShowFactory(starts_at=NOW - HOUR, ends_at=NOW + HOUR)
        door = TierFactory(show=show, off_sale_at=NOW + 9 * HOUR)

        assert self.refused(door) is None
        sheet = sheet_of(show)
        assert sheet.closes_at(sheet.tiers[door.id]) == show.ends_at

    def test_can_be_asked_for_another_moment(self, session):
        tier = TierFactory(on_sale_at=NOW + HOUR)
        sheet = sheet_of(tier.show)

        assert sale_service.refusal(sheet, sheet.tiers[tier.id], NOW + 2 * HOUR) is None
