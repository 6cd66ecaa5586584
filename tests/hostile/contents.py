"""What a well-framed request carries: JSON, media types, query strings, times, money, text."""

import gzip
from collections.abc import Iterator
from typing import Any

from tests.hostile.wire import Case, as_json, request

of = Case.of
NAMES = as_json({"show_id": 1, "items": [{"tier_id": 1, "quantity": 1}]})
NEXT_YEAR = "2031-01-01T20:00:00+03:00"


def quote(body: bytes | str, *headers: str, kind: str | None = "application/json") -> bytes:
    """Prices a basket, and changes nothing, also if it is accepted."""
    return request("POST /bookings/quote", *headers, body=body, kind=kind)


def basket(show_id: str = "1", quantity: str = "1", extra: str = "") -> str:
    item = f'{{"tier_id": 1, "quantity": {quantity}}}'
    return f'{{"show_id": {show_id}, "items": [{item}]{extra}}}'


def named(field: str, text: str) -> bytes:
    """A ticket holder whose name, say, is this JSON."""
    person = {"name": '"Asha"'} | {field: text}
    members = ", ".join(f'"{name}": {value}' for name, value in person.items())
    return request("POST /ticket_holders/", body=f"{{{members}}}", who="attendee")


GOOD = basket()
BYTES = {
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "UTF-16 with a mark": GOOD.encode("utf-16"),
    "UTF-16, little end first": GOOD.encode("utf-16-le"),
    "UTF-16, big end first": GOOD.encode("utf-16-be"),
    "UTF-32": GOOD.encode("utf-32"),
    "EBCDIC": GOOD.encode("cp500"),
    "gzip": gzip.compress(GOOD.encode(), mtime=0),
    "a form": b"show_id=1&items[0][tier_id]=1&items[0][quantity]=1",
    "XML": b"<booking><show_id>1</show_id></booking>",
    "an external entity": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "YAML": b"show_id: 1\nitems: []\n",
    "a pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.",
    "MessagePack": b"\x81\xa7show_id\x01",
    "CBOR": b"\xa1gshow_id\x01",
    "BSON": b"\x12\x00\x00\x00\x10show_id\x00\x01\x00\x00\x00\x00",
    "a record separator": b"\x1e" + GOOD.encode() + b"\n",
    "lines of JSON": GOOD.encode() + b"\n" + GOOD.encode(),
    "a guard against scripts": b")]}',\n" + GOOD.encode(),
    "a callback": b"callback(" + GOOD.encode() + b")",
    "a NUL behind": GOOD.encode() + b"\x00",
    "a NUL before": b"\x00" + GOOD.encode(),
    "junk behind": GOOD.encode() + b";",
    "a closing brace too many": GOOD.encode() + b"}",
    "a no-break space": "\u00a0".encode() + GOOD.encode(),
    "a form feed": b"\x0c" + GOOD.encode(),
    "a line separator": "\u2028".encode() + GOOD.encode(),
    "a comment": b"/* 1 */" + GOOD.encode(),
    "a comment at the end": GOOD.encode() + b"// 1",
    "a hash comment": b"# 1\n" + GOOD.encode(),
    "a trailing comma": GOOD.replace("}]", ",}]").encode(),
    "a trailing comma in a list": GOOD.replace("}]", "},]").encode(),
    "a missing comma": GOOD.replace(",", " ").encode(),
    "single quotes": GOOD.replace('"', "'").encode(),
    "names without quotes": GOOD.replace('"', "").encode(),
    "curly quotes": GOOD.replace('"', "”").encode(),
    "an equals sign": GOOD.replace(":", "=").encode(),
    "half of it": GOOD.encode()[:-5],
    "only an opening": b"{",
    "a lone continuation byte": b'{"show_id": 1, "a\x80": 1}',
    "an overlong slash": b'{"show_id": 1, "a\xc0\xaf": 1}',
    "an overlong NUL": b'{"show_id": 1, "a\xc0\x80": 1}',
    "half a symbol": b'{"show_id": 1, "a\xe2\x82": 1}',
    "a symbol beyond Unicode": b'{"show_id": 1, "a\xf4\x90\x80\x80": 1}',
    "a symbol of five bytes": b'{"show_id": 1, "a\xf8\x88\x80\x80\x80": 1}',
    "surrogates in UTF-8": b'{"show_id": 1, "a\xed\xa0\xbd\xed\xb8\x80": 1}',
    "a byte of Latin-1": b'{"show_id": 1, "\xe9": 1}',
    "a raw line end in a string": b'{"show_id": 1, "a\nb": 1}',
    "a raw tab in a string": b'{"show_id": 1, "a\tb": 1}',
    "a raw NUL in a string": b'{"show_id": 1, "a\x00b": 1}',
    "an escape of nothing": b'{"show_id": 1, "a\\x41": 1}',
    "half an escape": b'{"show_id": 1, "a\\u12": 1}',
    "a lone surrogate in a name": b'{"show_id": 1, "a\\ud800": 1}',
    "surrogates the wrong way round": b'{"show_id": 1, "a\\udc00\\ud800": 1}',
    "a name twice": b'{"show_id": 1, "show_id": 1, "items": []}',
    "a name twice, once escaped": b'{"show_id": 1, "\\u0073how_id": 2, "items": []}',
    "a name twice, deep inside": GOOD.replace('"tier_id"', '"tier_id": 2, "tier_id"').encode(),
    "an empty name": basket(extra=', "": 1').encode(),
    "__proto__": basket(extra=', "__proto__": {"is_admin": true}').encode(),
    "constructor": basket(extra=', "constructor": {"prototype": {}}').encode(),
    "a field of another case": GOOD.replace("show_id", "Show_Id").encode(),
    "a field with a space": GOOD.replace('"show_id"', '"show_id "').encode(),
    "a path as a field": b'{"show_id": 1, "items.0.tier_id": 1, "items.0.quantity": 1}',
    "the total": basket(extra=', "total": {"amount": 0, "currency": "KES"}').encode(),
    "the price": GOOD.replace('"tier_id": 1', '"tier_id": 1, "unit_price": 0').encode(),
    "an array": b"[" + GOOD.encode() + b"]",
    "a string": as_json(GOOD).encode(),
    "an object of a query language": basket(quantity='{"$gt": 0}').encode(),
    "a reference": basket(show_id='{"$ref": "#/items"}').encode(),
    "a hundred thousand brackets": b"[" * 100_000,
    "a hundred thousand objects": b'{"a":' * 100_000,
    "depth inside a field": basket(quantity="[" * 5000 + "]" * 5000).encode(),
    "a hundred thousand items": basket(quantity="1}" + ', {"tier_id": 1, "quantity": 1}' * 30_000
                                       + ', {"tier_id": 1, "quantity": 1').encode(),
    "a hundred thousand names": basket(extra=", " + ", ".join(
        f'"{number}": 0' for number in range(70_000))).encode(),
    "names that hash alike": basket(extra=", " + ", ".join(
        f'"{"A" * number}": 0' for number in range(1, 900))).encode(),
    "a string of 900,000": basket(quantity='"' + "x" * 900_000 + '"').encode(),
    "a string of escapes": basket(quantity='"' + "\\u0041" * 150_000 + '"').encode(),
    "a number of 900,000 digits": basket(quantity="9" * 900_000).encode(),
    "an exponent of 900,000 digits": basket(quantity="1e" + "9" * 900_000).encode(),
}  # fmt: skip

