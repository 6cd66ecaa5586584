"""The README's five minutes, run as they are printed."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

from services import demo_service

README = Path(__file__).parents[2] / "README.md"
HOST = "http://127.0.0.1:5000"
ANYTHING = "…"


def blocks() -> list[str]:
    tour = README.read_text().split("## Five minutes")[1].split("\n## ")[0]
    return re.findall(r"```\n(.*?)```", tour, re.DOTALL)


def commands(block: str) -> list[tuple[str, str]]:
    """(curl, what it answers) of a block."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    found = []
    for part in parts:
        lines = part.splitlines()
        end = next(n for n, line in enumerate(lines) if _is_whole("\n".join(lines[: n + 1])))
        found.append(("\n".join(lines[: end + 1]), "\n".join(lines[end + 1 :])))
    return found


def _is_whole(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return not command.rstrip().endswith("\\")


def send(client: Any, curl: str) -> Any:
    words = shlex.split(curl.replace("\\\n", " "))
    method, url, headers, body = "GET", "", {}, None
    rest = iter(words[1:])
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "-d":
            method, body = "POST", next(rest).encode()
        elif word != "-s":
            url = word
    assert url.startswith(HOST)
    return client.open(url.removeprefix(HOST), method=method, headers=headers, data=body)


def assert_printed(printed: Any, real: Any, where: str = "") -> None:
    """All that is printed is so; what is left out may be anything."""
    if printed == ANYTHING:
        assert real is not None, where
    elif isinstance(printed, dict):
        for name, value in printed.items():
            assert name in real, f"{where}.{name}"
            assert_printed(value, real[name], f"{where}.{name}")
    elif isinstance(printed, list):
        assert len(printed) == len(real), where
        for number, (one, other) in enumerate(zip(printed, real, strict=True)):
            assert_printed(one, other, f"{where}.{number}")
    else:
        assert printed == real, where


def at(path: str, answer: Any) -> str:
    for step in path.split("."):
        answer = answer[int(step) if step.isdigit() else step]
    return str(answer)


def test_the_five_minutes_go_as_printed(client, session):
    demo_service.seed()
    kept: dict[str, str] = {}
    answer: Any = None
    ran = 0
    for block in blocks():
        for name, path in re.findall(r"^([A-Z]+)=… +# (\S+)$", block, re.MULTILINE):
            kept[name] = at(path, answer)
        for curl, printed in commands(block):
            for name, value in kept.items():
                curl = curl.replace(f"${name}", value)
            response = send(client, curl)
            ran += 1
            if response.content_type.startswith("text/csv"):
                assert response.text.startswith(printed.split("\n")[0])
            else:
                answer = response.json
                assert_printed(json.loads(printed), answer, curl[:60])
    assert ran == 13
