"""The checks of `make chaos` themselves: what they count on made-up data, and one short run."""

import json
import socket
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from config import ROOT
from tests.chaos import report
from tests.chaos.account import FOR_EVER, Booked, Books, Order, Timeline, settle
from tests.chaos.client import Answer, Client, Pause, post
from tests.chaos.report import Played, Run
from tests.chaos.result import Result, longest_gap, percentile
from tests.chaos.scenarios import IN_WORDS, scenarios

TIER, PLACES = 7, 2
REQUEST = post("/bookings/", {"show_id": 1})
YES = b"HTTP/1.1 201 CREATED\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\n{}"


def order(email="asha@example.com", *answers, quantity=1, confirmations=()):
    return Order(email, REQUEST, {TIER: quantity}, (), list(answers), list(confirmations))


def yes(booking_id, places, at=1.0, *, status="held", replayed=False):
    body = {"id": booking_id, "status": status, "places": [{"id": place} for place in places]}
    return Answer(at - 0.1, at, 201, json.dumps(body).encode(), replayed)


def sold_out(sent_at, at):
    return Answer(sent_at, at, 409, json.dumps({"code": "sold-out", "tier_id": TIER}).encode())


def died(at=1.0):
    return Answer(at - 0.1, at, why="ECONNRESET")


def booked(booking_id, places, *, email="asha@example.com", status="held", since=0.9, until=900.0):
    return Booked(booking_id, email, status, since, until, {TIER: len(places)}, frozenset(places))


def books(*bookings, read_at=10.0):
    return Books(read_at, bookings, {TIER: PLACES})


def wrong(account):
    """What is not as it should be."""
    zeros = ("lost", "doubled", "oversold", "refused_while_free")
    return {name: getattr(account, name) for name in zeros if getattr(account, name)}


class TestAccount:
    def test_of_a_sale_as_it_should_be(self):
        orders = [
            order("a@example.com", yes(1, [11])),
            order("b@example.com", yes(2, [12])),
            order("c@example.com", sold_out(2.0, 3.0)),
        ]

        account = settle(
            orders,
            books(booked(1, [11], email="a@example.com"), booked(2, [12], email="b@example.com")),
        )

        assert account.acknowledged == 2
        assert wrong(account) == {}

    def test_a_booking_that_is_gone_is_lost(self):
        assert wrong(settle([order("a@example.com", yes(1, [11]))], books())) == {"lost": 1}

    def test_a_booking_without_its_place_is_lost(self):
        account = settle([order("asha@example.com", yes(1, [11]))], books(booked(1, [])))

        assert wrong(account) == {"lost": 1}

    def test_a_confirmation_that_was_forgotten_is_lost(self):
        told = order(confirmations=[yes(1, [11], status="confirmed")])

        assert wrong(settle([told], books(booked(1, [11], status="held")))) == {"lost": 1}

    def test_a_hold_that_expired_before_its_time_is_lost(self):
        account = settle(
            [order("asha@example.com", yes(1, [11]))], books(booked(1, [], status="expired"))
        )

        assert wrong(account) == {"lost": 1}

    def test_a_hold_whose_time_is_over_is_not(self):
        over = booked(1, [], status="expired", until=2.0)

        assert wrong(settle([order("asha@example.com", yes(1, [11]))], books(over))) == {}

    def test_two_bookings_of_one_order_are_doubled(self):
        account = settle(
            [order("asha@example.com", died(), yes(2, [12]))],
            books(booked(1, [11]), booked(2, [12])),
        )

        assert wrong(account) == {"doubled": 1}

    def test_a_booking_that_nobody_ordered_is_doubled(self):
        assert wrong(settle([], books(booked(1, [11])))) == {"doubled": 1}

    def test_one_place_for_two_at_once_is_oversold(self):
        orders = [order("a@example.com", yes(1, [11])), order("b@example.com", yes(2, [11]))]

        account = settle(
            orders,
            books(booked(1, [11], email="a@example.com"), booked(2, [11], email="b@example.com")),
        )

        assert wrong(account) == {"oversold": 1}

    def test_one_place_for_two_in_turn_is_not(self):
        orders = [
            order("a@example.com", yes(1, [11])),
            order("b@example.com", yes(2, [11], at=5.1)),
        ]
        first = booked(1, [], email="a@example.com", status="expired", until=5.0)

        # The second began before the first had died, and claimed the place only afterwards.
        second = booked(2, [11], email="b@example.com", since=4.9)

        assert wrong(settle(orders, books(first, second))) == {}

    def test_more_places_than_there_are_is_oversold(self):
        orders = [order(f"{n}@example.com", yes(n, [10 + n])) for n in (1, 2, 3)]
        bookings = [booked(n, [10 + n], email=f"{n}@example.com") for n in (1, 2, 3)]

        assert wrong(settle(orders, books(*bookings))) == {"oversold": 1}

    def test_a_refusal_while_a_place_was_free_all_the_time_is_wrong(self):
        account = settle(
            [order("a@example.com", yes(1, [11])), order("b@example.com", sold_out(2.0, 3.0))],
            books(booked(1, [11], email="a@example.com")),
        )

        assert wrong(account) == {"refused_while_free": 1}

    @pytest.mark.parametrize(("until", "refused_wrongly"), [(1.9, 1), (2.5, 0), (3.5, 0)])
    def test_places_of_a_dead_hold_are_free(self, until, refused_wrongly):
        full = booked(1, [11, 12], email="a@example.com", status="held", until=until)
        orders = [
            order("a@example.com", yes(1, [11, 12]), quantity=2),
            order("b@example.com", sold_out(2.0, 3.0)),
        ]

        assert settle(orders, books(full)).refused_while_free == refused_wrongly

    def test_what_became_of_an_unanswered_request_is_told_by_its_retry_or_by_the_books(self):
        orders = [
            order("nothing@example.com", died()),
            order("silent@example.com", died()),
            order("again@example.com", died(), yes(2, [12], replayed=True)),
            order("anew@example.com", died(), yes(3, [13], at=950.0)),
        ]

        account = settle(
            orders,
            books(
                booked(1, [11], email="silent@example.com"),
                booked(2, [12], email="again@example.com"),
                booked(3, [13], email="anew@example.com", since=949.0, until=FOR_EVER),
            ),
        )

        assert (account.unknown, account.unknown_committed) == (4, 2)
        assert account.doubled == 0