NUMBERS = """-1 0 -0 -0.0 1.5 0.1 01 +1 .5 1. 0x1 0b1 1_0 1,0 ١ １ 1e 1e+ --1 1f 1n 1e400 -1e400
    1e-400 1e19 1e308 99999999999999999999 9223372036854775808 18446744073709551616 NaN nan
    Infinity -Infinity inf true false null "1" "1e0" [1] [] {} undefined"""

MEDIA = {
    "no content type": None,
    "an empty one": "",
    "text": "text/plain",
    "a page": "text/html",
    "a script": "application/javascript",
    "JSON of another kind": "application/vnd.api+json",
    "a merge patch": "application/merge-patch+json",
    "lines of JSON": "application/x-ndjson",
    "JSON for people": "text/json",
    "only a type": "application",
    "only a subtype": "/json",
    "a wildcard": "*/*",
    "two": "application/json, text/plain",
    "a word behind": "application/json text",
    "a form": "application/x-www-form-urlencoded",
    "parts": "multipart/form-data; boundary=x",
    "parts without a boundary": "multipart/form-data",
    "parts with a boundary of 8,000": "multipart/form-data; boundary=" + "x" * 8000,
    "UTF-16": "application/json; charset=utf-16",
    "UTF-7": "application/json; charset=utf-7",
    "Latin-1": "application/json; charset=iso-8859-1",
    "a codec of Python's": "application/json; charset=rot13",
    "a charset that is none": "application/json; charset=../../etc/passwd",
    "two charsets": "application/json; charset=utf-8; charset=utf-16",
    "8,000 letters": "application/" + "x" * 8000,
    "1,000 parameters": "text/plain" + ";a=b" * 1900,
    "bytes that are no text": "application/\xff",
}
CODINGS = ("gzip", "deflate", "br", "zstd", "compress", "identity, gzip", "x", "", "aes128gcm")

