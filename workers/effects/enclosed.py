"""The exhibits that go with a complaint by mail: the bundle made for it, attached or linked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final
from uuid import uuid5

from sqlalchemy import text

from app.documents.keys import paper_key
from workers.effects.document_link import link_for
from workers.effects.handler import Order
from workers.mail import Draft
from workers.notices import words
from workers.providers.errors import Transient
from workers.tools import Tools
from workers.trouble import DATABASE_TROUBLE

# The newest bundle asked for since the complaint was drafted: an older one was for another body.
_FILES: Final = text("""
    SELECT f.sha256, f.size_bytes, f.file_name, f.part FROM case_paper_files f
     WHERE f.paper_id = (
           SELECT p.id FROM case_papers p JOIN letters l ON l.id = :letter AND l.case_id = p.case_id
            WHERE l.kind = 'complaint' AND l.recipient = 'body' AND p.kind = 'bundle'
              AND p.made_at IS NOT NULL AND p.asked_at >= l.created_at
            ORDER BY p.id DESC LIMIT 1)
     ORDER BY f.part
""")


async def with_exhibits(tools: Tools, order: Order[Any], draft: Draft) -> Draft:
    """The mail of a letter with its exhibits, if it is a complaint and has some. Raises
    Transient."""
    effect = order.effect
    try:
        async with tools.database.read() as session:
            files = (await session.execute(_FILES, {"letter": effect.letter_id})).all()
            key = await paper_key(session, tools.keyring, effect.case_id, None) if files else None
    except DATABASE_TROUBLE as trouble:
        raise Transient(f"no exhibits: {type(trouble).__name__}") from None
    room = tools.settings.mail_attachment_bytes_max - sum(len(d) for _, d in draft.attachments)
    links = []
    for file in files:
        if file.size_bytes <= room:
            room -= file.size_bytes
            data = await tools.store.get(file.sha256, key)
            draft = replace(draft, attachments=(*draft.attachments, (file.file_name, data)))
            continue
        links.append(
            await link_for(
                tools, uuid5(order.id, file.sha256), effect.case_id, effect.letter_id,
                file_name=file.file_name, sha256=file.sha256, size_bytes=file.size_bytes,
            )
        )  # fmt: skip
    if not links:
        return draft
    said = words(draft.language)["mails"]["exhibits_link"]["text"].format_map(
        {"link": "\n".join(links), "days": tools.settings.document_link_days}
    )
    return replace(draft, text=f"{draft.text.rstrip()}\n\n{said}")
