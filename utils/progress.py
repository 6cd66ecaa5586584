"""How far long work has come: a bar on a terminal, a line for each step elsewhere."""

import sys
import time
from typing import TextIO

WIDTH = 30
OFTEN = 0.1  # seconds


class Progress:
    """Draws on stderr what `progress(what, done, total)` tells, step after step."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._moves = self._stream.isatty()
        self._step = ""
        self._begun = self._drawn = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if what != self._step:
            self.clear()
            self._step, self._begun, self._drawn = what, now, 0.0
        if done >= total:
            self._say(f"{what:<24} {total:>12,}  {now - self._begun:6.1f} s\n")
            self._step = ""
        elif self._moves and now - self._drawn > OFTEN:
            self._drawn = now
            filled = WIDTH * done // total
            bar = "#" * filled + "." * (WIDTH - filled)
            self._say(f"{what:<24} [{bar}] {100 * done // total:3} %")

    def clear(self) -> None:
        """Take an unfinished bar away."""
        if self._step:
            self._say("")

    def _say(self, line: str) -> None:
        self._stream.write(f"\r\033[K{line}" if self._moves else line)
        self._stream.flush()