QUERIES = {
    "/events/": """page=0 page=-1 page=1.0 page=1e1 page=%31%00 page=1&page=2
        page=99999999999999999999 page=%EF%BC%91 page=+1 page=1%20 page per_page=0 per_page=101
        per_page=1%3B limit=1 offset=1 page[]=1 page[0]=1 page%5B%5D=1 PAGE=1 page%00=1
        page;per_page=1 q=%00 q=%ff q=%ed%a0%80 sort=id;drop sort=- sort=title,artist
        sort=password_hash sort=(select%201) date=20310101 date=2031-W01-1 date=2031-1-1
        date=2031-02-30 date=today date=2031-01-01T00:00:00Z date=%EF%BC%92031-01-01 date=1e3
        venue_id=0 venue_id=-1 venue_id=1.0 venue_id=1%20OR%201=1 venue_id=9223372036854775808
        on_sale=yes on_sale=TRUE on_sale=2 status=PUBLISHED status=%20 _method=DELETE callback=x
        fields=password_hash include=users $where=1 __proto__=1 =1 organiser_id=null access_token=x
        page=1%26page=2""",
    "/bookings/": """after=x after=%00 after=LTE after=MA after=MTIz%3D%3D after=!!!!
        after=..%2F after=MS4w after=MQ&page=2 all=yes all=2 all=on status=HELD
        status=held&status=confirmed channel=mail payment_status=free reference=%27 reference=a
        show_id=1%00 user_id=1 after=OTIyMzM3MjAzNjg1NDc3NTgwOA after=+MQ after=MQ%0A""",
}  # fmt: skip

TIMES = """2031-01-01 2031-01-01T20:00:00 2031-01-01T20:00+03:00 2031-01-01T20+03:00
    20310101T200000+0300 2031-01-01T200000+03:00 20310101T20:00:00+03:00 2031-01-01T20:00:00+0300
    2031-01-01T20:00:00+03 2031-01-01T20:00:00+3:00 2031-01-01T20:00:00+03:00:30
    2031-01-01T20:00:00+25:00 2031-01-01T20:00:00+24:00 2031-01-01T20:00:00-03:60
    2031-01-01T20:00:00Z+03:00 2031-01-01T20:00:00UTC 2031-01-01T20:00:00[Africa/Nairobi]
    2031-01-01T20:00:00+03:00[Africa/Nairobi] 2031-01-01T24:00:00+03:00 2031-01-01T25:00:00+03:00
    2031-01-01T20:60:00+03:00 2031-01-01T20:00:61+03:00 2031-01-01T20:00:00.+03:00
    2031-01-01T20:00:00,5+03:00 2031-02-29T20:00:00+03:00 2031-13-01T20:00:00+03:00
    2031-00-01T20:00:00+03:00 2031-01-00T20:00:00+03:00 2031-01-32T20:00:00+03:00
    2031-1-1T20:00:00+03:00 31-01-01T20:00:00+03:00 02031-01-01T20:00:00+03:00
    -2031-01-01T20:00:00+03:00 +2031-01-01T20:00:00+03:00 0000-01-01T00:00:00+00:00
    0001-01-01T00:00:00+23:59 9999-12-31T23:59:59-23:59 1999-12-31T23:59:59+00:00
    2031-W01-3T20:00:00+03:00 2031-001T20:00:00+03:00 2031-01-01x20:00:00+03:00
    2031-01-01_20:00:00+03:00 2031/01/01T20:00:00+03:00 01.01.2031T20:00:00+03:00
    2031-01-01T20:00:00−03:00 ２０３１-01-01T20:00:00+03:00 2031-01-01T20:00:00+03:00Z now tomorrow
    infinity epoch 1924981200""".split()
