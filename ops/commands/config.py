"""recourse config: what is set, from where, and what each setting means."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.table import Table

from app.settings import SECRETS_DIR, Settings
from ops.local import setting_variable

HIDDEN = "(hidden)"
# Addresses with a password inside; secrets hide themselves by their type.
HIDDEN_NAMES = ("database_url", "redis_url")


def is_secret(name: str, field: FieldInfo) -> bool:
    return name in HIDDEN_NAMES or SecretStr in (field.annotation, *_union_members(field))


def _union_members(field: FieldInfo) -> tuple[object, ...]:
    return tuple(getattr(field.annotation, "__args__", ()))


def shown_default(name: str, field: FieldInfo) -> str:
    """The default as a person reads it; never the text of a secret."""
    if field.is_required():
        return "required"
    if field.default is None:
        return "none"
    if is_secret(name, field):
        return "none"
    value = field.default
    return str(value).lower() if isinstance(value, bool) else str(value)


def value_from(name: str, field: FieldInfo) -> str:
    """The value that is set, hidden when it is a secret, or an empty text."""
    variable = setting_variable(name)
    if variable in os.environ:
        return HIDDEN if is_secret(name, field) else os.environ[variable]
    if (SECRETS_DIR / f"recourse_{name}").exists():
        return HIDDEN
    return ""


def markdown_table() -> str:
    """The table of docs/configuration.md."""
    lines = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(
            f"| `{setting_variable(name)}` | {shown_default(name, field)} | {field.description} |"
        )
    return "\n".join(lines) + "\n"


def config(
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the table of docs/configuration.md.")
    ] = False,
) -> None:
    """List every setting with its meaning, default and what is set here; secrets stay hidden."""
    if markdown:
        typer.echo(markdown_table(), nl=False)
        return
    table = Table("Setting", "Set to", "Default", "Meaning")
    for name, field in Settings.model_fields.items():
        table.add_row(
            setting_variable(name),
            value_from(name, field),
            shown_default(name, field),
            field.description or "",
        )
    Console().print(table)
