"""Filing, changing and submitting a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.authorisation import Principal
from app.cases.access import OwnCase, check_sent, own_case
from app.cases.schemas import CaseView
from app.cases.views import FILED, case_view
from app.crypto import Keyring
from app.domain.case import Case
from app.domain.errors import Conflict
from app.domain.events import CaseDrafted, CaseSubmitted
from app.engine import Beside, NewCase, Outcome, codec
from app.fields import FieldsRefused
from app.intake import rules
from app.intake.build import items_of, new_case, people_of, refuse_incomplete
from app.intake.ladder import playbook_for
from app.intake.opening import Opening, read_opening
from app.intake.schemas import CaseIn, ClaimChange, ItemIn
from app.moment import read_moment
from app.playbooks import book
from app.tables.cases import CaseRow, ClaimantRow, ClaimItemRow

_DATA_KEYS = """INSERT INTO data_keys (subject_id, key_id, wrapped, created_at)
    SELECT r.subject_id, r.key_id, decode(r.wrapped, 'hex'), r.created_at
      FROM jsonb_to_recordset(CAST(:data_keys AS jsonb))
        AS r(subject_id uuid, key_id text, wrapped text, created_at timestamptz)"""
FILED_BY = {"consumer": "consumer", "app": "app", "staff": "handler"}

Finish = Callable[[CaseView], Sequence[Beside]]


class NotADraft(Conflict):
    """The case was submitted; what was said then stands."""

    code = "case_not_a_draft"


async def file_case(
    session: AsyncSession,
    body: CaseIn,
    principal: Principal,
    keyring: Keyring,
    *,
    source: str | None = None,
    finish: Finish | None = None,
) -> CaseView:
    """A new case, submitted or as a draft: one reading statement, one writing statement.

    `source` is phone or paper when staff file for somebody; `finish` may add writes that need the
    answer (the remembered answer of an Idempotency-Key). Raises FieldsRefused, TransitionRefused.
    """
    rules.check_people(body, principal)
    me = principal.id if principal.kind == "consumer" else None
    company = body.claim.company
    people_in = [p for p in (body.consumer, *body.party) if p is not None]
    opening = await read_opening(
        session,
        emails=[p.email for p in people_in if p.email],
        me=me,
        company_id=company.company_id if company else None,
    )
    now = opening.moment.now
    where = book.place_of_law(body.claim.jurisdiction, body.claim.answers)
    playbook = playbook_for(body.claim.claim_kind, where, now.date())
    rules.check_facts(body, opening, principal, book.local_day(playbook, now))
    people = people_of(body, opening, keyring)
    new = new_case(
        body,
        opening,
        people,
        playbook=playbook,
        source=source or (principal.actor if principal.kind == "app" else "consumer"),
        company_known=bool(opening.company and opening.company["status"] == "confirmed"),
    )
    if body.submit:
        refuse_incomplete({**new.columns, "items": new.items}, body.claim.language)
    return await _create(session, new, people.keys, body, opening, principal, finish)


async def _create(
    session: AsyncSession,
    new: NewCase,
    keys: list[dict[str, Any]],
    body: CaseIn,
    opening: Opening,
    principal: Principal,
    finish: Finish | None,
) -> CaseView:
    event: CaseDrafted | CaseSubmitted = (
        CaseSubmitted(filed_by=FILED_BY[principal.kind]) if body.submit else CaseDrafted()
    )
    seen: list[CaseView] = []
    names = new.columns["answers"][FILED]["names"]

    def beside(outcome: Outcome) -> list[Beside]:
        view = case_view(_as_read(new, outcome, opening, names), principal)
        seen.append(view)
        fresh = [Beside("data_keys", _DATA_KEYS, {"data_keys": codec.as_json(keys)})]
        return [*(fresh if keys else ()), *(finish(view) if finish else ())]

    try:
        await engine.create(
            session, new, event, actor=principal.actor, moment=opening.moment, beside=beside
        )
    except IntegrityError as refused:
        # Two filings for the same new person at the same instant: the second finds them next time.
        if "uq_consumers_email" in str(refused.orig):
            raise Conflict(
                "somebody is filing for the same person right now; try again", code="busy"
            ) from None
        raise
    return seen[0]


def _as_read(new: NewCase, outcome: Outcome, opening: Opening, names: list[str]) -> dict[str, Any]:
    """The row `read_case_row` would find, from what is about to be written."""
    case: Case = outcome.case
    plain = outcome.plain()
    company = opening.company or {}
    claimants = [{**c, "name": name} for c, name in zip(new.claimants, names, strict=True)]
    history = [
        {
            "seq": at,
            "at": outcome.now,
            "actor": actor,
            "code": h.code,
            "params": dict(h.params) | ({} if h.visible_to_consumer else {"internal": "1"}),
        }
        for at, (actor, h) in enumerate(outcome.history, start=1)
    ]
    return {
        **new.columns,
        **plain,
        "id": case.id,
        "version": 1,
        "claimed_minor": case.claimed_minor,
        "parked_reason": None,
        "legal_name": company.get("legal_name"),
        "brand": company.get("brand"),
        "claimants": claimants,
        "items": new.items,
        "letters": [],
        "offers_made": [],
        "questions_asked": [],
        "history": history[::-1],
        "open_tasks": [],
        "twins": [],
    }


async def change_draft(
    session: AsyncSession, principal: Principal, case_id: UUID, change: ClaimChange, sent: int
) -> None:
    """Replaces the given parts of a draft. Raises NotFound, StaleVersion, NotADraft."""
    case = await _draft(session, principal, case_id, sent)
    company = change.company
    opening = await read_opening(
        session, emails=[], me=None, company_id=company.company_id if company else None
    )
    given = change.model_fields_set
    if not given:
        return
    today = book.local_day(case.playbook, opening.moment.now)
    errors = rules.check_dates(change.first_written_complaint, today)
    errors += rules.check_items(change.items or [], principal)
    errors += rules.check_company(company, opening)
    if errors:
        raise FieldsRefused(*errors)
    columns: dict[str, Any] = {}
    if "booking_reference" in given:
        columns["booking_ref"] = change.booking_reference
    if "what_happened" in given:
        columns["what_happened"] = change.what_happened or ""
    if "first_written_complaint" in given:
        columns["first_written_complaint"] = change.first_written_complaint
    if change.language is not None:
        columns["language"] = change.language
    if "company" in given:
        columns |= _company_columns(change, opening)
    if "answers" in given or "company" in given:
        columns["answers"] = await _answers(session, case, change)
    if change.items is not None:
        columns["claimed_minor"] = await _replace_items(session, case, change.items)
    await engine.amend(
        session,
        case.id,
        columns,
        code="draft_changed",
        actor=principal.actor,
        params={"fields": ", ".join(sorted(given))},
        moment=opening.moment,
    )


def _company_columns(change: ClaimChange, opening: Opening) -> dict[str, Any]:
    found, said = opening.company, change.company
    return {
        "company_id": UUID(found["id"]) if found else None,
        "company_text": found["legal_name"] if found else (said.name or "") if said else "",
        "company_known": bool(found and found["status"] == "confirmed"),
    }


async def _answers(session: AsyncSession, case: OwnCase, change: ClaimChange) -> dict[str, Any]:
    stored = await session.scalar(select(CaseRow.answers).where(CaseRow.id == case.id)) or {}
    filed = dict(stored.get(FILED, {}))
    if "company" in change.model_fields_set:
        filed.pop("brand", None)
        filed.pop("country", None)
        if change.company is not None:
            said = {"brand": change.company.brand, "country": change.company.country}
            filed |= {k: v for k, v in said.items() if v}
    answers = change.answers if change.answers is not None else stored
    return {**answers, FILED: filed}


async def _replace_items(session: AsyncSession, case: OwnCase, items: list[ItemIn]) -> int:
    """The draft's lines anew; returns what they claim in minor units."""
    claimants = list(
        await session.scalars(
            select(ClaimantRow.id)
            .where(ClaimantRow.case_id == case.id)
            .order_by(ClaimantRow.position)
        )
    )
    rows = items_of(items, case.id, claimants, case.currency)
    await session.execute(delete(ClaimItemRow).where(ClaimItemRow.case_id == case.id))
    if rows:
        await session.execute(
            insert(ClaimItemRow),
            [row | {k: UUID(row[k]) for k in ("id", "case_id", "creditor_id")} for row in rows],
        )
    return sum(row["amount_minor"] for row in rows if row["counted"])


async def submit(session: AsyncSession, principal: Principal, case_id: UUID, sent: int) -> None:
    """Hands a draft in. Raises FieldsRefused with what is missing, NotADraft, StaleVersion."""
    case = await _draft(session, principal, case_id, sent)
    row = (
        await session.execute(
            select(CaseRow.company_text, CaseRow.what_happened).where(CaseRow.id == case.id)
        )
    ).one()
    items = [
        dict(i)
        for i in (
            await session.execute(
                select(ClaimItemRow.counted).where(ClaimItemRow.case_id == case.id)
            )
        ).mappings()
    ]
    refuse_incomplete(
        {"company_text": row.company_text, "what_happened": row.what_happened, "items": items},
        case.language,
    )
    moment = await read_moment(session)
    await engine.advance(
        session,
        case.id,
        CaseSubmitted(filed_by=FILED_BY[principal.kind]),
        actor=principal.actor,
        moment=moment,
    )


async def _draft(session: AsyncSession, principal: Principal, case_id: UUID, sent: int) -> OwnCase:
    case = await own_case(session, principal, case_id, lock=True)
    check_sent(case, sent)
    if case.stage != "intake":
        raise NotADraft("this case was submitted already", stage=case.stage)
    return case