ODD_TIMES = {
    "a space between": '"2031-01-01 20:00:00+03:00"',
    "a space before": f'" {NEXT_YEAR}"',
    "a line end behind": f'"{NEXT_YEAR}\\n"',
    "a number": "1924981200",
    "a number with a fraction": "1924981200.5",
    "a list": f'["{NEXT_YEAR}"]',
    "null": "null",
    "true": "true",
    "nothing": '""',
    "50,000 digits": '"' + "2" * 50_000 + '"',
}

MONEY = {
    "a fraction": '{"amount": 10.5, "currency": "KES"}',
    "a small fraction": '{"amount": 0.1, "currency": "KES"}',
    "text": '{"amount": "10", "currency": "KES"}',
    "less than nothing": '{"amount": -1, "currency": "KES"}',
    "too much": '{"amount": 1000000000001, "currency": "KES"}',
    "far too much": '{"amount": 1e30, "currency": "KES"}',
    "infinity": '{"amount": 1e400, "currency": "KES"}',
    "not a number": '{"amount": NaN, "currency": "KES"}',
    "true": '{"amount": true, "currency": "KES"}',
    "null": '{"amount": null, "currency": "KES"}',
    "a list": '{"amount": [10], "currency": "KES"}',
    "no currency": '{"amount": 10}',
    "no amount": '{"currency": "KES"}',
    "a currency in small letters": '{"amount": 10, "currency": "kes"}',
    "a currency with a space": '{"amount": 10, "currency": "KES "}',
    "a currency nobody has": '{"amount": 10, "currency": "ZZZ"}',
    "a sign": '{"amount": 10, "currency": "€"}',
    "letters that look alike": '{"amount": 10, "currency": "КES"}',
    "another currency than the show's": '{"amount": 10, "currency": "EUR"}',
    "a field more": '{"amount": 10, "currency": "KES", "minor": false}',
    "a bare number": "1000",
    "a bare text": '"10.00 KES"',
}

TEXTS = {
    "nothing": "",
    "spaces": "   ",
    "spaces of all widths": "\u2003\u00a0\u3000\u2028",
    "no width": "\u200b\u200b",
    "a word joiner": "\u2060",
    "a byte order mark": "\ufeff",
    "soft hyphens": "\u00ad\u00ad",
    "variation selectors": "\ufe0f\ufe0f",
    "joiners alone": "\u200d\u200c",
    "a bell": "Asha\x07",
    "an escape sequence": "\x1b[2J\x1b[1;1HAsha",
    "a backspace": "Asha\x08\x08\x08\x08Juma",
    "a DEL": "Asha\x7f",
    "a control character of Latin-1": "Asha\x9b2J",
    "a line end": "Asha\nJuma",
    "a header": "Asha\r\nBcc: everyone@example.com",
    "a tab": "Asha\tJuma",
    "a line separator": "Asha\u2028Juma",
    "a paragraph separator": "Asha\u2029Juma",
    "text that runs backwards": "Asha \u202etnega\u202c",
    "text in isolation": "Asha \u2067Juma\u2069",
    "NUL": "Asha\x00",
    "201 letters": "x" * 201,
    "a hundred thousand letters": "x" * 100_000,
    "a hundred thousand accents": "e" + "\u0301" * 100_000,
}
ODD_TEXTS = {
    "a lone surrogate": '"Asha\\ud83d"',
    "a number": "1",
    "true": "true",
    "null": "null",
    "a list": '["Asha"]',
    "an object": '{"first": "Asha"}',
}
ADDRESSES = """asha asha@ @example.com asha@example asha@@example.com asha@exam_ple.com
    asha@-example.com asha@example..com .asha@example.com asha.@example.com asha..m@example.com
    asha@[127.0.0.1] asha@127.0.0.1 <asha@example.com> asha@example.com,juma@example.com
    asha@example.com;juma@example.com mailto:asha@example.com asha%40example.com
    asha(comment)@example.com asha@example.com.""".split()
