"""recourse explain CASE: why a case stands where it does."""

from __future__ import annotations

import asyncio
import uuid
from typing import Annotated

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Database
from app.domain.errors import NotFound, RecourseError
from app.domain.reference import parse_reference
from app.tables.cases import CaseRow
from ops.local import local_installation


async def case_id_of(session: AsyncSession, case: str) -> uuid.UUID:
    """The id behind a reference (RC-...) or an id. Raises InvalidInput or NotFound."""
    try:
        return uuid.UUID(case)
    except ValueError:
        reference = parse_reference(case)
    found = await session.scalar(select(CaseRow.id).where(CaseRow.reference == reference))
    if found is None:
        raise NotFound(f"there is no case {reference}")
    return found


async def read_explanation(database_url: str, case: str) -> str:
    # The engine and its playbooks: a quarter of a second that `up` should not pay for.
    from app.authorisation.principal import Principal
    from app.casework.explaining import explanation

    # Whoever may run this has the database anyway; the answer is what an auditor may read.
    operator = Principal("staff", roles=frozenset({"auditor"}))
    database = Database(database_url, pool_size=1)
    try:
        async with database.read() as session:
            return await explanation(session, operator, await case_id_of(session, case))
    finally:
        await database.close()


def explain(
    case: Annotated[str, typer.Argument(help="The reference (RC-...) or the id of a case.")],
) -> None:
    """Print why a case stands where it does, what comes next and what would stop it."""
    with local_installation() as here:
        try:
            typer.echo(asyncio.run(read_explanation(here.settings.database_url, case)))
        except RecourseError as problem:
            typer.echo(str(problem), err=True)
            raise typer.Exit(1) from None
