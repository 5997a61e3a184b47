"""What became of letters on paper: the printer is asked, once a day for each at most.

A printer can take a letter and never post it, and the post brings letters back weeks later; neither
tells us by itself. Also settles an order whose end nobody saw, when the printer turns out to have
it; that it has not is no proof, and stays with a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from app import outbox
from app.channel_health import note_refusal
from app.clock import monotonic
from app.domain.events import Event, LetterBounced, LetterDelivered
from app.moment import read_moment
from app.outbox import Attempt
from app.playbooks.working_day import next_working_moment
from app.tables.post import PostWatchRow
from workers.attention import ask_person, tell_cases
from workers.found import LOCK_CASE, settle_found, tell_sent
from workers.providers.delivery import Delivery
from workers.providers.errors import Transient
from workers.providers.post import PostStatus, TrackedPost
from workers.tools import Tools

log = structlog.get_logger(__name__)
LOOK_EVERY = timedelta(days=1)
LOOK_AGAIN = timedelta(hours=1)  # after the printer's own trouble
LOOK_DAYS_MAX = 60  # returned mail comes within weeks; after that nobody learns more
SILENT_WORKING_DAYS = 5  # a printer's two, and three for the first scan of the post
BATCH = 20  # questions in one portion
SEARCH_EVERY_SECONDS = 3_600.0  # for an order whose end nobody saw
_DUE = text("""
    UPDATE post_watch SET look_at = CAST(:now AS timestamptz) + CAST(:every AS interval)
     WHERE effect_id IN (SELECT effect_id FROM post_watch
                          WHERE state IN ('accepted', 'moving') AND look_at <= :now
                            AND provider = :provider
                          ORDER BY look_at, effect_id LIMIT :batch FOR UPDATE SKIP LOCKED)
    RETURNING effect_id, case_id, letter_id, provider_ref, registered, state, handed_over_at,
              asked_person_at
""")
_LATER = text("UPDATE post_watch SET look_at = :at WHERE effect_id = ANY(:ids)")
_SEEN = text("""
    UPDATE post_watch
       SET state = :state, tracking_number = coalesce(:number, tracking_number),
           asked_person_at = coalesce(asked_person_at, CAST(:asked AS timestamptz))
     WHERE effect_id = :id AND state IN ('accepted', 'moving')
    RETURNING effect_id
""")
_UNSEEN = text("""
    SELECT id, case_id FROM effects
     WHERE state = 'unknown' AND provider = :provider AND case_id IS NOT NULL
     ORDER BY id LIMIT :batch
""")


def watch_row(
    effect_id: UUID, case_id: UUID, letter_id: UUID | None, delivery: Delivery, now: datetime
) -> dict[str, Any]:
    """The row of a letter its printer has just taken."""
    return {
        "effect_id": effect_id, "case_id": case_id, "letter_id": letter_id,
        "provider": delivery.provider, "provider_ref": delivery.ref,
        "registered": delivery.registered, "state": "accepted",
        "tracking_number": delivery.detail or None, "handed_over_at": now,
        "look_at": now + LOOK_EVERY, "asked_person_at": None,
    }  # fmt: skip


def silent_from(handed_over_at: datetime) -> datetime:
    """From when on a letter without a single sign of life is a person's work."""
    at = handed_over_at
    for _ in range(SILENT_WORKING_DAYS):
        at = next_working_moment(at)
    return at