ODD_ADDRESSES = {
    "a header": "asha@example.com\r\nBcc: everyone@example.com",
    "a name": "Asha <asha@example.com>",
    "quotes": '"asha juma"@example.com',
    "a space": "asha juma@example.com",
    "a NUL": "asha\x00@example.com",
    "no width": "as\u200bha@example.com",
    "text that runs backwards": "asha\u202e@example.com",
    "300 letters": "a" * 300 + "@example.com",
    "65 letters before the at": "a" * 65 + "@example.com",
}

KEYS = """0 -1 -0 1.0 1e0 01 0x1 1_000 %D9%A3 null true NaN one 1; 1,2 1%202 .. ~ *
    9223372036854775808 99999999999999999999 1%00 %31%0a 1.json 1'-- %22 {id} $1 :id""".split()


def _words(table: str) -> list[str]:
    return table.split()


def _shown_at(time: str) -> bytes:
    body = f'{{"event_id": 1, "venue_id": 1, "currency": "KES", "starts_at": {time}}}'
    return request("POST /shows/", body=body, who="owner")


def _priced(money: str) -> bytes:
    body = f'{{"name": "VIP", "section": "Floor", "capacity": 1, "price": {money}}}'
    return request("POST /shows/1/tiers", body=body, who="owner")


def _refused(cases: dict[str, Any] | list[str], send: Any, *statuses: int) -> Iterator[Case]:
    table = cases if isinstance(cases, dict) else {value: value for value in cases}
    for name, value in table.items():
        yield of(name, send(value), *(statuses or (400,)))


GROUPS = {
    "JSON": list(_refused(BYTES, quote)),
    "numbers": list(_refused(_words(NUMBERS), lambda number: quote(basket(quantity=number)))),
    "numbers of rows": list(
        _refused(_words(NUMBERS), lambda number: quote(basket(show_id=number)))
    ),
    "media types": list(_refused(MEDIA, lambda kind: quote(GOOD, kind=kind), 415)),
    "content codings": list(
        _refused(list(CODINGS), lambda coding: quote(GOOD, f"Content-Encoding: {coding}"), 415)
    ),
    "queries": [
        case
        for path, queries in QUERIES.items()
        for case in _refused(
            _words(queries), lambda query, path=path: request(f"GET {path}?{query}", who="admin")
        )
    ],
    "times": [
        *_refused(TIMES, lambda time: _shown_at(f'"{time}"')),
        *_refused(ODD_TIMES, _shown_at),
    ],
    "money": list(_refused(MONEY, _priced)),
    "text": [
        *_refused(TEXTS, lambda text: named("name", as_json(text))),
        *_refused(ODD_TEXTS, lambda text: named("name", text)),
    ],
    "addresses": [
        *_refused(ADDRESSES, lambda address: named("email", as_json(address))),
        *_refused(ODD_ADDRESSES, lambda address: named("email", as_json(address))),
    ],
    "keys": list(_refused(KEYS, lambda key: request(f"DELETE /venues/{key}", who="admin"), 404)),
}
