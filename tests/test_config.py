"""What the environment may say, and which starts are refused with one line."""

import secrets

import pytest

import config
from config import ConfigurationError, Settings, read_environment, settings
from main import create_app

GOOD = {
    "GIGMATE_ENV": "production",
    "DATABASE_URI": "postgresql://nobody@127.0.0.1/nothing",
    "SECRET_KEY": secrets.token_urlsafe(48),
}


@pytest.fixture(autouse=True)
def put_back(app):
    """Settings are one object for the whole process: leave them as they were."""
    before = {name: getattr(settings, name) for name in Settings.__dataclass_fields__}
    yield
    settings.update(**before)


@pytest.fixture
def environment(monkeypatch):
    def set_to(values):
        for variable in config.ENVIRONMENT:
            monkeypatch.delenv(variable, raising=False)
        for variable, value in values.items():
            monkeypatch.setenv(variable, value)

    return set_to


def test_a_sound_production_environment_is_taken(environment):
    environment(GOOD | {"PORT": "8080", "AVAILABILITY_SECONDS": "0.5"})

    read_environment()

    assert settings.in_production
    assert (settings.port, settings.availability_seconds) == (8080, 0.5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"SECRET_KEY": "a" * 64}, "SECRET_KEY"),
        ({"SECRET_KEY": "changeme"}, "SECRET_KEY"),
        ({"DATABASE_URI": ""}, "DATABASE_URI"),
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG"),
        ({"GIGMATE_ENV": "prod"}, "GIGMATE_ENV"),
        ({"PORT": "http"}, "PORT"),
        ({"WORKERS": "0"}, "WORKERS"),
        ({"HOLD_MINUTES": "-5"}, "HOLD_MINUTES"),
    ],
)
def test_an_unsound_one_is_refused_in_one_line(environment, change, says):
    environment(GOOD | change)

    with pytest.raises(ConfigurationError) as refusal:
        read_environment()

    assert says in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("uri", ["nonsense", "mysql://localhost/x", "sqlite:///x.db"])
def test_only_postgresql_is_a_database(environment, uri):
    environment(GOOD | {"DATABASE_URI": uri})

    with pytest.raises(ConfigurationError, match="DATABASE_URI"):
        create_app()


def test_the_secret_of_this_machine_is_made_once_and_for_nobody_else(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "STATE", tmp_path / "state")

    first, second = config.machine_secret(), config.machine_secret()

    assert first == second
    assert (tmp_path / "state" / "secret_key").stat().st_mode & 0o077 == 0
