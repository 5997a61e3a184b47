"""recourse doctor names what is wrong and what to do; its exit code tells whether all is well."""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from aiosmtpd.controller import Controller
from pydantic import SecretStr
from typer.testing import CliRunner

from app.clock import wall_now
from app.db import Database
from app.settings import Settings
from ops import doctor as examined
from ops.check import Check
from ops.cli import app
from ops.doctor_doors import check_archive, check_post
from ops.moving_clock import MovingClock
from ops.servers import free_port
from tests.support.databases import Databases

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 10, 14), "fail"), ((3, 11, 7), "warn"), ((3, 11, 15), "ok"), ((3, 13, 1), "ok")],
)
def test_python_versions(version: tuple[int, int, int], state: str) -> None:
    assert examined.check_python(version).state == state


@pytest.mark.parametrize(("free_gb", "state"), [(0.1, "fail"), (2, "warn"), (50, "ok")])
def test_disk_space(settings: Settings, free_gb: float, state: str) -> None:
    assert examined.check_disk(settings, free=int(free_gb * 1024**3)).state == state


@pytest.mark.parametrize(("ahead", "state"), [(0, "ok"), (2, "warn"), (-2, "warn"), (60, "fail")])
def test_clock_skew_in_both_directions(ahead: int, state: str) -> None:
    theirs = NOON + timedelta(seconds=ahead)
    assert examined.check_skew(NOON, theirs, NOON).state == state


def test_missing_fonts_fail(tmp_path: Path) -> None:
    assert examined.check_fonts(tmp_path).state == "fail"
    assert examined.check_fonts().state == "ok"


def test_a_key_file_that_others_can_read_is_named(settings: Settings, tmp_path: Path) -> None:
    key_file = tmp_path / "keys"
    key_file.write_text("k1 x\n")
    key_file.chmod(0o644)
    loose = examined.check_secrets(settings.model_copy(update={"key_file": key_file}))
    assert "can be read by others" in loose.fact
    key_file.chmod(0o600)
    tight = examined.check_secrets(settings.model_copy(update={"key_file": key_file}))
    assert tight.state == "ok"


def test_a_data_folder_that_cannot_be_made_fails(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    changed = settings.model_copy(update={"data_dir": tmp_path / "file" / "data"})
    assert examined.check_data_folder(changed).state == "fail"


async def test_a_migrated_database_passes(settings: Settings) -> None:
    checks = by_name(await examined.check_database(settings))
    assert {name: check.state for name, check in checks.items()} == {
        "PostgreSQL": "ok",
        "database user": "ok",
        "schema": "ok",
        "clocks": "ok",
        "business time": "ok",
        "licences": "warn",  # nobody has set the agency up
        "bank files": "warn",
        "raw mails": "ok",
    }


def test_licences_that_end_soon_are_named() -> None:
    held = {"name": "Register", "number": "FI-1", "country": "FI", "may": ["demand"]}
    ending = {"licences": [held | {"valid_until": "2026-03-31"}]}
    near = examined.check_licences(ending, NOON.date())
    assert (near.state, near.fact) == ("warn", "FI licence FI-1 ends 2026-03-31")
    assert examined.check_licences({"licences": [held]}, NOON.date()).state == "ok"
    assert "PUT /v1/agency" in examined.check_licences({"name": "Oy"}, NOON.date()).fix


def test_a_superuser_is_no_user_for_production() -> None:
    assert examined.check_role("recourse", superuser=False, production=True).state == "ok"
    assert examined.check_role("recourse", superuser=True, production=False).state == "ok"
    found = examined.check_role("recourse", superuser=True, production=True)
    assert found.state == "fail" and "NOSUPERUSER" in found.fix


def test_how_long_bank_files_are_kept_is_said() -> None:
    assert examined.check_retention({"country": "FI"}).fact.startswith("kept 6 years")
    assert "for ever" in examined.check_retention({"country": "DE"}).fact


async def test_an_empty_database_asks_for_migration(
    settings: Settings, databases: Databases
) -> None:
    url = databases.empty()
    changed = settings.model_copy(update={"database_url": url})
    schema = by_name(await examined.check_database(changed))["schema"]
    databases.give_back(url)
    assert (schema.state, schema.fix) == ("fail", "./run migrate")


async def test_an_unreachable_database_is_one_failed_line(settings: Settings) -> None:
    nowhere = f"postgresql://u:tiger@127.0.0.1:{free_port()}/d"
    (check,) = await examined.check_database(settings.model_copy(update={"database_url": nowhere}))
    assert check.state == "fail"
    assert "tiger" not in check.fact


def test_redis_that_may_forget_fails(settings: Settings) -> None:
    client = redis.Redis.from_url(settings.redis_url or "")
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert by_name(list(examined.check_redis(settings)))["Redis eviction"].state == "fail"
    finally:
        client.config_set("maxmemory-policy", "noeviction")
    assert by_name(list(examined.check_redis(settings)))["Redis eviction"].state == "ok"
    client.close()


def test_a_mail_server_is_greeted(settings: Settings) -> None:
    port = free_port()
    server = Controller(object(), hostname="127.0.0.1", port=port)
    server.start()
    try:
        found = settings.model_copy(update={"smtp_port": port})
        assert examined.check_mail(found).state == "ok"
        wants_tls = found.model_copy(update={"smtp_starttls": True})
        assert "no STARTTLS" in examined.check_mail(wants_tls).fact
    finally:
        server.stop()
    assert examined.check_mail(found).state == "warn"


async def test_a_moved_clock_fails_in_production_only(
    settings: Settings, database: Database
) -> None:
    await MovingClock(database, settings).set(wall_now() + timedelta(days=3))
    moved = by_name(await examined.check_database(settings))["business time"]
    assert moved.state == "ok" and "259" in moved.fact
    real = settings.model_copy(update={"environment": "production"})
    assert by_name(await examined.check_database(real))["business time"].state == "fail"


def test_a_misspelt_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOURSE_SMTP_HOTS", "mx")
    assert "RECOURSE_SMTP_HOTS" in examined.check_names().fact
    monkeypatch.delenv("RECOURSE_SMTP_HOTS")
    assert examined.check_names().state == "ok"


def run_doctor(environment: dict[str, str]) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app, ["doctor", "--json"], env=environment)
    document: dict[str, Any] = json.loads(done.stdout)
    return done.exit_code, document


