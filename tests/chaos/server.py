"""The house under fire: a private, durable PostgreSQL, and the API as `make serve` serves it."""

import http.client
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 (it is a class)

from config import ENVIRONMENT, ROOT, STATE
from tests.chaos.client import Address
from utils import dev_database

# What must not be lost is written through to the disk; as many connections as PostgreSQL has of
# itself, which is enough for two instances side by side.
DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "max_connections": "100",
    "log_line_prefix": "%m [%p] ",
}
API = "start:production()"
NAIVE = "tests.chaos.naive:seller()"
PATIENCE = 60.0  # seconds
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name IN ('gigmate', 'naive')
"""


class DoesNotStart(RuntimeError):
    """The house cannot be opened; the message says why."""


class Postgres:
    """A PostgreSQL of our own, which may be killed and brought back."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.uri = dev_database.start(home, settings=DURABLE)
        with closing(self.connect()) as connected, connected.cursor() as cursor:
            cursor.execute("SHOW data_directory")
            self._data = Path(cursor.fetchone()[0])
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                cursor.execute(f"SHOW {name}")
                if cursor.fetchone()[0] != "on":
                    raise DoesNotStart(f"{name} is off: what is lost would say nothing.")
        self._deadlocks_before = 0

    def connect(self) -> Connection:
        """A connection that is nobody else's, each of its statements a transaction."""
        connected = psycopg2.connect(
            self.uri.replace("+psycopg2", ""), application_name="chaos", connect_timeout=5
        )
        connected.autocommit = True
        return connected

    def run(self, sql: str, *values: object) -> list[tuple]:
        """The rows of one statement."""
        with closing(self.connect()) as connected, connected.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else []

    def kill(self) -> None:
        """Stop at once, as `pg_ctl stop -m immediate`: nothing is finished, nothing written."""
        self._deadlocks_before = self.deadlocks()
        with suppress(FileNotFoundError, ProcessLookupError):
            pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, signal.SIGQUIT)
        while dev_database.status(self.home) is not None:
            time.sleep(0.005)

    def revive(self) -> float:
        """Start again; when it began to accept connections, in seconds of the epoch."""
        dev_database.start(self.home, settings=DURABLE)
        said = (self._data / "server.log").read_text(errors="replace")
        ready = re.search(r"^(\S+ \S+) UTC .*ready to accept connections", said, re.MULTILINE)
        if ready is None:
            return time.time()
        return datetime.fromisoformat(ready[1]).replace(tzinfo=UTC).timestamp()

    def cut(self, connected: Connection | None = None) -> None:
        """Terminate every connection of the API, over a connection that is there or a new one."""
        with ExitStack() as stack:
            connected = connected or stack.enter_context(closing(self.connect()))
            stack.enter_context(connected.cursor()).execute(CUT)

    def deadlocks(self) -> int:
        """How many there have been: by the log, which is exact at once and survives a kill."""
        with suppress(FileNotFoundError):
            said = (self._data / "server.log").read_text(errors="replace")
            return self._deadlocks_before + said.count("deadlock detected")
        return self._deadlocks_before


class Web:
    """One gunicorn with its workers, on a port of its own."""

    def __init__(
        self, app: str, uri: str, secret: str, log: Path, *, extra: tuple[str, ...] = ()
    ) -> None:
        self.address: Address = ("127.0.0.1", _free_port())
        self.log = log
        # Empty outweighs a developer's .env, and is as good as not there.
        mine = dict.fromkeys(ENVIRONMENT, "") | {
            "GIGMATE_ENV": "production",
            "DATABASE_URI": uri,
            "SECRET_KEY": secret,
            "PORT": str(self.address[1]),
            "FLASK_DEBUG": "0",
            "RATE_LIMITS": "off",  # a few accounts buy what a city would
            "HOLD_BUDGET_MINUTES": "1000000000",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", *extra, app]
        with log.open("a") as out:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | mine,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C is for us, who then stop it
            )

    def ready(self) -> "Web":
        """This instance, once it answers. Raises DoesNotStart."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if _answers(self.address):
                return self
            time.sleep(0.02)
        said = self.log.read_text(errors="replace").strip().splitlines() or ["it said nothing"]
        raise DoesNotStart(f"The API does not start: {said[-1]} ({self.log})")

    def workers(self) -> list[int]:
        """The process ids of the workers that live."""
        return _children(self.process.pid)

    def memory(self) -> int:
        """Resident bytes of the largest worker; 0 where the system does not say."""
        return max((_resident(pid) for pid in self.workers()), default=0)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int | None:
        """Tell it to stop and wait until it has; its exit code."""
        self.process.send_signal(how)
        return self.process.wait(timeout=PATIENCE)

    def end(self) -> None:
        """Make sure that it is gone, with its workers."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def bugs(self) -> list[str]:
        """The lines of its log that tell of an unexpected error."""
        lines = self.log.read_text(errors="replace").splitlines()
        return [line for line in lines if "unexpected error" in line or "Traceback" in line]


class House:
    """PostgreSQL and every gunicorn that was started on it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.secret = secrets.token_urlsafe(48)
        self.postgres = Postgres(home / "postgres")
        self._webs: list[Web] = []

    def open(self, app: str = API, *, extra: tuple[str, ...] = ()) -> Web:
        """One more instance; call `ready` before you use it."""
        log = self.home / f"web-{len(self._webs)}.log"
        web = Web(app, self.postgres.uri, self.secret, log, extra=extra)
        self._webs.append(web)
        return web

    def close(self) -> None:
        """End every process, and remove every file."""
        for web in self._webs:
            web.end()
        self.postgres.kill()  # nobody wants its last checkpoint
        dev_database.remove(self.home / "postgres")


@contextmanager
def house() -> Iterator[House]:
    """A house in a directory of its own, which is gone afterwards, whatever happened."""
    STATE.mkdir(exist_ok=True)
    _sweep()
    home = Path(tempfile.mkdtemp(prefix=f"chaos-{os.getpid()}-", dir=STATE))
    opened = None
    try:
        opened = House(home)
        yield opened
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it
        if opened is None:
            dev_database.remove(home / "postgres")
        else:
            opened.close()
        shutil.rmtree(home)
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _sweep() -> None:
    """Clear away what runs that were killed have left."""
    for left_over in STATE.glob("chaos-*"):
        pid = re.match(r"chaos-(\d+)-", left_over.name)
        if pid and not _lives(int(pid[1])):
            dev_database.remove(left_over / "postgres")
            shutil.rmtree(left_over, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(address: Address) -> bool:
    try:
        with closing(http.client.HTTPConnection(*address, timeout=5)) as asked:
            asked.request("GET", "/ready", headers={"Connection": "close"})
            return asked.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if listed.exists():
        return [int(child) for child in listed.read_text().split()]
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in found.stdout.split()]


def _resident(pid: int) -> int:
    with suppress(OSError, IndexError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    found = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return int(found.stdout.strip() or 0) * 1024
