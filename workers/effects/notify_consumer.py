"""NotifyConsumer: word to a claimant, by mail, or on paper to people reached by post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import business_now
from app.documents.sealing import DocumentKey
from app.domain.effects import DOCUMENT, SECOND_CHANNEL, NotifyConsumer
from app.texts import words as ways_of
from app.vault import open_ciphers
from workers.effects.agency import AgencyWords, read_agency
from workers.effects.closing import Closing, enclosing, with_statement
from workers.effects.handler import Done, Order, Prepared
from workers.effects.paper import Sheet, send_sheet
from workers.effects.people import (
    CaseView,
    Person,
    person,
    read_cases,
    read_people,
    with_addresses,
)
from workers.effects.sending import MailEffect, send_draft, undeliverable
from workers.mail import Draft, address_book
from workers.notices import Notice, write_notice
from workers.providers.delivery import Guard
from workers.providers.errors import NoLongerWanted, ProviderError, Refused
from workers.tools import Tools

ERASED = "this person's data has been erased"


class NotifyConsumerHandler(MailEffect[NotifyConsumer]):
    effect = NotifyConsumer

    def provider(self, tools: Tools, prepared: Any) -> str:
        word = prepared.word if isinstance(prepared, Closing) else prepared
        return super().provider(tools, word)

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[NotifyConsumer]]
    ) -> Prepared:
        ids = {o.effect.case_id for o in orders}
        cases, people = await read_cases(session, ids), await read_people(session, ids)
        agency, now = await read_agency(session), await business_now(session)
        twice = {o.effect.case_id for o in orders if _second(o.effect)}
        by_post = [
            row for case_id, rows in people.items() for row in rows
            if row["by_post"] or not row["email"] or case_id in twice
        ]  # fmt: skip
        opened = {p.claimant_id: p for p in await with_addresses(session, tools.keyring, by_post)}
        ciphers = await open_ciphers(
            session, tools.keyring, {r["consumer_id"] for rows in people.values() for r in rows}
        )
        out: dict[UUID, Any] = {}
        for order in orders:
            who = _addressee(people.get(order.effect.case_id, []), order.effect.claimant_id)
            if who is None:
                out[order.id] = Refused("there is nobody to tell")
                continue
            who, cipher = opened.get(who.claimant_id, who), ciphers[who.consumer_id]
            word: Draft | Sheet | Closing | ProviderError = _word(
                tools, order, cases[order.effect.case_id], who, agency, now
            )
            if isinstance(word, Draft | Sheet):
                word = replace(word, person=cipher) if cipher else Refused(ERASED)
            if isinstance(word, Draft | Sheet) and _closes(order.effect, people, who):
                word = await with_statement(tools, session, order, who, word)
            out[order.id] = word
        return out

    async def act(
        self, tools: Tools, order: Order[NotifyConsumer], prepared: Any, guard: Guard
    ) -> Done:
        if isinstance(prepared, Closing):
            prepared = await enclosing(tools, order, prepared)
        digest = dict(order.effect.params).get(DOCUMENT)
        document = None
        if digest:
            # What this person signed: sealed under their own key.
            assert prepared.person is not None, "nobody erased is written to"
            document = await tools.store.get(digest, DocumentKey([prepared.person]))
        if isinstance(prepared, Sheet):
            return await send_sheet(tools, order.id, prepared, guard, document=document)
        assert isinstance(prepared, Draft)
        if document is not None:
            name = f"{prepared.subject.partition(':')[0]}-{order.effect.template}.pdf"
            prepared = replace(prepared, attachments=((name, document),))
        return await send_draft(tools, prepared, guard)


def _closes(
    effect: NotifyConsumer, people: Mapping[UUID, Sequence[Mapping[str, Any]]], who: Person
) -> bool:
    """The notice that a case has ended, to somebody who had signed: the statement goes with it."""
    signed = any(
        row["claimant_id"] == who.claimant_id and row["mandate_id"] is not None
        for row in people.get(effect.case_id, [])
    )
    return signed and any(name == "outcome" for name, _ in effect.params)


def _second(effect: NotifyConsumer) -> bool:
    return ("channel", SECOND_CHANNEL) in effect.params


def _addressee(rows: Sequence[Mapping[str, Any]], claimant_id: UUID | None) -> Person | None:
    """The claimant named, or the contact person: the first."""
    for row in rows:
        if claimant_id is None or row["claimant_id"] == claimant_id:
            return person(row)
    return None


def _word(
    tools: Tools,
    order: Order[NotifyConsumer],
    case: CaseView,
    who: Person,
    agency: AgencyWords,
    now: datetime,
) -> Draft | Sheet | ProviderError:
    ways = who.ways
    if _second(order.effect):
        if len(ways) < 2:
            return NoLongerWanted("this person has one channel only")
        ways = ways[1:]
    if not ways or (who.by_post and not who.address_lines):
        return Refused("no postal address")
    on_paper = ways[0] != "email"
    notice: Notice = write_notice(
        order.effect.template, dict(order.effect.params), language=who.language,
        currency=case.currency, name=who.name, company=case.company_name,
        reference=case.reference, agency=agency.name,
        paper=_paper_ways(agency, tools.settings.public_url) if on_paper else None,
        link=f"{tools.settings.public_url}/cases/{case.reference}",
    )  # fmt: skip
    if not on_paper:
        assert who.email, "it is a way to reach them"
        return Draft(
            language=who.language,
            effect_id=order.id, to_name=who.name, to_address=who.email, subject=notice.subject,
            text=notice.text, at=now, from_name=agency.name,
            reply_to=address_book(tools.settings).case_address(case.reference),
        )  # fmt: skip
    lines = (who.name, *who.address_lines)
    problem = undeliverable(lines, who.country)
    return problem or Sheet(
        address_lines=lines, country=who.country, reference=case.reference,
        subject=notice.subject, text=notice.text, sender=agency.name,
        day=ways_of(who.language).day(now),
    )  # fmt: skip


def _paper_ways(agency: AgencyWords, public_url: str) -> dict[str, str]:
    """How a person with a sheet of paper answers: nothing of it can be clicked."""
    return {
        "post": ", ".join(agency.profile.get("address_lines") or ()),
        "phone": agency.profile.get("phone") or "",
        "site": public_url.partition("://")[2],
    }
