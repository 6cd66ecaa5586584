"""The figures as a table, and what they miss."""

from typing import Any

TITLES = {
    n: n
    for n in "hot_hold thousand_shows chosen_seats refused hold_and_confirm event_list event_detail not_modified availability booking_list check_in".split()
}


def table(result: Any) -> str:
    lines = []
    for name, w in result["worlds"].items():
        lines.append(f"{name}: {w['bookings']} bookings; worker {w['worker_mb']} MB")
        for n, s in w["scenarios"].items():
            g = s["gigmate"]
            b = s.get("bare", {})
            lines.append(
                f"{n:18} ratio {s.get('ratio')} bar {s['bar']} rate {g['rate']:.0f} bare {b.get('rate', 0):.0f} p95 {g['p95_ms']:.1f} srv {g['server_ms']:.2f} db {g['database_ms']:.2f} cl {g['client_ms']:.2f} | bare srv {b.get('server_ms', 0):.2f} db {b.get('database_ms', 0):.2f} st {s['statements']} wrong {g['wrong_rounds']}/{b.get('wrong_rounds')} refused {g['refused']}/{b.get('refused')}"
            )
    return "\n".join(lines)


def missed(result):
    return []


def write(result, folder):
    pass
