"""A few pairs and one control, so that `make explore` works whenever somebody wants all of it."""

import json
import subprocess
import sys

from config import ROOT
from tests.explore.controls import CONTROLS
from tests.explore.scenarios import PAIRED, all_scenarios

COMMAND = [sys.executable, "-m", "tests.explore"]


def test_every_pair_is_explored():
    pairs = {frozenset(scenario.operations) for scenario in all_scenarios()}

    assert {frozenset((one, other)) for one in PAIRED for other in PAIRED} <= pairs
    assert len({control.name for control in CONTROLS}) == len(CONTROLS)


def test_two_pairs_end_well_in_every_order(tmp_path):
    file = tmp_path / "explore.json"
    wanted = ["--pair", "claim,reap", "--pair", "check-in,check-in", "--json", str(file)]

    done = subprocess.run(
        [*COMMAND, *wanted], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(file.read_text())
    assert found["orderings"] > 10
    assert found["findings"] == []


def test_a_pair_that_nobody_knows_is_a_mistake():
    done = subprocess.run(
        [*COMMAND, "--pair", "claim,sing"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "no scenario has this pair" in done.stderr
