"""recourse api, recourse worker, recourse migrate: one process each, as a container runs them."""

from __future__ import annotations

import os
import sys
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError

from app.settings import Settings, get_settings
from ops import migrations
from ops.first_admin import announce_first_admin
from ops.local import complete, local_installation

API_FACTORY = "app.main:create_app"
WORKER_MODULE = "workers.supervisor"


def checked_settings() -> Settings:
    """The settings, or a readable list of what is wrong with them and exit code 2."""
    try:
        return get_settings()
    except ValidationError as problem:
        for one in problem.errors():
            place = ".".join(str(part) for part in one["loc"]) or "settings"
            typer.echo(f"{place}: {one['msg']}", err=True)
        raise typer.Exit(2) from None


def become(*command: str) -> NoReturn:
    """Replace this process, so that signals reach the server itself."""
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606  # no shell wanted


def api_command(settings: Settings) -> tuple[str, ...]:
    """The module that serves the API, with its arguments."""
    return (
        *("uvicorn", API_FACTORY, "--factory", "--no-server-header", "--no-access-log"),
        *("--host", settings.api_host, "--port", str(settings.api_port)),
        *("--forwarded-allow-ips", settings.forwarded_allow_ips),
        *("--timeout-graceful-shutdown", "20", "--log-level", settings.log_level),
    )


def api() -> None:
    """Serve the API in this process."""
    become(*api_command(checked_settings()))


def worker() -> None:
    """Run the workers in this process and its children."""
    checked_settings()
    become(WORKER_MODULE)


def migrate(
    revision: Annotated[str, typer.Argument(help="Revision to go up to.")] = "head",
) -> None:
    """Bring the database to the newest schema."""
    if complete(dict(os.environ)) or "RECOURSE_DATABASE_URL" in os.environ:
        settings = checked_settings()
        migrations.upgrade(settings.database_url, revision)
        welcome = announce_first_admin(settings) if revision == "head" else None
        if welcome is not None:
            typer.echo(welcome)
    else:
        with local_installation() as here:
            migrations.upgrade(here.settings.database_url, revision)
    typer.echo(
        f"The database is at {migrations.head_revision() if revision == 'head' else revision}."
    )
