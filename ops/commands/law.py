"""recourse law: claims checked, periods counted by their laws, each with its explanation."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import yaml
from pydantic import ValidationError

from app.domain.errors import RecourseError
from app.law.periods import CASES_MAX, MIXED, Answer, Question, answer
from ops.commands.law_check import check, schema
from ops.commands.law_interest import interest, rates
from ops.law_pages import write as write_pages

FILE_BYTES_MAX = 20_000_000


class DaysAsText(yaml.CSafeLoader):
    """YAML's own dates stay text: an impossible day is the fault of its case, not of the file."""


DaysAsText.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if not tag.endswith(":timestamp")]
    for first, found in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}

group = typer.Typer(no_args_is_help=True, help="What the law says: claims, periods, last days.")
group.command()(check)
group.command()(schema)
group.command()(interest)
group.command()(rates)


@group.command()
def pages(
    out: Annotated[Path, typer.Option(help="folder for the pages")] = Path("docs/law"),
) -> None:
    """Print the reference pages of the law data as Markdown, one a jurisdiction."""
    for path in write_pages(out):
        typer.echo(str(path))


@group.command()
def period(
    regime: Annotated[str, typer.Option(help="how it is counted, e.g. EU_1182_71")],
    country: Annotated[str, typer.Option(help="whose holidays, ISO 3166-1 (FI)")],
    start: Annotated[str, typer.Option(help="day of the event, YYYY-MM-DD")],
    period: Annotated[str, typer.Option(help="how many, or '1 month + 10 days' with unit mixed")],
    unit: Annotated[str, typer.Option(help="days, weeks, months, years, business_days, mixed")],
    region: Annotated[str | None, typer.Option(help="part of the country, ISO 3166-2 (NW)")] = None,
    purpose: Annotated[str | None, typer.Option(help="court_act, private_demand, ...")] = None,
    backward: Annotated[bool, typer.Option(help="count back from the event")] = False,
    json: Annotated[bool, typer.Option("--json", help="one JSON line")] = False,
) -> None:
    """The last day of one period, and why."""
    given = {
        "regime": regime, "country": country, "start": start, "period": period, "unit": unit,
        "subdivision": region, "purpose": purpose,
        "direction": "backward" if backward else "forward",
    }  # fmt: skip
    try:
        found = _answer(given)
    except RecourseError as refused:
        if json:
            _line({"error": refused.message, "code": refused.code})
        else:
            typer.echo(refused.message, err=True)
        raise typer.Exit(1) from None
    if json:
        _line(found.as_json())
    else:
        _tell(found)


@group.command()
def periods(
    file: Annotated[Path, typer.Argument(help="YAML with a list `cases`", exists=True)],
    json: Annotated[bool, typer.Option("--json", help="one JSON line per case")] = False,
) -> None:
    """Every period of a file, each line with its `id`; a case that cannot be counted says why."""
    wrong = 0
    for case in _cases(file):
        name = case.get("id") if isinstance(case, dict) else None
        try:
            found = _answer(case)
        except RecourseError as refused:
            wrong += 1
            _line({"id": name, "error": refused.message, "code": refused.code})
            continue
        if json:
            _line({"id": name, **found.as_json()})
        else:
            typer.echo(f"{name}: {found.counted.due:%a %Y-%m-%d}")
    if wrong:
        raise typer.Exit(1)


def _cases(file: Path) -> list[Any]:
    """The list `cases`; a file that has none is refused with the place."""
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise typer.BadParameter(f"{file}: larger than {FILE_BYTES_MAX} bytes")
        data = yaml.load(file.read_text("utf-8"), Loader=DaysAsText)  # noqa: S506  # a safe one
    except yaml.YAMLError as broken:
        raise typer.BadParameter(f"{file}: not YAML: {broken}") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file}: not UTF-8 text") from None
    cases = data.get("cases") if isinstance(data, dict) else data
    if not isinstance(cases, list):
        raise typer.BadParameter(f"{file}: there is no list `cases`")
    if len(cases) > CASES_MAX:
        raise typer.BadParameter(f"{file}: more than {CASES_MAX} cases")
    return cases


def _answer(given: Any) -> Answer:
    try:
        # Days in YAML come as dates, numbers as text from a command line: one shape for both.
        asked = dict(given)
        if isinstance(asked.get("period"), str) and asked.get("unit") != MIXED:
            asked["period"] = int(asked["period"]) if asked["period"].isdigit() else asked["period"]
        return answer(Question.model_validate(asked))
    except ValidationError as invalid:
        first = invalid.errors()[0]
        where = str(first["loc"][0]) if first["loc"] else "case"
        raise RecourseError(f"{where}: {first['msg']}", code="period_invalid") from None
    except (TypeError, ValueError):
        raise RecourseError("a case is a map of fields", code="period_invalid") from None


def _line(value: dict[str, Any]) -> None:
    typer.echo(orjson.dumps(value, default=_plain).decode())


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _tell(found: Answer) -> None:
    asked, counted = found.question, found.counted
    what = " + ".join(str(part) for part in found.parts)
    typer.echo(f"{what} from {asked.start:%A %Y-%m-%d}: last day {counted.due:%A %Y-%m-%d}")
    typer.echo(f"do it by {counted.safe:%A %Y-%m-%d}: nobody files on the last day")
    for step in counted.steps:
        typer.echo(f"  {step}")
    typer.echo(f"rule {found.regime.id}@{found.regime.version}: {found.regime.law}")
    typer.echo(f"  {found.regime.source}")
    if found.regime.unverified:
        typer.echo(f"  to be confirmed: {', '.join(found.regime.unverified)}")
