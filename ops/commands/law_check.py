"""recourse law check: is there a claim, on what ground, how much, and who decides."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError

from app.check.approved import approved_records
from app.clock import wall_now
from app.domain.errors import RecourseError
from app.law.calendar import corrections
from app.law.eligibility import Checker, FactsIn, as_json, law_book
from app.law.ics import calendar as made
from app.law.schema import intake_schema
from app.strict_json import parse

FILE_BYTES_MAX = 1_000_000
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def check(
    files: Annotated[list[Path], typer.Argument(help="intakes as JSON, one file each")],
    on: Annotated[str | None, typer.Option(help="as of this day, YYYY-MM-DD")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON line per file")] = False,
    calendar: Annotated[
        Path | None, typer.Option(help="write the free acts here, one .ics per intake")
    ] = None,
) -> None:
    """Check intakes. Earlier files of a batch count as open cases; nothing is stored."""
    try:
        today = date.fromisoformat(on) if on else wall_now().date()
    except ValueError:
        raise typer.BadParameter(f"{on!r} is not a day like 2026-11-21") from None
    first, last = corrections().first_year, corrections().last_year
    if not first <= today.year <= last:
        raise typer.BadParameter(f"{today.year} lies outside the years we know, {first} to {last}")
    if calendar is not None and not calendar.is_dir():
        raise typer.BadParameter(f"{calendar} is no folder")
    checker, wrong = Checker(today, approved_records), 0
    written: set[str] = set()
    for file in files:
        answer = _checked(checker, file)
        wrong += "error" in answer
        if calendar is not None and answer.get("acts"):
            answer["calendar"] = _write(calendar, answer, written, today)
        typer.echo(orjson.dumps(answer).decode() if json else _told(answer))
    if wrong:
        raise typer.Exit(1)


def _write(folder: Path, answer: dict[str, Any], written: set[str], today: date) -> str:
    """The calendar file of one intake, named by its id, else by its file."""
    of = str(answer["id"] or Path(answer["file"]).stem)
    plain = _NOT_IN_NAMES.sub("-", of).strip(".-") or "intake"
    name = plain
    while name in written:
        name = f"{plain}-{len(written) + 1}"
    written.add(name)
    path = folder / f"{name}.ics"
    path.write_bytes(made(answer, of=of, on=today).encode())
    return str(path)


def schema() -> None:
    """The JSON Schema of an intake."""
    typer.echo(orjson.dumps(intake_schema(), option=orjson.OPT_INDENT_2).decode())


def _checked(checker: Checker, file: Path) -> dict[str, Any]:
    """The finding with the file's `id`, or what is wrong with the file."""
    name: dict[str, Any] = {"file": str(file), "id": None}
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            return name | {"error": f"larger than {FILE_BYTES_MAX} bytes"}
        data = parse(file.read_bytes())
        if isinstance(data, dict) and isinstance(data.get("id"), str):
            name["id"] = data["id"][:100]
        return name | as_json(checker.check(FactsIn.model_validate(data)))
    except OSError as trouble:
        return name | {"error": trouble.strerror or "cannot be read"}
    except ValidationError as invalid:
        first = invalid.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        return name | {"error": f"{where}: {first['msg']}"}
    except RecourseError as refused:
        message = refused.message.replace("the body", "the file")
        return name | {"error": message, "code": refused.code}


def _told(answer: dict[str, Any]) -> str:
    name = answer["id"] or answer["file"]
    if "error" in answer:
        return f"{name}: cannot be checked: {answer['error']}"
    places = law_book()["decimals"].get(answer["currency"], 2)
    total = f"{Decimal(answer['amount_minor']).scaleb(-places)} {answer['currency']}"
    lines = [
        f"{name}: {answer['eligible']} ({answer['claim_kind']}, {answer['jurisdiction']})",
        f"  asks {total if answer['items'] else 'nothing'}",
        f"  ground: {', '.join(answer['legal_ground']) or 'none in our files'}",
        f"  decides in the end: {answer['body'] or 'nobody in our list'}",
    ]
    lines += [f"  - {step}" for step in answer["steps"]]
    for demand, word in (
        (answer["demand_primary"], "asks for"),
        (answer["demand_alternative"], "else"),
    ):
        if demand:
            lines.append(
                f"  {word}: {', '.join(filter(None, (demand['words'], demand['only_after'])))}"
            )
    lines += [f"  free, {_until(act)}: {act['act']}" for act in answer["acts"]]
    lines += [f"  ! {warning}" for warning in answer["warnings"]]
    lines += [f"  missing: {paper}" for paper in answer["missing_evidence"]]
    return "\n".join(lines)


def _until(act: dict[str, Any]) -> str:
    return f"by {act['last_day']}" if act["last_day"] else "today"