async def test_the_command_passes_on_a_sound_installation(settings: Settings) -> None:
    environment = {
        "RECOURSE_ENVIRONMENT": "test",
        "RECOURSE_DATABASE_URL": settings.database_url,
        "RECOURSE_REDIS_URL": settings.redis_url or "",
        "RECOURSE_DATA_DIR": str(settings.data_dir),
    }
    code, document = await asyncio.to_thread(run_doctor, environment)
    assert (code, document["ok"]) == (0, True), document
    assert len(document["checks"]) >= 14


async def test_the_command_names_unsafe_production_settings(settings: Settings) -> None:
    environment = {
        "RECOURSE_ENVIRONMENT": "production",
        "RECOURSE_DATABASE_URL": settings.database_url,
        "RECOURSE_REDIS_URL": settings.redis_url or "",
    }
    code, document = await asyncio.to_thread(run_doctor, environment)
    failed = [check for check in document["checks"] if check["state"] == "fail"]
    assert code == 1
    assert "secret_key" in failed[0]["fact"] and failed[0]["fix"]


def test_free_ports_are_free() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", free_port()))


def test_the_printer_and_the_archive_are_looked_at(settings: Settings, tmp_path: Path) -> None:
    ours = settings.model_copy(update={"data_dir": tmp_path})
    assert check_post(ours).state == "ok"
    (tmp_path / "post").chmod(0o500)
    (tmp_path / "blocked").write_text("a file where the folder should be")
    assert check_post(ours.model_copy(update={"data_dir": tmp_path / "blocked"})).state == "fail"
    lob = ours.model_copy(
        update={"post_provider": "lob", "lob_api_key": SecretStr("live_x"), "lob_from": "adr_1"}
    )
    assert check_post(lob, f"http://127.0.0.1:{free_port()}").state == "warn"
    assert check_archive(ours).state == "warn"
    archived = ours.model_copy(
        update={
            "archive_address": "a@us.test", "archive_imap_host": "127.0.0.1",
            "archive_imap_port": free_port(), "archive_imap_tls": False,
            "archive_imap_user": "u", "archive_imap_password": SecretStr("p"),
        }
    )  # fmt: skip
    assert check_archive(archived).state == "fail"
