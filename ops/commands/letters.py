"""recourse letters: what a seal is worth, how every letter looks, what its sentences are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from letters.sealing import SealUnusable, Verdict, verify
from ops.letter_previews import matrix, write_previews, write_sheet

group = typer.Typer(help="Letters that we have sent.", no_args_is_help=True)


KIND = typer.Option(help="one kind of letter only")
LANGUAGE = typer.Option(help="one language only: en, fi, sv, fr, de")


@group.command()
def preview(
    folder: Annotated[Path, typer.Argument(help="where the PDFs and index.html go")],
    kind: Annotated[str | None, KIND] = None,
    language: Annotated[str | None, LANGUAGE] = None,
) -> None:
    """Print every letter in every language and form of the law, with invented data."""
    count = write_previews(folder, kind, language)
    typer.echo(f"{count} letters in {folder}")
    raise typer.Exit(0 if count else 2)


@group.command()
def sheet(
    file: Annotated[Path, typer.Argument(help="a .csv or .html file to write")],
) -> None:
    """All sentences of all templates in one table, for a lawyer or a translator."""
    typer.echo(f"{write_sheet(file)} sentences in {file}")


@group.command(name="matrix")
def bad_inputs(
    kind: Annotated[str | None, KIND] = None, language: Annotated[str | None, LANGUAGE] = None
) -> None:
    """Put the worst texts into every field of every letter and print them: each is refused by name
    or printed as text. Ends with 0 only when nothing else happened."""
    count = 0
    for line in asyncio.run(matrix(kind, language)):
        typer.echo(line)
        count += 1
    raise typer.Exit(0 if count else 2)


@group.command(name="verify")
def verify_file(
    file: Annotated[Path, typer.Argument(help="a letter as PDF")],
    certificate: Annotated[
        Path | None,
        typer.Option(help="PEM file of the certificate that must have sealed it"),
    ] = None,
) -> None:
    """Is the letter as it was sealed, and by whom? Ends with 0 only when every seal is intact, the
    last one covers the whole file, and the certificate is the named one (if one is named)."""
    try:
        seals = verify(file.read_bytes(), certificate)
    except (OSError, ValueError, SealUnusable) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
    for one in seals:
        typer.echo(told(one))
    if not seals:
        typer.echo("no seal", err=True)
    raise typer.Exit(0 if seals and all(one.good for one in seals) else 1)


def told(seal: Verdict) -> str:
    """One seal as lines for a person."""
    at = seal.at.isoformat() if seal.at else "no time"
    stamp = seal.stamped_at.isoformat() if seal.stamped_at else "none"
    state = "intact" if seal.intact else "BROKEN: the file was changed after it was sealed"
    if seal.intact and not seal.whole:
        state = "BROKEN: something was added behind the seal"
    owner = {True: "the named certificate", False: "NOT the named certificate", None: "not checked"}
    return (
        f"seal: {state}\nsigner: {seal.signer}\ncertificate: {seal.fingerprint}"
        f" ({owner[seal.ours]})\ntime in the seal: {at}\ntimestamp authority: {stamp}"
    )
