"""Everything a letter is made of, read for one case in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.crypto import SubjectCipher
from app.domain import position
from app.domain.case import Case
from app.letter_details import LetterDetails, read_details
from app.moment import read_moment
from app.vault import open_ciphers
from workers.effects.people import Person, read_people, with_addresses
from workers.providers.errors import NoLongerWanted
from workers.tools import Tools

Row = Mapping[str, Any]
_COMPANY = text("SELECT * FROM companies WHERE id = :id")
_CHANNELS = text("""
    SELECT kind, address, language FROM channels
     WHERE company_id = :id AND health IN ('alive', 'degraded')
     ORDER BY official DESC, health, created_at, id
""")
_DEAD = text("""
    SELECT kind, address FROM channels
     WHERE company_id = :id AND health = 'dead' AND last_error_at IS NOT NULL
     ORDER BY official DESC, last_error_at DESC, id LIMIT 5
""")
_ITEMS = text("""
    SELECT i.what, i.amount_minor, i.currency, i.ground, i.creditor_id
      FROM claim_items i WHERE i.case_id = :id AND i.counted ORDER BY i.position
""")
_LETTERS = text("""
    SELECT l.kind, l.channel, l.sent_at, l.step, l.delivered_at, l.evidence_grade, v.deadline
      FROM letters l LEFT JOIN letter_versions v ON v.letter_id = l.id AND v.n = l.n
     WHERE l.case_id = :id AND l.sent_at IS NOT NULL AND l.recipient = 'company'
       AND l.topic = ''
     ORDER BY l.sent_at, l.id
""")
_PAYMENTS = text("""
    SELECT m.booked_on AS paid_on, a.amount_minor
      FROM allocations a JOIN movements m ON m.id = a.movement_id
     WHERE a.case_id = :id AND a.undone_at IS NULL
     UNION ALL
    SELECT paid_on, amount_minor FROM direct_recoveries WHERE case_id = :id
     ORDER BY 1, 2
""")
_EVIDENCE = text("""
    SELECT what, file_name, uploaded_at FROM evidence e
     WHERE case_id = :id AND state IN ('clean', 'unscanned') AND NOT uploaded_by = ANY(:others)
           AND NOT EXISTS (SELECT FROM paper_classes p
                            WHERE p.case_id = e.case_id AND p.ref = 'evidence:' || e.id
                              AND p.class <> 'open' AND p.released_by IS NULL)
     ORDER BY id
""")
_ACCOUNT = text("""
    SELECT holder, number, bic FROM bank_accounts
     WHERE book = 'client' AND currency = :currency ORDER BY opened_at, id LIMIT 1
""")
_SAID = text("""
    SELECT code, at, params FROM audit_entries
     WHERE stream = :stream AND code IN ('company_denied', 'automatic_message_filed',
                                         'company_promised', 'offered')
     ORDER BY seq DESC LIMIT 20
""")


_TOLD = text("""
    SELECT code, at, params FROM audit_entries
     WHERE stream = :stream AND code IN ('offer_countered', 'wrong_party')
     ORDER BY seq DESC LIMIT 20
""")


@dataclass(frozen=True, slots=True)
class LetterRows:
    """Rows as they are; `workers.letter_content` makes the words."""

    case: Case
    row: Mapping[str, Any]  # the case's columns
    now: datetime
    profile: Mapping[str, Any]
    company: Row | None
    channels: Sequence[Row]
    dead: Sequence[Row]  # channels of the company that refused our letters
    items: Sequence[Row]
    letters: Sequence[Row]
    payments: Sequence[Row]  # what the company has paid for the claim: paid_on, amount_minor
    evidence: Sequence[Row]
    account: Row | None
    signed: Sequence[tuple[Person, Row]]
    ciphers: Sequence[SubjectCipher]  # of who filed and of all who signed
    said: Sequence[Row]  # what the company said, the latest first: code, at, params
    told: Sequence[Row] = ()  # counter-offers and "not us", the latest first: code, at, params
    details: LetterDetails | None = None  # what a person said this letter should say


async def read_letter_rows(
    tools: Tools, session: AsyncSession, case_id: UUID, letter_id: UUID
) -> LetterRows:
    loaded = await engine.peek(session, case_id)
    if loaded is None:
        raise NoLongerWanted("there is no such case")
    case, row = loaded.case, loaded.row
    moment = await read_moment(session)

    async def rows(statement: Any, **values: Any) -> Sequence[Row]:
        return [dict(r) for r in (await session.execute(statement, values)).mappings()]

    everybody = (await read_people(session, [case_id])).get(case_id, [])
    acted_for = {c.id for c in position.acted_for(case)}
    people = [r for r in everybody if r["claimant_id"] in acted_for]
    # Papers of a person for whom we may not act stay here.
    others = [f"consumer:{r['consumer_id']}" for r in everybody if r not in people]
    persons = await with_addresses(session, tools.keyring, people)
    concerned = dict.fromkeys([row["consumer_id"], *(p.consumer_id for p in persons)])
    ciphers = await open_ciphers(session, tools.keyring, concerned)
    details = (await read_details(session, tools.keyring, [letter_id])).get(letter_id)
    company_id = (details and details.company_id) or row["company_id"]
    company = await rows(_COMPANY, id=company_id) if company_id else []
    said = await rows(_SAID, stream=f"case:{case_id}")
    told = await rows(_TOLD, stream=f"case:{case_id}")
    account = await rows(_ACCOUNT, currency=case.currency)
    return LetterRows(
        case=case, row=row, now=moment.now, profile=moment.profile,
        company=company[0] if company else None,
        channels=await rows(_CHANNELS, id=company_id) if company_id else [],
        dead=await rows(_DEAD, id=company_id) if company_id else [],
        items=await rows(_ITEMS, id=case_id), letters=await rows(_LETTERS, id=case_id),
        payments=await rows(_PAYMENTS, id=case_id),
        evidence=await rows(_EVIDENCE, id=case_id, others=others),
        account=account[0] if account else None,
        signed=list(zip(persons, people, strict=True)),
        ciphers=[c for one in concerned if (c := ciphers[one]) is not None], said=said,
        told=told, details=details,
    )  # fmt: skip
