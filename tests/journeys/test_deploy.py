"""A deployment under load: the old instance is told to stop, and loses no request."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from config import ENVIRONMENT, ROOT


@pytest.fixture
def server(database_uri, app):
    """The API under gunicorn, as `make serve` runs it; its process and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    mine = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    mine |= {"DATABASE_URI": database_uri, "PORT": str(port), "LOG_LEVEL": "error", "WORKERS": "2"}
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "main:create_app()"]
    process = subprocess.Popen(command, cwd=ROOT, env=mine)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/ready")
            connection.getresponse().read()
            connection.close()
            break
        except OSError:
            time.sleep(0.1)
    yield process, port
    process.kill()
    process.wait()


def test_sigterm_under_load_fails_no_request(server):
    process, port = server
    outcomes: Counter[object] = Counter()
    over = threading.Event()

    def keep_asking(keep_alive):
        connection = None
        while not over.is_set():
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                    connection.connect()
            except ConnectionRefusedError:
                connection.close()
                return  # nothing was sent: a proxy goes to the next instance
            try:
                connection.request("GET", "/ready")
                response = connection.getresponse()
                response.read()
                outcomes[response.status] += 1
                if not keep_alive or response.getheader("Connection") == "close":
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as error:
                outcomes[repr(error)] += 1
                connection.close()
                return
        if connection is not None:
            connection.close()

    threads = [threading.Thread(target=keep_asking, args=(n % 2 == 0,)) for n in range(8)]
    for thread in threads:
        thread.start()
    while outcomes[200] < 100:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=40)
    over.set()
    for thread in threads:
        thread.join(30)

    assert set(outcomes) == {200}
    assert process.returncode == 0
