"""A whole installation on this machine: servers, secrets and settings, for trying it out.

Servers named by RECOURSE_DATABASE_URL and RECOURSE_REDIS_URL are used; what is not named is
started (ops/embedded.py). Secrets that are not set are generated once and kept in the data
folder, so that no two installations share one. A production installation brings its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from app.crypto import new_key_line
from app.settings import Settings
from ops.embedded import Servers, embedded_servers, make_folder

DATABASE_NAME = "recourse"
MAIN_INSTALLATION = "local"


class NotHere(RuntimeError):
    """A production installation must not be given embedded servers or generated secrets."""


@dataclass(frozen=True)
class Installation:
    """``environment`` is what child processes need to have the same settings."""

    settings: Settings
    environment: dict[str, str]
    servers: Servers | None  # None when both servers were named


@contextlib.contextmanager
def local_installation(
    name: str = MAIN_INSTALLATION, *, fresh: bool = False, volatile: bool = False, **overrides: str
) -> Iterator[Installation]:
    """The installation ``name``, its servers running for at least as long as the block.

    ``fresh`` empties its database; ``volatile`` lets an embedded server that it starts do without
    fsync, for data that the next run makes anew. ``overrides`` are settings by name, as text; they
    win over the environment. The database exists, but is not migrated.
    """
    # What a compose file leaves empty (`${X:-}`) is not set.
    environment = {
        key: value for key, value in os.environ.items() if key.startswith("RECOURSE_") and value
    } | {setting_variable(key): value for key, value in overrides.items()}
    data_dir = installation_folder(environment, name)
    with contextlib.ExitStack() as held:
        servers = None
        if not complete(environment):
            refuse_in_production(environment)
            servers = held.enter_context(embedded_servers(data_dir / "servers", volatile=volatile))
            environment.setdefault("RECOURSE_DATABASE_URL", servers.database_url(DATABASE_NAME))
            environment.setdefault("RECOURSE_REDIS_URL", servers.redis_url)
        environment["RECOURSE_DATA_DIR"] = str(data_dir)
        add_secrets(environment, data_dir)
        settings = settings_from(environment)
        if servers is not None and settings.database_dsn.startswith(servers.database_url("")):
            asyncio.run(ensure_database(servers, fresh=fresh))
        elif fresh:
            raise NotHere("--fresh empties embedded databases only; empty the named one yourself")
        others = {k: v for k, v in os.environ.items() if not k.startswith("RECOURSE_")}
        yield Installation(settings, {**others, **environment}, servers)


def installation_folder(environment: dict[str, str], name: str) -> Path:
    """RECOURSE_DATA_DIR is the folder of the main installation; others lie in a folder below."""
    given = environment.get("RECOURSE_DATA_DIR")
    if given and name == MAIN_INSTALLATION:
        return Path(given).resolve()
    return Path(given or ".data").resolve() / name


def setting_variable(name: str) -> str:
    return "RECOURSE_" + name.upper()


def settings_from(environment: dict[str, str]) -> Settings:
    """The settings that a process with this environment gets."""
    values: dict[str, Any] = {
        field: environment[setting_variable(field)]
        for field in Settings.model_fields
        if setting_variable(field) in environment
    }
    return Settings(**values)


def complete(environment: dict[str, str]) -> bool:
    return all(environment.get(k) for k in ("RECOURSE_DATABASE_URL", "RECOURSE_REDIS_URL"))


def refuse_in_production(environment: dict[str, str]) -> None:
    if environment.get("RECOURSE_ENVIRONMENT") == "production":
        raise NotHere(
            "production brings its own servers: set RECOURSE_DATABASE_URL and RECOURSE_REDIS_URL"
        )


def add_secrets(environment: dict[str, str], folder: Path) -> None:
    """Fill in the secrets that are not set, outside production."""
    if environment.get("RECOURSE_ENVIRONMENT") == "production":
        return
    if "RECOURSE_SECRET_KEY" not in environment:
        key = kept_secret(folder / "secret_key", secrets.token_urlsafe(48))
        environment["RECOURSE_SECRET_KEY"] = key.read_text().strip()
    if "RECOURSE_KEY_FILE" not in environment and "RECOURSE_KEYS" not in environment:
        lines = f"{new_key_line('local-1')}\n{new_key_line('index')}\n"
        environment["RECOURSE_KEY_FILE"] = str(kept_secret(folder / "keys", lines))


def kept_secret(path: Path, fresh_text: str) -> Path:
    """The file with a secret; written with ``fresh_text``, for the owner only, when new."""
    make_folder(path.parent)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(fresh_text)
    return path


async def ensure_database(servers: Servers, *, fresh: bool = False) -> None:
    """Make the database ``recourse`` on the embedded server; ``fresh`` drops an old one first."""
    connection = await asyncpg.connect(servers.postgres_url)
    try:
        if fresh:
            await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE_NAME} WITH (FORCE)")
        known = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
        if not await connection.fetchval(known, DATABASE_NAME):
            await connection.execute(f"CREATE DATABASE {DATABASE_NAME}")
    finally:
        await connection.close()
