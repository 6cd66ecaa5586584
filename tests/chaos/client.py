"""Hundreds of buyers at once, from one thread: raw HTTP on sockets that never block.

A buyer is a generator that yields a Request and is sent its Answer, or yields a Pause. The client
shares two cores with the server that it torments, so it parses no more than it needs.
"""

import errno
import heapq
import itertools
import json
import selectors
import socket
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Address = tuple[str, int]
HEAD_ENDS = b"\r\n\r\n"
CONNECTING = (0, errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK)


@dataclass(frozen=True)
class Request:
    """The bytes of a request; `keep` asks for the connection to be kept for the next one."""

    raw: bytes
    keep: bool = False


@dataclass(frozen=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(slots=True)
class Answer:
    """What became of a request, with when it was sent and answered in seconds of the epoch.

    No answer has status 0 and says `why`; `sent` tells whether the server may have read it.
    """

    sent_at: float
    at: float
    status: int = 0
    body: bytes = b""
    replayed: bool = False
    why: str = ""
    sent: bool = True

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def decided(self) -> bool:
        """Whether it is a yes or a no: of a show that is sold out, "sold out" is a success."""
        return 200 <= self.status < 500

    @property
    def died(self) -> bool:
        """Whether it is unknown what the server did."""
        return self.status == 0 and self.sent

    @property
    def code(self) -> str:
        """The code of a refusal."""
        return str(self.json.get("code", "")) if self.status >= 400 and self.body else ""


Buyer = Generator[Request | Pause, Any, None]


def post(
    path: str, body: Mapping[str, Any], *, headers: Mapping[str, str] | None = None, keep=False
) -> Request:
    """A POST of JSON."""
    text = json.dumps(body).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: chaos",
        f"Connection: {'keep-alive' if keep else 'close'}",
        "Content-Type: application/json",
        f"Content-Length: {len(text)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return Request("\r\n".join(lines).encode() + HEAD_ENDS + text, keep)


@dataclass(slots=True, eq=False)
class _Talk:
    """A buyer, the connection that it has at the moment, and what has arrived on it."""

    buyer: Buyer
    request: Request | None = None
    line: socket.socket | None = None
    at: int = 0  # which of the client's addresses
    refusals: int = 0
    sent: int = 0
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)
    head: tuple[int, int, bool, bool] | None = None  # end of body, status, replayed, closes
    turn: int = 0  # timers of an earlier turn mean nothing any more


