"""Progress: a bar where somebody watches, a line for each step where nobody does."""

import io

from utils import progress
from utils.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_elsewhere_each_step_is_a_line():
    stream = io.StringIO()
    tell = Progress(stream)

    for done in (0, 500, 1_000):
        tell("places", done, 1_000)
    tell("tickets", 0, 0)

    lines = stream.getvalue().splitlines()
    assert [line.split()[:2] for line in lines] == [["places", "1,000"], ["tickets", "0"]]


def test_on_a_terminal_a_bar_moves_and_leaves_a_line(monkeypatch):
    monkeypatch.setattr(progress, "OFTEN", -1)
    stream = Terminal()
    tell = Progress(stream)

    tell("places", 0, 1_000)
    tell("places", 500, 1_000)
    tell("places", 1_000, 1_000)

    start, half, end = (part for part in stream.getvalue().split("\r") if part)
    assert "[" + "." * 30 + "]   0 %" in start
    assert "[" + "#" * 15 + "." * 15 + "]  50 %" in half
    assert end.endswith(" s\n")
    assert "[" not in end.removeprefix("\033[K")


def test_a_terminal_is_not_drawn_upon_too_often():
    stream = Terminal()
    tell = Progress(stream)

    for done in range(1_000):
        tell("places", done, 1_000)

    assert stream.getvalue().count("\r") < 10


def test_an_unfinished_bar_can_be_taken_away():
    stream = Terminal()
    tell = Progress(stream)

    tell("places", 1, 2)
    tell.clear()

    assert stream.getvalue().endswith("\r\033[K")
