"""recourse letters: what the seal of a letter is worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from letters.sealing import SealUnusable, Verdict, verify

group = typer.Typer(help="Letters that we have sent.", no_args_is_help=True)


@group.callback()
def letters() -> None:
    """Keeps `verify` a command of its own name while it is the only one."""


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
