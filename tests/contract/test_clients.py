"""docs/clients: up to date, whole, and green on the demo world; `make clients` runs it for real."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import jsonschema_rs
import pytest

from controllers import BLUEPRINTS, api_document, postman_answers, postman_collection
from controllers.api_document import COLLECTION, ENVIRONMENT
from controllers.postman_collection import NotShown, operations
from controllers.postman_examples import ACCOUNTS, EXAMPLES, KEPT, NOT_SHOWN, SETTINGS
from services import demo_service
from tests.contract.test_openapi import DOCUMENT, OPERATIONS
from utils.http import LIMIT_HEADERS

SAVED = json.loads(COLLECTION.read_bytes())
ITEMS = {item["name"]: item for folder in SAVED["item"] for item in folder["item"]}
BY_NAME = {operation["operationId"]: label for label, operation in OPERATIONS.items()}
JSON = "application/json"


def title(operation: str) -> str:
    return operation.replace("_", " ").capitalize()


def test_the_collection_is_what_the_document_and_the_examples_make():
    """After a change that is meant: `make clients`, and look at the diff."""
    made = postman_collection.collection(DOCUMENT, postman_answers.saved_in(SAVED))

    assert COLLECTION.read_text() == postman_collection.text_of(made)


def test_the_environment_is_what_the_settings_make():
    made = postman_collection.text_of(postman_collection.environment())

    assert ENVIRONMENT.read_text() == made


def test_its_folders_are_the_resources_in_their_order():
    assert [folder["name"] for folder in SAVED["item"]] == [bp.name for bp in BLUEPRINTS]


def test_every_operation_is_in_it_once():
    shown = [
        f"{item['request']['method']} /{'/'.join(item['request']['url']['path'])}"
        for item in ITEMS.values()
    ]
    wanted = [
        re.sub(r"\{(\w+)\}", r":\1", label)
        for label, operation in OPERATIONS.items()
        if operation["operationId"] not in NOT_SHOWN
    ]

    assert sorted(shown) == sorted(wanted)


def test_an_operation_without_an_example_is_missed():
    document = deepcopy(DOCUMENT)
    document["paths"]["/new"] = {"get": {"operationId": "list_news"}}

    with pytest.raises(NotShown, match=r"differ in list_news\.$"):
        operations(document)


def test_a_body_without_an_example_is_missed():
    document = deepcopy(DOCUMENT)
    del document["components"]["schemas"]["Cancel"]["examples"]

    with pytest.raises(NotShown, match="the body of cancel_event has no example"):
        postman_collection.collection(document, {})


def test_its_ids_are_unique():
    found = re.findall(r'"(?:_postman_)?id": "([0-9a-f-]{36})"', COLLECTION.read_text())

    assert len(found) == len(set(found)) > len(ITEMS)


def test_every_variable_has_a_first_value():
    used = set(re.findall(r"\{\{(\w+)\}\}", COLLECTION.read_text()))

    assert used <= {*SETTINGS, *KEPT}


def test_no_setting_hides_what_scripts_fill_in():
    """A variable of the environment goes before the collection's of the same name."""
    assert not SETTINGS.keys() & KEPT.keys()


def test_a_login_fills_in_the_tokens():
    scripts = [line for event in ITEMS["Login"]["event"] for line in event["script"]["exec"]]

    for name in ("access_token", "refresh_token"):
        assert f"  pm.collectionVariables.set('{name}', String(answer.{name}));" in scripts
    assert SAVED["auth"]["bearer"][0]["value"] == "{{access_token}}"


@pytest.mark.parametrize("operation", [example.operation for example in EXAMPLES])
def test_the_saved_answer_is_what_the_document_promises(operation):
    """Where it is not any more: `make clients`. One that is new has none before that."""
    for answer in ITEMS[title(operation)]["response"]:
        promised = OPERATIONS[BY_NAME[operation]]["responses"][str(answer["code"])]
        headers = {header["key"] for header in answer["header"]}

        content = promised.get("content", {})
        assert bool(answer["body"]) == bool(content)
        if JSON in content:
            schema = {**content[JSON]["schema"], "components": DOCUMENT["components"]}
            jsonschema_rs.validator_for(schema).validate(json.loads(answer["body"]))
        if "dry_run" not in str(ITEMS[title(operation)]["request"]["url"].get("query")):
            # newman's server has no limits
            assert set(promised.get("headers", {})) - set(LIMIT_HEADERS) <= headers


