"""The effects journal: stage, claim, record. PostgreSQL is the queue of record; the row is the job.

Order of locks, always: the case first, then the effect. Leases run on the database's clock. An
expired lease of a provider without keys becomes `unknown`, never `planned` again.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.clock import wall_now
from app.domain.effects import AnyEffect
from app.tables.effects import EffectAttemptRow, EffectRow

_NOT_PAYLOAD = ("id", "case_id", "not_before")
STAGED = "staged"  # set in a session's info: after the commit somebody should ring the bell
DETAIL_LENGTH_MAX = 2_000  # characters of a provider's answer kept in the attempt log


def effect_row(effect: AnyEffect, *, stream: str, now: datetime, wall: datetime) -> dict[str, Any]:
    """The journal row of an order, as plain JSON values."""
    payload = {
        f.name: getattr(effect, f.name)
        for f in dataclasses.fields(effect)
        if f.name not in _NOT_PAYLOAD
    }
    case_id = getattr(effect, "case_id", None)
    return {
        "id": str(effect.id),
        "stream": stream,
        "case_id": str(case_id) if case_id else None,
        "lane": effect.LANE,
        "kind": type(effect).__name__,
        "version": effect.VERSION,
        "business_key": effect.business_key,
        "payload": orjson.loads(_json(payload)),
        "not_before": (effect.not_before or now).isoformat(),
        "staged_at": wall.isoformat(),
    }


async def stage(
    session: AsyncSession, effects: Sequence[AnyEffect], *, stream: str, now: datetime
) -> None:
    """Orders that belong to no case, in the transaction that caused them."""
    wall = wall_now()
    rows = []
    for effect in effects:
        row = effect_row(effect, stream=stream, now=now, wall=wall)
        row |= {"id": effect.id, "not_before": effect.not_before or now, "staged_at": wall}
        rows.append(row)
    if rows:
        session.info[STAGED] = True
        await session.execute(
            pg_insert(EffectRow).on_conflict_do_nothing(index_elements=["business_key"]), rows
        )


@dataclass(frozen=True, slots=True)
class Claimed:
    """An order this worker holds the lease of, until `lease_epoch` is overtaken."""

    id: uuid.UUID
    stream: str
    case_id: uuid.UUID | None
    lane: str
    kind: str
    version: int
    payload: dict[str, Any]
    epoch: int
    attempts: int  # times it was dispatched
    stumbles: int  # times it came back before that: its worker died, or our own code failed
    staged_at: datetime
    dispatched_at: datetime | None  # when it was first sent, if this is a retry under the same key
    provider: str | None  # whom it was sent to, when that end was not seen; None: nobody yet
    unseen: bool  # the end of an earlier try was not seen: `provider` may have carried it out


# Lane heads: the oldest live order of each (stream, lane). `unknown` in front blocks its lane; a
# future not_before holds up only its own lane; with outgoing paused nothing is claimed but renders.
# Kinds this code does not know wait for the code that does (reconcile parks them in the end).
_CANDIDATES = text("""
    SELECT e.id, e.case_id, e.kind, e.version, e.payload, e.unseen_at IS NOT NULL AS unseen
      FROM effects e
     WHERE e.state = 'planned' AND e.not_before <= :now AND e.lane = ANY(:lanes)
       AND e.kind || '/' || e.version = ANY(:kinds)
       AND (NOT :paused OR e.lane = 'render')
       AND NOT EXISTS (SELECT 1 FROM effects o
                        WHERE o.stream = e.stream AND o.lane = e.lane AND o.id < e.id
                          AND o.state IN ('planned', 'sending', 'unknown'))
     ORDER BY e.not_before, e.id
     LIMIT :limit
