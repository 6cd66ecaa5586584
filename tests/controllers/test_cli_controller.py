"""`flask db`, as somebody types it."""

import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import create_engine, inspect, make_url, select, text

from config import ROOT, settings
from controllers import cli_controller
from init import db, migrate
from models import AuditEntry, OrganiserInvitation, Role
from services import api_key_service, demo_large, demo_service, outbox_service
from services.demo_large_world import LargeWorld
from services.seat_picture_style import STYLE
from tests.factories import (
    OrganiserFactory,
    ShowFactory,
    TierFactory,
    UserFactory,
    VenueFactory,
)
from utils.clock import now


def small_app(uri):
    app = Flask("main", root_path=str(ROOT))
    app.config["SQLALCHEMY_DATABASE_URI"] = uri
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    cli_controller.register_commands(app)
    return app


def run(app, *words, **more):
    return app.test_cli_runner().invoke(args=["db", *words], **more)


@pytest.fixture(scope="module")
def scratch_uri(app, database_uri):
    """A database of these tests' own, because theirs is dropped and made."""
    admin = create_engine(database_uri, isolation_level="AUTOCOMMIT")
    name = make_url(database_uri).database + "_cli"
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(database_uri).set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(scope="module")
def scratch(scratch_uri):
    app = small_app(scratch_uri)
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def tables(scratch):
    def names():
        with scratch.app_context():
            return set(inspect(db.engine).get_table_names())

    return names


@pytest.fixture
def migrated(scratch):
    assert run(scratch, "create").exit_code == 0
    return scratch


@pytest.fixture(scope="module")
def seeded(scratch):
    """The documented way: drop, create, seed."""
    results = [run(scratch, word) for word in ("drop", "create", "seed")]
    assert [result.exit_code for result in results] == [0, 0, 0], results[-1].output
    yield results[-1]
    run(scratch, "drop")


@pytest.fixture
def on_a_terminal(monkeypatch):
    watched = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True), exit=sys.exit)
    monkeypatch.setattr(cli_controller, "sys", watched)


@pytest.fixture
def in_production(app, monkeypatch):
    monkeypatch.setattr(settings, "env", "production")


class TestCreateAndDrop:
    def test_create_makes_every_table(self, migrated, tables):
        assert tables() == {*db.metadata.tables, "alembic_version"}

    def test_create_may_be_repeated(self, migrated, tables):
        before = tables()

        again = run(migrated, "create")

        assert again.exit_code == 0
        assert "up to date" in again.output
        assert tables() == before

    def test_drop_leaves_nothing_of_ours_and_everything_else(self, migrated, tables):
        with migrated.app_context(), db.engine.begin() as connection:
            connection.execute(text("CREATE TABLE somebody_elses ()"))

        result = run(migrated, "drop")

        assert result.exit_code == 0
        assert tables() == {"somebody_elses"}
        with migrated.app_context(), db.engine.begin() as connection:
            connection.execute(text("DROP TABLE somebody_elses"))

    def test_drop_may_be_repeated(self, scratch):
        assert run(scratch, "drop").exit_code == 0
        assert run(scratch, "drop").exit_code == 0

    @pytest.mark.parametrize(("answer", "dropped"), [("n\n", False), ("y\n", True)])
    def test_drop_asks_on_a_terminal(self, migrated, tables, on_a_terminal, answer, dropped):
        result = run(migrated, "drop", input=answer)

        assert "Drop every table of " in result.output
        assert (result.exit_code == 0) == dropped
        assert ("users" not in tables()) == dropped

    def test_drop_with_yes_does_not_ask(self, migrated, tables, on_a_terminal):
        result = run(migrated, "drop", "--yes")

        assert result.exit_code == 0
        assert tables() == set()

    def test_drop_refuses_in_production(self, migrated, tables, in_production):
        result = run(migrated, "drop", "--yes")

        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
        assert "--force" in result.stderr
        assert "users" in tables()

    def test_drop_in_production_can_be_forced(self, migrated, tables, in_production):
        assert run(migrated, "drop", "--force").exit_code == 0
        assert tables() == set()


