"""Moves every case that has something due: on "due and not done", in bounded batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.clock import monotonic, wall_now
from app.db import Database
from app.ids import new_id
from app.moment import read_moment
from workers.trouble import passes

log = structlog.get_logger(__name__)
MARK_SECONDS = 5.0  # the dead-man mark is read by people and probes, not by machines in a hurry
_MARK = text("""
    INSERT INTO installation (id, outgoing_paused, swept_at) VALUES (1, false, :at)
    ON CONFLICT (id) DO UPDATE SET swept_at = excluded.swept_at
""")
# bool_or would ask for every slot; the subquery stops at the first that is free.
_SLOT = text("""
    SELECT EXISTS (SELECT FROM generate_series(1, CAST(:slots AS int)) AS slot
                    WHERE pg_try_advisory_xact_lock(1398097232, slot))
""")
_PARK_FIRST = text("""
    UPDATE cases SET parked_reason = :cause, version = version + 1
     WHERE id = (SELECT id FROM cases WHERE next_wake_at <= :now AND parked_reason IS NULL
                  ORDER BY next_wake_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id
""")
_TASK = text("""
    INSERT INTO tasks (id, case_id, kind, key, role, state, due_at, priority, priority_reason,
                       opened_at)
    VALUES (:id, :case_id, 'poisoned_case', '', 'admin', 'open', :now, 0, 'case_parked', :now)
    ON CONFLICT DO NOTHING
""")


@dataclass
class Sweeper:
    """One worker's hand in the sweep; several share the work by SKIP LOCKED."""

    database: Database
    moved: Callable[[], None] = lambda: None  # told when cases moved: there may be new orders
    batch: int = engine.SWEEP_BATCH
    slots: int = 2
    swept: int = 0
    _marked_at: float = field(default=-MARK_SECONDS)

    async def once(self) -> bool:
        """One batch; True when there may be more."""
        try:
            async with self.database.transaction() as session:
                if not await self._slot(session):
                    return False  # as many as can are at it: one more would only be in their way
                results = await engine.sweep_due(session, limit=self.batch)
        # A row that cannot even be read poisons its whole batch: close in on it and park it.
        except Exception as failure:
            if passes(failure):
                raise
            log.exception("sweep_batch_failed")
            await self._isolate(repr(failure))
            return True
        self.swept += len(results)
        if results:
            self.moved()
        if len(results) >= self.batch:
            return True
        await self._mark()
        return False

    async def _slot(self, session: AsyncSession) -> bool:
        """Take one of the places at the sweep until this transaction ends."""
        return bool((await session.execute(_SLOT, {"slots": self.slots})).scalar_one())

    async def _isolate(self, cause: str) -> None:
        """Smaller and smaller batches go through; what fails alone is parked with a task."""
        limit = self.batch // 2
        while limit >= 1:
            try:
                async with self.database.transaction() as session:
                    done = await engine.sweep_due(session, limit=limit)
                self.swept += len(done)
                if not done:
                    return
            except Exception as failure:
                if passes(failure):
                    raise
                limit //= 2
        async with self.database.transaction() as session:
            await _park_first(session, cause)

    async def _mark(self) -> None:
        if monotonic() - self._marked_at < MARK_SECONDS:
            return
        async with self.database.transaction() as session:
            await session.execute(_MARK, {"at": wall_now()})
        self._marked_at = monotonic()


async def _park_first(session: AsyncSession, cause: str) -> None:
    now = (await read_moment(session)).now
    found = (await session.execute(_PARK_FIRST, {"now": now, "cause": cause[:500]})).scalar()
    if found is not None:
        await session.execute(_TASK, {"id": new_id(), "case_id": found, "now": now})
