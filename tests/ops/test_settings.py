"""Settings refuse what must not serve real people, and never show a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.settings import Settings, get_settings
from app.settings_checks import is_placeholder, production_problems

RANDOM = "Zk3v9QmX7tYpL2wRf8sNd4hJc6bGaVeU1oTi5KyMxWq"
SAFE: dict[str, Any] = {
    "environment": "production",
    "database_url": "postgresql://recourse:hunter@db.internal/recourse",
    "redis_url": "redis://:hunter@redis.internal:6379/0",
    "secret_key": RANDOM,
    "key_file": Path("/run/secrets/keys"),
    "public_url": "https://recourse.agency.eu",
    "mail_domain": "mail.agency.eu",
    "smtp_host": "smtp.agency.eu",
    "smtp_starttls": True,
}
UNSAFE: dict[str, dict[str, Any]] = {
    "secret_key": {"secret_key": "change-me-" + RANDOM},
    "key_file": {"key_file": None},
    "stripe_secret_key": {"stripe_secret_key": "sk_test_4eC39HqLyjWDarjtT1zdp7dc"},
    "lob_api_key": {"lob_api_key": "test_0dc8d51e0acffcb1880e0f19c79b2f5b0cc"},
    "public_url": {"public_url": "http://recourse.agency.eu"},
    "mail_domain": {"mail_domain": "mail.recourse.invalid"},
    "providers": {"providers": "fake"},
    "redis_url": {"redis_url": None},
    "smtp_starttls": {"smtp_starttls": False},
}


def test_safe_production_settings_are_accepted() -> None:
    assert production_problems(Settings(**SAFE)) == []


@pytest.mark.parametrize("name", UNSAFE)
def test_production_refuses_an_unsafe_setting_by_name(name: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**{**SAFE, **UNSAFE[name]})
    assert name in str(refused.value)


def test_production_refuses_the_default_secret() -> None:
    with pytest.raises(ValidationError, match="secret_key"):
        Settings(**{key: value for key, value in SAFE.items() if key != "secret_key"})


@pytest.mark.parametrize("name", [name for name in UNSAFE if name != "secret_key"])
def test_the_same_is_allowed_outside_production(name: str) -> None:
    assert Settings(**{**SAFE, **UNSAFE[name], "environment": "development"}) is not None


@pytest.mark.parametrize("lacks", ["lob_api_key", "lob_from"])
def test_a_printer_without_its_key_or_return_address_is_refused_at_once(lacks: str) -> None:
    lob: dict[str, Any] = {
        "post_provider": "lob",
        "lob_api_key": "live_" + RANDOM,
        "lob_from": "adr_1234",
    }
    assert Settings(**SAFE, **lob).post_provider == "lob"
    with pytest.raises(ValidationError, match=lacks):
        Settings(**SAFE, **{name: value for name, value in lob.items() if name != lacks})


def test_refusals_do_not_quote_what_was_given() -> None:
    with pytest.raises(ValidationError) as refused:
        Settings(**{**SAFE, "secret_key": "secret-tiger", "database_url": "mysql://x:tiger@db/y"})
    assert "tiger" not in str(refused.value)


def test_showing_settings_shows_no_secret() -> None:
    settings = Settings(**SAFE, stripe_webhook_secret="whsec_tiger")
    for shown in (repr(settings), str(settings)):
        assert RANDOM not in shown and "hunter" not in shown and "tiger" not in shown


def test_settings_are_frozen() -> None:
    settings = Settings(**SAFE)
    with pytest.raises(ValidationError):
        setattr(settings, "environment", "test")  # noqa: B010  # plainly, mypy refuses it too


@pytest.mark.parametrize("scheme", ["postgres://", "postgresql://", "postgresql+asyncpg://"])
def test_every_usual_database_address_is_understood(scheme: str) -> None:
    settings = Settings(database_url=f"{scheme}u:p@h:5433/d?ssl=require")
    assert settings.database_url == "postgresql+asyncpg://u:p@h:5433/d?ssl=require"
    assert settings.database_dsn == "postgresql://u:p@h:5433/d?ssl=require"


def test_the_environment_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOURSE_DATABASE_URL", "postgresql://a@h/d")
    get_settings.cache_clear()
    first = get_settings()
    monkeypatch.setenv("RECOURSE_DATABASE_URL", "postgresql://b@h/d")
    assert get_settings() is first
    get_settings.cache_clear()


def test_only_a_non_production_installation_may_move_its_clock() -> None:
    assert not Settings(**SAFE).allows_clock_offset
    assert Settings(**{**SAFE, "environment": "test"}).allows_clock_offset


@pytest.mark.parametrize("weak", [None, "short", "placeholder-" * 4, "my-secret-" * 4])
def test_placeholders_are_known(weak: str | None) -> None:
    settings = Settings(database_url="postgresql://h/d", stripe_secret_key=weak)
    assert is_placeholder(settings.stripe_secret_key)