""")
_LEASE = text("""
    UPDATE effects e
       SET state = 'sending', lease_epoch = lease_epoch + 1,
           lease_until = clock_timestamp() + make_interval(secs => :lease),
           provider = CASE WHEN unseen_at IS NULL THEN NULL ELSE provider END
     WHERE e.id IN (SELECT id FROM effects WHERE id = ANY(:ids) AND state = 'planned'
                     ORDER BY id FOR UPDATE SKIP LOCKED)
       AND NOT EXISTS (SELECT 1 FROM effects s WHERE s.stream = e.stream AND s.lane = e.lane
                        AND s.state = 'sending')
    RETURNING e.id, e.stream, e.case_id, e.lane, e.kind, e.version, e.payload, e.lease_epoch,
              e.attempts, e.stumbles, e.staged_at, e.dispatched_at, e.provider,
              e.unseen_at IS NOT NULL AS unseen
""")
# The last word before the first byte: from here on the order counts as sent to `provider`, and the
# try counts. A row that is not returned belongs to someone else, and nothing may leave.
_DISPATCH = text("""
    UPDATE effects e
       SET provider = mine.provider, dispatched_at = coalesce(dispatched_at, clock_timestamp()),
           attempts = attempts + 1,
           lease_until = clock_timestamp() + make_interval(secs => :lease)
      FROM unnest(CAST(:ids AS uuid[]), CAST(:epochs AS bigint[]), CAST(:providers AS text[]))
           AS mine(id, epoch, provider)
     WHERE e.id = mine.id AND e.lease_epoch = mine.epoch AND e.state = 'sending'
    RETURNING e.id, e.attempts
""")
_RENEW = text("""
    UPDATE effects e SET lease_until = clock_timestamp() + make_interval(secs => :lease)
      FROM unnest(CAST(:ids AS uuid[]), CAST(:epochs AS bigint[])) AS mine(id, epoch)
     WHERE e.id = mine.id AND e.lease_epoch = mine.epoch AND e.state = 'sending'
    RETURNING e.id
""")
_SETTLE = text("""
    UPDATE effects e
       SET state = r.state, settled_at = clock_timestamp(), lease_until = NULL,
           provider = coalesce(r.provider, e.provider),
           provider_ref = coalesce(r.provider_ref, e.provider_ref),
           cause = r.cause, not_before = coalesce(r.not_before, e.not_before),
           stumbles = e.stumbles + CASE WHEN r.stumbled THEN 1 ELSE 0 END,
           unseen_at = CASE WHEN r.unseen THEN coalesce(e.unseen_at, clock_timestamp())
                            WHEN r.state IN ('done', 'failed') THEN NULL ELSE e.unseen_at END
      FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r(id uuid, epoch bigint, state text,
           provider text, provider_ref text, cause text, not_before timestamptz,
           stumbled boolean, unseen boolean)
     WHERE e.id = r.id AND e.lease_epoch = r.epoch AND e.state = 'sending'
    RETURNING e.id
""")
_EXPIRED = text("""
    SELECT id, stream, case_id, lane, kind, version, payload, lease_epoch, attempts, stumbles,
           staged_at, dispatched_at, provider, unseen_at IS NOT NULL AS unseen,
           extract(epoch FROM clock_timestamp() - dispatched_at) AS age_seconds
      FROM effects
     WHERE state = 'sending' AND lease_until < clock_timestamp() AND lane = ANY(:lanes)
       AND id <> ALL(CAST(:mine AS uuid[]))
     ORDER BY lease_until LIMIT :limit
""")
_RETAKE = text("""
    UPDATE effects
       SET lease_epoch = lease_epoch + 1, unseen_at = coalesce(unseen_at, clock_timestamp()),
           lease_until = clock_timestamp() + make_interval(secs => :lease)
     WHERE id = :id AND lease_epoch = :epoch AND state = 'sending'
       AND lease_until < clock_timestamp()
    RETURNING id, stream, case_id, lane, kind, version, payload, lease_epoch, attempts, stumbles,
              staged_at, dispatched_at, provider, true AS unseen
""")
_GIVE_UP = text("""
    UPDATE effects
       SET state = :state, lease_until = NULL, lease_epoch = lease_epoch + 1, cause = :cause,
           stumbles = stumbles + CASE WHEN :state = 'unknown' THEN 0 ELSE 1 END,
           settled_at = CASE WHEN :state = 'planned' THEN NULL ELSE clock_timestamp() END
     WHERE id = :id AND lease_epoch = :epoch AND state = 'sending'
       AND lease_until < clock_timestamp()
