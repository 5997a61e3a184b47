"""Lock case rows, then read everything decide() needs about them, each in one statement."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.case import Case
from app.domain.playbook import Reach
from app.engine import codec

_SIDES = """
       (SELECT coalesce(jsonb_agg(to_jsonb(t) - 'case_id' ORDER BY t.due_at), '[]')
          FROM case_timers t WHERE t.case_id = c.id) AS timers,
       (SELECT coalesce(jsonb_agg(to_jsonb(p) - 'case_id' ORDER BY p.position), '[]')
          FROM claimants p WHERE p.case_id = c.id) AS claimants,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'amount_minor', i.amount_minor,
               'earns_fee', i.earns_fee, 'creditor_id', i.creditor_id, 'kind', i.kind,
               'counted', i.counted) ORDER BY i.position), '[]')
          FROM claim_items i WHERE i.case_id = c.id) AS items,
       (SELECT to_jsonb(l) - 'case_id' - 'created_at' - 'prepared_by'
          FROM letters l WHERE l.id = c.letter_id) AS letter,
       (SELECT coalesce(jsonb_object_agg(h.kind, h.state), '{}') FROM (
          SELECT kind, CASE WHEN bool_or(official AND health IN ('alive', 'degraded'))
                            THEN 'official'
                            WHEN bool_or(health IN ('alive', 'degraded')) THEN 'works'
                            ELSE 'dead' END AS state
            FROM channels WHERE company_id = c.company_id AND kind <> 'phone' GROUP BY kind) h
       ) AS reach,
       (SELECT m.mandate_level FROM companies m WHERE m.id = c.company_id) AS company_level
"""
OFFICIAL_ORDER = ("email", "post", "portal")
_IDS = bindparam("ids", type_=ARRAY(UUID(as_uuid=True)))
# Locking and reading are two statements. One that waits for a lock sees the locked row as it is
# then, but what it reads beside it as it was before the wait: the timers of an older decision.
_LOCK_TEXT = "SELECT id FROM cases WHERE id = ANY(:ids) ORDER BY id FOR UPDATE"
_LOCK = text(_LOCK_TEXT).bindparams(_IDS)
# SKIP LOCKED: a case that someone else is moving is theirs; the sweep comes again.
_LOCK_FREE = text(_LOCK_TEXT + " SKIP LOCKED").bindparams(_IDS)
_LOCK_DUE = text("""
    SELECT id FROM cases
     WHERE next_wake_at <= :now AND parked_reason IS NULL
     ORDER BY next_wake_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
""")
_PEEK = text(f"SELECT c.*, {_SIDES} FROM cases c WHERE c.id = ANY(:ids)").bindparams(_IDS)


@dataclass(slots=True)
class Loaded:
    """One locked case: its value, its row and how it looked when it was read."""

    case: Case
    row: dict[str, Any]

    @property
    def version(self) -> int:
        return int(self.row["version"])

    @property
    def reach(self) -> Reach:
        """The ways to this company. A form on paper or screen comes after a mail address."""
        kinds: dict[str, str] = self.row["reach"]
        return Reach(
            dead=frozenset(k for k in ("email", "post") if kinds.get(k) == "dead"),
            portal=kinds.get("portal", "dead") != "dead",
            official=tuple(k for k in OFFICIAL_ORDER if kinds.get(k) == "official"),
            mandate_level=self.row["company_level"],
        )


async def lock_cases(
    session: AsyncSession, ids: Sequence[uuid.UUID], *, skip_locked: bool = False
) -> dict[uuid.UUID, Loaded]:
    """Locked in id order, so that two batches never wait for each other in a circle."""
    locked = await session.execute(_LOCK_FREE if skip_locked else _LOCK, {"ids": list(ids)})
    rows = await _rows(session, list(locked.scalars()))
    return {case_id: decoded(row) for case_id, row in rows.items()}


async def lock_due(
    session: AsyncSession, now: datetime, limit: int
) -> dict[uuid.UUID, dict[str, Any]]:
    """Rows of up to `limit` cases with something due: "due and not done", never "became due since".

    Rows, not values: one that this code cannot read must not stop the others (`decoded` reads it).
    """
    locked = await session.execute(_LOCK_DUE, {"now": now, "limit": limit})
    return await _rows(session, list(locked.scalars()))


async def _rows(session: AsyncSession, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[str, Any]]:
    """The rows of cases, by id, as they stand now."""
    if not ids:
        return {}
    found = (await session.execute(_PEEK, {"ids": list(ids)})).mappings()
    return {row["id"]: dict(row) for row in found}


async def read_case(session: AsyncSession, case_id: uuid.UUID) -> Loaded | None:
    """Without a lock, for showing; never decide on it."""
    row = (await session.execute(_PEEK, {"ids": [case_id]})).mappings().one_or_none()
    return decoded(dict(row)) if row else None


async def read_cases(session: AsyncSession, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Loaded]:
    """Several without a lock, for showing; never decide on them."""
    return {case_id: decoded(row) for case_id, row in (await _rows(session, ids)).items()}


def decoded(row: dict[str, Any]) -> Loaded:
    """Raises pydantic's ValidationError for a row of another age or a broken one."""
    return Loaded(case=codec.load(row), row=row)
