"""StopNotice: the one letter to a company that may still go after a revoked mandate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import business_now
from app.domain.effects import StopNotice
from app.texts import words as ways_of
from workers.effects.agency import read_agency
from workers.effects.handler import Done, Order, Prepared
from workers.effects.paper import Sheet, send_sheet
from workers.effects.people import read_cases
from workers.effects.sending import MailEffect, send_draft, undeliverable
from workers.mail import Draft, address_book
from workers.notices import words
from workers.providers.delivery import Guard
from workers.providers.errors import Refused
from workers.tools import Tools

_CHANNELS = text("""
    SELECT DISTINCT ON (company_id) company_id, kind, address, language FROM channels
     WHERE company_id = ANY(:companies) AND kind IN ('email', 'post')
       AND health IN ('alive', 'degraded')
     ORDER BY company_id, (kind = 'email') DESC, official DESC, created_at, id
""")


class StopNoticeHandler(MailEffect[StopNotice]):
    effect = StopNotice

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[StopNotice]]
    ) -> Prepared:
        cases = await read_cases(session, {o.effect.case_id for o in orders})
        companies = [c.company_id for c in cases.values() if c.company_id]
        found = await session.execute(_CHANNELS, {"companies": companies})
        channels = {r.company_id: r for r in found}
        agency, now = await read_agency(session), await business_now(session)
        out: dict[UUID, Any] = {}
        for order in orders:
            case = cases[order.effect.case_id]
            channel = channels.get(case.company_id)
            if channel is None:
                out[order.id] = Refused("no living channel")
                continue
            table = words(channel.language)["mails"]["stopped"]
            common = {"reference": case.reference, "agency": agency.name}
            subject, body = (table[k].format_map(common) for k in ("subject", "text"))
            if channel.kind == "post":
                lines = (case.company_name, *channel.address.splitlines())
                lines = lines[1:] if lines[1:2] == lines[:1] else lines
                out[order.id] = undeliverable(lines, case.company_country) or Sheet(
                    address_lines=lines, country=case.company_country, reference=case.reference,
                    subject=subject, text=body, sender=agency.name,
                    day=ways_of(channel.language).day(now),
                )  # fmt: skip
                continue
            out[order.id] = Draft(
                language=channel.language,
                effect_id=order.id, to_name=case.company_name, to_address=channel.address,
                subject=subject, text=body, at=now, from_name=agency.name, automatic="",
                reply_to=address_book(tools.settings).case_address(case.reference),
            )  # fmt: skip
        return out

    async def act(
        self, tools: Tools, order: Order[StopNotice], prepared: Any, guard: Guard
    ) -> Done:
        if isinstance(prepared, Sheet):
            return await send_sheet(tools, order.id, prepared, guard)
        return await send_draft(tools, prepared, guard)