class Client:
    """Runs buyers to their end, and keeps every answer that they got.

    Who is refused a connection goes to the next address, as a proxy does: nothing was sent.
    """

    def __init__(self, addresses: Iterable[Address], *, patience: float = 15.0) -> None:
        self.addresses = list(addresses)
        self.patience = patience
        self.answers: list[Answer] = []
        self.refusals = 0
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, _Talk, int]] = []
        self._ties = itertools.count()
        self._open = 0

    def run(self, buyers: Iterable[Buyer]) -> list[Answer]:
        """Let all buyers act, from now until the last has finished; the answers of this run."""
        first = len(self.answers)
        talks = [_Talk(buyer) for buyer in buyers]
        self._open = len(talks)
        try:
            for talk in talks:
                self._go_on(talk, None)
            while self._open:
                self._step()
        finally:
            for talk in talks:
                self._hang_up(talk)
                talk.buyer.close()
            self._timers.clear()
        return self.answers[first:]

    def ask(self, request: Request) -> Answer:
        """The answer to one request."""

        def buyer() -> Buyer:
            yield request

        return self.run([buyer()])[0]

    def _step(self) -> None:
        wait = None
        if self._timers:
            wait = max(0.0, self._timers[0][0] - time.monotonic())
        for key, _events in self._selector.select(wait):
            talk: _Talk = key.data
            try:
                self._attend(talk)
            except OSError as error:
                self._failed(talk, error)
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _when, _tie, talk, turn = heapq.heappop(self._timers)
            if turn == talk.turn:
                if talk.request is None:
                    self._go_on(talk, None)
                else:
                    self._unanswered(talk, "timed out")

    def _go_on(self, talk: _Talk, answer: Answer | None) -> None:
        """Send the buyer what came, and begin what they want next."""
        talk.turn += 1
        talk.request = None
        try:
            wanted = talk.buyer.send(answer)
        except StopIteration:
            self._hang_up(talk)
            self._open -= 1
            return
        if isinstance(wanted, Pause):
            self._wake(talk, wanted.seconds)
            return
        talk.request, talk.sent, talk.head, talk.refusals = wanted, 0, None, 0
        talk.received.clear()
        talk.sent_at = time.time()
        self._wake(talk, self.patience)
        if talk.line is not None and not _still_open(talk.line):
            self._hang_up(talk)
        if talk.line is None:
            self._dial(talk)
        else:
            self._selector.register(talk.line, selectors.EVENT_WRITE, talk)

    def _wake(self, talk: _Talk, seconds: float) -> None:
        timer = (time.monotonic() + seconds, next(self._ties), talk, talk.turn)
        heapq.heappush(self._timers, timer)

    def _dial(self, talk: _Talk) -> None:
        talk.line = socket.socket()
        talk.line.setblocking(False)
        talk.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        problem = talk.line.connect_ex(self.addresses[talk.at % len(self.addresses)])
        if problem not in CONNECTING:
            self._failed(talk, OSError(problem, "connect"))
            return
        self._selector.register(talk.line, selectors.EVENT_WRITE, talk)

    def _attend(self, talk: _Talk) -> None:
        assert talk.line is not None
        assert talk.request is not None
        raw = talk.request.raw
        if talk.sent < len(raw):
            problem = talk.line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                raise OSError(problem, "connect")
            talk.sent += talk.line.send(raw[talk.sent :])
            if talk.sent == len(raw):
                self._selector.modify(talk.line, selectors.EVENT_READ, talk)
            return
        chunk = talk.line.recv(65536)
        if not chunk:
            raise ConnectionResetError(errno.ECONNRESET, "closed")
        talk.received += chunk
        if talk.head is None:
            talk.head = _read_head(talk.received)
        if talk.head is not None and len(talk.received) >= talk.head[0]:
            self._answered(talk)

    def _answered(self, talk: _Talk) -> None:
        assert talk.head is not None
        assert talk.request is not None
        ends, status, replayed, closes = talk.head
        body = bytes(talk.received[talk.received.index(HEAD_ENDS) + len(HEAD_ENDS) : ends])
        answer = Answer(talk.sent_at, time.time(), status, body, replayed)
        if closes or not talk.request.keep:
            self._hang_up(talk)
        else:
            self._selector.unregister(talk.line)
        self.answers.append(answer)
        self._go_on(talk, answer)

    def _failed(self, talk: _Talk, error: OSError) -> None:
        if error.errno == errno.ECONNREFUSED and talk.sent == 0:
            self.refusals += 1
            talk.refusals += 1
            self._hang_up(talk)
            talk.at += 1
            if talk.refusals < len(self.addresses):
                self._dial(talk)
                return
        self._unanswered(talk, errno.errorcode.get(error.errno or 0, type(error).__name__))

    def _unanswered(self, talk: _Talk, why: str) -> None:
        self._hang_up(talk)
        answer = Answer(talk.sent_at, time.time(), why=why, sent=talk.sent > 0)
        self.answers.append(answer)
        self._go_on(talk, answer)

    def _hang_up(self, talk: _Talk) -> None:
        if talk.line is not None:
            if talk.line.fileno() in self._selector.get_map():
                self._selector.unregister(talk.line)
            talk.line.close()
            talk.line = None

    def close(self) -> None:
        """Give back what `run` needs."""
        self._selector.close()


def together(ask: Callable[[int], Buyer], count: int) -> list[Buyer]:
    """`count` buyers, told their number."""
    return [ask(number) for number in range(count)]


def _still_open(kept: socket.socket) -> bool:
    """Whether a kept connection has been left open by the other side, as far as is known."""
    try:
        return kept.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def _read_head(received: bytearray) -> tuple[int, int, bool, bool] | None:
    """Where the answer ends, its status, whether it is a replay, whether the connection closes.

    None while the head has not arrived. Raises ConnectionResetError for what is not an answer.
    """
    ends = received.find(HEAD_ENDS)
    if ends < 0:
        return None
    lines = bytes(received[:ends]).split(b"\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in lines[1:] if b": " in line)
    try:
        status, length = int(lines[0].split()[1]), int(fields[b"content-length"])
    except (IndexError, ValueError, KeyError):
        raise ConnectionResetError(errno.EPROTO, "not an answer of ours") from None
    replayed = fields.get(b"idempotent-replayed") == b"true"
    closes = fields.get(b"connection") == b"close"
    return ends + len(HEAD_ENDS) + length, status, replayed, closes
