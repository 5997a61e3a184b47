"""One company at a glance, and its letters sent again once a channel works."""

from __future__ import annotations

import uuid
from typing import Any, Final

from sqlalchemy import Boolean, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation.principal import Principal
from app.authorisation.scope import case_scope
from app.companies import service
from app.companies.schemas import (
    ChannelOut,
    ChannelUseOut,
    CompanyOverviewOut,
    OpenCaseOut,
    RegisteredCompanyOut,
    SentAgainOut,
)
from app.db import Database
from app.domain.errors import Conflict, NotFound
from app.domain.events import ChannelMended
from app.engine import Fact
from app.moment import read_moment
from app.tables.cases import CaseRow, LetterRow
from app.tables.people import ChannelRow

CASES_SHOWN_MAX: Final = 200
BATCH: Final = 200  # cases of one transaction
BATCHES_MAX: Final = 10  # then the caller asks again: a call must end
# How letters of the last year fared, by channel; an answer is a person's, after the letter.
_USE = text("""
    SELECT h.id, count(m.id) AS sent,
           count(m.id) FILTER (WHERE m.state <> 'bounced' AND l.delivered_at IS NOT NULL)
               AS delivered,
           count(m.id) FILTER (WHERE m.state = 'bounced') AS bounced,
           percentile_cont(0.5) WITHIN GROUP (
               ORDER BY extract(epoch FROM a.received_at - m.received_at)) AS seconds
      FROM channels h
      LEFT JOIN (cases c
           JOIN messages m ON m.case_id = c.id AND m.direction = 'out'
           JOIN letters l ON l.id = m.letter_id AND l.recipient = 'company')
           ON c.company_id = h.company_id AND m.channel = h.kind
           AND m.received_at > CAST(:now AS timestamptz) - interval '1 year'
           AND (h.kind <> 'email' OR lower(m.to_address) = lower(h.address))
      LEFT JOIN LATERAL (SELECT min(received_at) AS received_at FROM messages
                          WHERE case_id = c.id AND direction = 'in' AND sender = 'company'
                            AND NOT automatic AND received_at > m.received_at) a ON true
     WHERE h.company_id = :id GROUP BY h.id
""")
_COUNTS = text("""
    SELECT count(*) AS open, count(*) FILTER (WHERE EXISTS (
             SELECT 1 FROM tasks t WHERE t.case_id = c.id AND t.kind = 'fix_channel'
                AND t.state = 'open')) AS stuck
      FROM cases c WHERE c.company_id = :id AND c.stage <> 'closed'
""")
_STUCK: Final = literal_column(
    "EXISTS (SELECT 1 FROM tasks t WHERE t.case_id = cases.id AND t.kind = 'fix_channel'"
    " AND t.state = 'open')",
    Boolean,
)
_WAITING = text("""
    SELECT c.id FROM cases c
     WHERE c.company_id = :company AND c.stage <> 'closed' AND c.id > :after
       AND (c.extra -> 'dead_channels' ? :kind
            OR EXISTS (SELECT 1 FROM tasks t WHERE t.case_id = c.id AND t.kind = 'fix_channel'
                        AND t.state = 'open'))
     ORDER BY c.id LIMIT :limit
""")
_FIRST: Final = uuid.UUID(int=0)


async def overview(
    session: AsyncSession, caller: Principal, company_id: uuid.UUID
) -> CompanyOverviewOut:
    """Raises NotFound."""
    company = await service.get_company(session, company_id)
    now = (await read_moment(session)).now
    rows = await session.execute(_USE, {"id": company_id, "now": now})
    use = {row.id: row for row in rows}
    counts = (await session.execute(_COUNTS, {"id": company_id})).one()
    return CompanyOverviewOut(
        company=RegisteredCompanyOut.model_validate(company),
        channels=[
            _used(one, use[one.id]) for one in await service.channels_of(session, company_id)
        ],
        open_cases=counts.open,
        stuck_cases=counts.stuck,
        cases=await _cases(session, caller, company_id),
    )


async def send_again(database: Database, channel_id: uuid.UUID, *, actor: str) -> SentAgainOut:
    """Every case that waits for a way to this company, or gave this way up, has its letter made
    again; approvals are asked for anew. Raises NotFound, Conflict while the channel does not work.
    """
    done, after = 0, _FIRST
    for _ in range(BATCHES_MAX):
        async with database.transaction() as session:
            channel = await working_channel(session, channel_id)
            values = {
                "company": channel.company_id, "kind": channel.kind, "after": after,
                "limit": BATCH,
            }  # fmt: skip
            ids = list((await session.execute(_WAITING, values)).scalars())
            facts = [Fact(one, ChannelMended(channel.kind, actor), actor) for one in ids]
            results = await engine.advance_many(session, facts)
        done += sum(result.why is None for result in results)
        if len(ids) < BATCH:
            return SentAgainOut(cases=done, more=False)
        after = ids[-1]
    return SentAgainOut(cases=done, more=True)


async def working_channel(session: AsyncSession, channel_id: uuid.UUID) -> ChannelRow:
    """The channel, if letters can go over it. Raises NotFound, Conflict."""
    channel = await session.get(ChannelRow, channel_id)
    if channel is None:
        raise NotFound("there is no such channel", code="channel_not_found")
    if channel.kind not in ("email", "post") or channel.health not in ("alive", "degraded"):
        raise Conflict(
            "letters go by mail or post over a channel that works: set its health first",
            code="channel_not_working",
        )
    return channel


async def _cases(
    session: AsyncSession, caller: Principal, company_id: uuid.UUID
) -> list[OpenCaseOut]:
    query = (
        select(
            CaseRow.id, CaseRow.reference, CaseRow.stage, CaseRow.waiting_on, CaseRow.due_at,
            LetterRow.channel.label("by"), _STUCK.label("stuck"),
        )
        .outerjoin(LetterRow, LetterRow.id == CaseRow.letter_id)
        .where(CaseRow.company_id == company_id, CaseRow.stage != "closed", case_scope(caller))
        .order_by(text("stuck DESC"), CaseRow.due_at, CaseRow.id)
        .limit(CASES_SHOWN_MAX)
    )  # fmt: skip
    return [OpenCaseOut.model_validate(dict(row._mapping)) for row in await session.execute(query)]


def _used(channel: ChannelRow, use: Any) -> ChannelUseOut:
    shown = ChannelOut.model_validate(channel).model_dump()
    shown["created_at"] = shown.pop("first_seen_at")
    days = None if use.seconds is None else round(float(use.seconds) / 86_400, 1)
    return ChannelUseOut(
        **shown, letters_sent=use.sent, letters_delivered=use.delivered,
        letters_bounced=use.bounced, median_days_to_answer=days,
    )  # fmt: skip
