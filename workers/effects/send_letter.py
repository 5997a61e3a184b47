"""SendLetter: the stored bytes of an approved letter, by mail or by post, to company or body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import business_now
from app.crypto import DataErased, SubjectCipher
from app.documents.keys import key_of
from app.documents.sealing import DocumentKey
from app.domain.effects import SendCopy, SendLetter
from app.domain.events import Event, LetterHandedOver
from app.playbooks import book
from workers.effects.agency import read_agency
from workers.effects.document_link import link_for
from workers.effects.enclosed import with_exhibits
from workers.effects.handler import Done, Order, Prepared
from workers.effects.letter_to import LetterTo, read_letter_to
from workers.effects.sending import (
    MAIL_SECONDS_MAX,
    Sent,
    keep_sent,
    send_draft,
    undeliverable,
)
from workers.mail import Draft, address_book
from workers.notices import words
from workers.providers.delivery import Guard
from workers.providers.errors import ProviderError, Refused
from workers.providers.post import PostJob
from workers.tools import Tools

OTHERS = ("consumer", "other")  # recipients that are neither the company nor a body
# For all letters of a batch: what was approved and where it goes.
_READ = text("""
    SELECT e.letter_id, l.case_id, l.kind, l.recipient, v.subject, v.language, v.sealed_for,
           c.reference,
           c.playbook, c.bodies, c.body_index, c.jurisdiction,
           coalesce(m.legal_name, c.company_text) AS company_name, m.address_lines, m.country,
           h.address
      FROM unnest(CAST(:letters AS uuid[]), CAST(:hashes AS text[]), CAST(:channels AS text[]))
           AS e(letter_id, sha256, channel)
      JOIN letters l ON l.id = e.letter_id
      JOIN cases c ON c.id = l.case_id
      LEFT JOIN letter_details d ON d.letter_id = l.id
      LEFT JOIN companies m ON m.id = coalesce(d.company_id, c.company_id)
      LEFT JOIN LATERAL (SELECT subject, language, sealed_for FROM letter_versions
                          WHERE letter_id = l.id AND sha256 = e.sha256
                          ORDER BY n DESC LIMIT 1) v ON true
      LEFT JOIN LATERAL (SELECT address FROM channels
                          WHERE company_id = coalesce(d.company_id, c.company_id)
                            AND kind = e.channel
                            AND health IN ('alive', 'degraded')
                          ORDER BY official DESC, health, created_at, id LIMIT 1) h ON true
