"""recourse documents: what lies in the document store, and under whose key."""

from __future__ import annotations

import asyncio

import typer

from app.correspondence.sealed_raw import seal_old_mails
from app.crypto import load_keyring
from app.db import Database
from app.documents.old import Sealed, seal_old
from app.documents.store import open_store
from app.settings import Settings
from ops.local import local_installation

group = typer.Typer(help="Stored documents.", no_args_is_help=True)


@group.callback()
def documents() -> None:
    """Keeps `seal` a command of its own name while it is the only one."""


@group.command()
def seal() -> None:
    """Seal documents and raw mails that were stored in the clear before, each for whom it speaks
    of. What belongs to somebody whose key was destroyed is removed. May be broken off and run
    again."""
    with local_installation() as here:
        done, mails = asyncio.run(_seal(here.settings))
    typer.echo(
        f"{done.sealed} documents and {mails} mails sealed,"
        f" {done.forgotten} documents of erased people removed"
    )
    if done.left:
        typer.echo(f"{done.left} left in the clear: no row says whose they are", err=True)
        raise typer.Exit(1)


async def _seal(settings: Settings) -> tuple[Sealed, int]:
    database = Database(settings.database_url, pool_size=1)
    try:
        keyring = load_keyring(settings)
        done = await seal_old(database, open_store(settings), keyring)
        return done, await seal_old_mails(database, keyring)
    finally:
        await database.close()