""")


# Before the first byte a worker may hand an order back: nobody else needs to wait for its lease,
# and what never left is no try.
_RELEASE = text("""
    UPDATE effects e SET state = 'planned', lease_until = NULL, lease_epoch = lease_epoch + 1
      FROM unnest(CAST(:ids AS uuid[]), CAST(:epochs AS bigint[])) AS mine(id, epoch)
     WHERE e.id = mine.id AND e.lease_epoch = mine.epoch AND e.state = 'sending'
       AND e.provider IS NULL
    RETURNING e.id
""")
_UNKNOWN = text("""
    UPDATE effects SET state = 'unknown', cause = :cause, settled_at = clock_timestamp()
     WHERE id = :id AND state = 'planned'
""")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order that may be taken now; nothing of it is locked yet."""

    id: uuid.UUID
    case_id: uuid.UUID | None
    kind: str
    version: int
    payload: dict[str, Any]
    unseen: bool  # as in Claimed


@dataclass(frozen=True, slots=True)
class Settlement:
    """How an act ended. `not_before` (business time) belongs to `planned`: try again then.

    `stumbled`: our own code failed before anything left. `unseen`: whether the provider carried it
    out could not be seen, and the order will be repeated under its key.
    """

    id: uuid.UUID
    epoch: int
    state: str
    provider: str | None = None
    provider_ref: str | None = None
    cause: str | None = None
    not_before: datetime | None = None
    stumbled: bool = False
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of the attempt log."""

    effect_id: uuid.UUID
    epoch: int
    worker: str
    what: str
    detail: str


async def candidates(
    session: AsyncSession,
    *,
    now: datetime,
    limit: int,
    paused: bool,
    lanes: Sequence[str],
    kinds: Sequence[str],
) -> list[Candidate]:
    """The oldest orders that may be taken now. `kinds` are the `Name/version` this code knows."""
    rows = await session.execute(
        _CANDIDATES,
        {"now": now, "limit": limit, "paused": paused, "lanes": list(lanes), "kinds": list(kinds)},
    )
    return [Candidate(r.id, r.case_id, r.kind, r.version, r.payload, r.unseen) for r in rows]


async def lease(
    session: AsyncSession, ids: Sequence[uuid.UUID], *, lease_seconds: float
) -> list[Claimed]:
    """Mark `sending` before the first byte leaves. The caller holds the cases' locks."""
    rows = await session.execute(_LEASE, {"ids": list(ids), "lease": lease_seconds})
    return [_claimed(r) for r in rows]


async def renew(
    session: AsyncSession, claimed: Sequence[Claimed], *, lease_seconds: float
) -> set[uuid.UUID]:
    """The heartbeat of long calls. An id that is missing in the answer is someone else's now."""
    rows = await session.execute(
        _RENEW,
        {
            "ids": [c.id for c in claimed],
            "epochs": [c.epoch for c in claimed],
            "lease": lease_seconds,
        },
    )
    return {r.id for r in rows}


async def dispatch(
    session: AsyncSession, orders: Sequence[tuple[Claimed, str]], *, lease_seconds: float
) -> dict[uuid.UUID, int]:
    """Say whom each order is being sent to, just before it is: by id, the how manieth try this is.
    An id that is missing in the answer was taken over: nothing may leave."""
    rows = await session.execute(
        _DISPATCH,
        {
            "ids": [c.id for c, _ in orders],
            "epochs": [c.epoch for c, _ in orders],
            "providers": [provider for _, provider in orders],
            "lease": lease_seconds,
        },
    )
    return {r.id: r.attempts for r in rows}


async def release(session: AsyncSession, claimed: Sequence[Claimed]) -> set[uuid.UUID]:
    """Hand back orders that were not dispatched; those that were stay as they are."""
    rows = await session.execute(
        _RELEASE, {"ids": [c.id for c in claimed], "epochs": [c.epoch for c in claimed]}
    )
    return {r.id for r in rows}


