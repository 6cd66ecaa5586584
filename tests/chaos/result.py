"""What came of one play, in numbers."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

from tests.chaos import account
from tests.chaos.account import Account
from tests.chaos.client import Answer
from tests.chaos.scenarios import IN_WORDS
from tests.chaos.stage import Play, Stage
from tests.chaos.watch import Watch, watching

EXPECTED = {200, 201, 409, 503}


@dataclass
class Result:
    """The numbers of one play. Times are in seconds, but latencies in milliseconds."""

    name: str
    title: str
    seconds: float = 0.0
    answers: int = 0
    per_second: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)  # as in scenarios.IN_WORDS
    acknowledged: int = 0
    unknown: int = 0
    unknown_committed: int = 0
    unavailable_committed: int = 0
    memory_mb: float = 0.0
    looks: int = 0
    blind: int = 0
    slowest_look: float = 0.0
    broken: list[str] = field(default_factory=list)  # invariants, and lines of the API's log
    notes: list[str] = field(default_factory=list)

    def beyond(self, limits: Mapping[str, float]) -> list[str]:
        """The names of the numbers that do not hold."""
        return [name for name, most in limits.items() if self.numbers.get(name, 0) > most]

    def sentence(self, name: str, most: float) -> str:
        """One number that does not hold, in words."""
        return f"{self.name}: {IN_WORDS[name]}: {shown(self.numbers[name])}, at most {shown(most)}"

    def as_json(self) -> dict[str, Any]:
        """For programs; what never came is null, as JSON knows no infinity."""
        numbers = {name: None if math.isinf(n) else n for name, n in self.numbers.items()}
        return {**asdict(self), "numbers": numbers}


def shown(number: float) -> str:
    """A count, or seconds to two digits."""
    if math.isinf(number):
        return "never"
    return f"{number:,}" if isinstance(number, int) else f"{number:.2f}"


def played(name: str, title: str, play: Play, act: Any) -> Result:
    """Play it on an empty stage, watched, and settle the accounts."""
    stage: Stage = play.stage
    stage.clear()
    deadlocks = stage.postgres.deadlocks()
    with watching(stage.app, lambda: play.seller.web.memory(), stage.building) as watch:
        act(play)
    play.client.close()
    settled = account.settle(play.orders, account.read(stage.postgres))
    return summed_up(
        Result(name, title, notes=play.notes),
        play,
        settled,
        watch,
        stage.postgres.deadlocks() - deadlocks,
    )


def summed_up(result: Result, play: Play, settled: Account, watch: Watch, deadlocks: int) -> Result:
    """The result with all its numbers."""
    answers = play.client.answers
    _add_speed(result, play.runs)
    result.acknowledged = settled.acknowledged
    result.unknown, result.unknown_committed = settled.unknown, settled.unknown_committed
    result.unavailable_committed = settled.unavailable_committed
    result.memory_mb = watch.memory / 1e6
    result.looks, result.blind, result.slowest_look = watch.looks, watch.blind, watch.slowest
    result.broken = [f"{b.invariant} {b.id}: {b.detail}" for b in watch.broken]
    died = sum(answer.died for answer in answers)
    result.numbers = {
        "oversold": settled.oversold,
        "doubled": settled.doubled,
        "lost": settled.lost,
        "refused_while_free": settled.refused_while_free,
        "deadlocks": deadlocks,
        "errors": sum(a.status not in EXPECTED for a in answers if a.status),
        "undecided": sum(_undecided(order.answers) for order in play.orders),
        "breaches": len(watch.broken),
        "died": died,
        "failed": sum(answer.status == 0 or answer.status >= 500 for answer in answers),
        "longest_gap": max(map(longest_gap, play.runs), default=0.0),
        **play.measures,
    }
    if result.numbers["errors"]:
        result.broken += [line[:500] for line in play.seller.web.bugs()[-2:]]
    return result


def longest_gap(answers: Sequence[Answer]) -> float:
    """The longest time, from the first request to the last answer, in which nothing was decided."""
    if not answers:
        return 0.0
    decided = [answer.at for answer in answers if answer.decided]
    first = min(answer.sent_at for answer in answers)
    moments = sorted([first, *decided, max(answer.at for answer in answers)])
    return max(later - earlier for earlier, later in pairwise(moments))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that is not exceeded by `share` of them."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def _add_speed(result: Result, runs: Sequence[Sequence[Answer]]) -> None:
    answers = [answer for run in runs for answer in run]
    answered = [answer for answer in answers if answer.status]
    took = sorted((answer.at - answer.sent_at) * 1000 for answer in answered)
    result.answers = len(answered)
    result.seconds = sum(max(a.at for a in r) - min(a.sent_at for a in r) for r in runs if r)
    result.per_second = len(answered) / max(result.seconds, 0.001)
    result.p50_ms, result.p95_ms, result.p99_ms = (
        percentile(took, share) for share in (0.50, 0.95, 0.99)
    )
    counted = Counter(_word(answer) for answer in answers)
    result.statuses = dict(sorted(counted.items()))


def _word(answer: Answer) -> str:
    """A status, which of the server's own it is, or why there is none."""
    if answer.status >= 500:
        return f"{answer.status} {answer.code}"
    return str(answer.status or answer.why or "no answer")


def _undecided(answers: Sequence[Answer]) -> bool:
    """Whether an order got neither a booking nor a refusal, though its connections lived."""
    return not any(answer.died or answer.decided for answer in answers)
