"""What GigMate sends to the database for one request, so that the bare program sends the same."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

from utils.statement import Statement

Facts = dict[str, Any]


@dataclass
class Step:
    """One statement, with its parameters as the sample request sent them."""

    text: str
    values: Any
    prepare: str | None = None
    name: str = ""


@dataclass
class Recipe:
    """The statements of a request, and which values of the sample stand for what."""

    steps: list[Step] = field(default_factory=list)
    facts: Facts = field(default_factory=dict)

    def stands_for(self, **facts: Any) -> None:
        """Values that another request has others of."""
        self.facts |= facts

    def filled(self, values: Any, facts: Facts) -> Any:
        """`values` of the sample with those of another request in their place."""
        if isinstance(values, dict):
            return {name: self._one(name, value, facts) for name, value in values.items()}
        return values

    def _one(self, name: str, value: Any, facts: Facts) -> Any:
        if name in facts.get("by_name", ()):
            return facts["by_name"][name]()
        if isinstance(value, list):
            return [self._one("", each, facts) for each in value]
        for what, sample in self.facts.items():
            if type(value) is type(sample) and value == sample and what in facts:
                return facts[what]
        return value


@contextmanager
def recording(recipe: Recipe) -> Iterator[None]:
    """Put everything that is sent in this process into `recipe`."""

    def note(
        _connection: Any, _cursor: Any, text: str, values: Any, _context: Any, _many: bool
    ) -> None:
        recipe.steps.append(Step(text, dict(values) if isinstance(values, dict) else values))

    def noted(statement: Statement, facts: Facts) -> Any:
        prepare = statement._prepare
        values = {**statement._constants, **facts}
        recipe.steps.append(Step(statement.call, values, prepare, statement.name))
        return send(statement, facts)

    send: Callable[[Statement, Facts], Any] = Statement._sent
    Statement._sent = noted  # type: ignore[method-assign]
    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)
        Statement._sent = send  # type: ignore[method-assign]
