"""Text that many are answered with: encoded once, and compressed once for those who read gzip."""

import gzip
import threading


class ReadyText:
    """An answer's body. `level` is how hard it is compressed, from 1 to 9."""

    def __init__(self, body: bytes, *, level: int = 1) -> None:
        self.body = body
        self._level = level
        self._lock = threading.Lock()
        self._gzipped: bytes | None = None

    @property
    def gzipped(self) -> bytes:
        """The same compressed, when somebody first asks for it."""
        with self._lock:
            if self._gzipped is None:
                self._gzipped = gzip.compress(self.body, self._level, mtime=0)
            return self._gzipped