@dataclass
class PostWatch:
    tools: Tools
    searched: dict[UUID, float] = field(default_factory=dict)  # when, on the monotonic clock

    async def once(self) -> None:
        """One bounded portion."""
        post = self.tools.providers.post
        if isinstance(post, TrackedPost):
            await self._search(post)
            await self._look(post)

    async def _look(self, post: TrackedPost) -> None:
        async with self.tools.database.transaction() as session:
            now = (await read_moment(session)).now
            # Set ahead before asking: two workers never ask about the same letter.
            rows = list(await session.execute(_DUE, {
                "now": now, "every": LOOK_EVERY, "provider": post.name, "batch": BATCH,
            }))  # fmt: skip
        for at, row in enumerate(rows):
            try:
                status = await post.status(row.provider_ref)
            except Transient as trouble:
                log.warning("post_status_failed", provider=post.name, cause=trouble.cause)
                await self._put_back([r.effect_id for r in rows[at:]], now + LOOK_AGAIN)
                return
            async with self.tools.database.transaction() as session:
                await _take_in(session, row, status, self.tools.worker)

    async def _put_back(self, ids: Sequence[UUID], at: datetime) -> None:
        async with self.tools.database.transaction() as session:
            await session.execute(_LATER, {"ids": list(ids), "at": at})

    async def _search(self, post: TrackedPost) -> None:
        async with self.tools.database.read() as session:
            found = await session.execute(_UNSEEN, {"provider": post.name, "batch": BATCH})
            open_now = {row.id: row.case_id for row in found}
        self.searched = {i: at for i, at in self.searched.items() if i in open_now}
        for effect_id, case_id in open_now.items():
            last = self.searched.get(effect_id)
            if last is not None and monotonic() - last < SEARCH_EVERY_SECONDS:
                continue
            self.searched[effect_id] = monotonic()
            try:
                delivery = await post.find(effect_id)
            except Transient as trouble:
                log.warning("post_search_failed", provider=post.name, cause=trouble.cause)
                return
            if delivery is not None:
                async with self.tools.database.transaction() as session:
                    await _settle_found(session, effect_id, case_id, delivery, self.tools.worker)


async def _take_in(session: AsyncSession, row: Any, status: PostStatus, worker: str) -> None:
    await session.execute(LOCK_CASE, {"id": row.case_id})
    now = (await read_moment(session)).now
    state, reason = _next(row, status, now)
    asked = now if reason else None
    changed = await session.execute(_SEEN, {
        "id": row.effect_id, "state": state, "number": status.tracking_number, "asked": asked,
    })  # fmt: skip
    if changed.first() is None:
        return
    if state != row.state:
        detail = status.tracking_number or row.provider_ref
        await outbox.log_attempts(
            session, [Attempt(row.effect_id, 0, worker, f"post:{state}", detail)]
        )
    if reason:
        await ask_person(session, row.effect_id, row.case_id, reason=reason, now=now)
    if state == "returned" and row.letter_id is not None:
        # The post tried that address: the next letter to the company goes another way.
        await note_refusal(session, row.letter_id, dead=True, error="returned by the post", at=now)
    fact = _fact(row, status, now)
    if fact is not None:
        await tell_cases(session, [(row.case_id, fact)], now=now)


def _next(row: Any, status: PostStatus, now: datetime) -> tuple[str, str]:
    """(the state to keep, why a person is asked or "")."""
    if status.state in ("failed", "gone"):
        return status.state, "letter_lost"
    if status.state == "returned":
        # A letter to a company or a body reopens its step; about other paper the ladder knows
        # nothing, so a person looks for the address.
        return "returned", "" if row.letter_id else "letter_returned"
    if status.state == "delivered":
        return "delivered", ""
    silent = status.state == "accepted" and row.asked_person_at is None
    reason = "letter_silent" if silent and now >= silent_from(row.handed_over_at) else ""
    over = now >= row.handed_over_at + timedelta(days=LOOK_DAYS_MAX)
    return ("over" if over else status.state), reason


def _fact(row: Any, status: PostStatus, now: datetime) -> Event | None:
    if row.letter_id is None:
        return None
    if status.state == "returned":
        return LetterBounced(letter_id=row.letter_id, hard=True, reason="post_returned")
    if status.state == "delivered":
        # A scan at the door is no receipt: only registered mail proves that it arrived.
        grade = "registered" if row.registered else "presumed"
        at = min(max(status.at or now, row.handed_over_at), now)
        return LetterDelivered(letter_id=row.letter_id, at=at, grade=grade)
    return None


async def _settle_found(
    session: AsyncSession, effect_id: UUID, case_id: UUID, delivery: Delivery, worker: str
) -> None:
    """The printer's own word that it has the order."""
    found = await settle_found(
        session, effect_id, case_id, ref=delivery.ref, where="found at the printer", worker=worker
    )
    if found is None:
        return
    row = watch_row(effect_id, case_id, found.letter_id, delivery, found.now)
    await session.execute(insert(PostWatchRow).values(**row))
    await tell_sent(session, effect_id, case_id, found)
