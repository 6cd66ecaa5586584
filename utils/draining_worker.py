"""gunicorn's threaded worker, made to lose no request when it is told to stop."""

import select

from gunicorn.workers.gthread import ThreadWorker


class DrainingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A worker that, told to stop, answers who has already connected and then stops listening.

    gunicorn's own stops accepting but listens until its last answer is out: whoever connects in
    between waits for nothing, and is cut off in the end. A refused connection can be tried again
    at once, at the next instance.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()
