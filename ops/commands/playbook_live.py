"""recourse playbook recount | dry-run | impact: what a change of the law would do to live cases.

All three only read. Dates are moved by a person, through the API.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import orjson
import typer
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Database
from app.domain.errors import RecourseError
from app.domain.playbook import Playbook
from app.playbooks import book, loader
from app.playbooks.schema import ANY_KIND
from ops.local import local_installation

if TYPE_CHECKING:
    from app.domain.case import Case
    from app.domain.recount import Recounted

ResultT = TypeVar("ResultT")
HEAD = f"{'case':<14}{'stage':<16}{'due now':<12}{'due then':<12}why"


def recount() -> None:
    """Open deadlines that would get another date by the holidays and rules of today."""
    _run(_recount)


async def _recount(session: AsyncSession) -> None:
    # The engine and its playbooks: loaded only where a case is read.
    from app.recounts import service

    looked, moving = 0, 0
    async for one in service.all_open(session):
        looked += 1
        if one.found.moves:
            moving += 1
            if moving == 1:
                typer.echo(HEAD)
            basis = one.found.basis
            passed = basis.skipped if basis else ()
            why = ", ".join(f"{day} {name}" for day, name in passed) or "no closed day any more"
            typer.echo(_row(one.case, one.found, f"{basis.rule if basis else ''}: {why}"))
    typer.echo(f"{looked} open cases looked at, {moving} dates would move; nothing was changed")


def dry_run(
    key: Annotated[str, typer.Argument(help="id@version, built in or in the file")],
    file: Annotated[Path | None, typer.Option(help="a playbook file not built in yet")] = None,
) -> None:
    """Which open cases would get another date or step under this playbook."""
    try:
        playbook = _playbook(key, file)
    except (RecourseError, OSError, UnicodeDecodeError) as unusable:
        typer.echo(str(unusable), err=True)
        raise typer.Exit(1) from None
    _run(lambda session: _dry_run(session, playbook))


def _playbook(key: str, file: Path | None) -> Playbook:
    if file is None:
        return book.get(key)
    books, faults = loader.check({str(file): file.read_text("utf-8")}, beside=_built_in())
    if faults:
        raise loader.PlaybookInvalid("\n".join(faults))
    if key not in books:
        raise loader.PlaybookInvalid(f"{file} does not hold {key}")
    return books[key]


def _built_in() -> dict[str, str]:
    return loader.texts_of(loader.DATA)


async def _dry_run(session: AsyncSession, playbook: Playbook) -> None:
    # Late, as above.
    from app.domain.periods import place
    from app.domain.recount import by_playbook
    from app.recounts import service

    there = place(playbook.zone, book.calendar(playbook), playbook.regime)

    def under(case: Case, at: datetime) -> Recounted:
        return by_playbook(case, playbook, there, at)

    looked = fits = changed = 0
    async for one in service.all_open(session, count=under):
        looked += 1
        if not _concerned(one.case, playbook):
            continue
        fits += 1
        steps = _bodies(one.case, playbook)
        if not one.found.moves and not steps:
            continue
        changed += 1
        if changed == 1:
            typer.echo(HEAD)
        typer.echo(_row(one.case, one.found, steps or _rule(one.found)))
    typer.echo(
        f"{looked} open cases looked at, {fits} follow another version of {playbook.id} or would"
        f" follow it, {changed} would get another date or step; nothing was changed"
    )


def _concerned(case: Case, playbook: Playbook) -> bool:
    """Pinned to another version of it, or of its place and kind and not pinned to a closer one."""
    pinned = book.get(case.playbook)
    if pinned.key == playbook.key:
        return False
    same_place = case.jurisdiction.partition("-")[0] == playbook.jurisdiction
    kinds = playbook.claim_kinds
    of_kind = case.claim_kind in kinds or (ANY_KIND in kinds and pinned.family == "any")
    return pinned.id == playbook.id or (same_place and of_kind)


def _bodies(case: Case, playbook: Playbook) -> str:
    """The next body now and then, where they differ and the case names none itself."""
    if case.bodies:
        return ""
    now = [body.id for body in book.get(case.playbook).bodies[case.body_index :]]
    then = [body.id for body in playbook.bodies[case.body_index :]]
    if now == then:
        return ""
    return f"bodies {', '.join(now) or 'none'} -> {', '.join(then) or 'none'}"


def _rule(found: Recounted) -> str:
    return found.basis.rule if found.basis else found.why_not


def _row(case: Case, found: Recounted, why: str) -> str:
    was = f"{found.was:%Y-%m-%d}" if found.was else "-"
    then = f"{found.now:%Y-%m-%d}" if found.now else "-"
    return f"{case.reference:<14}{case.stage:<16}{was:<12}{then:<12}{why}"


def impact(
    rule: Annotated[str, typer.Argument(help="RULE@VERSION, e.g. house.contact_wait@1")],
    json: Annotated[bool, typer.Option("--json", help="one JSON line a use")] = False,
) -> None:
    """Every letter, date, verdict and fee that used a rule, in open and closed cases."""
    _run(lambda session: _impact(session, rule, json))


async def _impact(session: AsyncSession, rule: str, as_json: bool) -> None:
    # Late, as above.
    from app.recounts import impact as found

    totals: dict[str, int] = {"date": 0, "letter": 0, "verdict": 0, "fee": 0}
    for use in await found.uses(session, found.parse(rule)):
        totals[use.what] += 1
        if as_json:
            typer.echo(orjson.dumps(use).decode())
        else:
            typer.echo(f"{use.what:<9}{use.reference:<14}{use.stage:<16}{use.at:<12}{use.which}")
    if not as_json:
        counted = ", ".join(f"{n} {what}{'s' if n != 1 else ''}" for what, n in totals.items())
        typer.echo(f"{rule}: {counted}")


def _run(job: Callable[[AsyncSession], Awaitable[None]]) -> None:
    async def reading(url: str) -> None:
        database = Database(url, pool_size=1)
        try:
            async with database.read() as session:
                await job(session)
        finally:
            await database.close()

    with local_installation() as here:
        try:
            asyncio.run(reading(here.settings.database_url))
        except RecourseError as problem:
            typer.echo(str(problem), err=True)
            raise typer.Exit(1) from None
        except ProgrammingError:
            typer.echo("this database has no cases yet: ./run migrate makes its tables", err=True)
            raise typer.Exit(1) from None
