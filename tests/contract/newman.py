"""`make clients`: run the Postman collection of docs/clients against a server of its own.

Installs newman under .gigmate/node, starts a PostgreSQL and an API with fresh demo data, runs the
collection from top to bottom, and stops and removes both. Answers that look different from the
saved ones are saved. Exit code: newman's, and 0 with a reason where newman cannot be had.
"""

import argparse
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from config import ENVIRONMENT, ROOT, STATE
from utils import dev_database

NEWMAN = "6.2.2"
OLDEST_NODE = 16
NODE_HOME = STATE / "node"
PACKAGE = NODE_HOME / "node_modules" / "newman"
COLLECTION = ROOT / "docs" / "clients" / "gigmate.postman_collection.json"
LOCAL = ROOT / "docs" / "clients" / "local.postman_environment.json"
PATIENCE = 120  # seconds, for migrations and demo data on a busy machine
INSTALL_PATIENCE = 300
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class NoNewman(RuntimeError):
    """newman cannot be had here; the message says why."""


class NoServer(RuntimeError):
    """The API did not start; the message says what it said."""


def main() -> int:
    """Do what the command line says and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.contract.newman",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--times", type=int, default=1, help="how often to run it in a row")
    times = parser.parse_args().times
    signal.signal(signal.SIGTERM, _stop)
    try:
        return run_all(installed(), times)
    except NoNewman as missing:
        say(f"Skipped newman: {missing} docs/clients is written, and was not run.")
        return 0
    except (NoServer, dev_database.NoPostgres) as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        return 130


def run_all(newman: list[str], times: int) -> int:
    """Run the collection on fresh demo data, and then on used; the worst exit code."""
    with scratch() as home, database(home) as uri, server(home, uri) as address:
        reports = [home / f"report-{number}.json" for number in range(times)]
        codes = [run(newman, address, report) for report in reports]
        if not any(codes):
            save_answers(reports[0], uri)
        return max(codes)


def installed() -> list[str]:
    """The command that is newman of the pinned version, installed if it is not there yet."""
    node = shutil.which("node")
    if node is None:
        raise NoNewman("there is no Node.js on the PATH (nodejs.org; npm comes with it).")
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    if not said.startswith("v") or int(said[1:].split(".")[0]) < OLDEST_NODE:
        raise NoNewman(f"it needs Node.js {OLDEST_NODE} or later, and here is {said.strip()}.")
    if _version() != NEWMAN:
        _install()
    return [node, str(PACKAGE / "bin" / "newman.js")]


def _version() -> str | None:
    try:
        found: str = json.loads((PACKAGE / "package.json").read_text())["version"]
    except (OSError, ValueError):
        return None
    return found


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NoNewman("there is no npm on the PATH.")
    say(f"Installing newman {NEWMAN} with npm under {NODE_HOME.relative_to(ROOT)} (about 65 MB).")
    NODE_HOME.mkdir(parents=True, exist_ok=True)
    quietly = ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    safely = ["--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=60000"]
    command = [npm, "install", "--prefix", str(NODE_HOME), *quietly, *safely, f"newman@{NEWMAN}"]
    try:
        done = subprocess.run(
            command,
            cwd=NODE_HOME,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoNewman(f"npm did not finish in {INSTALL_PATIENCE} seconds.") from None
    if done.returncode or _version() != NEWMAN:
        lines = [line for line in done.stdout.splitlines() if "error" in line.lower()]
        why = lines[0].strip() if lines else f"exit code {done.returncode}"
        raise NoNewman(f"npm cannot install it ({why}).")


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory of this run's own."""
    STATE.mkdir(exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="clients-", dir=STATE))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def database(home: Path) -> Iterator[str]:
    """An empty PostgreSQL, gone afterwards."""
    try:
        yield dev_database.start(home, settings=QUICK)
    finally:
        dev_database.remove(home)


@contextmanager
def server(home: Path, uri: str) -> Iterator[str]:
    """The API as `make run` serves it, with fresh demo data; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    say("Starting a PostgreSQL and an API of its own, with fresh demo data.")
    log = home / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "main"],
            cwd=ROOT,
            env=environment(uri, port),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def environment(uri: str, port: int) -> dict[str, str]:
    """This one, with every setting as the program ships it, whatever a .env says."""
    # Empty outweighs .env, too.
    settings = dict.fromkeys(ENVIRONMENT, "") | {
        "DATABASE_URI": uri,
        "PORT": str(port),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "WORKERS": "2",
        "LOG_LEVEL": "WARNING",
        "RATE_LIMITS": "off",  # the whole collection is one client, as fast as it can
    }
    return {**os.environ, **settings}


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/ready")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.2)
    said = log.read_text().strip().splitlines()[-5:]
    raise NoServer("The API did not start:\n" + "\n".join(said))


def run(newman: list[str], address: str, report: Path) -> int:
    """One run of the collection; newman's exit code."""
    say(f"Running {COLLECTION.relative_to(ROOT)} with newman {NEWMAN} against {address}.")
    reports = ["--reporters", "cli,json", "--reporter-json-export", str(report)]
    plain = [] if sys.stdout.isatty() else ["--color", "off"]
    briefly = ["--reporter-cli-no-success-assertions", "--reporter-cli-no-banner", *plain]
    files = [str(COLLECTION), "--environment", str(LOCAL), "--env-var", f"base_url={address}"]
    # A proxy that is meant for the world outside would not find 127.0.0.1.
    outside = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    command = [*newman, "run", *files, *reports, *briefly, "--timeout-request", "20000"]
    return subprocess.run(command, env=outside, check=False).returncode


def save_answers(report: Path, uri: str) -> None:
    """Let `flask clients` save the answers that look different now."""
    command = [sys.executable, "-m", "flask", "clients", "--answers", str(report)]
    subprocess.run(command, cwd=ROOT, env=environment(uri, 5000), check=True)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
