"""What could slip through, looked at again and again: orders nobody can carry out, orders that wait
for a person without a task, cases that stand still, letters that a printer lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import text

from app import outbox
from app.moment import read_moment
from app.outbox import Attempt
from workers.archive_watch import ArchiveWatch
from workers.attention import ask_person
from workers.claiming import known_kinds
from workers.effects.handler import Handler
from workers.post_watch import PostWatch
from workers.printing import file_away, unfiled
from workers.providers.post import PrintFolder
from workers.tools import Tools

log = structlog.get_logger(__name__)
BATCH = 100
UNKNOWN_KIND_WAIT_SECONDS = 3_600  # new kinds wait under old code for the length of a deployment
LATE_SECONDS = 300  # a due case not moved for this long is an alarm
_STRANGE = text("""
    SELECT id, case_id, kind || '/' || version AS what FROM effects
     WHERE state = 'planned' AND NOT (kind || '/' || version = ANY(:kinds))
       AND staged_at < clock_timestamp() - make_interval(secs => :wait)
     ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED
""")
_UNATTENDED = text("""
    SELECT e.id, e.case_id, e.state FROM effects e
     WHERE e.state IN ('unknown', 'parked')
       AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.kind = 'settle_effect'
                        AND t.key = e.id::text AND t.state = 'open')
     ORDER BY e.id LIMIT :batch
""")
_LATE = text("""
    SELECT count(*) FROM (SELECT 1 FROM cases
     WHERE parked_reason IS NULL AND next_wake_at < CAST(:now AS timestamptz)
           - make_interval(secs => :late) LIMIT :batch) AS late
""")
_POSTED = text("""
    SELECT id FROM effects
     WHERE id = ANY(:ids) AND NOT EXISTS (SELECT 1 FROM effect_attempts a
                                           WHERE a.effect_id = effects.id AND a.what = 'posted')
     ORDER BY id
""")
_PRINTED = text("""
    SELECT e.id, e.case_id, e.provider_ref,
           e.settled_at < clock_timestamp() - interval '3 days' AS old FROM effects e
     WHERE e.state = 'done' AND e.provider = :provider
       AND e.settled_at > clock_timestamp() - interval '7 days'
       AND NOT EXISTS (SELECT 1 FROM tasks t WHERE t.kind = 'settle_effect'
                        AND t.key = e.id::text)
     ORDER BY e.id LIMIT :batch
""")


@dataclass
class Reconciler:
    tools: Tools
    handlers: Mapping[str, Handler[Any]]
    late: int = 0
    post_watch: PostWatch = field(init=False)
    archive_watch: ArchiveWatch = field(init=False)

    def __post_init__(self) -> None:
        self.post_watch = PostWatch(self.tools)
        self.archive_watch = ArchiveWatch(self.tools)

    async def once(self) -> bool:
        """One look at everything; never more at once."""
        await self._strange_orders()
        await self._unattended_orders()
        await self._late_cases()
        if isinstance(self.tools.providers.post, PrintFolder):
            await self._lost_letters(self.tools.providers.post)
            await self._posted_letters(self.tools.providers.post)
        await self.post_watch.once()
        await self.archive_watch.once()
        return False

    async def _strange_orders(self) -> None:
        async with self.tools.database.transaction() as session:
            now = (await read_moment(session)).now
            rows = await session.execute(_STRANGE, {
                "kinds": known_kinds(self.handlers), "wait": UNKNOWN_KIND_WAIT_SECONDS,
                "batch": BATCH,
            })  # fmt: skip
            for row in list(rows):
                await outbox.park(session, [row.id], cause=f"unknown kind {row.what}")
                await ask_person(session, row.id, row.case_id, reason="effect_parked", now=now)

    async def _unattended_orders(self) -> None:
        async with self.tools.database.transaction() as session:
            now = (await read_moment(session)).now
            for row in list(await session.execute(_UNATTENDED, {"batch": BATCH})):
                reason = f"effect_{row.state}"
                await ask_person(session, row.id, row.case_id, reason=reason, now=now)

    async def _late_cases(self) -> None:
        async with self.tools.database.read() as session:
            now = (await read_moment(session)).now
            self.late = int(
                (
                    await session.execute(_LATE, {"now": now, "late": LATE_SECONDS, "batch": BATCH})
                ).scalar_one()
            )
        if self.late:
            log.error("cases_late", count=self.late)

    async def _lost_letters(self, folder: PrintFolder) -> None:
        """Jobs that vanished from the folder without the mark that they were printed, and jobs that
        nobody prints."""
        async with self.tools.database.transaction() as session:
            now = (await read_moment(session)).now
            rows = await session.execute(_PRINTED, {"provider": folder.name, "batch": BATCH})
            for row in list(rows):
                if not folder.holds(row.provider_ref):
                    await ask_person(session, row.id, row.case_id, reason="letter_lost", now=now)
                elif row.old and folder.waits(row.provider_ref):
                    await ask_person(
                        session, row.id, row.case_id, reason="letter_unprinted", now=now
                    )

    async def _posted_letters(self, folder: PrintFolder) -> None:
        """What people marked as posted goes into the log of attempts: when, under which number."""
        posted = await asyncio.to_thread(unfiled, folder, BATCH)
        if not posted:
            return
        async with self.tools.database.transaction() as session:
            rows = await session.execute(_POSTED, {"ids": list(posted)})
            await outbox.log_attempts(
                session,
                [Attempt(row.id, 0, self.tools.worker, "posted", posted[row.id]) for row in rows],
            )
        await asyncio.to_thread(file_away, folder, posted)
