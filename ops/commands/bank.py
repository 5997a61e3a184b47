"""recourse bank: what bank files say, read as the import reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from app.banking.reading.shown import show_file

group = typer.Typer(help="What bank files say.", no_args_is_help=True)
TEXT_SHOWN = 40
WIDTH = 200  # a line is a line also where the output goes to a file


@group.callback()
def bank() -> None:
    """What bank files say; nothing is imported."""


@group.command()
def read(
    files: Annotated[list[Path], typer.Argument(help="camt.053/.052/.054, MT940/942 or ZIP")],
    json: Annotated[bool, typer.Option("--json", help="one JSON line a file")] = False,
) -> None:
    """Read bank files: statements with balances and whether they add up, and their entries.

    A file that would be refused is one line with `ok` false and the reason in `error`; what could
    be read of it is shown. The end is 1 only when no file could be read at all.
    """
    any_read = False
    for path in files:
        answer = _answer(path)
        any_read |= bool(answer["statements"])
        if json:
            typer.echo(orjson.dumps({"file": str(path), **answer}).decode())
        else:
            _tell(path, answer)
    if not any_read:
        raise typer.Exit(1)


def _answer(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as source:
            return show_file(source)
    except OSError as why:
        error = why.strerror or str(why)
        return {"ok": False, "error": error, "form": None, "statements": []}


def _tell(path: Path, answer: dict[str, Any]) -> None:
    console = Console(width=WIDTH, highlight=False, markup=False)
    console.print(f"== {path}: {answer['form'] or 'not a statement'}")
    if answer["error"]:
        console.print(f"   refused: {answer['error']}")
    for statement in answer["statements"]:
        console.print(f"   {_headline(statement)}")
        for warning in statement["warnings"]:
            console.print(f"   note: {warning}")
        if statement["entries"]:
            console.print(_table(statement["entries"]))


def _headline(statement: dict[str, Any]) -> str:
    balanced = {True: "balanced: yes", False: "balanced: NO", None: "for information only"}
    number = f" no. {statement['number']}" if statement["number"] else ""
    page = "" if statement["page"] == 1 and statement["last_page"] else f" page {statement['page']}"
    opening, closing = (
        f"{name} {statement[name] or 'not given'} ({statement[f'{name}_date'] or 'no date'})"
        for name in ("opening", "closing")
    )
    return (
        f"{statement['kind']}{number}{page} of {statement['account']} {statement['currency']}:"
        f" {opening}, {closing}, {balanced[statement['balanced']]}"
    )


def _table(entries: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("date", "amount", "", "counterparty", "references", "text"):
        table.add_column(name, justify="right" if name == "amount" else "left", no_wrap=True)
    for entry in entries:
        table.add_row(*_row(entry, entry["date"], entry["amount"]))
        for detail in entry["details"]:
            minor = detail["amount_minor"]
            table.add_row(*_row({**entry, **detail}, "", "-" if minor is None else f"({minor})"))
    return table


def _row(entry: dict[str, Any], date: str, amount: str) -> tuple[str, ...]:
    sign = "-" if entry["direction"] == "debit" else ""
    marks = [entry["currency"]]
    if not entry["booked"]:
        marks.append(f"not booked ({entry['status']})")
    if entry["reversal"]:
        marks.append("reversal")
    if entry["return_reason"]:
        marks.append(f"returned {entry['return_reason']}")
    named = entry["references"]
    refs = [str(v) for k, v in named.items() if v and k != "documents"] + list(named["documents"])
    return (
        date, f"{sign}{amount}", " ".join(marks), entry["counterparty"]["name"] or "",
        " ".join(refs)[: TEXT_SHOWN * 2], entry["text"][:TEXT_SHOWN],
    )  # fmt: skip
