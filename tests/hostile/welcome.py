"""Odd requests that are right all the same: whoever refuses the wrong must still serve these."""

from tests.hostile.framing import BOOKING, coded
from tests.hostile.wire import Case, as_json, chunked, request

of = Case.of
BOOK = "POST /bookings/"
TEXT = BOOKING.decode()
JSON = "Content-Type: application/json"
BLANK = b" " * (10**6 - len(BOOKING))
ONCE = request(BOOK, "Idempotency-Key: twice", body=BOOKING, who="owner")


def booked(body: str | bytes = BOOKING, *headers: str, kind: str = "application/json") -> bytes:
    return request(BOOK, *headers, body=body, kind=kind, who="owner")


def in_chunks(body: bytes) -> bytes:
    return coded("chunked", body)


def called(name: str) -> bytes:
    return request("POST /ticket_holders/", body=as_json({"name": name}), who="attendee")


def shown_at(starts_at: str) -> bytes:
    show = {"event_id": 1, "venue_id": 2, "currency": "KES", "starts_at": starts_at}
    return request("POST /shows/", body=as_json(show), who="owner")


GROUPS = {
    "framing": [
        of("a chunk for each byte", in_chunks(chunked(*[bytes([b]) for b in BOOKING])), 201),
        of(
            "sizes with zeros",
            in_chunks(b"000%X\r\n%s\r\n000\r\n\r\n" % (len(BOOKING), BOOKING)),
            201,
        ),
        of(
            "an extension",
            in_chunks(b'%x;a=b;c="d e"\r\n%s\r\n0\r\n\r\n' % (len(BOOKING), BOOKING)),
            201,
        ),
        of("a trailer", in_chunks(chunked(BOOKING, end=b"0\r\nX-Sum: 1\r\n\r\n")), 201),
        of("capitals", coded("CHUNKED", chunked(BOOKING)), 201),
        of(
            "a length with zeros",
            request(BOOK, body=BOOKING, length=f"00{len(BOOKING)}", who="owner"),
            201,
        ),
        of("spaces round a value", booked(BOOKING, "Accept: \t application/json \t"), 201),
        of("names of headers in small letters", booked().replace(b"Content-", b"content-"), 201),
        of("names of headers in capitals", booked().replace(b"Content-", b"CONTENT-"), 201),
        of("an expectation", booked(BOOKING, "Expect: 100-continue"), (100, 201)),
        of("a body in pieces", [booked()[:-20], booked()[-20:-3], booked()[-3:]], 201),
        of("the same request twice at once", ONCE * 2, (201, 201)),
        of("two requests at once", booked() * 2, (201, 201)),
        of("the largest body", booked(BOOKING + BLANK), 201),
        of("the largest body in chunks", in_chunks(chunked(BOOKING, BLANK)), 201),
        of("HTTP/1.0", request(f"{BOOK} HTTP/1.0", body=BOOKING, who="owner", host=None), 201),
        of("no slash", request("POST /bookings", body=BOOKING, who="owner"), 201),
        of(
            "an absolute address",
            request("POST http://localhost/bookings/", body=BOOKING, who="owner"),
            201,
        ),
        of(
            "an address of numbers",
            request(BOOK, body=BOOKING, who="owner", host="[::1]:5000"),
            201,
        ),
        of("a scheme in small letters", booked().replace(b"$owner", b"$small owner"), 201),
    ],
    "contents": [
        of("a charset in quotes", booked(kind='application/json; charset="utf-8"'), 201),
        of("a charset in capitals", booked(kind="Application/JSON;charset=UTF-8"), 201),
        of("a profile", booked(kind='application/json; profile="x;y"'), 201),
        of("an escaped name", booked(TEXT.replace("show_id", "\\u0073how_id")), 201),
        of("an exponent", booked(TEXT.replace('"quantity": 1', '"quantity": 1e0')), 201),
        of("a fraction of nothing", booked(TEXT.replace('"quantity": 1', '"quantity": 1.0')), 201),
        of("white space", booked(TEXT.replace(" ", "\r\n\t ")), 201),
        of("an escaped emoji", booked(TEXT[:-1] + ', "note": "\\ud83c\\udfb8"}'), 201),
        of("paragraphs", booked(TEXT[:-1] + ', "note": "One\\n\\n\\tTwo\\r\\n"}'), 201),
        of("no coding", booked(BOOKING, "Content-Encoding: identity"), 201),
        of("a time with small letters", shown_at("2031-01-01t20:00:00.123456789z"), 201),
        of("a time in Nepal", shown_at("2031-02-01T20:00:00+05:45"), 201),
        of("a leap day", shown_at("2032-02-29T20:00:00-00:00"), 201),
    ],
    "names": [
        of(name, called(name), 201)
        for name in (
            "Zoë 🎸",
            "👩‍👩‍👧 Family",
            "مریم می‌خواهد",
            "דוד \u200fכהן\u200e",
            "李小龙",
            "ศิริพร",
            "O’Connor-Łukasz, Jr.",
            "e\u0301",
            "𝓐",
        )
    ],
}
