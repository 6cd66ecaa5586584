"""GigMate and the bare program under the same gunicorn, and PostgreSQL beside them."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from benchmarks import machine
from config import ENVIRONMENT, ROOT

PATIENCE = 60  # seconds
NO_END = {"SELL_LIMIT": "1000000000 per minute", "HOLD_BUDGET_MINUTES": "1000000000"}


class Server:
    """A gunicorn with the settings of gunicorn.conf.py, until the `with` block ends."""

    def __init__(self, app: str, ready: str, log: Path, **variables: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        mine = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
        mine |= {"PORT": str(self.port), "HOST": "127.0.0.1", "LOG_LEVEL": "error", **variables}
        self._command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", app]
        self._environment, self._ready, self._log = mine, ready, log

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError(f"{self._command[-1]} did not start; see {self._log}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        return machine.cpu_of(self._process.pid)

    def resident_mb(self) -> float:
        """Megabytes of the largest worker."""
        workers = machine.children(self._process.pid)
        return max((machine.resident_mb(pid) for pid in workers), default=0.0)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", self._ready)
            return connection.getresponse().status < 500
        except OSError:
            return False
        finally:
            connection.close()
