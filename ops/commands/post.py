"""recourse post: letters on paper, for agencies that print them themselves."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.clock import wall_now
from ops.local import MAIN_INSTALLATION, complete, installation_folder
from workers.printing import Batch, NotDone, again, jobs, mark_posted, print_batch
from workers.providers.post import PrintFolder

group = typer.Typer(help="Letters on paper that we print ourselves.", no_args_is_help=True)
FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="The print folder; else the one in the data folder.")
]


def folder_of(given: Path | None) -> PrintFolder:
    """Where the workers of this installation put their jobs."""
    if given is not None:
        return PrintFolder(given)
    environment = dict(os.environ)
    named = environment.get("RECOURSE_DATA_DIR")
    own_servers = named is None and complete(environment)
    data = Path(".data") if own_servers else installation_folder(environment, MAIN_INSTALLATION)
    return PrintFolder(data.resolve() / "post")


@group.command("print")
def print_(
    out: Annotated[Path, typer.Option(help="Folder for the PDF.")] = Path(),
    again_batch: Annotated[
        str | None, typer.Option("--again", help="Only make the PDF of this batch once more.")
    ] = None,
    folder: FolderOption = None,
) -> None:
    """Make one PDF of every letter that waits: counting sheet, and a cover before each letter.

    Each letter is printed once; from then on it cannot be called back.
    """
    room = folder_of(folder)
    out.mkdir(parents=True, exist_ok=True)
    try:
        if again_batch is not None:
            batch = again(room, out.resolve(), again_batch, now=wall_now())
        else:
            batch = print_batch(room, out.resolve(), now=wall_now())
    except NotDone as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    _tell(batch)


def _tell(batch: Batch) -> None:
    for key, why in batch.left_out.items():
        typer.echo(f"{key} is left out: {why}", err=True)
    if batch.file is None:
        typer.echo("No letter waits.")
    else:
        typer.echo(f"{batch.letters} letters in {batch.file}")
    if batch.left_out:
        raise typer.Exit(1)


@group.command()
def posted(
    key: Annotated[str, typer.Argument(help="The job's key, its beginning, or the barcode.")],
    tracking: Annotated[str | None, typer.Option(help="Number of a registered letter.")] = None,
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Day it was posted; else today.")
    ] = None,
    folder: FolderOption = None,
) -> None:
    """Mark a printed letter as given to the post."""
    today = wall_now().date()
    day = on.date() if on is not None else today
    try:
        if day > today:
            raise NotDone("that day has not come yet")
        marked = mark_posted(folder_of(folder), key, on=day, tracking=tracking)
    except NotDone as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{marked} was posted on {day.isoformat()}.")


@group.command("list")
def list_(
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was posted or called back.")
    ] = False,
    folder: FolderOption = None,
) -> None:
    """Show the letters that wait to be printed or posted."""
    table = Table("Key", "Case", "State", "Registered", "Batch", "Posted")
    for line in jobs(folder_of(folder)):
        if everything or line.state in ("waiting", "printed"):
            registered = "yes" if line.registered else ""
            table.add_row(
                str(line.key), line.reference, line.state, registered, line.batch, line.posted
            )
    Console().print(table)
