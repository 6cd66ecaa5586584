"""Where rate limits are counted when no Redis does it: in this process, in bounded memory."""

import threading
import time
from collections import OrderedDict
from math import ceil

from limits.storage import Storage


class BoundedCounts(Storage):
    """Counts by key until their time is up; beyond `most` keys the oldest are forgotten.

    The library's own store for memory starts a thread to clear up after nearly every request, which
    then looks at every key.
    """

    STORAGE_SCHEME = ["bounded"]
    most = 20_000

    def __init__(
        self, uri: str | None = None, wrap_exceptions: bool = False, **_options: object
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        self._counts: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        with self._lock:
            count, ends_at = self._counts.get(key, (0, 0.0))
            if ends_at <= now:
                self._counts.pop(key, None)
                if len(self._counts) >= self.most:
                    self._counts.popitem(last=False)
                count, ends_at = 0, now + expiry
            count += amount
            self._counts[key] = count, ends_at
        return count

    def get(self, key: str) -> int:
        count, ends_at = self._counts.get(key, (0, 0.0))
        return count if ends_at > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return self._counts.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            forgotten = len(self._counts)
            self._counts.clear()
        return forgotten

    def clear(self, key: str) -> None:
        with self._lock:
            self._counts.pop(key, None)

    @property
    def size(self) -> int:
        """How many keys are counted; not len(), by which an empty store would be no store."""
        return len(self._counts)


def seconds_until(ends_at: float) -> int:
    """Whole seconds until a window ends, at least one."""
    return max(1, ceil(ends_at - time.time()))
