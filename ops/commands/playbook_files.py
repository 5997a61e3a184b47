"""Playbook files as the commands read them."""

from __future__ import annotations

from pathlib import Path

import typer


def text_of(path: Path) -> str:
    """The text of a file, or its name and what is the matter, and the end is 1."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as unreadable:
        typer.echo(f"{path}: cannot be read: {unreadable}", err=True)
        raise typer.Exit(1) from None
