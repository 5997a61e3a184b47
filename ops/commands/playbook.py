"""recourse playbook: the playbooks checked, listed, explained and compared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from app.domain.errors import NotFound
from app.domain.playbook import Playbook
from app.playbooks import book, loader
from app.playbooks.schema import file_schema
from app.playbooks.telling import differences, explain
from ops.commands.playbook_files import text_of
from ops.commands.playbook_live import dry_run, impact, recount
from ops.commands.playbook_review import review

group = typer.Typer(no_args_is_help=True, help="The playbooks: which ladder, where, by which law.")
FilesArg = Annotated[list[Path] | None, typer.Argument(help="files to check; none: all built in")]
group.command()(recount)
group.command("dry-run")(dry_run)
group.command()(impact)
group.command()(review)
KeyArg = Annotated[str, typer.Argument(help="id@version, e.g. house.fi.air@1")]


@group.command()
def check(files: FilesArg = None) -> None:
    """Check playbook files; every fault is one line `file:line: path: what`, and the end is 1."""
    built_in = loader.texts_of(loader.DATA)
    asked = {str(path): text_of(path) for path in files or ()}
    books, faults = loader.check(asked, beside=built_in) if files else loader.check(built_in)
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{len(books)} playbooks are sound")


@group.command("list")
def list_() -> None:
    """Every playbook: key, place, claim kinds, first day, and whether it is a draft."""
    for one in book.playbooks().values():
        state = "draft" if one.draft else f"from {one.effective_from}"
        until = f" to {one.effective_to}" if one.effective_to else ""
        kinds = ", ".join(one.claim_kinds)
        typer.echo(f"{one.key:<28} {one.jurisdiction:<6} {state}{until:<14} {kinds}")


@group.command()
def show(key: KeyArg) -> None:
    """Explain one: its ladder, its bodies with who may file, and what is to be confirmed."""
    for line in explain(_get(key)):
        typer.echo(line)


@group.command()
def diff(one: KeyArg, other: KeyArg) -> None:
    """What the second has otherwise than the first, one line each."""
    found = list(differences(_get(one), _get(other)))
    for line in found or ["no difference"]:
        typer.echo(line)


@group.command()
def schema() -> None:
    """The JSON Schema of a playbook file, as printed in docs/playbook.schema.json."""
    typer.echo(orjson.dumps(file_schema(), option=orjson.OPT_INDENT_2).decode())


def _get(key: str) -> Playbook:
    try:
        return book.get(key)
    except NotFound as unknown:
        typer.echo(f"{unknown.message}; recourse playbook list names all", err=True)
        raise typer.Exit(1) from None
