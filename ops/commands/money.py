"""recourse money: what matching rules would decide, before they are switched on."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.banking.dry_run import RECEIPTS_MAX, DryRun, dry_run
from app.banking.match_rules import read_rules
from app.crypto import load_keyring
from app.db import Database
from app.domain.errors import RecourseError
from app.domain.matching import Rules
from app.settings import Settings
from ops.local import local_installation

group = typer.Typer(help="How money that came in is matched.", no_args_is_help=True)
STATEMENT_TIMEOUT_MS = 60_000


@group.callback()
def money() -> None:
    """How money that came in is matched; nothing is changed."""


async def _run(settings: Settings, rules: Rules, since: datetime, limit: int) -> DryRun:
    database = Database(
        settings.database_url, pool_size=1, statement_timeout_ms=STATEMENT_TIMEOUT_MS
    )
    try:
        async with database.read() as session:
            keyring = load_keyring(settings)
            return await dry_run(session, keyring, rules, since=since.date(), limit=limit)
    finally:
        await database.close()


@group.command("dry-run")
def dry_run_command(
    rules: Annotated[Path, typer.Argument(help="Rules, shaped as app/banking/matching.yaml")],
    since: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="booked since this day")],
    limit: Annotated[int, typer.Option(min=1, max=RECEIPTS_MAX)] = RECEIPTS_MAX,
) -> None:
    """Show which receipts of the past these rules would have decided differently.

    The end is 1 when one of them would be set against another case than it stands on now.
    """
    try:
        candidate = read_rules(rules.read_text("utf-8"))
        with local_installation() as here:
            done = asyncio.run(_run(here.settings, candidate, since, limit))
    except (RecourseError, OSError) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    for one in done.changed:
        mark = "  AGAINST WHAT STANDS" if one.against_standing else ""
        typer.echo(f"{one.booked_on} {one.movement_id}: {one.now} -> {one.then}{mark}")
    typer.echo(
        f"{done.receipts} receipts: {done.confirmed_now} confirmed now, {done.confirmed_then} with"
        f" {candidate.name}; {len(done.changed)} differ"
    )
    if any(one.against_standing for one in done.changed):
        raise typer.Exit(1)
