"""The figures of a run as a table, as a page with plots, and which bars they miss."""

from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from benchmarks import best_seats, relocating, seating

Result = dict[str, Any]
# What is not a load of requests: each measures itself, prints its lines and names its bars.
STUDIES: dict[str, Any] = {study.NAME: study for study in (best_seats, seating, relocating)}

HOT_SHARE = 0.9  # of the rate on a thousand shows
WARM_MS = 2.0
GROWTH = 1.2
LARGEST_WORKER_MB = 130
COLOURS = {"client": "#8da0cb", "server": "#fc8d62", "database": "#66c2a5"}
HEAD = (
    f"{'':34}{'ratio':>7}{'bar':>6}{'per s':>8}{'bare':>8}{'p50':>7}{'p95':>7}{'p99':>7}"
    f"{'client':>8}{'server':>8}{'database':>9}{'SQL':>5}"
)


def table(result: Result) -> str:
    """What a person reads at the end of a run; times are milliseconds of CPU per request."""
    lines = []
    for name, world in result["worlds"].items():
        lines += [
            "",
            f"{name} world, {world['bookings']:,} bookings;"
            f" a worker has {world['worker_mb']:.0f} MB (bare {world['bare_worker_mb']:.0f})",
            HEAD,
        ]
        for facts in _measured(world):
            ours, bare = facts["gigmate"], facts.get("bare", {})
            lines.append(
                f"{facts['title'][:33]:34}{_figure(facts.get('ratio')):>7}"
                f"{_figure(facts['bar']):>6}{ours['rate']:>8.0f}{bare.get('rate', 0):>8.0f}"
                f"{ours['p50_ms']:>7.1f}{ours['p95_ms']:>7.1f}{ours['p99_ms']:>7.1f}"
                f"{ours['client_ms']:>8.2f}{ours['server_ms']:>8.2f}{ours['database_ms']:>9.2f}"
                f"{facts['statements'] or '':>5}"
            )
        for study in (each for each in STUDIES if each in world):
            lines += STUDIES[study].lines(world[study])
    return "\n".join(lines)


def missed(result: Result) -> list[str]:
    """A sentence for each bar that this run does not reach."""
    lines = []
    for name, world in result["worlds"].items():
        scenarios = world["scenarios"]
        for facts in _measured(world):
            if facts["bar"] and facts.get("ratio", 1) < facts["bar"]:
                lines.append(
                    f"{name}: {facts['title']}: {facts['ratio']} of {_other(facts)}'s rate"
                )
            wrong = facts["gigmate"]["wrong_rounds"] + facts.get("bare", {}).get("wrong_rounds", 0)
            if wrong:
                lines.append(f"{name}: {facts['title']}: {wrong} rounds had unexpected answers")
        lines += [f"{name}: {line}" for line in _missed_together(scenarios)]
        for study in (each for each in STUDIES if each in world):
            lines += [f"{name}: {line}" for line in STUDIES[study].missed(world[study])]
        if world["worker_mb"] > LARGEST_WORKER_MB:
            lines.append(f"{name}: a worker has {world['worker_mb']:.0f} MB")
    if {"small", "large"} <= set(result["worlds"]):
        for name, growth in grown(result).items():
            if growth > GROWTH:
                lines.append(f"{name}: costs {growth:.2f} times as much at 1,000,000 bookings")
    return lines


def _measured(world: Result) -> Iterator[Result]:
    """Every scenario, each before the other ways in which it was measured."""
    for facts in world["scenarios"].values():
        yield facts
        yield from facts.get("others", {}).values()


def grown(result: Result) -> dict[str, float]:
    """By scenario, the CPU of a request in the large world over that in the small one."""
    small = result["worlds"]["small"]["scenarios"]
    large = result["worlds"]["large"]["scenarios"]
    return {name: _cost(large[name]) / _cost(small[name]) for name in large if name in small}


