"""The load generator: wrk with one thread, so that it takes little of what it measures."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine

DONE = """
done = function(summary, latency, requests)
  io.stderr:write(string.format(
    '{"requests": %d, "microseconds": %d, "refused": %d, "failed": %d,' ..
    ' "p50": %.1f, "p95": %.1f, "p99": %.1f}',
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Outcome:
    """What came of a load: answers per second, milliseconds, and the generator's own CPU."""

    requests: int
    rate: float
    refused: int
    failed: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    client_cpu: float


def run(address: str, script: str, *, seconds: int, connections: int) -> Outcome:
    """Send what a Lua script makes for some seconds over so many connections."""
    before = machine.cpu_of_finished_children()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "load.lua"
        path.write_text(script + DONE)
        done = subprocess.run(
            [
                "wrk",
                "-t1",
                f"-c{connections}",
                f"-d{seconds}s",
                "--timeout",
                "10s",
                "-s",
                path,
                address,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    said = json.loads(done.stderr[done.stderr.index("{") :])
    return Outcome(
        requests=said["requests"],
        rate=said["requests"] / (said["microseconds"] / 1e6),
        refused=said["refused"],
        failed=said["failed"],
        p50_ms=said["p50"] / 1000,
        p95_ms=said["p95"] / 1000,
        p99_ms=said["p99"] / 1000,
        client_cpu=machine.cpu_of_finished_children() - before,
    )
