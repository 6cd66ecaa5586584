"""What was found, for people and for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from tests.explore.company import Report
from tests.explore.controls import Control
from tests.explore.explorer import Finding
from tests.explore.scenarios import Scenario

AT_MOST = 5  # findings of a scenario; the rest is in the JSON


def list_scenarios(scenarios: Sequence[Scenario], controls: Sequence[Control]) -> None:
    for scenario in scenarios:
        click.echo(scenario.name)
    click.echo()
    for control in controls:
        click.echo(f"control: {control.name}")


def print_table(report: Report) -> None:
    """A line for each scenario, the controls, the findings, and the sum."""
    click.echo(f"{'scenario':44} {'orderings':>9} {'waiting':>7} {'steps':>5} {'seconds':>7}  ends")
    for one in report.explored:
        ends = "; ".join(f"{count} {end}" for end, count in one.ends.most_common(3))
        more = f"; and {len(one.ends) - 3} more" if len(one.ends) > 3 else ""
        capped = "+" if one.capped else " "
        steps = one.steps / max(one.orderings, 1)
        click.echo(
            f"{one.scenario:44} {one.orderings:>8}{capped} {one.waits:>7} {steps:>5.1f} "
            f"{one.seconds:>7.1f}  {ends}{more}"
        )
    if report.controls:
        click.echo()
    for control in report.controls:
        click.echo(f"{'control: ' + control.name:70} {_verdict(control)}")
    click.echo()
    for one in report.explored:
        for finding in one.findings[:AT_MOST]:
            _print_finding(finding)
        if len(one.findings) > AT_MOST:
            click.echo(f"  … and {len(one.findings) - AT_MOST} more of {one.scenario}")
    pairs = len({one.pair for one in report.explored})
    rate = 30 * report.orderings / report.seconds if report.seconds else 0
    capped = [one.scenario for one in report.explored if one.capped]
    click.echo(
        f"{report.orderings} orderings of {pairs} pairs in {report.seconds:.0f} s "
        f"({rate:.0f} in 30 s, {report.jobs} processes, seed {report.seed}); "
        f"{sum(one.waits for one in report.explored)} in which somebody waited; "
        f"{len(report.findings)} that must not be."
    )
    if capped:
        click.echo(f"Not all orderings were run (+) of: {', '.join(capped)}.")


def _verdict(control: object) -> str:
    finding = getattr(control, "finding", None)
    if not getattr(control, "applied", True):
        return "FAILED: the guard that it takes out is not there any more"
    if finding is None:
        return "FAILED: no ordering went wrong"
    return (
        f"went wrong, as it must ({getattr(control, 'orderings', 0)} orderings): "
        + (finding.reasons[0].split(": {")[0])
    )


def _print_finding(finding: Finding) -> None:
    for reason in finding.reasons:
        click.echo(f"{finding.scenario}: {reason}")
    click.echo(f"  python -m tests.explore --replay '{finding.scenario}:{finding.schedule}'")


def write_json(report: Report, path: Path) -> None:
    """Everything, as JSON."""
    facts = {
        "good": report.good,
        "orderings": report.orderings,
        "in_30_seconds": round(30 * report.orderings / report.seconds, 1),
        "findings": [asdict(finding) for finding in report.findings],
        "seed": report.seed,
        "jobs": report.jobs,
        "full": report.full,
        "seconds": report.seconds,
        # asdict makes a Counter of the pairs of a Counter, and those are no keys of JSON.
        "explored": [vars(one) | {"findings": len(one.findings)} for one in report.explored],
        "controls": [asdict(control) | {"good": control.good} for control in report.controls],
    }
    path.write_text(json.dumps(facts, indent=2) + "\n")
