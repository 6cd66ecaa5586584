"""The API as `make serve` runs it, on a port of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config import ENVIRONMENT, ROOT, settings

PUBLIC_URL = "https://tickets.example.com"


@dataclass(frozen=True)
class Server:
    port: int
    log: Path


@pytest.fixture(scope="module")
def server(database_uri, world, tmp_path_factory) -> Iterator[Server]:
    """One worker of the production kind, over the tests' world; it knows the tests' secret."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("hostile") / "server.log"
    mine = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    mine |= {
        "GIGMATE_ENV": "production",
        "DATABASE_URI": database_uri,
        "SECRET_KEY": settings.secret_key,
        "PUBLIC_URL": PUBLIC_URL,
        "PORT": str(port),
        "WORKERS": "1",
        "BCRYPT_ROUNDS": "4",
        "LOG_LEVEL": "info",
        "RATE_LIMITS": "off",  # every strange request comes from one address
        "GUESSES_PER_ADDRESS": "1000000",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--timeout", "2"]
    with log.open("wb") as told:
        process = subprocess.Popen(
            [*command, "start:production()"], cwd=ROOT, env=mine, stdout=told, stderr=told
        )
    try:
        _wait_for(port, process)
        yield Server(port, log)
    finally:
        process.terminate()
        process.wait(40)


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not start")
