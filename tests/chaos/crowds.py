"""Many who want the same at once; each with a control that has to go wrong."""

import time
from statistics import median

from tests.chaos.client import Buyer, Pause
from tests.chaos.stage import Play, Sale, confirm, insist, meanwhile

AGES_EVERY = 0.1  # seconds
CONFIRMED = 0.05  # of all holds
AGE = """
    UPDATE bookings SET held_until = clock_timestamp() + %s * interval '1 millisecond'
     WHERE show_id = %s AND status = 'held' AND held_until > clock_timestamp() + interval '1 minute'
       AND id %% 4 <> %s
"""
FORGET = (
    "UPDATE places SET booking_id = NULL, line_id = NULL WHERE booking_id = %s",
    "DELETE FROM booking_secrets WHERE booking_id = %s",
    "DELETE FROM booking_lines WHERE booking_id = %s",
    "DELETE FROM bookings WHERE id = %s",
)


def rush(play: Play, *, buyers: int, rounds: int = 1) -> None:
    """So many buyers for 10 places, all at the same instant."""
    took = []
    for _ in range(rounds):
        sale = play.sale(10)
        orders = [play.order(sale, {sale.tiers[0]: 1}) for _ in range(buyers)]
        began = time.monotonic()
        play.run([insist(order) for order in orders])
        took.append(time.monotonic() - began)
    play.measures["decided"] = median(took)
    if rounds > 1:
        play.notes.append("decided in " + ", ".join(f"{seconds:.2f}" for seconds in took) + " s")


def tampered(play: Play) -> None:
    """Behind the server's back one booking vanishes, and of another the place is given away."""
    rush(play, buyers=50)
    gone, robbed, *_ = [o.acknowledged[0].json["id"] for o in play.orders if o.acknowledged]
    for statement in FORGET:
        play.stage.postgres.run(statement, gone)
    play.stage.postgres.run(FORGET[0], robbed)


def one_seat(play: Play, *, buyers: int = 200) -> None:
    """Everybody wants the seat in the middle of the first row."""
    sale = play.sale(0, section="Stalls", layout=[("Stalls", {"A": 3})])
    orders = [play.order(sale, {sale.tiers[0]: 1}, seats=("STALLS/A-2",)) for _ in range(buyers)]
    play.run([insist(order) for order in orders])


def duplicates(play: Play, *, keys: int = 50, times: int = 10) -> None:
    """Impatient clients: every request is sent ten times at once."""
    sale = play.sale(2 * keys * times)
    orders = [play.order(sale, {sale.tiers[0]: 1}) for _ in range(keys)]
    copies = [order for order in orders for _ in range(times)]
    play.random.shuffle(copies)
    play.run([insist(order) for order in copies])


def several_tiers(play: Play, *, buyers: int = 120) -> None:
    """Baskets of two to four tiers, in any order."""
    sale = play.sale(30, 30, 30, 30)
    orders = []
    for _ in range(buyers):
        tiers = play.random.sample(sale.tiers, play.random.randint(2, 4))
        orders.append(play.order(sale, {tier: play.random.randint(1, 2) for tier in tiers}))
    play.run([insist(order) for order in orders])


def dying_holds(play: Play, *, buyers: int = 40, seconds: float = 2.0) -> None:
    """Most holds on 20 places die in a moment, some while being confirmed; everybody retries."""
    sale = play.sale(20)
    over = time.monotonic() + seconds

    def grow_old() -> None:
        while time.monotonic() < over:
            time.sleep(AGES_EVERY)
            moment, spared = play.random.randint(0, 150), play.random.randint(0, 3)
            play.stage.postgres.run(AGE, moment, sale.show_id, spared)

    with meanwhile(grow_old):
        play.run([_try_again(play, sale, number, over) for number in range(buyers)])


def _try_again(play: Play, sale: Sale, number: int, over: float) -> Buyer:
    dice = play.dice(number)
    while time.monotonic() < over:
        order = play.order(sale, {sale.tiers[0]: dice.randint(1, 2)})
        yield from insist(order)
        yield Pause(dice.uniform(0.02, 0.08))
        if order.acknowledged and dice.random() < CONFIRMED:
            yield from confirm(order)
