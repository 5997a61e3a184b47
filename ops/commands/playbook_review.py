"""recourse playbook review: a named person approves what is to be confirmed in a playbook version.

The approval is written into the playbook's own file, to be shipped like any other change of it.
"""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from app.clock import wall_now
from app.domain.errors import RecourseError
from app.domain.playbook import Playbook
from app.playbooks import loader
from app.playbooks.review import Approval, ReviewRefused, approved, withdrawn
from ops.commands.playbook_files import text_of


def review(
    key: Annotated[str, typer.Argument(help="id@version, e.g. house.fi.air@1")],
    by: Annotated[str, typer.Option(help="the name of the person who has read it")] = "",
    note: Annotated[str, typer.Option(help="what was read, and where")] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="take the approval away")] = False,
    file: Annotated[Path | None, typer.Option(help="the playbook's file, if not built in")] = None,
    out: Annotated[Path | None, typer.Option(help="write here instead of the file itself")] = None,
) -> None:
    """Approve what is to be confirmed in one version, by name. Without --by: show what it is."""
    try:
        path, text, playbook = _found(key, file)
        if not by and not withdraw:
            _show(playbook)
            return
        today = wall_now().date()
        made = withdrawn(text, today) if withdraw else _approved(text, playbook, by, note, today)
        again = _sound(path, made, key)
        _write(out or path, made)
    except RecourseError as refused:
        typer.echo(refused.message, err=True)
        raise typer.Exit(1) from None
    except OSError as unwritable:
        typer.echo(f"{out or path}: {unwritable.strerror}; give --out FILE", err=True)
        raise typer.Exit(1) from None
    state = f"approved by {again.reviewed_by}" if again.reviewed_by else "not approved any more"
    typer.echo(f"{key}: {len(again.unverified)} unverified data {state}; written to {out or path}")


def _found(key: str, file: Path | None) -> tuple[Path, str, Playbook]:
    """The file that holds a version, as it stands; an approval that went stale may be replaced."""
    paths = [file] if file else sorted(loader.DATA.rglob("*.yaml"))
    ident, _, version = key.partition("@")
    for path in paths:
        text = text_of(path)
        lines = text.splitlines()
        if f"id: {ident}" in lines and f"version: {version}" in lines:
            return path, text, _sound(path, withdrawn(text, wall_now().date()), key)
    raise ReviewRefused(f"there is no playbook {key}; recourse playbook list names all")


def _sound(path: Path, text: str, key: str) -> Playbook:
    """The playbook of a text that replaces its file; every fault is said and nothing is written."""
    found, faults = loader.check({str(path): text}, beside=loader.texts_of(loader.DATA))
    if faults or key not in found:
        raise ReviewRefused("\n".join(faults) or f"{path} does not hold {key}")
    return found[key]


def _approved(text: str, playbook: Playbook, by: str, note: str, on: date) -> str:
    return approved(text, playbook, Approval(by.strip(), on, note))


def _show(playbook: Playbook) -> None:
    sources = dict(playbook.sources)
    typer.echo(f"{playbook.key}: {len(playbook.unverified)} data to be confirmed")
    for rule in playbook.unverified:
        typer.echo(f"  {rule}: {sources.get(rule, '')}")
    typer.echo('approve with --by "NAME" --note "what was read, and where"')


def _write(path: Path, text: str) -> None:
    """Whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".review-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
