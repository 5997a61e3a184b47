"""recourse winddown: what stands open, and the packs with which others go on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from app.crypto import load_keyring
from app.db import Database
from app.documents.store import open_store
from app.domain.errors import RecourseError
from app.settings import Settings
from ops.local import local_installation
from ops.winddown import hand_over, new_folder, open_cases

STATEMENT_TIMEOUT_MS = 300_000


async def _list(settings: Settings) -> None:
    database = Database(
        settings.database_url, pool_size=1, statement_timeout_ms=STATEMENT_TIMEOUT_MS
    )
    try:
        many = 0
        async for line in open_cases(database):
            row, (day, why) = line.row, line.next_date
            many += 1
            typer.echo(
                f"{row.reference}  {row.stage:13}  {day or '-':10}  {why:22}"
                f"  owed {row.owed} {row.currency}, on its way {row.flying}, ours {row.ours}"
            )
        typer.echo(f"{many} cases are open or hold money (amounts in the smallest unit)")
    finally:
        await database.close()


async def _packs(settings: Settings, folder: Path) -> tuple[int, int]:
    database = Database(
        settings.database_url, pool_size=2, statement_timeout_ms=STATEMENT_TIMEOUT_MS
    )
    try:
        return await hand_over(database, open_store(settings), load_keyring(settings), folder)
    finally:
        await database.close()


def winddown(
    packs: Annotated[
        Path | None, typer.Option(help="a new folder for the list, the balances and the packs")
    ] = None,
) -> None:
    """List every open case with its next legal date and what is owed; with --packs also make the
    hand-over pack of each. Exit code 1 when something could not be put into a pack."""
    try:
        with local_installation() as here:
            if packs is None:
                asyncio.run(_list(here.settings))
                return
            many, partial = asyncio.run(_packs(here.settings, new_folder(packs)))
    except (RecourseError, OSError) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{many} packs in {packs}; of {partial} something is missing (see cases.csv)")
    if partial:
        raise typer.Exit(1)
