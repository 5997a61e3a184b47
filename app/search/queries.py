"""Search: one bounded index lookup per kind of clue, never an OR across tables.

A clue is turned into keys first (people, companies, accounts; at most KEYS_MAX each), the keys into
cases by index, newest first. So the cost does not grow with the number of cases.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select, true
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation.principal import Principal
from app.authorisation.scope import case_scope
from app.case_state import AmountOut
from app.domain.errors import InvalidInput
from app.domain.reference import parse_reference
from app.search.schemas import FoundOut, Matched
from app.tables.cases import CaseRow, ClaimantRow
from app.tables.payouts import PayoutAccount
from app.tables.people import CompanyRow, ConsumerRow

KEYS_MAX: Final = 200  # people or companies one clue may stand for; then: write more of the name
UNFINISHED_MIN: Final = 3  # shorter words of a name are looked for as they stand
_WORD = re.compile(r"[^\W_]+")
_SIMPLE: Final[ColumnElement[Any]] = literal_column("'simple'::regconfig")
_TAIL = re.compile(r"[0-9A-Za-z]{4}", re.ASCII)
SEES_NAMES: Final = ("handler", "senior", "legal")


@dataclass(slots=True)
class Hits:
    """Case ids of one page by what they matched; `narrow_down` when a clue stood for too many."""

    by: dict[uuid.UUID, list[Matched]] = field(default_factory=dict)
    narrow_down: bool = False

    def add(self, ids: Sequence[uuid.UUID], matched: Matched) -> None:
        for case_id in ids:
            found = self.by.setdefault(case_id, [])
            if matched not in found:
                found.append(matched)


async def find(
    session: AsyncSession, caller: Principal, q: str, *, before: uuid.UUID | None, limit: int
) -> Hits:
    """Cases that fit, newest first, `limit` + 1 of each clue. A reference ends the search."""
    hits = Hits()
    reference = _as_reference(q)
    if reference is not None:
        await _cases(
            session, caller, hits, "reference", CaseRow.reference == reference, before, limit
        )
        if hits.by:
            return hits
    await _cases(session, caller, hits, "booking", CaseRow.booking_ref == q, before, limit)
    start = _prefix(q)
    people = await _people(session, hits, q, start)
    if people:
        await _cases_of(session, caller, hits, "name", people, before, limit)
    companies: list[uuid.UUID] = []
    for column in (CompanyRow.legal_name, CompanyRow.brand):
        companies += await _keys(
            session, hits, select(CompanyRow.id).where(func.lower(column).like(start))
        )
    if companies:
        await _cases_of(session, caller, hits, "company", companies, before, limit)
    if _TAIL.fullmatch(q):
        holders = await _keys(
            session,
            hits,
            select(PayoutAccount.consumer_id).where(
                PayoutAccount.iban_last4 == q.upper(), PayoutAccount.retired_at.is_(None)
            ),
        )
        if holders:
            await _cases_of(session, caller, hits, "iban_tail", holders, before, limit)
    return hits


async def _people(session: AsyncSession, hits: Hits, q: str, start: str) -> list[uuid.UUID]:
    """By the beginning of the whole name, and by words anywhere in it, in any order; the word
    typed last may be unfinished. The surname comes last in most names and alone in most calls."""
    people = await _keys(
        session, hits, select(ConsumerRow.id).where(func.lower(ConsumerRow.name).like(start))
    )
    words = _WORD.findall(q.lower())
    if words and not hits.narrow_down:
        if len(words[-1]) >= UNFINISHED_MIN:
            words[-1] += ":*"
        said = func.to_tsquery(_SIMPLE, " & ".join(words))
        by_word = func.to_tsvector(_SIMPLE, ConsumerRow.name).bool_op("@@")(said)
        people += await _keys(session, hits, select(ConsumerRow.id).where(by_word))
    return people


def _as_reference(q: str) -> str | None:
    """Hyphens, case, O for 0 and I or L for 1 do not matter; a wrong check symbol is no match."""
    try:
        return parse_reference(q)
    except InvalidInput:
        return None


def _prefix(q: str) -> str:
    plain = q.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{plain}%"


async def _keys(session: AsyncSession, hits: Hits, query: Any) -> list[uuid.UUID]:
    found = list((await session.scalars(query.limit(KEYS_MAX + 1))).all())
    hits.narrow_down = hits.narrow_down or len(found) > KEYS_MAX
    return found[:KEYS_MAX]


async def _cases(
    session: AsyncSession,
    caller: Principal,
    hits: Hits,
    matched: Matched,
    clue: ColumnElement[bool],
    before: uuid.UUID | None,
    limit: int,
) -> None:
    query = select(CaseRow.id).where(clue, case_scope(caller))
    if before is not None:
        query = query.where(CaseRow.id < before)
    ids = (await session.scalars(query.order_by(CaseRow.id.desc()).limit(limit + 1))).all()
    hits.add(ids, matched)


async def _cases_of(
    session: AsyncSession,
    caller: Principal,
    hits: Hits,
    matched: Matched,
    keys: Sequence[uuid.UUID],
    before: uuid.UUID | None,
    limit: int,
) -> None:
    """The newest cases of each person or company, each by its own index range.

    People count on every case on which they are a claimant; who filed always is one.
    """
    key = select(
        func.unnest(bindparam("keys", list(set(keys)), ARRAY(UUID(as_uuid=True)))).label("id")
    ).subquery()
    if matched == "company":
        one = select(CaseRow.id).where(CaseRow.company_id == key.c.id).order_by(CaseRow.id.desc())
    else:
        one = (
            select(CaseRow.id)
            .join(ClaimantRow, ClaimantRow.case_id == CaseRow.id)
            .where(ClaimantRow.consumer_id == key.c.id)
            .order_by(ClaimantRow.case_id.desc())
        )
    one = one.where(case_scope(caller))
    if before is not None:
        one = one.where(CaseRow.id < before)
    newest = one.limit(limit + 1).lateral()
    ids = (
        await session.scalars(
            select(newest.c.id)
            .distinct()
            .select_from(key.join(newest, true()))
            .order_by(newest.c.id.desc())
            .limit(limit + 1)
        )
    ).all()
    hits.add(ids, matched)


async def show(
    session: AsyncSession, caller: Principal, hits: Hits, ids: Sequence[uuid.UUID]
) -> list[FoundOut]:
    rows = (
        await session.execute(
            select(
                CaseRow.id,
                CaseRow.reference,
                CaseRow.stage,
                CaseRow.waiting_on,
                CaseRow.due_at,
                CaseRow.claimed_minor,
                CaseRow.currency,
                CaseRow.handler_id,
                CaseRow.company_text,
                CompanyRow.legal_name,
                ConsumerRow.name,
            )
            .join(ConsumerRow, ConsumerRow.id == CaseRow.consumer_id)
            .outerjoin(CompanyRow, CompanyRow.id == CaseRow.company_id)
            .where(CaseRow.id.in_(ids))
        )
    ).all()
    names = caller.has(*SEES_NAMES)
    found = {
        row.id: FoundOut(
            case_id=row.id,
            reference=row.reference,
            matched=hits.by[row.id],
            consumer=row.name if names else None,
            company=row.legal_name or row.company_text,
            stage=row.stage,
            waiting_on=row.waiting_on,
            due_at=row.due_at,
            claimed=AmountOut.of(row.claimed_minor, row.currency),
            handler_id=row.handler_id,
        )
        for row in rows
    }
    return [found[i] for i in ids]