def test_a_timeline_knows_the_peak_of_any_window():
    taken = Timeline([(1.0, 4.0, 2), (2.0, 3.0, 3), (5.0, FOR_EVER, 1)])

    windows = [(0.0, 0.5), (0.5, 1.0), (1.5, 1.6), (1.5, 9.0), (3.0, 3.5), (4.0, 4.5), (6.0, 7.0)]
    assert [taken.peak(*window) for window in windows] == [0, 2, 2, 5, 2, 0, 1]


def test_the_longest_gap_counts_from_the_first_request_to_the_last_answer():
    def answer(at, status=201):
        return Answer(at - 0.5, at, status)

    assert longest_gap([answer(1.0), answer(1.5, 409), answer(4.0, 503), answer(4.2)]) == (
        pytest.approx(2.7)
    )
    assert longest_gap([answer(1.0, 503), answer(2.0, 503)]) == pytest.approx(1.5)
    assert longest_gap([]) == 0


def test_percentiles_are_values_that_occurred():
    assert [percentile([10, 20, 30, 40], share) for share in (0.5, 0.95, 0.01)] == [20, 40, 10]


class TestReport:
    @pytest.fixture
    def scenario(self):
        return scenarios(quick=True)[0]

    def result(self, scenario, **numbers):
        return Result(
            scenario.name, scenario.title, numbers={**dict.fromkeys(IN_WORDS, 0), **numbers}
        )

    def run_of(self, scenario, result, control):
        return Run(1, True, "18", played=[Played(scenario, result, control)])

    def test_names_the_number_that_does_not_hold(self, scenario):
        run = self.run_of(
            scenario,
            self.result(scenario, lost=2, decided=1.25),
            self.result(scenario, oversold=1, breaches=1),
        )

        assert run.failures == [
            "rush-500: acknowledged and lost: 2, at most 0",
            "rush-500: seconds until all were decided: 1.25, at most 1.00",
        ]
        assert "acknowledged and lost: 2, at most 0" in report.as_text(run)
        assert report.as_json(run)["holds"] is False

    def test_a_control_that_shows_nothing_fails(self, scenario):
        run = self.run_of(
            scenario, self.result(scenario), self.result(scenario, oversold=1, breaches=0)
        )

        assert run.failures == [
            "rush-500: the control (a seller that does not lock) should show broken invariants,"
            " and does not"
        ]

    def test_what_holds_is_said_so(self, scenario):
        run = self.run_of(
            scenario, self.result(scenario), self.result(scenario, oversold=3, breaches=2)
        )

        assert "Every number holds" in report.as_text(run)
        assert report.as_json(run)["holds"] is True

    def test_what_never_came_is_beyond_every_limit_and_null_in_json(self, scenario):
        result = self.result(scenario, decided=float("inf"))

        assert result.beyond(scenario.limits) == ["decided"]
        assert result.as_json()["numbers"]["decided"] is None

    def test_every_control_breaks_a_number_that_its_scenario_is_held_to(self):
        for scenario in scenarios(quick=False):
            assert set(scenario.control.notices) <= scenario.limits.keys()
            assert scenario.limits.keys() <= IN_WORDS.keys()


