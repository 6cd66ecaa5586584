"""`make clients` where newman cannot be had: a reason, and no harm done."""

import os
import subprocess
import sys

import pytest

from config import ROOT
from tests.contract import newman
from tests.contract.newman import NoNewman


def test_without_node_it_says_so_and_succeeds(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.contract.newman"],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Skipped newman: there is no Node.js on the PATH")


@pytest.fixture
def only_node(monkeypatch, tmp_path):
    """A machine with a Node.js of some version, no npm, and no newman."""
    monkeypatch.setattr(newman, "PACKAGE", tmp_path)
    node = tmp_path / "node"

    def make(version):
        node.write_text(f"#!/bin/sh\necho {version}\n")
        node.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

    return make


def test_without_npm_nothing_is_installed(only_node):
    only_node("v20.20.2")

    with pytest.raises(NoNewman, match="no npm"):
        newman.installed()


def test_an_old_node_is_not_enough(only_node):
    only_node("v14.0.0")

    with pytest.raises(NoNewman, match=r"Node\.js 16 or later"):
        newman.installed()


def test_an_npm_that_fails_is_a_reason(only_node, monkeypatch, tmp_path):
    only_node("v20.20.2")
    monkeypatch.setattr(newman, "NODE_HOME", ROOT / ".gigmate" / "node-of-a-test")
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error code ENOTFOUND'\nexit 1\n")
    npm.chmod(0o755)

    with pytest.raises(NoNewman, match=r"cannot install it \(npm error code ENOTFOUND\)"):
        newman.installed()

    newman.NODE_HOME.rmdir()


def test_what_is_installed_already_needs_no_npm(only_node, tmp_path):
    only_node("v20.20.2")
    (tmp_path / "package.json").write_text(f'{{"version": "{newman.NEWMAN}"}}')

    assert newman.installed() == [str(tmp_path / "node"), str(tmp_path / "bin" / "newman.js")]


def test_the_server_is_as_the_program_ships_it_whatever_an_env_file_says(monkeypatch):
    monkeypatch.setenv("GIGMATE_ENV", "production")
    monkeypatch.setenv("HOLD_MINUTES", "1")

    told = newman.environment("postgresql://", 5001)

    assert (told["GIGMATE_ENV"], told["HOLD_MINUTES"]) == ("", "")
    assert (told["DATABASE_URI"], told["PORT"]) == ("postgresql://", "5001")