@pytest.mark.parametrize("label", OPERATIONS)
def test_the_examples_of_bodies_are_valid(label):
    for content in OPERATIONS[label].get("requestBody", {}).get("content", {}).values():
        schema = {**content["schema"], "components": DOCUMENT["components"]}
        name = content["schema"]["$ref"].rsplit("/", 1)[1]
        (example,) = DOCUMENT["components"]["schemas"][name]["examples"]
        jsonschema_rs.validator_for(schema).validate(example)


class Runner:
    """What Postman does with the collection, as far as the demo world is concerned."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.variables: dict[str, str] = {**SETTINGS, **KEPT, "base_url": ""}

    def filled(self, text: str) -> str:
        text = text.replace("{{$guid}}", str(uuid.uuid4()))
        return re.sub(r"\{\{(\w+)\}\}", lambda name: self.variables[name[1]], text)

    def send(self, item: dict[str, Any]) -> Any:
        request = item["request"]
        url = request["url"]
        path = "/" + "/".join(url["path"])
        for variable in url.get("variable", ()):
            path = path.replace(f":{variable['key']}", variable["value"])
        query = [part for part in url.get("query", ()) if not part.get("disabled")]
        headers = [part for part in request["header"] if not part.get("disabled")]
        return self.client.open(
            self.filled(path),
            method=request["method"],
            query_string={part["key"]: part["value"] for part in query},
            headers={
                **{part["key"]: self.filled(part["value"]) for part in headers},
                **self.identity(request.get("auth", SAVED["auth"])),
            },
            **self.content(request.get("body", {})),
        )

    def content(self, body: dict[str, Any]) -> dict[str, Any]:
        match body.get("mode"):
            case "urlencoded":
                return {"data": {p["key"]: self.filled(p["value"]) for p in body["urlencoded"]}}
            case "raw":
                return {"data": self.filled(body["raw"])}
        return {}

    def identity(self, auth: dict[str, Any]) -> dict[str, str]:
        facts = {part["key"]: part["value"] for part in auth.get(auth["type"], ())}
        match auth["type"]:
            case "bearer":
                return {"Authorization": f"Bearer {self.token(facts['token'].strip('{}'))}"}
            case "apikey":
                return {facts["key"]: self.filled(facts["value"])}
        return {}

    def token(self, variable: str) -> str:
        if not self.variables[variable]:
            account = variable.replace("_token", "_email") if "access" not in variable else "email"
            credentials = {name: self.variables[name] for name in (account, "password")}
            credentials["email"] = credentials.pop(account)
            tokens = self.client.post("/auth/login", json=credentials).json
            self.variables[variable] = tokens["access_token"]
        return self.variables[variable]

    def keep(self, kept: Any, answer: Any) -> None:
        for variable, path in kept.items():
            value = answer
            for step in path.split("."):
                value = value[int(step) if step.isdigit() else step]
            self.variables[variable] = str(value)

    def make(self, step: dict[str, Any]) -> None:
        body = re.sub(r'"(\{\{\w+_id\}\})"', r"\1", json.dumps(step["body"]))
        response = self.client.open(
            self.filled(step["url"]),
            method=step["method"],
            headers={"Authorization": f"Bearer {self.token(step['token'])}"},
            **({"data": self.filled(body), "content_type": JSON} if step["body"] else {}),
        )
        assert response.status_code < 300, response.text
        self.keep(step["keep"], response.json)


def steps(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a script sends before the request."""
    for event in item["event"]:
        if event["listen"] == "prerequest":
            table = "\n".join(event["script"]["exec"]).split("const STEPS = ")[1].split("];\n")[0]
            yield from json.loads(table + "]")


@pytest.fixture
def run(client: Any, session: Any) -> Callable[[], list[str]]:
    """Run the collection on the demo world; what was not answered as the document promises."""
    demo_service.seed()
    runner = Runner(client)

    def run() -> list[str]:
        unlike = []
        for operation in operations(DOCUMENT):
            example = operation.example
            item = ITEMS[title(example.operation)]
            for step in steps(item):
                runner.make(step)
            response = runner.send(item)
            if response.status_code != operation.status:
                unlike.append(f"{example.operation}: {response.status_code} {response.text}")
                continue
            answer = response.json if response.data and response.is_json else {}
            if answer.get("items") == []:
                unlike.append(f"{example.operation}: found nothing")
            runner.keep(example.keep, answer)
            runner.variables |= {name: KEPT[name] for name in example.forget}
        return unlike

    return run


def test_the_examples_work_on_the_demo_data_as_often_as_you_like(run):
    assert run() == []
    assert run() == []


