"""What a run found, as a table to read and as JSON for programs."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.result import Result, shown
from tests.chaos.scenarios import IN_WORDS, Scenario

ZEROS = {
    "oversold": "sold twice",
    "doubled": "doubled",
    "lost": "lost",
    "refused_while_free": "refused free",
    "deadlocks": "deadlocks",
    "errors": "500s",
    "undecided": "undecided",
    "breaches": "breaches",
}


@dataclass
class Played:
    """A scenario with what came of it and of its control."""

    scenario: Scenario
    result: Result
    control: Result | None = None

    @property
    def failures(self) -> list[str]:
        """What does not hold, one sentence each; a control that noticed nothing is one, too."""
        limits = self.scenario.limits
        lines = [self.result.sentence(name, limits[name]) for name in self.result.beyond(limits)]
        lines += [f"  {line}" for line in self.result.broken]
        if self.control is not None:
            lines += [
                f"{self.scenario.name}: the control ({control.title}) should show"
                f" {IN_WORDS[name]}, and does not"
                for control in [self.scenario.control]
                for name in unnoticed(self.scenario, self.control)
            ]
        return lines


@dataclass
class Run:
    """One whole run."""

    seed: int
    quick: bool
    postgres: str
    seconds: float = 0.0
    played: list[Played] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        return [line for played in self.played for line in played.failures]


def unnoticed(scenario: Scenario, control: Result) -> list[str]:
    """The numbers that the control should have broken and has not."""
    broken = control.beyond(scenario.limits)
    return [name for name in scenario.control.notices if name not in broken]


def as_json(run: Run) -> dict[str, Any]:
    """Everything, for programs."""
    return {
        "seed": run.seed,
        "quick": run.quick,
        "seconds": round(run.seconds, 1),
        "machine": machine(run),
        "holds": not run.failures,
        "failures": run.failures,
        "scenarios": [
            {
                **played.result.as_json(),
                "limits": dict(played.scenario.limits),
                "holds": not played.failures,
                "control": played.control
                and {
                    **played.control.as_json(),
                    "must_notice": list(played.scenario.control.notices),
                },
            }
            for played in run.played
        ],
    }


def as_text(run: Run) -> str:
    """Everything, for people."""
    facts = machine(run)
    results = [played.result for played in run.played]
    controls = [
        [
            played.scenario.name,
            played.scenario.control.title,
            ", ".join(
                f"{ZEROS.get(name, name.replace('_', ' '))} {shown(played.control.numbers[name])}"
                for name in played.scenario.control.notices
            ),
            "no" if unnoticed(played.scenario, played.control) else "yes",
        ]
        for played in run.played
        if played.control
    ]
    parts = [
        f"Seed {run.seed}, {run.seconds:.0f} s, {facts['cores']} cores, Python {facts['python']},"
        f" PostgreSQL {facts['postgres']}, fsync and synchronous_commit on.",
        _table(
            ["scenario", "answers", "/s", "p50 ms", "p95", "p99", "gap s", "MB", "statuses"],
            [_speed(result) for result in results],
            left={0, 8},
        ),
        _table(
            [
                "scenario",
                "told yes",
                *ZEROS.values(),
                "unknown",
                "committed",
                "503 committed",
                "looks",
                "holds",
            ],
            [_books(played) for played in run.played],
            left={0},
        ),
        _table(["other numbers", "", "at most"], list(_measures(run.played)), left={0}),
    ]
    if controls:
        parts.append(_table(["control", "what is broken", "shows", "noticed"], controls, left=None))
    parts += ["\n".join(f"{r.name}: {note}" for r in results for note in r.notes)]
    parts += ["\n".join(run.failures) or "Every number holds, and every control failed as it must."]
    return "\n\n".join(part for part in parts if part)


def machine(run: Run) -> dict[str, Any]:
    """What it ran on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": cores,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "postgres": run.postgres,
    }


def _speed(result: Result) -> list[str]:
    statuses = ", ".join(f"{count} × {status}" for status, count in result.statuses.items())
    numbers = (result.per_second, result.p50_ms, result.p95_ms, result.p99_ms)
    return [
        result.name,
        f"{result.answers:,}",
        *(f"{number:,.0f}" for number in numbers),
        f"{result.numbers['longest_gap']:.2f}",
        f"{result.memory_mb:.0f}",
        statuses,
    ]


def _books(played: Played) -> list[str]:
    result = played.result
    looks = f"{result.looks}" + (f"+{result.blind}" if result.blind else "")
    return [
        result.name,
        f"{result.acknowledged:,}",
        *(shown(result.numbers[name]) for name in ZEROS),
        f"{result.unknown:,}",
        f"{result.unknown_committed:,}",
        f"{result.unavailable_committed:,}",
        looks,
        "no" if result.beyond(played.scenario.limits) else "yes",
    ]


def _measures(all_played: Sequence[Played]) -> list[list[str]]:
    return [
        [
            f"{played.scenario.name}: {name.replace('_', ' ')}",
            shown(played.result.numbers[name]),
            shown(most),
        ]
        for played in all_played
        for name, most in played.scenario.bounds.items()
    ]


def _table(heads: list[str], rows: list[list[str]], *, left: set[int] | None) -> str:
    """Aligned columns; `left` are those of words, all of them if None."""
    widths = [max(len(row[n]) for row in [heads, *rows]) for n in range(len(heads))]

    def line(cells: list[str]) -> str:
        padded = [
            cell.ljust(width) if left is None or n in left else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(padded).rstrip()

    return "\n".join([line(heads), line(["-" * width for width in widths]), *map(line, rows)])
