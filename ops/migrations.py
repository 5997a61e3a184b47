"""Runs the migrations from Python: upgrade, downgrade, where we are, whether models differ.

Alembic's own entry points start an event loop; call these outside of one, or through
``asyncio.to_thread``.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

ROOT = Path(__file__).resolve().parent.parent


def alembic_config(database_url: str | None = None) -> Config:
    """Alembic's configuration; without an address the settings' database is used."""
    config = Config(str(ROOT / "alembic.ini"))
    if database_url is not None:
        config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str | None = None, revision: str = "head") -> None:
    """Bring the database up to ``revision``; waits for another migration to finish."""
    command.upgrade(alembic_config(database_url), revision)


def downgrade(database_url: str | None, revision: str) -> None:
    """Bring the database down to ``revision`` ("base" empties it)."""
    command.downgrade(alembic_config(database_url), revision)


def check(database_url: str | None = None) -> None:
    """Raise ``alembic.util.CommandError`` when the tables in code and database differ."""
    command.check(alembic_config(database_url))


def head_revision() -> str:
    """The newest revision in the code."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert head is not None, "migrations/versions is empty"
    return head
