"""What the worker adds to gunicorn's: it waits for nobody for ever."""

import os
import socket
import threading

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import TConn

from utils.draining_worker import DrainingWorker

HALF_A_REQUEST = b"GET /health HTTP/1.1\r\nHost: loc"


@pytest.fixture
def worker():
    made = DrainingWorker(1, os.getpid(), [], None, 1, Config(), _Silent())
    yield made
    made.tmp.close()


@pytest.fixture
def waiting(worker):
    """A client that stalls, and the thread that listens to it."""
    client, server = socket.socketpair()
    client.sendall(HALF_A_REQUEST)
    connection = TConn(worker.cfg, server, ("127.0.0.1", 1), ("127.0.0.1", 2))
    thread = threading.Thread(target=worker.handle, args=(connection,))
    thread.start()
    while connection not in worker.heard_since:
        thread.join(0.01)
    yield thread
    client.close()
    thread.join(5)
    server.close()


def test_hangs_up_on_who_stalls(worker, waiting):
    worker.cfg.set("timeout", 0)

    worker.hang_up_on_the_slow()

    waiting.join(5)
    assert not waiting.is_alive()
    assert worker.heard_since == {}


def test_lets_who_has_time_left_go_on(worker, waiting):
    worker.hang_up_on_the_slow()

    waiting.join(0.1)
    assert waiting.is_alive()


class _Silent:
    def __getattr__(self, name):
        return lambda *_args, **_facts: None
