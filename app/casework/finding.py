"""What the law's files say of a case, from its own answers: shown before a person decides, and kept
as it was shown when they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation.principal import Principal
from app.authorisation.scope import case_scope
from app.case_change import CaseChange
from app.check.approved import approved_records
from app.domain.bodies import Facts
from app.domain.eligibility.bodies import facts_of
from app.domain.eligibility.facts import Answers
from app.domain.eligibility.finding import Finding, Note
from app.domain.errors import NotFound
from app.ids import new_id
from app.law.answers import AnswersInvalid, vocabulary
from app.law.eligibility import Checker, FactsIn
from app.law.records import DATA
from app.playbooks import book
from app.tables.cases import CaseRow
from app.tables.findings import FindingRow

# Words of people ride in these parameters of a note; a kept finding holds none.
PERSONAL: Final = frozenset({"what", "of"})
_READ = text("""
    SELECT c.claim_kind, c.jurisdiction, c.playbook, c.answers, c.first_written_complaint,
           coalesce(m.legal_name, c.company_text) AS company, m.country,
           m.status = 'confirmed' AS confirmed
      FROM cases c LEFT JOIN companies m ON m.id = c.company_id WHERE c.id = :id
""")


@dataclass(frozen=True, slots=True)
class CaseFinding:
    """`finding` is None where answers were given that the questions do not know (`refused`);
    `facts`: the days among the answers that bodies count from, where all can be read."""

    finding: Finding | None
    facts: Facts
    refused: tuple[tuple[str, str], ...]
    playbook: str

    @property
    def eligible(self) -> str:
        return self.finding.eligible if self.finding else "needs_info"


async def seen_by(
    session: AsyncSession, caller: Principal, case_id: UUID, at: datetime
) -> CaseFinding:
    """Raises NotFound, also for a case out of the caller's scope."""
    seen = await session.scalar(select(CaseRow.id).where(CaseRow.id == case_id, case_scope(caller)))
    if seen is None:
        raise NotFound("there is no such case", code="case_not_found")
    return await finding_of(session, case_id, at)


async def finding_of(
    session: AsyncSession,
    case_id: UUID,
    at: datetime,
    told: date | None = None,
    corrected: Mapping[str, Any] | None = None,
) -> CaseFinding:
    """By the answers on file on the case's own day; the case exists. `told`: the first written
    complaint as the person who decides has it, before what the answers say. `corrected` answers
    stand in place of those on file."""
    row = dict((await session.execute(_READ, {"id": case_id})).mappings().one())
    row["answers"] = {**row["answers"], **(corrected or {})}
    today = book.local_day(row["playbook"], at)
    where = book.place_of_law(row["jurisdiction"], row["answers"])
    playbook = book.choose(claim_kind=row["claim_kind"], jurisdiction=where, on=today).key
    asked = FactsIn.model_validate(
        {
            "company": {"legal_name": (row["company"] or "")[:300]},
            "answers": _answers(row, told),
        }
    )
    try:
        found = Checker(today, lambda kind, _, on: approved_records(kind, where, on)).check(
            asked, row["jurisdiction"], confirmed=bool(row["confirmed"])
        )
    except AnswersInvalid as invalid:
        return CaseFinding(None, Facts(None), tuple(invalid.wrong), playbook)
    return CaseFinding(found, facts_of(Answers(asked.whole)), (), playbook)


def _answers(row: Mapping[str, Any], told: date | None) -> dict[str, Any]:
    """The intake's answers as filed, with what the case itself knows where they are silent."""
    kind = row["claim_kind"]
    given = {k: v for k, v in row["answers"].items() if not k.startswith("_") and v is not None}
    first = row["first_written_complaint"]
    known = {
        "claim_kind": kind,
        "company_country": row["country"],
        "first_written_complaint": first.isoformat() if first else None,
    }
    facts = vocabulary().get(kind, {})
    found = {k: v for k, v in known.items() if v is not None and k in facts} | given
    return found | ({"first_written_complaint": told.isoformat()} if told else {})


async def keep(change: CaseChange, found: CaseFinding) -> None:
    """In the transaction of the decision that was made with it in view."""
    await change.session.execute(
        insert(FindingRow).values(
            id=new_id(),
            case_id=change.case.id,
            at=change.now,
            shown_to=change.actor,
            law=law_version(),
            playbook=found.playbook,
            eligible=found.eligible,
            grounds=list(found.finding.legal_ground) if found.finding else [],
            body=_kept(found),
        )
    )


def _kept(found: CaseFinding) -> dict[str, Any]:
    one = found.finding
    if one is None:
        return {"refused": [_plain(where) for where, _ in found.refused]}
    return {
        "claim_kind": one.claim_kind,
        "jurisdiction": one.jurisdiction,
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "items": [[item.amount_minor, item.currency] for item in one.items],
        "body": one.body,
        "body_opens": str(one.body_opens or ""),
        "body_closes": str(one.body_closes or ""),
        "limitation_on": str(one.limitation_on or ""),
        "limitation_rule": one.limitation.rule if one.limitation else "",
        "steps": _codes(one.reasons),
        "warnings": _codes(one.warnings),
        "missing_evidence": _codes(one.missing),
        "acts": [[act.code, str(act.last_day or ""), act.rule] for act in one.acts],
        "open_facts": list(one.open_facts),
    }


def _plain(where: str) -> str:
    """The path of a refused answer in words of the questions only: who filed it may have named an
    answer after a person."""
    return ".".join(
        part if part.isdigit() or part in words_asked() else "?" for part in where.split(".")
    )


@cache
def words_asked() -> frozenset[str]:
    """Every key of the questions, and of the entries of their lists."""
    facts = [fact for found in vocabulary().values() for fact in found.values()]
    return frozenset(str(name) for fact in facts for name in (fact["key"], *fact.get("of", {})))


def _codes(notes: tuple[Note, ...]) -> list[Any]:
    kept = ({k: v for k, v in n.params.items() if k not in PERSONAL} for n in notes)
    return [[note.code, params] for note, params in zip(notes, kept, strict=True)]


@cache
def law_version() -> str:
    """sha256 over the law's data files: two findings with one version rest on the same law."""
    digest = sha256()
    for path in sorted(DATA.rglob("*.yaml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
