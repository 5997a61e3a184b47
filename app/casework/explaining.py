"""Reads what app.explain needs: the case, its last history, the rules it runs under."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation.principal import Principal
from app.authorisation.scope import case_scope
from app.domain.errors import NotFound
from app.explain import EVENTS_SHOWN, HistoryRow, explain
from app.moment import read_moment
from app.tables.cases import CaseRow
from app.tables.security import AuditEntry


async def explanation(session: AsyncSession, caller: Principal, case_id: uuid.UUID) -> str:
    """Why the case stands where it does. Raises NotFound, also for a case out of scope."""
    seen = await session.scalar(select(CaseRow.id).where(CaseRow.id == case_id, case_scope(caller)))
    loaded = await engine.peek(session, case_id) if seen is not None else None
    if loaded is None:
        raise NotFound("there is no such case", code="case_not_found")
    rows = (
        await session.execute(
            select(AuditEntry.at, AuditEntry.code, AuditEntry.params, AuditEntry.actor)
            .where(AuditEntry.stream == f"case:{case_id}")
            .order_by(AuditEntry.seq.desc())
            .limit(EVENTS_SHOWN)
        )
    ).all()
    history = [
        HistoryRow(row.at, row.code, tuple((k, str(v)) for k, v in row.params.items()), row.actor)
        for row in reversed(rows)
    ]
    moment = await read_moment(session)
    return explain(loaded.case, history, engine.rules_for(loaded.case, moment), moment.now)