@pytest.fixture
def server():
    """`server(say, …)`: the address of one that has each connection handled by one of those."""
    listeners = []

    def start(*handlers):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve():
            for handle in handlers:
                accepted, _from = listener.accept()
                with closing(accepted):
                    handle(accepted)

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()

    yield start
    for listener in listeners:
        listener.close()


def say(*parts):
    def handle(accepted):
        for part in parts:
            accepted.recv(65536)
            accepted.sendall(part)

    return handle


class TestClient:
    def answers(self, *addresses, requests=(REQUEST,), patience=5.0):
        got = []

        def buyer():
            for request in requests:
                got.append((yield request))

        client = Client(addresses, patience=patience)
        assert client.run([buyer()]) == client.answers == got
        client.close()
        return got

    def test_reads_status_body_and_replay(self, server):
        head = b"HTTP/1.1 200 OK\r\nidempotent-replayed: true\r\nContent-Length: 8\r\n\r\n"

        (answer,) = self.answers(server(say(head + b'{"id":1}')))

        assert (answer.status, answer.json, answer.replayed, answer.ok) == (
            200,
            {"id": 1},
            True,
            True,
        )
        assert answer.sent_at <= answer.at

    def test_reads_an_answer_that_comes_in_pieces(self, server):
        def dribble(accepted):
            accepted.recv(65536)
            for byte in YES:
                accepted.sendall(bytes([byte]))

        assert [answer.status for answer in self.answers(server(dribble))] == [201]

    def test_keeps_a_connection_only_if_both_want_to(self, server):
        keep = post("/bookings/", {}, keep=True)
        closing_one = YES.replace(b"keep-alive", b"close")

        answers = self.answers(
            server(say(YES, closing_one), say(YES)), requests=[keep, keep, REQUEST]
        )

        assert [answer.status for answer in answers] == [201, 201, 201]

    @pytest.mark.parametrize("part", [b"", YES[:30], YES[:-1], b"nonsense\r\n\r\n"])
    def test_a_connection_that_dies_leaves_it_unknown(self, server, part):
        (answer,) = self.answers(server(say(part)))

        assert answer.died
        assert answer.why in ("ECONNRESET", "EPROTO")

    def test_an_answer_that_does_not_come_in_time_is_unknown(self, server):
        over = threading.Event()

        (answer,) = self.answers(server(lambda _accepted: over.wait(5)), patience=0.1)
        over.set()

        assert answer.died
        assert answer.why == "timed out"

    def test_who_is_refused_goes_to_the_next_address(self, server):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            nobody = gone.getsockname()

        (answer,) = self.answers(nobody, server(say(YES)))

        assert answer.status == 201

    def test_who_is_refused_everywhere_has_sent_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            nobody = gone.getsockname()

        (answer,) = self.answers(nobody)

        assert (answer.status, answer.sent, answer.died) == (0, False, False)

    def test_pauses(self):
        def idle():
            for _ in range(3):
                yield Pause(0.01)

        assert Client([]).run([idle(), idle()]) == []


def test_a_short_run_holds_and_its_control_fails(tmp_path):
    file = tmp_path / "chaos.json"
    command = [sys.executable, "-m", "tests.chaos", "--quick", "--only", "one-seat"]

    done = subprocess.run(
        [*command, "--json", str(file)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every number holds, and every control failed as it must." in done.stdout
    (scenario,) = json.loads(file.read_text())["scenarios"]
    assert scenario["statuses"]["201"] == 1
    assert scenario["control"]["numbers"]["oversold"] > 0
