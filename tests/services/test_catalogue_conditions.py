"""What a search says of a sale is what the sale itself says."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from init import db
from models import Show, ShowStatus
from services import sale_service
from services.catalogue_conditions import on_sale
from tests.factories import ShowFactory, TierFactory

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("facts", "window"),
    [
        ({}, {}),
        ({}, {"on_sale_at": NOW - HOUR}),
        ({}, {"on_sale_at": NOW + HOUR}),
        ({}, {"off_sale_at": NOW - HOUR}),
        ({}, {"off_sale_at": NOW + HOUR}),
        ({"sales_paused": True}, {}),
        ({"status": ShowStatus.CANCELLED, "occupies_venue": False}, {}),
        ({"status": ShowStatus.POSTPONED, "starts_at": None, "occupies_venue": False}, {}),
        ({"status": ShowStatus.RESCHEDULED}, {}),
        ({"starts_at": NOW - HOUR}, {}),
        ({"starts_at": NOW - HOUR}, {"off_sale_at": NOW + HOUR}),
        ({"starts_at": NOW - 5 * HOUR}, {"off_sale_at": NOW + HOUR}),
    ],
)
def test_on_sale_is_what_can_be_bought(session, facts, window):
    show = ShowFactory(**facts)
    tier = TierFactory(show=show, **window)

    sheet = sale_service.sheet(show.id)
    sells = sale_service.refusal(sheet, sheet.tiers[tier.id]) is None

    assert (db.session.scalar(select(Show.id).where(on_sale())) is not None) == sells
