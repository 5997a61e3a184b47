"""The papers of a case that can be exhibits: evidence, our letters and their proofs of arrival,
what company and body wrote, and what hung on it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.crypto import Keyring
from app.documents.keys import case_key, letter_key, subject_key
from app.documents.sealing import DocumentKey
from app.domain.screening import SERVED
from app.exhibits.matrix import OPEN, Paper, class_of_answer
from app.texts import Words

PAPERS_MAX: Final = 1_000  # of one case: far more than any has
PLAIN: Final = "text/plain"
_PAPERS: Final = text("""
    SELECT * FROM (
    SELECT 'evidence:' || id AS ref, coalesce(nullif(what, ''), file_name) AS title,
           uploaded_at AS at, media_type, sha256, NULL AS body, state, NULL AS read_as,
           NULL AS kind, NULL AS grade, NULL::timestamptz AS arrived_at, 1 AS rank,
           NULL::uuid AS owner
      FROM evidence WHERE case_id = :case AND NOT uploaded_by = ANY(:others)
     UNION ALL
    SELECT 'letter:' || id, kind, sent_at, 'application/pdf', sha256, NULL, 'clean', NULL, kind,
           NULL, NULL, 2, NULL
      FROM letters WHERE case_id = :case AND sent_at IS NOT NULL AND sha256 IS NOT NULL
           AND recipient IN ('company', 'body')
     UNION ALL
    SELECT 'delivery:' || id, kind, delivered_at, 'text/plain', NULL, channel, 'clean', NULL, kind,
           evidence_grade, delivered_at, 3, NULL
      FROM letters WHERE case_id = :case AND delivered_at IS NOT NULL AND sent_at IS NOT NULL
           AND recipient IN ('company', 'body')
     UNION ALL
    SELECT 'message:' || id, coalesce(nullif(subject, ''), sender), received_at, 'text/plain', NULL,
           text, 'clean', read_as, sender, NULL, NULL, 4, NULL
      FROM messages WHERE case_id = :case AND direction = 'in' AND sender IN ('company', 'body')
           AND state NOT IN ('pen', 'quarantine', 'not_ours')
     UNION ALL
    SELECT 'attachment:' || a.id, a.name, m.received_at, coalesce(a.media_type, a.declared_type),
           a.sha256, NULL, a.state, m.read_as, m.sender, NULL, NULL, 5, a.inbound_id
      FROM attachments a JOIN messages m ON m.inbound_id = a.inbound_id
     WHERE m.case_id = :case AND m.direction = 'in' AND m.sender IN ('company', 'body')
           AND m.state NOT IN ('pen', 'quarantine', 'not_ours')
    ) papers ORDER BY at, rank, ref LIMIT :most
""")
# Once somebody has signed, the papers of those who have not are nobody's business outside.
_OTHERS: Final = text("""
    SELECT 'consumer:' || consumer_id FROM claimants o WHERE case_id = :case AND mandate <> 'signed'
       AND EXISTS (SELECT FROM claimants s WHERE s.case_id = o.case_id AND s.mandate = 'signed')
""")
_CLASSES: Final = text("""
    SELECT ref, class, released_by IS NOT NULL AS released FROM paper_classes WHERE case_id = :case
""")


@dataclass(frozen=True, slots=True)
class Held:
    """A paper with what the index says of it. `body`: its text, where it is no stored file.
    `taken`: its bytes may be read (app.domain.screening)."""

    paper: Paper
    title: str
    at: datetime
    media_type: str
    sha256: str
    body: str | None
    taken: bool
    owner: uuid.UUID | None  # the inbound message whose key seals it

    @property
    def ref(self) -> str:
        return self.paper.ref


async def papers_of(session: AsyncSession, case_id: uuid.UUID, say: Words) -> list[Held]:
    """Oldest first. Titles of letters and proofs in the language of `say`."""
    said = {
        row.ref: (getattr(row, "class"), row.released)
        for row in await session.execute(_CLASSES, {"case": case_id})
    }
    others = (await session.scalars(_OTHERS, {"case": case_id})).all()
    found = []
    asked = {"case": case_id, "most": PAPERS_MAX, "others": list(others)}
    for row in await session.execute(_PAPERS, asked):
        given, released = said.get(row.ref, (None, False))
        kind = row.ref.partition(":")[0]
        by_rule = class_of_answer(row.read_as) if kind in ("message", "attachment") else OPEN
        title, body = _shown(row, kind, say)
        found.append(
            Held(
                Paper(row.ref, given or by_rule, released), title, row.at, row.media_type,
                row.sha256 or sha256((body or "").encode()).hexdigest(), body,
                row.state in SERVED, row.owner,
            )
        )  # fmt: skip
    return found


def _shown(row: Any, kind: str, say: Words) -> tuple[str, str | None]:
    """Title and, for what is no file, its text."""
    title, body = str(row.title), row.body
    if kind == "letter":
        return say.term("letters", title), None
    if kind != "delivery":
        return title, body
    name = say.term("letters", title)
    how = say.term("grades", row.grade)
    arrived: datetime = row.arrived_at
    line = f"{name}: {say.day(arrived)} ({arrived.isoformat(timespec='seconds')})"
    return f"{name}: {how}", "\n".join([line, how, say.term("channels", str(body))])


def labelled(papers: Sequence[Held]) -> dict[str, str]:
    """Exhibit numbers: those that may leave, in their order."""
    leaving = [held.ref for held in papers if held.paper.may_leave]
    return {ref: str(at) for at, ref in enumerate(leaving, start=1)}


async def key_of_paper(
    session: AsyncSession, keyring: Keyring, case_id: uuid.UUID, held: Held
) -> DocumentKey | None:
    """What opens its stored bytes. Raises DataErased."""
    kind, _, name = held.ref.partition(":")
    if kind == "letter":
        return await letter_key(session, keyring, uuid.UUID(name), held.sha256)
    if held.owner is not None:
        return await subject_key(session, keyring, held.owner)
    return await case_key(session, keyring, case_id)