class TestSeed:
    def test_says_what_was_made_and_who_can_sign_in(self, seeded):
        assert "12 events" in seeded.output
        assert demo_service.PASSWORD in seeded.output
        for email in demo_service.LOGINS.values():
            assert email in seeded.output

    def test_hands_out_keys_that_are_made_for_this_database(self, scratch, seeded):
        keys = dict(re.findall(r"^  (\w+) key +(gm_live_\w{40})$", seeded.output, re.MULTILINE))

        with scratch.app_context():
            may = {
                name: api_key_service.caller_with(secret).scopes for name, secret in keys.items()
            }
        assert may == {"shop": {"catalogue", "sell"}, "door": {"door"}}

    def test_adds_nothing_to_a_database_with_accounts(self, scratch, seeded):
        again = run(scratch, "seed")

        assert again.exit_code == 1
        assert "flask db drop && flask db create && flask db seed" in again.stderr
        with scratch.app_context():
            assert db.session.scalar(text("SELECT count(*) FROM events")) == 12

    def test_is_refused_in_production(self, migrated, in_production):
        result = run(migrated, "seed")

        assert result.exit_code == 1
        assert "password" in result.stderr

    def test_what_it_made_is_sound_in_the_real_program_too(self, seeded, scratch_uri):
        """`flask` reads .flaskenv, makes the whole app and finds the commands beside its own."""
        environment = {**os.environ, "DATABASE_URI": scratch_uri, "SECRET_KEY": "x" * 40}

        verified = subprocess.run(
            [sys.executable, "-m", "flask", "db", "verify"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )

        assert verified.returncode == 0, verified.stderr
        assert verified.stdout.endswith(" invariants hold.\n")


class TestSeedLarge:
    """The options; tests/services/test_demo_large.py loads one."""

    @pytest.fixture
    def asked(self, app, monkeypatch):
        """What the service was asked to make; it makes nothing."""
        asked = []

        def seed(large, *, tell):
            asked.append(large)
            tell("places", 5, 5)
            return {"events": 2_012, "check_ins": 3}

        monkeypatch.setattr(demo_service, "seed", seed)
        return asked

    def test_is_small_unless_told(self, app, asked):
        result = run(app, "seed")

        assert (result.exit_code, asked) == (0, [None])
        assert "buyer" not in result.stdout

    def test_makes_what_was_promised(self, app, asked):
        result = run(app, "seed", "--size", "large")

        assert result.exit_code == 0
        assert asked == [LargeWorld(events=2_000, shows=10_000, bookings=1_000_000)]
        assert "Made 2,012 events and 3 check-ins." in result.stdout
        assert demo_large.account_email(0) in result.stdout
        assert result.stderr.split()[:2] == ["places", "5"]

    def test_can_be_told_how_much(self, app, asked):
        numbers = "--bookings 10000 --shows 600 --events 50 --seed 7"

        run(app, "seed", "--size", "large", *numbers.split())

        assert asked == [LargeWorld(bookings=10_000, shows=600, events=50, seed=7)]

    @pytest.mark.parametrize(
        "words", ["--bookings 10", "--size small --seed 2", "--size huge", "--size large --shows 0"]
    )
    def test_what_makes_no_sense_is_an_error(self, app, asked, words):
        result = run(app, "seed", *words.split())

        assert (result.exit_code, asked) == (2, [])

    def test_numbers_that_do_not_go_together_are_told_in_a_line(self, app, asked):
        result = run(app, "seed", "--size", "large", "--events", "3")

        assert result.exit_code == 1
        assert result.stderr == "Error: Make at least 12 events, and as many shows or more.\n"

    def test_says_how_long_it_takes_and_how_much_disk(self, app):
        told = " ".join(run(app, "seed", "--help").output.split())

        for promise in ("minutes", "GB of disk", "1,000,000 confirmed bookings", "10,000 shows"):
            assert promise in told

    @pytest.mark.parametrize(
        ("is_empty", "said"), [(True, "nothing was added"), (False, "all is there")]
    )
    def test_an_interruption_says_what_there_is(self, app, monkeypatch, is_empty, said):
        def interrupted(*_args, **_kwargs):
            raise KeyboardInterrupt

        monkeypatch.setattr(demo_service, "seed", interrupted)
        monkeypatch.setattr(demo_service, "is_empty", lambda: is_empty)

        result = run(app, "seed", "--size", "large")

        assert result.exit_code == 1
        assert said in result.stderr
        assert len(result.stderr.splitlines()) == 1

    def test_is_refused_where_there_are_accounts(self, scratch, seeded):
        result = run(scratch, "seed", "--size", "large")

        assert result.exit_code == 1
        assert "flask db drop && flask db create && flask db seed --size large" in result.stderr

    def test_is_refused_in_production(self, scratch, seeded, in_production):
        result = run(scratch, "seed", "--size", "large")

        assert result.exit_code == 1
        assert "password" in result.stderr


class TestTotalCount:
    def test_counts_the_demo_tour(self, scratch, seeded):
        result = run(scratch, "total_count", "1")

        assert result.stdout == "Total tickets sold for Event ID 1: 42\n"
        assert result.exit_code == 0

    def test_counts_confirmed_bookings_and_nothing_else(self, app, client, as_user):
        tier = TierFactory(price=0, capacity=10)
        headers = as_user(UserFactory())
        for quantity, confirm in ((3, True), (2, False), (1, True)):
            items = [{"tier_id": tier.id, "quantity": quantity}]
            order = {"show_id": tier.show_id, "items": items, "confirm": confirm}
            booking = client.post("/bookings/", json=order, headers=headers).json
        client.delete(f"/bookings/{booking['id']}", headers=headers)

        result = run(app, "total_count", str(tier.event_id))

        assert result.stdout == f"Total tickets sold for Event ID {tier.event_id}: 3\n"

    def test_tells_the_sections_apart_when_asked(self, app, client, as_user):
        show = ShowFactory(venue=VenueFactory(layout=[("VIP", {"A": 4}), ("Floor", 10)]))
        tiers = TierFactory(show=show, price=0), TierFactory(show=show, price=0, section="VIP")
        items = [{"tier_id": tier.id, "quantity": n} for n, tier in enumerate(tiers, start=1)]
        order = {"show_id": show.id, "items": items, "confirm": True}
        client.post("/bookings/", json=order, headers=as_user(UserFactory()))

        result = run(app, "total_count", str(show.event_id), "--by-section")

        assert result.stdout.splitlines()[1:] == ["  Floor: 1", "  VIP: 2"]

    def test_an_event_without_sales_has_none(self, app, session):
        event_id = TierFactory().event_id

        result = run(app, "total_count", str(event_id))

        assert result.stdout == f"Total tickets sold for Event ID {event_id}: 0\n"

    def test_an_unknown_event_is_an_error(self, app, session):
        result = run(app, "total_count", "4242")

        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == "Error: There is no event 4242.\n"

    @pytest.mark.parametrize("word", ["nonsense", "0", "99999999999999999999", "1.5"])
    def test_what_cannot_be_an_event_is_an_error(self, app, session, word):
        result = run(app, "total_count", word)

        assert result.exit_code == 2
        assert result.stdout == ""


class TestVerify:
    def test_says_that_all_is_well(self, app, session):
        TierFactory()

        result = run(app, "verify")

        assert result.exit_code == 0
        assert result.stdout.startswith("All ")
        assert result.stdout.endswith(" invariants hold.\n")

    def test_names_what_is_broken(self, app, session):
        stock_id = TierFactory(capacity=3).stocks[0].id
        session.execute(text("UPDATE stocks SET capacity = 4"))
        session.commit()

        result = run(app, "verify")

        assert result.exit_code == 1
        assert "stock-is-its-places: A stock has as many places as its capacity." in result.stdout
        assert f"{stock_id}  capacity 4, places 3" in result.stdout

    def test_tells_programs_in_json(self, app, session):
        sound = run(app, "verify", "--json")
        stock_id = TierFactory(capacity=3).stocks[0].id
        session.execute(text("UPDATE stocks SET capacity = 4"))
        session.commit()

        broken = run(app, "verify", "--json")

        assert (sound.exit_code, json.loads(sound.stdout)["broken"]) == (0, [])
        assert broken.exit_code == 1
        assert json.loads(broken.stdout)["broken"] == [
            {"invariant": "stock-is-its-places", "id": stock_id, "detail": "capacity 4, places 3"}
        ]


class TestTrouble:
    @pytest.mark.parametrize("words", [("seed",), ("verify",), ("total_count", "1")])
    def test_a_database_without_tables_is_told_in_a_line(self, scratch, words):
        run(scratch, "drop")

        result = run(scratch, *words)

        assert result.exit_code == 1
        assert result.stderr == "Error: The database is not up to date: run `flask db create`.\n"

    @pytest.mark.parametrize(
        "words", [("create",), ("drop", "-y"), ("seed",), ("verify",), ("total_count", "1")]
    )
    def test_a_database_out_of_reach_is_told_in_a_line(self, app, words):
        result = run(small_app("postgresql+psycopg2://nobody@127.0.0.1:1/nothing"), *words)

        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith("Error: The database refuses: ")

    @pytest.mark.parametrize("word", ["create", "drop", "seed", "total_count", "verify"])
    def test_every_command_helps_beside_those_of_flask_migrate(self, app, word):
        overview, details = run(app, "--help").output, run(app, word, "--help").output

        assert "upgrade" in overview
        assert word in overview
        assert len(details.splitlines()) > 4


def test_an_account_is_made_an_admin_by_hand(app, session):
    user = UserFactory(email="boss@example.com")

    done = app.test_cli_runner().invoke(args=["make-admin", "BOSS@example.com"])
    unknown = app.test_cli_runner().invoke(args=["make-admin", "nobody@example.com"])

    assert (done.exit_code, unknown.exit_code) == (0, 1)
    session.refresh(user)
    assert user.role == Role.ADMIN
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.target_id, entry.after) == ("user.role", user.id, {"role": "admin"})


