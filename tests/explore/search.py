"""Every ordering that can differ: depth first, without those that only swap steps that commute.

This is dynamic partial-order reduction (Flanagan and Godefroid, POPL 2005), with the source sets
of Abdulla, Aronis, Jonsson and Sagonas (POPL 2014) and the sleep sets of Godefroid (1996). After
each ordering, every two steps of different actors that matter to each other and that nothing
between them forces into this order are to be tried the other way round. What is left out is
equal, step by step, to an ordering that was run.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.explore.actors import Step
from tests.explore.footprints import Touch, matters
from tests.explore.ordering import Choose, Event, Moment, Ordering

Play = Callable[[Choose], Ordering]


class NotTheSame(RuntimeError):
    """The same choices led elsewhere: something that is drawn by lot decides what is done."""


@dataclass
class Node:
    """A moment of the search: who could go, who has gone, and who need not."""

    ready: tuple[int, ...]
    chosen: int
    step: Step | None  # what they did; None until they have
    asleep: dict[int, Touch]
    to_try: set[int]
    tried: dict[int, Touch] = field(default_factory=dict)


def orderings(play: Play, *, reduced: bool = True) -> Iterator[Ordering]:
    """All orderings of a scenario; not `reduced`, also those that only swap what commutes.

    The incomplete ones among them were broken off: they would have repeated another.
    """
    path: list[Node] = []
    while True:
        start = len(path)
        ordering = play(_along(path, start, reduced=reduced))
        if reduced:
            _find_races(path, ordering.events)
        yield ordering
        if not _turn(path):
            return


def _along(path: list[Node], start: int, *, reduced: bool) -> Choose:
    """Choose what the path says, and beyond its end go on with whoever went last."""

    def choose(moment: Moment) -> int | None:
        if moment.number < start:
            node = path[moment.number]
            step = moment.steps[node.chosen]
            if node.chosen not in moment.ready or step is None:
                raise NotTheSame(f"Step {moment.number} cannot be taken again.")
            if node.step is not None and node.step.sql != step.sql:
                raise NotTheSame(f"Step {moment.number}: {node.step.sql!r}, then {step.sql!r}.")
            node.step = step
            return node.chosen
        asleep = _still_asleep(path) if reduced else {}
        awake = [actor for actor in moment.ready if actor not in asleep]
        if not awake:
            return None
        chosen = moment.last if moment.last in awake else awake[0]
        assert chosen is not None
        step = moment.steps[chosen]
        assert step is not None
        to_try = {chosen} if reduced else set(moment.ready)
        path.append(Node(moment.ready, chosen, step, asleep, to_try))
        return chosen

    return choose


def _still_asleep(path: list[Node]) -> dict[int, Touch]:
    """Whose next step was tried before the last one, and would only swap with it."""
    if not path:
        return {}
    last = path[-1]
    assert last.step is not None
    return {
        actor: touch
        for actor, touch in (last.asleep | last.tried).items()
        if actor != last.chosen and not matters(touch, last.step.touch)
    }


def _find_races(path: list[Node], events: list[Event]) -> None:
    over = _answering(events)
    before: list[int] = []  # for each event, a bit for every one that must come before it
    newest: dict[int, int] = {}
    for j, event in enumerate(events):
        mask = 0
        if (own := newest.get(event.actor)) is not None:
            mask = before[own] | 1 << own
        for i in range(j - 1, -1, -1):
            if mask >> i & 1 or events[i].actor == event.actor:
                continue
            if over[events[i].actor] < i or over[event.actor] < j:
                continue
            if matters(events[i].step.touch, event.step.touch):
                _reverse(path[i], i, j, mask, events, before)
                mask |= before[i] | 1 << i
        before.append(mask)
        newest[event.actor] = j


def _answering(events: list[Event]) -> dict[int, int]:
    """The commit after which an actor only reads, for its answer; else the last event.

    Nobody can notice what is read then, and a torn answer is nobody's harm.
    """
    over = {event.actor: len(events) for event in events}
    for number, event in enumerate(events):
        if not event.step.touch.only_reads:
            over[event.actor] = number if event.step.touch.publishes else len(events)
    return over


def _reverse(node: Node, i: int, j: int, mask: int, events: list[Event], before: list[int]) -> None:
    """At `node`, try somebody from whom the `j`th event can come before the `i`th.

    Those are the actors that can begin with what need not come after the `i`th event.
    """
    between = [k for k in range(i + 1, j) if not before[k] >> i & 1]
    needs = {k: before[k] for k in between} | {j: mask}
    firsts = {
        events[k].actor for k in needs if not any(needs[k] >> other & 1 for other in between)
    } & set(node.ready)
    if not firsts:
        node.to_try |= set(node.ready)
    elif not firsts & node.to_try:
        node.to_try.add(events[j].actor if events[j].actor in firsts else min(firsts))


def _turn(path: list[Node]) -> bool:
    """Go back to the last moment with something left to try; whether there is one."""
    while path:
        node = path[-1]
        assert node.step is not None
        node.tried[node.chosen] = node.step.touch
        left = node.to_try - node.tried.keys() - node.asleep.keys()
        if left:
            node.chosen = min(left)
            node.step = None
            return True
        path.pop()
    return False
