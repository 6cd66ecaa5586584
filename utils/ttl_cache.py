"""Values that may be a moment old, so that whoever asks for the same one costs nothing."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class _Entry(Generic[Value]):
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.fresh_until = -math.inf
        self.value: Value | None = None


class TtlCache(Generic[Key, Value]):
    """At most `largest` values, each kept for `seconds()`; the oldest goes first. 0 keeps none.

    One thread computes a value while the others wait for it; if that fails, the next one tries.
    """

    def __init__(self, seconds: Callable[[], float], *, largest: int) -> None:
        self._seconds, self._largest = seconds, largest
        self._entries: OrderedDict[Key, _Entry[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, compute: Callable[[], Value]) -> Value:
        """The value of `key`, computed unless a fresh one is there."""
        seconds = self._seconds()
        if seconds <= 0:
            return compute()
        entry = self._entry(key)
        with entry.lock:
            if entry.fresh_until <= time.monotonic():
                entry.value = compute()
                entry.fresh_until = time.monotonic() + seconds
            return entry.value  # type: ignore[return-value]  # computed by now, maybe to None

    def forget(self, key: Key) -> None:
        """Compute `key` anew when it is next asked for."""
        with self._lock:
            self._entries.pop(key, None)

    def _entry(self, key: Key) -> _Entry[Value]:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry()
                if len(self._entries) > self._largest:
                    self._entries.popitem(last=False)
            return entry


class Lately(Generic[Key]):
    """What happened in the last `seconds`, as far as this process knows; `largest` at most."""

    def __init__(self, seconds: float, *, largest: int) -> None:
        self._seconds, self._largest = seconds, largest
        self._until: dict[Key, float] = {}

    def add(self, key: Key) -> None:
        """It has just happened; forgets everything else when there is too much of it."""
        if len(self._until) >= self._largest:
            self._until = {}
        self._until[key] = time.monotonic() + self._seconds

    def clear(self) -> None:
        """Forget everything."""
        self._until = {}

    def __contains__(self, key: Key) -> bool:
        return self._until.get(key, -math.inf) > time.monotonic()
