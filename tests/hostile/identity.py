"""Who asks, and under which conditions: credentials, keys, versions, hosts."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

from tests.hostile.wire import Case, as_json, request

of = Case.of
ME = "GET /users/me"
NOW = int(time.time())
BOOKING = as_json({"show_id": 1, "items": [{"tier_id": 1, "quantity": 1}]})

Forger = Callable[[str, str], str]  # a true token and the secret; a forged token


def forged(
    change: dict[str, Any] | None = None,
    header: dict[str, Any] | None = None,
    key: str | None = None,
) -> Forger:
    """The same token with other claims or another header, signed again, perhaps by another key."""

    def forge(token: str, secret: str) -> str:
        head, claims, _ = (_decoded(part) for part in token.split("."))
        claims = {
            name: value for name, value in (claims | (change or {})).items() if value is not ...
        }
        head |= header or {}
        text = f"{_encoded(json.dumps(head).encode())}.{_encoded(json.dumps(claims).encode())}"
        digest = getattr(hashlib, {"HS384": "sha384", "HS512": "sha512"}.get(head["alg"], "sha256"))
        signature = hmac.new((secret if key is None else key).encode(), text.encode(), digest)
        return f"{text}.{_encoded(signature.digest())}"

    return forge


def unsigned(algorithm: str) -> Forger:
    def forge(token: str, secret: str) -> str:
        return forged(header={"alg": algorithm})(token, secret).rpartition(".")[0] + "."

    return forge


def _decoded(part: str) -> Any:
    try:
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except ValueError:
        return None


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _middle(text: str) -> Forger:
    """A true token with this in the middle of its signature."""
    return lambda token, secret: f"{token[:-9]}{text}{token[-9:]}"


FORGED: dict[str, Forger] = {
    "no algorithm": unsigned("none"),
    "no algorithm, in capitals": unsigned("NONE"),
    "no algorithm, and a signature": forged(header={"alg": "none"}),
    "another algorithm of the same key": forged(header={"alg": "HS512"}),
    "a weaker algorithm": forged(header={"alg": "HS1"}),
    "an algorithm with a public key": forged(header={"alg": "RS256"}),
    "an empty algorithm": forged(header={"alg": ""}),
    "another key": forged(key="another secret that nobody has ever configured"),
    "an empty key": forged(key=""),
    "a well-known key": forged(key="secret"),
    "a key of its own": forged(
        header={"jwk": {"kty": "oct", "k": "c2VjcmV0"}, "jku": "https://evil.example/keys"},
        key="secret",
    ),
    "a key from a file": forged(header={"kid": "../../../../dev/null"}, key=""),
    "a key from a database": forged(header={"kid": "' UNION SELECT 'secret'--"}, key="secret"),
    "a critical header": forged(header={"crit": ["x"], "x": 1}),
    "expired": forged({"exp": NOW - 10}),
    "expired long ago": forged({"exp": 0}),
    "no expiry": forged({"exp": ...}),
    "an expiry in words": forged({"exp": "tomorrow"}),
    "an expiry that never comes": forged({"exp": 1e400}),
    "not yet": forged({"nbf": NOW + 3600}),
    "issued tomorrow": forged({"iat": NOW + 86_400}),
    "another issuer": forged({"iss": "evil"}),
    "no issuer": forged({"iss": ...}),
    "another audience": forged({"aud": "evil"}),
    "no audience": forged({"aud": ...}),
    "a refresh token": forged({"type": "refresh"}),
    "no type": forged({"type": ...}),
    "another type": forged({"type": "admin"}),
    "nobody": forged({"sub": "999999"}),
    "no subject": forged({"sub": ...}),
    "a subject in words": forged({"sub": "admin"}),
    "a subject of 40 digits": forged({"sub": "9" * 40}),
    "a negative subject": forged({"sub": "-1"}),
    "a subject with a condition": forged({"sub": "1 OR 1=1"}),
    "a list of subjects": forged({"sub": ["1"]}),
    "somebody else's sign-in": forged({"sid": 999_999}),
    "no sign-in": forged({"sid": ...}),
    "a sign-in of 40 digits": forged({"sid": 10**40}),
    "a sign-in that is true": forged({"sid": True}),
    "a sign-in of another's": forged({"sub": "1"}),
    "a signature cut short": lambda token, secret: token[:-1],
    "a signature of nothing": lambda token, secret: token.rpartition(".")[0] + ".",
    "no signature": lambda token, secret: token.rpartition(".")[0],
    "a signature and more": lambda token, secret: token + "AAAA",
    "a part more": lambda token, secret: token + ".e30",
    "padding": lambda token, secret: token + "==",
    "a dot behind": lambda token, secret: token + ".",
    "a space inside": _middle(" "),
    "junk inside": _middle("!"),
    "padding inside": _middle("="),
    "a byte beyond ASCII inside": _middle("é"),
    "letters of the other alphabet": _middle("+/"),
    "other claims under the same signature": lambda token, secret: ".".join(
        [token.split(".")[0], _encoded(b'{"sub": "1"}'), token.split(".")[2]]
    ),
    "a token twice": lambda token, secret: f"{token}, Bearer {token}",
    "a token in quotes": lambda token, secret: f'"{token}"',
    "a token and a comma": lambda token, secret: f"{token},",
    "a token in capitals": lambda token, secret: token.upper(),
}

SCHEMES = {
    "nothing": "",
    "only a scheme": "Bearer",
    "a scheme and spaces": "Bearer    ",
    "one word": "x",
    "Basic": "Basic YWRtaW46YWRtaW4=",
    "Basic, not encoded": "Basic admin:admin",
    "Digest": 'Digest username="admin", realm="gigmate", uri="/", response="x"',
    "Negotiate": "Negotiate YIIBhg==",
    "NTLM": "NTLM TlRMTVNTUAABAAAA",
    "Token": "Token x",
    "a colon": "Bearer: x",
    "three dots": "Bearer ...",
    "null": "Bearer null",
    "undefined": "Bearer undefined",
    "JSON": 'Bearer {"sub": "1"}',
    "an injection": "Bearer ' OR '1'='1",
    "4,096 dots": "Bearer " + "." * 4096,
    "8,000 letters": "Bearer " + "x" * 8000,
    "the eighth bit": "Bearer \xff\xfe",
    "claims of a thousand levels": "Bearer e30." + _encoded(b"[" * 4000) + ".x",
}

SECRETS = {
    "nothing": "",
    "a word": "x",
    "an injection": "' OR '1'='1",
    "32 letters": "A" * 32,
    "8,000 letters": "A" * 8000,
    "the eighth bit": "\xff" * 32,
    "a wildcard": "%",
}

IDEMPOTENCY = {
    "nothing": "",
    "a space inside": "a b",
    "a tab inside": "a\tb",
    "256 letters": "x" * 256,
    "8,000 letters": "x" * 8000,
    "beyond ASCII": "schlüssel",
    "the eighth bit": "\xff",
    "an emoji": "🔑",
}

STALE = {
    "another version": '"2.999-held"',
    "without quotes": "2.999-held",
    "half in quotes": '"2.1-held',
    "a weak one": 'W/"2.1-held"',
    "nothing": "",
    "empty quotes": '""',
    "a comma": ",",
    "a star in quotes": '"*"',
    "a hundred": ", ".join(f'"2.{number}-x"' for number in range(100)),
    "a version of 8,000": '"' + "2" * 8000 + '"',
    "an injection": "\"' OR '1'='1\"",
    "the eighth bit": '"\xff"',
}
FRESH = ('"', '""', "W/", "*x", ",,,", 'W/W/"1"', '"1', "'1.1'", "x" * 8000, "\xff", '"\xff"')

HOSTS = {
    "nothing": "",
    "a space": "a b",
    "a user": "admin@localhost",
    "a path": "localhost/admin",
    "a query": "localhost?x=1",
    "a fragment": "localhost#x",
    "a comma": "localhost, evil.example",
    "a port of letters": "localhost:http",
    "a port of six digits": "localhost:999999",
    "a port of nothing": "localhost:",
    "two ports": "localhost:80:80",
    "half a bracket": "[::1",
    "brackets around words": "[localhost]",
    "the eighth bit": "\xff",
    "a script": "<script>alert(1)</script>",
    "an address": "http://localhost",
    "300 letters": "x" * 300,
    "a backslash": "localhost\\evil.example",
    "a quote": "localhost'",
    "an escape": "local%68ost",
}
GAMES = {
    "another host": ("evil.example", ()),
    "a forwarded host": ("localhost", ("X-Forwarded-Host: evil.example",)),
    "a forwarded server": ("localhost", ("X-Forwarded-Server: evil.example",)),
    "a forwarded prefix": ("localhost", ("X-Forwarded-Prefix: //evil.example",)),
    "a forwarded port": ("localhost", ("X-Forwarded-Port: 666",)),
    "a forwarded protocol": ("localhost", ("X-Forwarded-Proto: evil.example:",)),
    "the standard header": ("localhost", ("Forwarded: host=evil.example;proto=evil",)),
    "an original host": ("localhost", ("X-Host: evil.example", "X-Original-Host: evil.example")),
    "a client of our own": ("localhost", ("X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1")),
    "an origin": ("localhost", ("Origin: https://evil.example", "Referer: https://evil.example")),
}


def _forged(name: str) -> Case:
    return of(f"a token: {name}", request(ME, f"$forged: {name}"), 401)


def _claimed(name: str, header: str, line: str = ME) -> Case:
    return of(name, request(line, header), 401)


GROUPS = {
    "tokens": [_forged(name) for name in FORGED],
    "schemes": [
        *(_claimed(name, f"Authorization: {value}") for name, value in SCHEMES.items()),
        *(
            _claimed(f"on a public path: {name}", f"Authorization: {value}", "GET /events/")
            for name, value in SCHEMES.items()
            if value
        ),
        of("two headers", request(ME, "$owner", "Authorization: Bearer x"), 401),
        of(
            "two headers, the good one last",
            request(ME, "Authorization: x", who=None).replace(
                b"Authorization: x", b"Authorization: x\r\n$owner"
            ),
            401,
        ),
        of("the same header twice", request(ME, "$owner", "$owner"), 401),
        of(
            "a bad token and a good secret",
            request("GET /bookings/5", "Authorization: Bearer x", "$guest"),
            401,
        ),
        of("a token in the query", request("GET /users/me?access_token=x"), 401),
        of("a token in a cookie", request(ME, "Cookie: access_token=x; session=admin"), 401),
    ],
    "secrets": [
        *(
            _claimed(name, f"Booking-Secret: {value}", "GET /bookings/5")
            for name, value in SECRETS.items()
        ),
        of("somebody else's booking", request("GET /bookings/1", "$guest"), 404),
        of("a secret twice", request("GET /bookings/5", "$guest", "$guest"), 401),
        of("a secret by another name", request("GET /bookings/5", "Booking_Secret: x"), 401),
    ],
    "idempotency keys": [
        of(
            name,
            request("POST /bookings/", f"Idempotency-Key: {key}", body=BOOKING, who="owner"),
            400,
        )
        for name, key in IDEMPOTENCY.items()
    ],
    "versions": [
        *(
            of(
                f"If-Match: {name}",
                request(
                    "PATCH /bookings/2", f"If-Match: {tag}", body='{"note": "x"}', who="attendee"
                ),
                412,
            )
            for name, tag in STALE.items()
        ),
        *(
            of(
                f"If-None-Match: {tag[:20]!a}",
                request("GET /events/1", f"If-None-Match: {tag}"),
                200,
            )
            for tag in FRESH
        ),
    ],
    "hosts": [
        *(of(name, request("GET /events/", host=host), 400) for name, host in HOSTS.items()),
        *(
            of(
                name,
                request("GET /bookings/?per_page=1&all=true", *headers, host=host, who="owner"),
                200,
            )
            for name, (host, headers) in GAMES.items()
        ),
        of(
            "protocols that contradict each other, told by nobody who is trusted",
            request("GET /health", "X-Forwarded-Proto: https", "X-Forwarded-Ssl: off"),
            200,
        ),
    ],
}
