"""gunicorn's threaded worker, made to lose no request when it is told to stop, and no thread."""

import os
import queue
import select
import signal
import socket
import time
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker


class DrainingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker that, told to stop, answers who has already connected and then stops listening.

    gunicorn's own stops accepting but listens until its last answer is out: whoever connects in
    between waits for nothing, and is cut off in the end. A refused connection can be tried again
    at once, at the next instance.

    It also waits no longer than `timeout` for a request that has begun to arrive whole. gunicorn's
    own waits for ever, with a thread for each: a few clients that stall would stop the house.
    """

    def init_signals(self) -> None:
        """Heed a SIGTERM that came just after the fork, too.

        Until now this process answered signals as the arbiter does, by queueing them for a loop
        that it will never run; whoever was told to stop then went on until it was killed.
        """
        arbiter = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
        super().init_signals()
        with suppress(AttributeError, queue.Empty):
            while (told := arbiter.SIG_QUEUE.get_nowait()) != signal.SIGTERM:  # type: ignore[union-attr]
                pass
            os.kill(os.getpid(), told)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heard_since: dict[Any, float] = {}

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()

    def handle(self, conn: Any) -> Any:
        self.heard_since[conn] = time.monotonic()
        try:
            return super().handle(conn)
        finally:
            del self.heard_since[conn]

    def notify(self) -> None:
        super().notify()
        self.hang_up_on_the_slow()

    def hang_up_on_the_slow(self) -> None:
        """Read no more from whoever has been sending for too long; an answer still goes out."""
        latest = time.monotonic() - self.cfg.timeout
        for conn, since in list(self.heard_since.items()):
            if since < latest:
                with suppress(OSError):  # it is gone already
                    conn.sock.shutdown(socket.SHUT_RD)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether the connection can be used again: not after a body with bad framing.

        gunicorn's own would answer such a request a second time.
        """
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except ParseException:
            return False
