"""Reading a case with everything around it in one statement; lists by keyset."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.authorisation import Principal, case_scope
from app.authorisation.principal import Kind
from app.authorisation.scope import case_scope_of_kind, scope_values
from app.cases.access import is_staff, no_case
from app.pagination import Paging, keyset
from app.tables.cases import CaseRow, ClaimantRow, LetterRow
from app.tables.correspondence import MessageRow
from app.tables.people import CompanyRow
from app.tables.security import AuditEntry

Row = Mapping[str, Any]  # column or label -> value

# Each part is one correlated aggregate over an index that leads with the case.
_SIDES: dict[str, str] = {
    "claimants": """SELECT coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'consumer_id',
        p.consumer_id, 'position', p.position, 'name', k.name, 'mandate', p.mandate,
        'mandate_id', p.mandate_id, 'signed_at', p.signed_at, 'receives_money', p.receives_money,
        'has_account', p.has_account, 'waits_until', p.waits_until,
        'level', p.level, 'valid_until', p.valid_until) ORDER BY p.position), '[]')
        FROM claimants p JOIN consumers k ON k.id = p.consumer_id WHERE p.case_id = cases.id""",
    "items": """SELECT coalesce(jsonb_agg(to_jsonb(i) - 'case_id' ORDER BY i.position), '[]')
        FROM claim_items i WHERE i.case_id = cases.id""",
    "letters": """SELECT coalesce(jsonb_agg(to_jsonb(l) - 'case_id' ORDER BY l.id), '[]')
        FROM letters l WHERE l.case_id = cases.id""",
    "offers_made": """SELECT coalesce(jsonb_agg(to_jsonb(o) - 'case_id' ORDER BY o.id), '[]')
        FROM offers o WHERE o.case_id = cases.id""",
    "questions_asked": """SELECT coalesce(jsonb_agg(to_jsonb(q) - 'case_id' ORDER BY q.id), '[]')
        FROM questions q WHERE q.case_id = cases.id""",
}
_STAFF_SIDES: dict[str, str] = {
    "open_tasks": """SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'kind', t.kind,
        'role', t.role, 'due_at', t.due_at, 'priority', t.priority,
        'priority_reason', t.priority_reason) ORDER BY t.priority, t.due_at), '[]')
        FROM tasks t WHERE t.case_id = cases.id AND t.state = 'open'""",
    "twins": """SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'reference', d.reference,
        'stage', d.stage) ORDER BY d.id), '[]')
        FROM cases d WHERE d.booking_ref = cases.booking_ref AND d.id <> cases.id
         AND (d.company_id = cases.company_id
              OR lower(d.company_text) = lower(cases.company_text))
         AND (d.consumer_id = cases.consumer_id OR EXISTS (
              SELECT 1 FROM claimants a JOIN claimants b ON b.consumer_id = a.consumer_id
               WHERE a.case_id = cases.id AND b.case_id = d.id))""",
}
_HISTORY = """SELECT coalesce(jsonb_agg(to_jsonb(h) ORDER BY h.seq DESC), '[]') FROM (
        SELECT seq, at, actor, code, params FROM audit_entries
         WHERE stream = 'case:' || cases.id <visible> ORDER BY seq DESC LIMIT 50) h"""
_VISIBLE = "AND NOT params ? 'internal'"


def _side(name: str, sql: str) -> Any:
    return literal_column(f"({sql})", JSONB).label(name)


def _history_side(staff: bool) -> Any:
    return _side("history", _HISTORY.replace("<visible>", "" if staff else _VISIBLE))


async def read_case_row(session: AsyncSession, principal: Principal, case_id: UUID) -> Row:
    """The case with its people, lines, letters, offers, questions and last entries.

    Raises NotFound for what is not the caller's.
    """
    values = {"case_id": case_id, **scope_values(principal)}
    # On the connection: there are no objects here for the session to keep.
    connection = await session.connection()
    row = (
        (await connection.execute(_reading(principal.kind, principal.roles), values))
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise no_case()
    return dict(row)


@lru_cache(maxsize=64)
def _reading(kind: Kind, roles: frozenset[str]) -> Any:
    """The statement of every caller of this kind, kept: building it costs more than running it."""
    caller = Principal(kind, roles=roles)
    staff = is_staff(caller)
    sides = _SIDES | (_STAFF_SIDES if staff else {})
    return (
        select(
            CaseRow.__table__,
            CompanyRow.legal_name,
            CompanyRow.brand,
            CompanyRow.status.label("company_status"),
            CompanyRow.mandate_level.label("company_mandate_level"),
            *(_side(name, sql) for name, sql in sides.items()),
            _history_side(staff),
        )
        .outerjoin(CompanyRow, CompanyRow.id == CaseRow.company_id)
        .where(CaseRow.id == bindparam("case_id"), case_scope_of_kind(caller))
    )


def _cut(rows: list[Any], limit: int) -> tuple[list[Any], Any]:
    """The page and its last row, if there are more."""
    return (rows[:limit], rows[limit - 1]) if len(rows) > limit else (rows, None)


async def read_case_lines(
    session: AsyncSession,
    principal: Principal,
    pages: Paging,
    *,
    stage: str | None,
    waiting_on: str | None,
    handler: UUID | None,
    company_id: UUID | None,
) -> tuple[list[Row], str | None]:
    """The caller's cases, newest first."""
    filters = {
        "stage": stage,
        "waiting_on": waiting_on,
        "handler": handler,
        "company_id": company_id,
    }
    query: Any = (
        select(
            CaseRow.id,
            CaseRow.reference,
            CaseRow.version,
            CaseRow.stage,
            CaseRow.waiting_on,
            CaseRow.due_at,
            CaseRow.outcome,
            CaseRow.company_text,
            CaseRow.claimed_minor,
            CaseRow.currency,
            CaseRow.language,
            CaseRow.opened_at,
            func.coalesce(CompanyRow.legal_name, CaseRow.company_text).label("company"),
        )
        .outerjoin(CompanyRow, CompanyRow.id == CaseRow.company_id)
        .where(case_scope(principal))
    )
    if principal.kind == "consumer":
        # Who filed is a claimant too: this leads the planner to the claimants' index, where the
        # scope's "or" alone would walk all cases.
        query = query.where(
            CaseRow.id.in_(
                select(ClaimantRow.case_id).where(ClaimantRow.consumer_id == principal.id)
            )
        )
    if stage is not None:
        query = query.where(CaseRow.stage == stage)
    if waiting_on is not None:
        query = query.where(CaseRow.waiting_on == waiting_on)
    if handler is not None:
        query = query.where(CaseRow.handler_id == handler)
    if company_id is not None:
        query = query.where(CaseRow.company_id == company_id)
    query = keyset(query, [CaseRow.id], pages.after("cases", filters), pages.limit, descending=True)
    rows, last = _cut(list((await session.execute(query)).mappings()), pages.limit)
    return rows, pages.next("cases", [last["id"]], filters) if last else None


