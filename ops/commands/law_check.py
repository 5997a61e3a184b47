"""recourse law check: is there a claim, on what ground, how much, and who decides."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from pydantic import ValidationError

from app.clock import wall_now
from app.domain.errors import RecourseError
from app.law.eligibility import Checker, FactsIn, as_json, law_book
from app.law.schema import intake_schema

FILE_BYTES_MAX = 1_000_000


def check(
    files: Annotated[list[Path], typer.Argument(help="intakes as JSON, one file each")],
    on: Annotated[str | None, typer.Option(help="as of this day, YYYY-MM-DD")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON line per file")] = False,
) -> None:
    """Check intakes. Earlier files of a batch count as open cases; nothing is stored."""
    try:
        today = date.fromisoformat(on) if on else wall_now().date()
    except ValueError:
        raise typer.BadParameter(f"{on!r} is not a day like 2026-11-21") from None
    checker, wrong = Checker(today), 0
    for file in files:
        answer = _checked(checker, file)
        wrong += "error" in answer
        typer.echo(orjson.dumps(answer).decode() if json else _told(answer))
    if wrong:
        raise typer.Exit(1)


def schema() -> None:
    """The JSON Schema of an intake."""
    typer.echo(orjson.dumps(intake_schema(), option=orjson.OPT_INDENT_2).decode())


def _checked(checker: Checker, file: Path) -> dict[str, Any]:
    """The finding with the file's `id`, or what is wrong with the file."""
    name: dict[str, Any] = {"file": str(file), "id": None}
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            return name | {"error": f"larger than {FILE_BYTES_MAX} bytes"}
        data = orjson.loads(file.read_bytes())
        name["id"] = data.get("id") if isinstance(data, dict) else None
        return name | as_json(checker.check(FactsIn.model_validate(data)))
    except OSError as trouble:
        return name | {"error": trouble.strerror or "cannot be read"}
    except orjson.JSONDecodeError as broken:
        return name | {"error": f"not JSON: {broken}"}
    except ValidationError as invalid:
        first = invalid.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        return name | {"error": f"{where}: {first['msg']}"}
    except RecourseError as refused:
        return name | {"error": refused.message, "code": refused.code}


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
    lines += [f"  ! {warning}" for warning in answer["warnings"]]
    lines += [f"  missing: {paper}" for paper in answer["missing_evidence"]]
    return "\n".join(lines)
