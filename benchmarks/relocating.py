"""How many parties stay together when a sold hall moves to another, and how long that takes."""

import time
from typing import Any

from flask import Flask
from sqlalchemy import select

from benchmarks import world
from init import db
from models import Role, Show, User, Venue
from models.values import Caller
from services import relocation_service
from tests.factories import VenueFactory
from tests.factories.crowds import crowded, rows_of

NAME = "relocating"
HALLS = {2_000: (80, 30), 20_000: (500, 48)}  # sold: rows, and seats in each
ELSEWHERE = 0.75  # rows there are so much shorter, and there are more of them
BAR = 0.95


def measured(app: Flask, _address: str) -> dict[str, Any]:
    """Shares of parties, and seconds, for two sizes of halls."""
    found: dict[str, Any] = {}
    with app.app_context():
        admin = db.session.scalars(select(User).where(User.role == Role.ADMIN).limit(1)).one()
        caller = Caller(user_id=admin.id, role=admin.role)
        for sold, (rows, seats) in HALLS.items():
            tier = crowded(rows_of("Stalls", "R", *[seats] * rows), sold, seed=11)
            there = [int(seats * ELSEWHERE)] * int(rows / ELSEWHERE)
            hall: Venue = VenueFactory(layout=[rows_of("Stalls", "N", *there)], capacity=200_000)
            world.analyze()
            show = db.session.get_one(Show, tier.show_id)
            begun = time.perf_counter()
            relocation_service.preview(show, {"venue_id": hall.id}, caller=caller)
            previewed = time.perf_counter()
            moved = relocation_service.relocate(show, {"venue_id": hall.id}, caller=caller)
            took = time.perf_counter() - previewed
            summary = moved.summary
            found[str(sold)] = {
                "parties": summary["parties"],
                "together": (summary["kept"] + summary["together"]) / summary["parties"],
                "preview_seconds": previewed - begun,
                "seconds": took,
            }
            db.session.remove()
    return found


def lines(found: dict[str, Any]) -> list[str]:
    """What a person reads of it."""
    return [
        "",
        *(
            f"relocating {int(sold):>6,} sold seats: {100 * facts['together']:5.1f} % of "
            f"{facts['parties']:,} parties together (at least {100 * BAR:.0f}), preview "
            f"{facts['preview_seconds']:.2f} s, done in {facts['seconds']:.2f} s"
            for sold, facts in found.items()
        ),
    ]


def missed(found: dict[str, Any]) -> list[str]:
    """Which bars were missed."""
    return [
        f"relocating {sold}: {100 * facts['together']:.1f} % together"
        for sold, facts in found.items()
        if facts["together"] < BAR
    ]