def write(result: Result, docs: Path) -> None:
    """docs/performance.md and its plots."""
    folder = docs / "performance"
    folder.mkdir(parents=True, exist_ok=True)
    world = result["worlds"].get("small") or next(iter(result["worlds"].values()))
    (folder / "where_the_time_goes.svg").write_text(_stacks(world))
    (folder / "ratios.svg").write_text(_ratios(world))
    (docs / "performance.md").write_text(_page(result))


def _missed_together(scenarios: Result) -> list[str]:
    lines = []
    if {"hot_hold", "thousand_shows"} <= set(scenarios):
        share = (
            scenarios["hot_hold"]["gigmate"]["rate"]
            / scenarios["thousand_shows"]["gigmate"]["rate"]
        )
        if share < HOT_SHARE:
            lines.append(f"one hot show sells at {share:.2f} of the rate of a thousand")
    if {"hot_hold", "refused"} <= set(scenarios):
        share = scenarios["refused"]["gigmate"]["rate"] / scenarios["hot_hold"]["gigmate"]["rate"]
        if share < 1:
            lines.append(f"refusals come at {share:.2f} of the rate of holds")
    if "availability" in scenarios and _cost(scenarios["availability"]) > WARM_MS:
        lines.append(f"availability costs {_cost(scenarios['availability']):.1f} ms")
    return lines


def _cost(facts: Result) -> float:
    return float(facts["gigmate"]["server_ms"] + facts["gigmate"]["database_ms"])


def _other(facts: Result) -> str:
    """Whose rate the bar is a share of."""
    if facts["statements"]:
        return "the bare program"
    return "GigMate alone" if "bare" in facts else "a guest"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _page(result: Result) -> str:
    machine = result["machine"]
    head = f"""# Performance

Written by `make bench`; the figures of a world are of one run on one machine, and the ratios are what to compare.

{machine["processor"]}, {machine["cores"]} cores, {machine["memory_gb"]} GB, {machine["system"]}, Python \
{machine["python"]}; load by {machine["load_generator"].split(" Copyright")[0]} over \
{result["connections"]} connections, {result["rounds"]} rounds of {result["seconds"]} s, alternating \
with the bare program; medians. The load, the API and PostgreSQL share the cores.

The **bare program** ([benchmarks/bare.py](../benchmarks/bare.py)) is WSGI and psycopg2 under the same
gunicorn. It sends exactly the statements that GigMate was recorded to send for the same request, and
checks nothing. A ratio of 0.5 says that half of a request's time is the database and the server, and
the other half what GigMate does: who asks, strict input, rules, the answer, headers, the log.
Rows that begin with "…" are the row above sent otherwise, in the same rounds; their ratio is over that
row's rate. A guest is nobody to look up: what a token or a key costs is what is missing from 1.
"""
    parts = [head]
    for name, world in result["worlds"].items():
        parts.append(f"## {name.capitalize()} world: {world['bookings']:,} bookings\n")
        parts.append(_rows(world))
        parts.append(
            f"\nA worker has {world['worker_mb']:.0f} MB resident, "
            f"the bare program's {world['bare_worker_mb']:.0f}.\n"
        )
    if {"small", "large"} <= set(result["worlds"]):
        parts.append("## What a hundred times as many bookings cost\n")
        parts.append("| | CPU per request, over that in the small world |\n|---|---:|")
        parts += [f"| {name} | {growth:.2f} |" for name, growth in grown(result).items()]
        parts.append("")
    parts.append(PLOTS)
    said = missed(result)
    parts.append("## Bars that this run missed\n")
    parts += [f"- {line}" for line in said] or ["None."]
    return "\n".join(parts) + "\n"