class TestMails:
    @pytest.fixture
    def mails(self, app, session):
        return lambda *words: app.test_cli_runner().invoke(args=["mails", *words])

    @pytest.fixture
    def asked_for(self, client):
        for name in ("first", "second"):
            account = {
                "email": f"{name}@example.com",
                "password": "correct horse battery",
                "name": "A",
            }
            assert client.post("/auth/register", json=account).status_code == 201
        client.post("/auth/forgot_password", json={"email": "first@example.com"})
        client.post("/auth/forgot_password", json={"email": "nobody@example.com"})

    def test_shows_each_with_its_link_the_newest_first(self, asked_for, mails):
        head, *lines = mails().output.splitlines()

        assert head.split() == ["When", "(UTC)", "To", "Subject", "Link"]
        assert [line.split()[2] for line in lines] == [
            "first@example.com",
            "second@example.com",
            "first@example.com",
        ]
        assert "Set a new password" in lines[0]
        assert lines[0].split()[-1].startswith("http://127.0.0.1:5000/reset_password?token=")

    def test_its_links_work(self, asked_for, mails, client):
        (mail,) = json.loads(mails("--json", "--limit", "2").output)[:1]
        token = mail["link"].partition("token=")[2]

        body = {"token": token, "password": "another horse entirely"}
        assert client.post("/auth/reset_password", json=body).status_code == 204

    def test_tells_programs(self, asked_for, mails):
        rows = json.loads(mails("--json").output)

        assert [row.keys() for row in rows] == [{"id", "at", "topic", "to", "subject", "link"}] * 3

    def test_says_when_there_are_none(self, mails):
        assert mails().output == "No mails were asked for.\n"
        assert json.loads(mails("--json").output) == []

    def test_knows_invitations(self, session, mails):
        organiser = OrganiserFactory()
        offer = OrganiserInvitation(
            organiser_id=organiser.id, email="new@example.com", role="door", expires_at=now()
        )
        session.add(offer)
        session.flush()
        outbox_service.publish("mail.invitation", invitation_id=offer.id)
        session.commit()

        (row,) = json.loads(mails("--json").output)

        assert row["to"] == "new@example.com"
        assert row["link"].startswith(f"http://127.0.0.1:5000/invitations?token={offer.id}.")

    def test_is_refused_in_production(self, asked_for, mails, in_production):
        result = mails()

        assert result.exit_code == 1
        assert len(result.output.splitlines()) == 1
        assert "token" not in result.output

    def test_explains_itself(self, mails):
        assert "--limit" in mails("--help").output


class TestDraw:
    def test_writes_what_the_public_is_shown(self, app, session, client):
        show = TierFactory(
            show=ShowFactory(venue__layout=[("Stalls", {"A": 3})]), section="Stalls"
        ).show

        result = app.test_cli_runner().invoke(args=["draw", str(show.id)])

        assert result.exit_code == 0
        assert result.stdout == client.get(f"/shows/{show.id}/seat_map.svg").text

    def test_says_in_a_line_that_there_is_no_such_show(self, app, session):
        result = app.test_cli_runner().invoke(args=["draw", "999999"])
        assert (result.exit_code, result.stderr) == (1, "Error: There is no show 999999.\n")


def test_the_picture_of_the_readme_is_drawn_as_pictures_are():
    """After a change of how they look: `flask draw 2 > docs/seats.svg`, on the demo world."""
    drawn = (ROOT / "docs" / "seats.svg").read_text()
    assert f"<style>{STYLE}</style>" in drawn
    assert "docs/seats.svg" in (ROOT / "README.md").read_text()