""")


@dataclass(frozen=True, slots=True)
class Paper:
    job: PostJob
    subject: str
    person: SubjectCipher | None = None  # of the consumer it goes to: seals the address on file
    document_key: DocumentKey | None = None


class SendLetterHandler:
    effect = SendLetter
    timeout_seconds = MAIL_SECONDS_MAX

    def provider(self, tools: Tools, prepared: Any) -> str:
        on_paper = isinstance(prepared, Paper)
        return tools.providers.post.name if on_paper else tools.providers.mail.name

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[SendLetter]]
    ) -> Prepared:
        effects = [o.effect for o in orders]
        found = await session.execute(_READ, {
            "letters": [e.letter_id for e in effects], "hashes": [e.sha256 for e in effects],
            "channels": [e.channel for e in effects],
        })  # fmt: skip
        rows = {row["letter_id"]: row for row in found.mappings()}
        people = await read_letter_to(tools, session, list(rows.values()))
        agency, now = await read_agency(session), await business_now(session)
        out: dict[UUID, Draft | Paper | ProviderError] = {}
        for order in orders:
            row = rows.get(order.effect.letter_id)
            if row is None or row["subject"] is None:
                out[order.id] = Refused("these bytes were never made for this letter")
                continue
            to = people.get(order.effect.letter_id)
            if row["recipient"] in OTHERS and to is None:
                out[order.id] = Refused("whom it goes to is not on file any more")
                continue
            on_paper = order.effect.channel == "post"
            way = (
                _paper(order.effect, row, to) if on_paper
                else _draft(tools, order, row, to, agency.name, now)
            )  # fmt: skip
            out[order.id] = (
                way if isinstance(way, Refused) else await _with_key(tools, session, way, row)
            )
        return out

    async def act(
        self, tools: Tools, order: Order[SendLetter], prepared: Any, guard: Guard
    ) -> Done:
        assert isinstance(prepared, Draft | Paper)
        pdf = await tools.store.get(order.effect.sha256, prepared.document_key)
        if isinstance(prepared, Paper):
            post = tools.providers.post
            delivery = await post.send(prepared.job, pdf, key=order.id, guard=guard)
            lines = "\n".join(prepared.job.address_lines)
            sent = Sent(
                "post", "", lines, prepared.subject, "", None, order.effect.letter_id,
                prepared.person,
            )  # fmt: skip
            return Done(delivery, made=sent)
        draft = await with_exhibits(tools, order, await _carrying(tools, order, prepared, pdf))
        return await send_draft(tools, draft, guard, letter_id=order.effect.letter_id)

    async def record(
        self,
        session: AsyncSession,
        done: Sequence[tuple[Order[SendLetter], Any, Done]],
        now: datetime,
    ) -> None:
        await keep_sent(session, done, now)

    def facts(self, order: Order[SendLetter], done: Done, now: datetime) -> Sequence[Event]:
        return (
            LetterHandedOver(
                letter_id=order.effect.letter_id, at=now, provider=done.delivery.provider,
                recipient_server=done.delivery.recipient_server,
            ),
        )  # fmt: skip


class SendCopyHandler(SendLetterHandler):
    """The first letter, for the official complaint address too. It is filed as word to the company
    and not as the letter: no receipt or return of a copy moves a clock."""

    effect = SendCopy  # type: ignore[assignment]  # has the fields that the letter's handler reads

    async def record(
        self, session: AsyncSession, done: Sequence[tuple[Order[Any], Any, Done]], now: datetime
    ) -> None:
        copies = [
            (order, was, replace(d, made=replace(d.made, letter_id=None))) for order, was, d in done
        ]
        await keep_sent(session, copies, now)

    def facts(self, order: Order[Any], done: Done, now: datetime) -> Sequence[Event]:
        return ()


async def _with_key(
    tools: Tools, session: AsyncSession, way: Draft | Paper, row: Any
) -> Draft | Paper | Refused:
    """With the key that the stored bytes of the letter are sealed under."""
    try:
        key = await key_of(session, tools.keyring, row["sealed_for"] or ())
    except DataErased:
        return Refused("a person this letter speaks of has been erased")
    return replace(way, document_key=key)


def _paper(effect: SendLetter, row: Any, to: LetterTo | None) -> Paper | Refused:
    if to is not None:
        lines = (to.name, *to.address_lines) if to.address_lines else ()
    elif row["recipient"] == "body":
        body = _body(row)
        lines = (body.name, *body.address) if body and body.address else ()
    elif row["address"]:
        lines = tuple(row["address"].splitlines())
        if lines[0] != row["company_name"]:
            lines = (row["company_name"], *lines)
    else:
        lines = tuple(row["address_lines"] or ())
        lines = (row["company_name"], *lines) if lines else ()
    country = row["jurisdiction"] if row["recipient"] == "body" else row["country"] or ""
    country = to.country if to is not None else country
    problem = undeliverable(lines, country)
    if problem is not None:
        return problem
    registered = row["kind"] == "formal_notice"
    job = PostJob(lines, row["reference"], effect.sha256, registered, country)
    return Paper(job, row["subject"], person=to.person if to else None)


def _draft(
    tools: Tools,
    order: Order[SendLetter],
    row: Any,
    person: LetterTo | None,
    agency: str,
    now: datetime,
) -> Draft | Refused:
    to_name, to = row["company_name"], row["address"]
    if person is not None:
        to_name, to = person.name, person.email
    if row["recipient"] == "body":
        body = _body(row)
        to_name, to = (body.name, body.email) if body else ("", None)
    if not to:
        return Refused("no e-mail address")
    text_of = words(row["language"])["mails"]["letter"]["text"]
    reference = row["reference"]
    return Draft(
        effect_id=order.id, language=row["language"], to_name=to_name, to_address=to,
        subject=row["subject"],
        text=text_of.format_map({"reference": reference, "agency": agency}), at=now,
        from_name=agency, reply_to=address_book(tools.settings).case_address(reference),
        automatic="", attachments=((f"{reference}-{row['kind']}.pdf", b""),),
        person=person.person if person else None,
    )  # fmt: skip


async def _carrying(tools: Tools, order: Order[SendLetter], draft: Draft, pdf: bytes) -> Draft:
    """The letter attached, or, where it is too large for that, behind a link of its own."""
    name = draft.attachments[0][0]
    if len(pdf) <= tools.settings.mail_attachment_bytes_max:
        return replace(draft, attachments=((name, pdf),))
    effect = order.effect
    link = await link_for(
        tools, order.id, effect.case_id, effect.letter_id,
        file_name=name, sha256=effect.sha256, size_bytes=len(pdf),
    )  # fmt: skip
    table = words(draft.language)["mails"]["letter_link"]
    said = table["text"].format_map({"link": link, "days": tools.settings.document_link_days})
    return replace(draft, attachments=(), text=f"{draft.text.rstrip()}\n\n{said}")


def _body(row: Any) -> Any:
    bodies = book.for_case(row["playbook"], row["bodies"]).bodies
    return bodies[min(row["body_index"], len(bodies) - 1)] if bodies else None
