"""recourse audit verify: has anybody changed the history?"""

from __future__ import annotations

import asyncio

import typer

from app.audit_check import Report, verify
from app.db import Database
from app.documents.store import open_store
from app.settings import Settings
from ops.local import local_installation

READ_TIMEOUT_MS = 600_000  # the whole history is read once, far beyond a request's limit

group = typer.Typer(help="The history and its proof.", no_args_is_help=True)


async def read_report(settings: Settings) -> Report:
    """The database's own history against its heads, and both against the anchors kept outside."""
    database = Database(settings.database_url, pool_size=1, statement_timeout_ms=READ_TIMEOUT_MS)
    try:
        async with database.read() as session:
            return await verify(session, open_store(settings).get_named)
    finally:
        await database.close()


@group.command("verify")
def verify_history() -> None:
    """Check every chain, head and anchor; exit code 1 when something does not fit."""
    with local_installation() as here:
        report = asyncio.run(read_report(here.settings))
    typer.echo(
        f"{report.entries} entries in {report.streams} streams, {report.anchors} anchors checked"
    )
    if report.unanchored:
        typer.echo(
            f"{report.unanchored} entries, the oldest of {report.unanchored_since:%Y-%m-%d %H:%M},"
            " wait for the next anchor: nothing outside the database vouches for them yet"
        )
    for finding in report.findings:
        typer.echo(f"{finding.what}: {finding.stream} entry {finding.seq}: {finding.detail}")
    if not report.sound:
        raise typer.Exit(1)


@group.callback()
def _group() -> None:
    """Keeps `verify` a subcommand while it is the only one."""
