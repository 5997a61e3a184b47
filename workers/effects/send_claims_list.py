"""SendClaimsList: one mail with all open claims, for a company that chose it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import business_now
from app.companies.claims_list import as_csv, open_claims
from app.domain.effects import SendClaimsList
from workers.effects.agency import read_agency
from workers.effects.handler import Order, Prepared
from workers.effects.sending import MailEffect
from workers.mail import Draft
from workers.notices import words
from workers.providers.errors import NoLongerWanted
from workers.tools import Tools

_COMPANY = text("SELECT legal_name, language, claims_list_to FROM companies WHERE id = :id")


class SendClaimsListHandler(MailEffect[SendClaimsList]):
    effect = SendClaimsList

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[SendClaimsList]]
    ) -> Prepared:
        agency, now = await read_agency(session), await business_now(session)
        out: dict[UUID, Any] = {}
        for order in orders:
            company_id = order.effect.company_id
            company = (await session.execute(_COMPANY, {"id": company_id})).one()
            claims = await open_claims(session, company_id)
            if company.claims_list_to is None or not claims:
                out[order.id] = NoLongerWanted("no list is wanted, or no claim is open")
                continue
            table = words(company.language)["mails"]["claims_list"]
            common = {"agency": agency.name, "company": company.legal_name,
                      "count": str(len(claims)), "week": order.effect.week}  # fmt: skip
            out[order.id] = Draft(
                language=company.language, effect_id=order.id, to_name=company.legal_name,
                to_address=company.claims_list_to, at=now, from_name=agency.name,
                subject=table["subject"].format_map(common),
                text=table["text"].format_map(common),
                attachments=((f"claims-{order.effect.week}.csv", as_csv(claims)),),
            )  # fmt: skip
        return out
