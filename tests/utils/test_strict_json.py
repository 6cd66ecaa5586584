"""What strangers send, and what is read of it."""

import time

import pytest

from utils.errors import Invalid
from utils.strict_json import loads


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": 1, "a": 2}',
        b'{"a": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"a": ["x", {"b": "\\ud800"}]}',
        b'{"a": "\x00"}',
        b"\xff\xfe{\x00}\x00",
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b"[" * 100_000,
        b"[" * 21 + b"]" * 21,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_is_refused_and_at_once(body):
    started = time.perf_counter()

    with pytest.raises(Invalid):
        loads(body)

    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"name": "Jos\xc3\xa9 \xe6\x9d\x8e \\ud83c\\udfb8"}', {"name": "José 李 🎸"}),
        (b"[1, -2, 1.5, true, null]", [1, -2, 1.5, True, None]),
        (b' "x" ', "x"),
        (b"[" * 20 + b"]" * 20, None),
    ],
)
def test_is_read(body, value):
    read = loads(body)

    assert value is None or read == value


def test_says_where_the_mistake_is():
    with pytest.raises(Invalid) as refusal:
        loads(b'{"buyer": {"names": ["ok", "\\u0000"]}}')

    assert refusal.value.facts["errors"][0]["field"] == "buyer.names.1"
