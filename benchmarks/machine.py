"""What processes of this machine have cost so far, and what this machine is."""

import os
import platform
import resource
import subprocess
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process, its children and those it has buried have taken."""
    own = _times(pid)
    if own is None:
        return 0.0
    return sum(own) / TICK + sum(cpu_of(child) for child in children(pid))


def cpu_of_finished_children() -> float:
    """Seconds of CPU of the programs that this one has run to their end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def children(pid: int) -> list[int]:
    """The processes that `pid` started and that are still there."""
    found = []
    for entry in PROC.glob("[0-9]*"):
        fields = _fields(int(entry.name))
        if fields and int(fields[1]) == pid:
            found.append(int(entry.name))
    return found


def parent(pid: int) -> int:
    """The process that started `pid`."""
    return int(_fields(pid)[1])


def resident_mb(pid: int) -> float:
    """Megabytes of a process in memory, shared pages counted in full."""
    for line in (PROC / str(pid) / "status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def described() -> dict[str, str | int]:
    """The machine, for the head of a report."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in (PROC / "cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(pages / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_generator": _first_line(["wrk", "-v"]),
    }


def _first_line(command: list[str]) -> str:
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return next(iter((said.stdout + said.stderr).splitlines()), "")


def _times(pid: int) -> list[int] | None:
    fields = _fields(pid)
    return [int(value) for value in fields[11:15]] if fields else None  # of itself and the buried


def _fields(pid: int) -> list[str]:
    """A process's line of facts from its state on."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