def _rows(world: Result) -> str:
    lines = [
        "| | ratio | bar | per second | bare | p50 | p95 | p99 | client | server | database | SQL |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for facts in _measured(world):
        ours, bare = facts["gigmate"], facts.get("bare", {})
        lines.append(
            f"| {facts['title']} | {_figure(facts.get('ratio'))} | {_figure(facts['bar'])} "
            f"| {ours['rate']:.0f} | {bare.get('rate', 0):.0f} | {ours['p50_ms']:.1f} "
            f"| {ours['p95_ms']:.1f} | {ours['p99_ms']:.1f} | {ours['client_ms']:.2f} "
            f"| {ours['server_ms']:.2f} | {ours['database_ms']:.2f} | {facts['statements'] or ''} |"
        )
    return "\n".join(lines)


PLOTS = """
p50, p95 and p99 are milliseconds until the answer; client, server and database are milliseconds of CPU
for a request.

## Where the time goes

![CPU of a request by who spends it](performance/where_the_time_goes.svg)

![Rates over those of the bare program](performance/ratios.svg)

What made the difference, and where it lives:

- **Prepared statements** (`utils/statement.py`, [decision 0012](decisions/0012-hot-statements-are-prepared.md)):
  planning was most of what the database spent on a hold.
- **Prepared schemas** (`utils/prepared_schema.py`, [decision 0013](decisions/0013-schemas-are-prepared.md)).
- **Rows read for an answer alone** (`services/booking_reading.py`, `event_service.READ`): one statement,
  no identity map; changes still go through the models.
- **A lone answer needs no transaction** (`Statement(alone=True)`): a BEGIN and a ROLLBACK are two round trips.
- **A refusal looks before it tries** (`inventory_service.until_claimed`): where others were told "sold out"
  lately, one statement says whether that still holds, with no lock and nothing to roll back.
- **What was understood once** is remembered by its text: a token's signature, a show's tiers and stocks.
  Whether they still hold is asked of the database each time.
"""


def _stacks(world: Result) -> str:
    bars = [
        (facts["title"], [(part, facts["gigmate"][f"{part}_ms"]) for part in COLOURS])
        for facts in world["scenarios"].values()
    ]
    widest = max(sum(value for _, value in parts) for _, parts in bars) or 1
    body = []
    for number, (title, parts) in enumerate(bars):
        y, x = 40 + number * 26, 300.0
        body.append(f'<text x="290" y="{y + 13}" text-anchor="end">{escape(title)}</text>')
        for part, value in parts:
            width = 380 * value / widest
            body.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="18" fill="{COLOURS[part]}">'
                f"<title>{part}: {value:.2f} ms</title></rect>"
            )
            x += width
        total = sum(value for _, value in parts)
        body.append(f'<text x="{x + 6:.1f}" y="{y + 13}">{total:.1f} ms</text>')
    for number, (part, colour) in enumerate(COLOURS.items()):
        x = 300 + number * 110
        body.append(f'<rect x="{x}" y="12" width="12" height="12" fill="{colour}"/>')
        body.append(f'<text x="{x + 18}" y="22">{part}</text>')
    return _drawn("CPU of a request by who spends it", body, 60 + len(bars) * 26)


def _ratios(world: Result) -> str:
    bars = [facts for facts in world["scenarios"].values() if "ratio" in facts]
    body = []
    for number, facts in enumerate(bars):
        y = 20 + number * 26
        width = min(facts["ratio"], 1.2) * 330
        body.append(f'<text x="290" y="{y + 13}" text-anchor="end">{escape(facts["title"])}</text>')
        body.append(f'<rect x="300" y="{y}" width="{width:.1f}" height="18" fill="#66c2a5"/>')
        body.append(f'<text x="{306 + width:.1f}" y="{y + 13}">{facts["ratio"]:.2f}</text>')
        if facts["bar"]:
            x = 300 + facts["bar"] * 330
            body.append(
                f'<path d="M{x:.1f} {y - 2}v22" stroke="#d62728" stroke-width="2">'
                f"<title>must reach {facts['bar']}</title></path>"
            )
    return _drawn(
        "Rates over those of the bare program; the red line is the bar", body, 40 + len(bars) * 26
    )


def _drawn(title: str, body: list[str], height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 {height}" role="img"'
        f' font-family="sans-serif" font-size="12"><title>{escape(title)}</title>'
        f'<rect width="780" height="{height}" fill="#ffffff"/>' + "".join(body) + "</svg>\n"
    )
