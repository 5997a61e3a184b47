"""AcknowledgeMessage: we have read that you wrote. An automatic answer as RFC 3834 asks: never to
an automatic message, threaded under what it answers, and marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import business_now
from app.correspondence.sealed_raw import Raw, open_raws
from app.domain.effects import AcknowledgeMessage
from app.reading.automatic import calls_itself_automatic
from app.vault import open_ciphers
from workers.effects.agency import read_agency
from workers.effects.handler import Order, Prepared
from workers.effects.people import read_cases, read_people
from workers.effects.sending import MailEffect
from workers.mail import Draft, address_book
from workers.notices import words
from workers.providers.errors import NoLongerWanted
from workers.tools import Tools

_MESSAGES = text("""
    SELECT m.id, m.from_address, m.message_id_header, m.channel,
           m.automatic, i.id AS inbound_id, i.raw, coalesce(i.raw_sealed, false) AS raw_sealed
      FROM messages m LEFT JOIN inbound i ON i.id = m.inbound_id
     WHERE m.id = ANY(:ids)
""")
HEAD_BYTES = 32_768


class AcknowledgeMessageHandler(MailEffect[AcknowledgeMessage]):
    effect = AcknowledgeMessage

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[AcknowledgeMessage]]
    ) -> Prepared:
        ids = {o.effect.case_id for o in orders}
        cases, people = await read_cases(session, ids), await read_people(session, ids)
        found = await session.execute(_MESSAGES, {"ids": [o.effect.message_id for o in orders]})
        messages = {r.id: r for r in found}
        heads = await _heads(tools, session, list(messages.values()))
        agency, now = await read_agency(session), await business_now(session)
        ciphers = await open_ciphers(
            session, tools.keyring, {r["consumer_id"] for rows in people.values() for r in rows}
        )
        out: dict[UUID, Any] = {}
        for order in orders:
            case, message = cases[order.effect.case_id], messages.get(order.effect.message_id)
            who = _sender(people.get(case.id, []), message)
            if message is None or who is None or _by_machine(message, heads.get(message.id, b"")):
                out[order.id] = NoLongerWanted("no known person whom a mail reaches wrote this")
                continue
            table = words(who["language"])["mails"]["acknowledged"]
            common = {"reference": case.reference, "name": who["name"], "agency": agency.name,
                      "company": case.company_name}  # fmt: skip
            out[order.id] = Draft(
                language=who["language"],
                effect_id=order.id, to_name=who["name"], to_address=who["email"],
                subject=table["subject"].format_map(common),
                text=table["text"].format_map(common), at=now, from_name=agency.name,
                reply_to=address_book(tools.settings).case_address(case.reference),
                automatic="auto-replied", in_reply_to=message.message_id_header,
                person=ciphers[who["consumer_id"]],
            )  # fmt: skip
        return out


async def _heads(tools: Tools, session: AsyncSession, messages: Sequence[Any]) -> dict[UUID, bytes]:
    """The beginning of each mail as it came; empty where it came otherwise or is erased."""
    mails = [Raw(m.inbound_id, m.raw, m.raw_sealed) for m in messages if m.inbound_id]
    raws = await open_raws(session, tools.keyring, mails)
    opened = {m.id: raws.get(m.inbound_id) for m in messages}
    return {key: raw[:HEAD_BYTES] for key, raw in opened.items() if isinstance(raw, bytes)}


def _by_machine(message: Any, head: bytes) -> bool:
    """By its words, or by its own account: a person reads what only looks written by hand, but
    two robots must never answer each other."""
    return bool(message.automatic) or calls_itself_automatic(head)


def _sender(rows: Sequence[Any], message: Any) -> Any:
    """The claimant who wrote; only known persons are answered, so nobody can make us write to a
    stranger."""
    if message is None or message.channel not in ("email", "portal"):
        return None
    address = message.from_address.lower()
    return next((r for r in rows if r["email"] and r["email"].lower() == address), None)