def test_every_demo_account_has_a_part_in_it():
    senders = {example.by for example in EXAMPLES}
    senders |= {step.by for example in EXAMPLES for step in example.before}

    assert {*ACCOUNTS, "organiser", "guest", "nobody"} <= senders


class TestCommand:
    @pytest.fixture
    def elsewhere(self, monkeypatch, tmp_path):
        """Where the command writes, instead of docs/clients."""
        monkeypatch.setattr(api_document, "COLLECTION", tmp_path / "collection.json")
        monkeypatch.setattr(api_document, "ENVIRONMENT", tmp_path / "environment.json")
        return tmp_path

    def test_it_writes_what_is_in_docs_clients(self, app, elsewhere):
        (elsewhere / "collection.json").write_bytes(COLLECTION.read_bytes())

        result = app.test_cli_runner().invoke(args=["clients"])

        assert (result.exit_code, len(result.output.splitlines())) == (0, 1)
        assert (elsewhere / "collection.json").read_bytes() == COLLECTION.read_bytes()
        assert (elsewhere / "environment.json").read_bytes() == ENVIRONMENT.read_bytes()

    def test_from_nothing_it_makes_a_collection_without_answers(self, app, elsewhere):
        result = app.test_cli_runner().invoke(args=["clients"])

        assert result.exit_code == 0
        made = json.loads((elsewhere / "collection.json").read_bytes())
        assert [f["item"][0]["name"] for f in made["item"]][:2] == ["Register", "Show me"]
        assert postman_answers.saved_in(made) == {}

    def test_it_saves_the_answers_of_a_report(self, app, elsewhere):
        (elsewhere / "report.json").write_text(json.dumps(report({"status": "ok"}, "Health")))

        result = app.test_cli_runner().invoke(
            args=["clients", "--answers", str(elsewhere / "report.json")]
        )

        assert result.exit_code == 0
        made = json.loads((elsewhere / "collection.json").read_bytes())
        (answer,) = postman_answers.saved_in(made).values()
        assert json.loads(answer["body"]) == {"status": "ok"}


def report(body: Any, name: str, **response: Any) -> dict[str, Any]:
    """newman's, of a run that sent one request."""
    execution = {
        "item": {"id": ITEMS[name]["id"]},
        "request": {"url": {"protocol": "http", "host": ["127", "0", "0", "1"], "port": "40000"}},
        "response": {
            "code": 200,
            "header": [{"key": "Content-Type", "value": JSON}],
            "stream": {"type": "Buffer", "data": list(json.dumps(body).encode())},
            **response,
        },
    }
    return {"run": {"executions": [execution]}}


class TestSavedAnswers:
    def answer(self, body, code=200):
        header = [{"key": "Content-Type", "value": JSON}]
        return {"code": code, "status": "OK", "header": header, "body": json.dumps(body)}

    def test_one_that_looks_the_same_stays(self):
        saved, seen = self.answer({"id": 1, "tags": ["a"]}), self.answer({"id": 2, "tags": ["b"]})

        assert postman_answers.refreshed({"x": saved}, {"x": seen}) == {"x": saved}

    @pytest.mark.parametrize(
        "body", [{"id": 2}, {"id": "2", "tags": ["a"]}, {"id": 2, "tags": [{"name": "a"}]}]
    )
    def test_one_that_looks_different_is_replaced(self, body):
        saved, seen = self.answer({"id": 1, "tags": ["a"]}), self.answer(body)

        assert postman_answers.refreshed({"x": saved}, {"x": seen}) == {"x": seen}

    def test_new_ones_come_and_those_of_no_request_go(self):
        one, other = self.answer({}), self.answer({"id": 1})

        assert postman_answers.refreshed({"gone": one}, {"new": other}) == {"new": other}

    def test_what_is_seen_is_shortened_and_tells_no_secrets(self):
        body = {
            "items": [{"id": 1}, {"id": 2}, {"id": 3}],
            "pagination": {"next": "http://127.0.0.1:40000/venues/?page=2"},
            "secret": "abc",
        }
        headers = [{"key": "etag", "value": '"1"'}, {"key": "X-Request-Id", "value": "abc"}]

        (seen,) = postman_answers.seen_in(report(body, "Login", code=201, header=headers)).values()

        assert seen["status"] == "Created"
        assert seen["header"] == [{"key": "ETag", "value": '"1"'}]
        assert json.loads(seen["body"]) == {
            "items": [{"id": 1}, {"id": 2}],
            "pagination": {"next": "http://127.0.0.1:5000/venues/?page=2"},
            "secret": "…",
        }
