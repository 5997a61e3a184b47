"""Write what was decided: any number of cases, every table, one statement, one round trip.

Each part is a data-modifying CTE fed by `jsonb_to_recordset`, so the cost of a batch is one parse
and a handful of index writes per case, not a conversation. A part without rows is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import StaleVersion
from app.engine import codec
from app.outbox import STAGED
from app.tables.cases import CaseRow, ClaimantRow, ClaimItemRow, LetterRow
from app.tables.effects import EffectRow
from app.tables.people import ConsumerRow
from app.tables.security import AuditEntry
from app.tables.work import TaskRow

Rows = dict[str, list[dict[str, Any]]]
_DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # untyped upstream
_MANDATE = (
    "mandate", "mandate_id", "signed_at", "receives_money", "has_account", "waits_until", "level",
    "valid_until",
)  # fmt: skip


def _types(table: Any, names: tuple[str, ...]) -> str:
    """`name type, ...` for jsonb_to_recordset, from the table itself. bytea travels as hex text."""
    kinds = {c.key: c.type.compile(dialect=_DIALECT) for c in table.__table__.columns}
    return ", ".join(f"{n} {'text' if kinds[n] == 'BYTEA' else kinds[n]}" for n in names)


def _values(table: Any, names: tuple[str, ...]) -> str:
    byteas = {c.key for c in table.__table__.columns if c.type.python_type is bytes}
    return ", ".join(f"decode(r.{n}, 'hex')" if n in byteas else f"r.{n}" for n in names)


def _insert(table: Any, part: str, conflict: str = "") -> tuple[str, tuple[str, ...]]:
    names = tuple(
        c.key for c in table.__table__.columns if c.server_default is None and c.key != "txid"
    )
    sql = (
        f"INSERT INTO {table.__tablename__} ({', '.join(names)}) SELECT {_values(table, names)}"
        f" FROM jsonb_to_recordset(CAST(:{part} AS jsonb)) AS r({_types(table, names)}) {conflict}"
    )
    return sql, names


_POSITION = (*codec.POSITION, *codec.DERIVED, "extra")
_MOVED = (*_POSITION, "audit_seq", "audit_head")
_LETTER_CHANGES = (
    "state",
    "n",
    "channel",
    "sha256",
    "approved_by",
    "sent_at",
    "delivered_at",
    "evidence_grade",
    "recipient",
    "prepared_by",
)
_TIMER_TYPES = "case_id uuid, kind text, key text, due_at timestamptz, step bigint, basis jsonb"

_INSERTS = {
    "consumers": _insert(ConsumerRow, "consumers"),
    "new_cases": _insert(CaseRow, "new_cases"),
    "new_claimants": _insert(ClaimantRow, "new_claimants"),
    "new_items": _insert(ClaimItemRow, "new_items"),
    "letters": _insert(
        LetterRow,
        "letters",
        "ON CONFLICT (id) DO UPDATE SET "
        + ", ".join(f"{c} = excluded.{c}" for c in _LETTER_CHANGES),
    ),
    "tasks": _insert(
        TaskRow,
        "tasks",
        "ON CONFLICT (case_id, kind, key) WHERE state = 'open' DO UPDATE SET"
        " due_at = least(tasks.due_at, excluded.due_at), subject_id = excluded.subject_id,"
        " priority = least(tasks.priority, excluded.priority)",
    ),
    "audit": _insert(AuditEntry, "audit"),
    # The same business key is the same order: a second one changes nothing.
    "effects": _insert(EffectRow, "effects", "ON CONFLICT (business_key) DO NOTHING"),
}
_UPDATES = {
    "cases": (
        "UPDATE cases c SET version = c.version + 1, "
        + ", ".join(
            f"{n} = decode(r.{n}, 'hex')" if n == "audit_head" else f"{n} = r.{n}" for n in _MOVED
        )
        + " FROM jsonb_to_recordset(CAST(:cases AS jsonb))"
        + f" AS r(id uuid, version_read bigint, {_types(CaseRow, _MOVED)})"
        + " WHERE c.id = r.id AND c.version = r.version_read RETURNING c.id"
    ),
    "timers_gone": (
        "DELETE FROM case_timers t USING jsonb_to_recordset(CAST(:timers_gone AS jsonb))"
        " AS r(case_id uuid, kind text, key text)"
        " WHERE t.case_id = r.case_id AND t.kind = r.kind AND t.key = r.key"
    ),
    "timers": (
        "INSERT INTO case_timers (case_id, kind, key, due_at, step, basis)"
        " SELECT r.case_id, r.kind, r.key, r.due_at, r.step, r.basis"
        f" FROM jsonb_to_recordset(CAST(:timers AS jsonb)) AS r({_TIMER_TYPES})"
        " ON CONFLICT (case_id, kind, key) DO UPDATE SET due_at = excluded.due_at,"
        " step = excluded.step, basis = excluded.basis"
    ),
    "claimants": (
        f"UPDATE claimants p SET {', '.join(f'{n} = r.{n}' for n in _MANDATE)}"
        " FROM jsonb_to_recordset(CAST(:claimants AS jsonb))"
        f" AS r({_types(ClaimantRow, ('id', *_MANDATE))})"
        " WHERE p.id = r.id"
    ),
    "mandates_ended": (
        "UPDATE mandates m SET revoked_at = r.at"
        " FROM jsonb_to_recordset(CAST(:mandates_ended AS jsonb)) AS r(id uuid, at timestamptz)"
        " WHERE m.id = r.id AND m.revoked_at IS NULL"
    ),
    "links_ended": (
        "UPDATE document_links l SET revoked_at = r.at, revoked_by = r.by"
        " FROM jsonb_to_recordset(CAST(:links_ended AS jsonb))"
        " AS r(case_id uuid, at timestamptz, by text)"
        " WHERE l.case_id = r.case_id AND l.revoked_at IS NULL AND l.expires_at > r.at"
    ),
    "offers": (
        "UPDATE offers o SET state = r.state, answer_by = r.answer_by"
        " FROM jsonb_to_recordset(CAST(:offers AS jsonb))"
        " AS r(id uuid, state text, answer_by timestamptz) WHERE o.id = r.id"
    ),
    "tasks_closed": (
        "UPDATE tasks t SET state = r.state, closed_at = r.closed_at, closed_by = r.closed_by"
        " FROM jsonb_to_recordset(CAST(:tasks_closed AS jsonb)) AS r(case_id uuid, kind text,"
        " key text, except_keys jsonb, state text, closed_at timestamptz, closed_by text)"
        " WHERE t.case_id = r.case_id AND t.kind = r.kind AND t.state = 'open'"
        " AND (r.key IS NULL OR t.key = r.key) AND NOT r.except_keys ? t.key"
    ),
}
_ORDER = (
    "consumers",
    "new_cases",
    "new_claimants",
    "new_items",
    "cases",
    "timers_gone",
    "timers",
    "claimants",
    "mandates_ended",
    "links_ended",
    "letters",
    "offers",
    "tasks_closed",
    "tasks",
    "audit",
    "effects",
)


@dataclass(frozen=True, slots=True)
class Beside:
    """A write of another part that rides in the same statement: a person's key, a remembered
    answer. `sql` is one INSERT or UPDATE; its parameters bear names no other part uses."""

    name: str
    sql: str
    params: dict[str, Any]


async def write_rows(session: AsyncSession, rows: Rows, beside: Sequence[Beside] = ()) -> None:
    """One statement for all of it. Raises what the database refuses, and StaleVersion when a case
    is not as it was read (its lock was not held); rolled back, nothing is half-written."""
    parts = tuple(part for part in _ORDER if rows.get(part))
    if not parts and not beside:
        return
    params: dict[str, Any] = {part: codec.as_json(rows[part]) for part in parts}
    for other in beside:
        params |= other.params
    if rows.get("effects"):
        session.info[STAGED] = True
    statement = _statement(parts, tuple((other.name, other.sql) for other in beside))
    written = (await session.execute(statement, params)).scalar_one()
    if written != len(rows.get("cases", ())):
        raise StaleVersion("a case was changed between reading and writing; nothing was written")


@lru_cache(maxsize=256)
def _statement(parts: tuple[str, ...], beside: tuple[tuple[str, str], ...]) -> TextClause:
    """Kept: reading some kilobytes of SQL for its parameters costs more than filling them in."""
    ctes = [
        f"{part}_ AS ({_UPDATES[part] if part in _UPDATES else _INSERTS[part][0]})"
        for part in parts
    ]
    ctes += [f"{name}_ AS ({sql})" for name, sql in beside]
    moved = "(SELECT count(*) FROM cases_)" if "cases" in parts else "0"
    return text("WITH " + ",\n".join(ctes) + f"\nSELECT {moved}")


def new_rows() -> Rows:
    return defaultdict(list)
