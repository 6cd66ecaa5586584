"""Bytes on a socket: cases, how they are sent, and what comes back."""

import json
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
CRLF = b"\r\n"
CLOSED = ()  # the connection is closed without an answer
PATIENCE = 20.0  # seconds that a client waits


@dataclass(frozen=True)
class Case:
    """What is sent, in one piece or with pauses, and which answers are right.

    Each member of `allowed` is the statuses of all answers on the connection, in order. `$owner`
    and the like stand for the credentials of the world's people.
    """

    name: str
    sent: bytes | list[bytes]
    allowed: set[tuple[int, ...]]

    @classmethod
    def of(cls, name: str, sent: bytes | list[bytes], *allowed: Any) -> "Case":
        """`allowed`: a status, several for several answers as a tuple, or CLOSED."""
        return cls(name, sent, {a if isinstance(a, tuple) else (a,) for a in allowed})


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_ours(self) -> bool:
        """Whether the application answered, and not the server in front of it."""
        return "x-request-id" in self.headers


def request(
    line: str,
    *headers: str | bytes,
    body: bytes | str | None = None,
    kind: str | None = JSON,
    who: str | None = None,
    host: str | None = "localhost",
    length: str | int | None = None,
) -> bytes:
    """A request as it ought to be framed, apart from what the arguments say."""
    lines: list[str | bytes] = [line if " HTTP/" in line else f"{line} HTTP/1.1"]
    lines += [f"Host: {host}"] if host is not None else []
    lines += [f"${who}"] if who else []
    content = body.encode() if isinstance(body, str) else body or b""
    if body is not None:
        lines += [f"Content-Type: {kind}"] if kind else []
        lines += [f"Content-Length: {len(content) if length is None else length}"]
    lines += headers
    return CRLF.join(_bytes(part) for part in lines) + CRLF * 2 + content


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    """A body in chunks."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + end


def as_json(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False)


def send(port: int, sent: bytes | list[bytes]) -> list[Answer]:
    """All answers on a connection on which this, and then no more, was sent."""
    pieces = sent if isinstance(sent, list) else [sent]
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        try:
            for number, piece in enumerate(pieces):
                time.sleep(0.05 if number else 0)
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it answered, and closed, before it had heard everything
        return answers_in(_until_closed(connection))


def answers_in(told: bytes) -> list[Answer]:
    """The answers in what a connection said; ValueError where it is not made of answers."""
    answers = []
    while told:
        head, found, rest = told.partition(CRLF * 2)
        status, *lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.[01] (\d{3}) [ -~]*", status)
        if not found or not match:
            raise ValueError(f"not an answer: {told[:200]!r}")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        if len(headers) < len(pairs):
            raise ValueError(f"a header twice: {head!r}")
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            raise ValueError(f"half an answer: {told[:200]!r}")
        answers.append(Answer(int(match[1]), headers, rest[:length]))
        told = rest[length:]
    return answers


def _until_closed(connection: socket.socket) -> bytes:
    heard = bytearray()
    while True:
        try:
            more = connection.recv(65536)
        except ConnectionResetError:
            more = b""
        if not more:
            return bytes(heard)
        heard += more


def _bytes(part: str | bytes) -> bytes:
    return part.encode() if isinstance(part, str) else part


def with_credentials(sent: bytes | list[bytes], callers: Mapping[str, Mapping[str, str]]) -> Any:
    """The same with the header of each caller in the place of its `$name`."""
    if isinstance(sent, list):
        return [with_credentials(piece, callers) for piece in sent]
    for who, headers in callers.items():
        header = "\r\n".join(f"{name}: {value}" for name, value in headers.items())
        sent = sent.replace(f"${who}\r\n".encode(), f"{header}\r\n".encode())
    return sent