async def settle(session: AsyncSession, settlements: Sequence[Settlement]) -> set[uuid.UUID]:
    """Record the ends of acts in one statement. An id that is missing in the answer belongs to a
    stale worker: nothing was written, only its attempt log may be."""
    rows = await session.execute(
        _SETTLE, {"rows": _json([dataclasses.asdict(s) for s in settlements])}
    )
    return {r.id for r in rows}


async def expired(
    session: AsyncSession, *, lanes: Sequence[str], limit: int, mine: Sequence[uuid.UUID] = ()
) -> list[tuple[Claimed, float]]:
    """Orders whose worker died or hangs, each with the seconds since its first dispatch; not those
    this worker itself still holds (`mine`): its heartbeat was only late."""
    rows = await session.execute(
        _EXPIRED, {"limit": limit, "lanes": list(lanes), "mine": list(mine)}
    )
    return [(_claimed(r), float(r.age_seconds or 0)) for r in rows]


async def retake(
    session: AsyncSession, effect_id: uuid.UUID, epoch: int, *, lease_seconds: float
) -> Claimed | None:
    """Take over an expired lease to repeat the call under the same key and bytes."""
    row = (
        await session.execute(_RETAKE, {"id": effect_id, "epoch": epoch, "lease": lease_seconds})
    ).one_or_none()
    return _claimed(row) if row else None


async def give_up(
    session: AsyncSession, effect_id: uuid.UUID, epoch: int, *, state: str, cause: str
) -> bool:
    """An expired lease that may not be repeated becomes unknown or parked; planned again where it
    had not been dispatched."""
    done = await session.execute(
        _GIVE_UP, {"id": effect_id, "epoch": epoch, "state": state, "cause": cause}
    )
    return int(done.rowcount) == 1  # type: ignore[attr-defined]  # CursorResult in fact


async def park(session: AsyncSession, ids: Sequence[uuid.UUID], *, cause: str) -> None:
    """Planned orders that this code cannot digest; a person settles them."""
    await session.execute(
        text(
            "UPDATE effects SET state = 'parked', cause = :cause,"
            " settled_at = clock_timestamp() WHERE id = ANY(:ids) AND state = 'planned'"
        ),
        {"ids": list(ids), "cause": cause[:300]},
    )


async def mark_unknown(session: AsyncSession, effect_id: uuid.UUID, *, cause: str) -> None:
    """A planned order of which an earlier try may have been carried out; a person settles it."""
    await session.execute(_UNKNOWN, {"id": effect_id, "cause": cause})


async def supersede(session: AsyncSession, ids: Sequence[uuid.UUID], *, cause: str) -> None:
    """Planned orders that are no longer wanted."""
    await session.execute(
        text(
            "UPDATE effects SET state = 'superseded', cause = :cause,"
            " settled_at = clock_timestamp() WHERE id = ANY(:ids) AND state = 'planned'"
        ),
        {"ids": list(ids), "cause": cause},
    )


async def log_attempts(session: AsyncSession, attempts: Sequence[Attempt]) -> None:
    """Append to the log; also what a worker that came too late has to say."""
    at = wall_now()
    rows = [
        dataclasses.asdict(a) | {"detail": a.detail[:DETAIL_LENGTH_MAX], "at": at} for a in attempts
    ]
    if rows:
        await session.execute(insert(EffectAttemptRow), rows)


def _json(value: Any) -> str:
    """The driver hands out UUIDs of its own subclass, which orjson does not know."""
    return orjson.dumps(value, default=str).decode()


def _claimed(row: Any) -> Claimed:
    return Claimed(
        id=row.id,
        stream=row.stream,
        case_id=row.case_id,
        lane=row.lane,
        kind=row.kind,
        version=row.version,
        payload=row.payload,
        epoch=row.lease_epoch,
        attempts=row.attempts,
        stumbles=row.stumbles,
        staged_at=row.staged_at,
        dispatched_at=row.dispatched_at,
        provider=row.provider,
        unseen=row.unseen,
    )