async def read_history(
    session: AsyncSession, principal: Principal, case_id: UUID, pages: Paging
) -> tuple[list[Row], str | None]:
    """Entries of the case's history, newest first; internal ones for staff only."""
    stream = f"case:{case_id}"
    query: Any = select(
        AuditEntry.seq, AuditEntry.at, AuditEntry.actor, AuditEntry.code, AuditEntry.params
    ).where(AuditEntry.stream == stream)
    if not is_staff(principal):
        query = query.where(~AuditEntry.params.op("?", is_comparison=True)("internal"))
    query = keyset(query, [AuditEntry.seq], pages.after(stream), pages.limit, descending=True)
    rows, last = _cut(list((await session.execute(query)).mappings()), pages.limit)
    return rows, pages.next(stream, [last["seq"]]) if last else None


async def read_letters(
    session: AsyncSession, principal: Principal, case_id: UUID, pages: Paging
) -> tuple[list[Row], str | None]:
    """Letters of the case, oldest first: all for staff, for others those that have left."""
    query: Any = select(LetterRow.__table__).where(LetterRow.case_id == case_id)
    if not is_staff(principal):
        query = query.where(LetterRow.sent_at.is_not(None))
    name = f"letters:{case_id}"
    query = keyset(query, [LetterRow.id], pages.after(name), pages.limit)
    rows, last = _cut(list((await session.execute(query)).mappings()), pages.limit)
    return rows, pages.next(name, [last["id"]]) if last else None


# A consumer sees what they wrote and what was written to them; staff see the whole file.
_OWN_MESSAGES = text("""
    (messages.sender = 'consumer' AND (messages.from_address = :actor OR messages.from_address IN
        (SELECT email FROM consumers WHERE id = :me))
     OR messages.sender = 'us' AND messages.to_consumer_id = :me)
""")


async def read_messages(
    session: AsyncSession, principal: Principal, case_id: UUID, pages: Paging
) -> tuple[list[Row], str | None]:
    """Messages of the case, newest first."""
    query: Any = select(
        MessageRow.id,
        MessageRow.direction,
        MessageRow.sender,
        MessageRow.subject,
        MessageRow.text,
        MessageRow.received_at,
        MessageRow.reading,
        MessageRow.read_as,
        MessageRow.trust,
        MessageRow.trust_reasons,
        MessageRow.alerts,
        MessageRow.html.is_not(None).label("has_html"),
        MessageRow.state,
        MessageRow.delivery_status,
    ).where(MessageRow.case_id == case_id)
    if not is_staff(principal):
        query = query.where(_OWN_MESSAGES.bindparams(actor=principal.actor, me=principal.id))
    name = f"messages:{case_id}"
    query = keyset(query, [MessageRow.id], pages.after(name), pages.limit, descending=True)
    rows, last = _cut(list((await session.execute(query)).mappings()), pages.limit)
    return rows, pages.next(name, [last["id"]]) if last else None


def delivery_of(row: Row) -> Any:
    """What became of what we sent; None for what came in."""
    if row["direction"] == "in":
        return None
    return "handed_over" if row["state"] == "sent" else row["state"]


async def read_company_name(session: AsyncSession, case_id: UUID) -> str:
    """What the company of the case is called in sentences."""
    found = await session.scalar(
        select(func.coalesce(CompanyRow.legal_name, CaseRow.company_text))
        .select_from(CaseRow)
        .outerjoin(CompanyRow, CompanyRow.id == CaseRow.company_id)
        .where(CaseRow.id == case_id)
    )
    return str(found or "")


async def read_letter_hash(
    session: AsyncSession, principal: Principal, case_id: UUID, letter_id: UUID
) -> str | None:
    """The hash of a letter's bytes: for staff once it is made, for others once it has left."""
    query = select(LetterRow.sha256).where(LetterRow.id == letter_id, LetterRow.case_id == case_id)
    if not is_staff(principal):
        query = query.where(LetterRow.sent_at.is_not(None))
    return await session.scalar(query)
