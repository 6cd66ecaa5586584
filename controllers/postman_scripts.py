"""The JavaScript of the Postman collection; Insomnia and newman run it, too."""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

SIGNED_IN = """\
const fromBase64 = require('atob');

function send(request) {
  return new Promise((resolve, reject) => {
    pm.sendRequest(request, (error, response) => (error ? reject(error) : resolve(response)));
  });
}

// The token that a variable keeps; asked for anew where there is none, or it has run out.
function hasRunOut(token) {
  try {
    const claims = token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/');
    return JSON.parse(fromBase64(claims)).exp * 1000 < Date.now() + 30000;
  } catch (error) {
    return true;
  }
}

async function signedIn(variable) {
  const known = pm.collectionVariables.get(variable);
  if (known && !hasRunOut(known)) return known;
  const account = variable === 'access_token' ? 'email' : variable.replace('_token', '_email');
  const credentials = { email: pm.variables.get(account), password: pm.variables.get('password') };
  const response = await send({
    url: pm.variables.get('base_url') + '/auth/login',
    method: 'POST',
    header: { 'Content-Type': 'application/json' },
    body: { mode: 'raw', raw: JSON.stringify(credentials) },
  });
  if (response.code !== 200) throw new Error(`${credentials.email}: ${response.text()}`);
  const tokens = response.json();
  pm.collectionVariables.set(variable, tokens.access_token);
  if (variable === 'access_token') {
    pm.collectionVariables.set('refresh_token', tokens.refresh_token);
  }
  return tokens.access_token;
}
"""

SIGN_IN_FIRST = (
    SIGNED_IN
    + """
// An expired token is refused even where none is asked for.
if (hasRunOut(pm.collectionVariables.get('access_token'))) {
  pm.collectionVariables.set('access_token', '');
}
const own = pm.request.auth; // undefined where the request inherits the collection's
const token = own ? own.type === 'bearer' && own.parameters().get('token') : '{{access_token}}';
if (token) {
  signedIn(token.replace(/[{}]/g, '')).catch(error => console.error(error.message));
}
"""
)

MAKE_FIRST = (
    SIGNED_IN
    + r"""
// An id stands for a number.
function filledIn(body) {
  const text = JSON.stringify(body).replace(/"(\{\{\w+_id\}\})"/g, '$1');
  return pm.variables.replaceIn(text);
}

// Makes what the request is about.
async function make(step) {
  const response = await send({
    url: pm.variables.replaceIn(step.url),
    method: step.method,
    header: {
      'Content-Type': 'application/json',
      Authorization: 'Bearer ' + (await signedIn(step.token)),
    },
    body: { mode: 'raw', raw: step.body ? filledIn(step.body) : '' },
  });
  if (response.code >= 300) throw new Error(response.text());
  for (const [variable, path] of Object.entries(step.keep)) {
    const value = path.split('.').reduce((part, name) => part[name], response.json());
    pm.collectionVariables.set(variable, String(value));
  }
}

(async () => {
  for (const step of STEPS) await make(step);
})().catch(error => console.error(error.message));
"""
)


def sign_in_first() -> list[str]:
    """Before each request: sign in the account that it is sent as."""
    return SIGN_IN_FIRST.splitlines()


def make_first(steps: Iterable[Mapping[str, Any]]) -> list[str]:
    """Before a request: send others, each with `method`, `url`, `token`, `body` and `keep`."""
    table = json.dumps(list(steps), ensure_ascii=False, indent=2)
    return [*f"const STEPS = {table};".splitlines(), "", *MAKE_FIRST.splitlines()]


def check_status(status: int) -> list[str]:
    """After a request: it was answered as documented."""
    return _check(f"{status} {HTTPStatus(status).phrase}", f"response.to.have.status({status})")


def check_media_type(media_type: str) -> list[str]:
    """After a request: the answer is of this kind."""
    return _check(
        f"it is {media_type}",
        f"expect(pm.response.headers.get('Content-Type')).to.include('{media_type}')",
    )


def check_fields(names: Iterable[str]) -> list[str]:
    """After a request: the object has the fields that are promised."""
    listed = ", ".join(f"'{name}'" for name in names)
    return _check(
        "it has what is promised", f"expect(pm.response.json()).to.include.all.keys({listed})"
    )


def check_page() -> list[str]:
    """After a request: there is something on the page."""
    return _check("something is found", "expect(pm.response.json().items).to.not.be.empty")


def check_header(name: str) -> list[str]:
    """After a request: it has the header that is promised."""
    return _check(f"it has {name}", f"response.to.have.header('{name}')")


def keep_etag() -> list[str]:
    """After a request: its ETag is the one that If-Match and If-None-Match name."""
    return ["pm.collectionVariables.set('etag', pm.response.headers.get('ETag') || '');"]


def keep(status: int, kept: Mapping[str, str]) -> list[str]:
    """After a request that went well: variables from paths into its answer."""
    lines = [
        f"  pm.collectionVariables.set('{name}', String(answer{_access(path)}));"
        for name, path in kept.items()
    ]
    return [
        f"if (pm.response.code === {status}) {{",
        "  const answer = pm.response.json();",
        *lines,
        "}",
    ]


def reset(status: int, values: Mapping[str, str]) -> list[str]:
    """After a request that went well: variables as they were at first."""
    lines = [
        f"  pm.collectionVariables.set('{name}', '{value}');" for name, value in values.items()
    ]
    return [f"if (pm.response.code === {status}) {{", *lines, "}"]


def _check(name: str, fact: str) -> list[str]:
    return [f"pm.test('{name}', () => pm.{fact});"]


def _access(path: str) -> str:
    return re.sub(r"\.(\d+)", r"[\1]", f".{path}")
