"""gunicorn's threaded worker, made to lose no request when it is told to stop."""

import os
import queue
import select
import signal
from contextlib import suppress

from gunicorn.workers.gthread import ThreadWorker


class DrainingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker that, told to stop, answers who has already connected and then stops listening.

    gunicorn's own stops accepting but listens until its last answer is out: whoever connects in
    between waits for nothing, and is cut off in the end. A refused connection can be tried again
    at once, at the next instance.
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

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()
