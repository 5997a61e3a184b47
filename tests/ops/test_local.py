"""A local installation keeps its data and its own secrets; production gets none of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from ops.binaries import own_temp_folder
from ops.local import Installation, NotHere, local_installation, settings_from


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty data folder and an environment in which nothing is named."""
    folder = own_temp_folder(f"local-{tmp_path}")
    for name in ("RECOURSE_DATABASE_URL", "RECOURSE_REDIS_URL", "RECOURSE_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RECOURSE_DATA_DIR", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def count_tables(here: Installation) -> object:
    connection = await asyncpg.connect(here.settings.database_dsn)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        await connection.execute("INSERT INTO kept VALUES (1)")
        return await connection.fetchval("SELECT count(*) FROM kept")
    finally:
        await connection.close()


async def test_data_and_secrets_stay_until_a_fresh_start(data_dir: Path) -> None:
    with ThreadedInstallation() as here:
        secret = here.settings.secret_key.get_secret_value()
        assert here.settings.key_file is not None
        assert here.settings.key_file.stat().st_mode & 0o077 == 0
        assert await count_tables(here) == 1
        with ThreadedInstallation() as again:
            assert await count_tables(again) == 2
            assert again.settings.secret_key.get_secret_value() == secret
        with ThreadedInstallation(fresh=True) as emptied:
            assert await count_tables(emptied) == 1
        assert settings_from(here.environment) == here.settings


class ThreadedInstallation:
    """local_installation() runs its own event loop, which a test's loop does not allow."""

    def __init__(self, *, fresh: bool = False) -> None:
        self.manager = local_installation(fresh=fresh)

    def __enter__(self) -> Installation:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self.manager.__enter__).result()

    def __exit__(self, *_: object) -> None:
        self.manager.__exit__(None, None, None)


def test_production_is_refused_embedded_servers(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOURSE_ENVIRONMENT", "production")
    with pytest.raises(NotHere, match="brings its own servers"), local_installation():
        pass


def test_named_servers_are_used_and_never_emptied(
    data_dir: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECOURSE_DATABASE_URL", database_url)
    monkeypatch.setenv("RECOURSE_REDIS_URL", redis_url)
    with local_installation() as here:
        assert here.servers is None
        assert here.settings.database_dsn == database_url
    with pytest.raises(NotHere, match="--fresh"), local_installation(fresh=True):
        pass
