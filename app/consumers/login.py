"""Consumers sign in by a link in a mail: 256 bits, 15 minutes, used once, by POST.

Whether an address is known shows neither in the answer nor in its time: the same row is written for
both, and every answer waits for the same moment. The token is derived from the id of the effect
that mails it, so the journal holds nothing that opens an account.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app import outbox
from app.clock import business_now, monotonic, wall_now
from app.crypto import token_for, token_hash
from app.db import Database
from app.domain.effects import SendMagicLink
from app.domain.errors import NotAuthenticated
from app.ids import new_id
from app.metrics import LOGINS
from app.sessions import NewSession, open_session
from app.tables.people import ConsumerRow
from app.tables.security import LoginLink

LINK_MINUTES = 15
LINKS_OPEN_MAX = 3  # live links of one person; more are not mailed (a flood of mail is an attack)
ANSWER_SECONDS = 0.15  # every answer takes this long, known address or not; the work takes a tenth


class LinkRefused(NotAuthenticated):
    """Unknown, used or expired: the answer is the same."""

    code = "link_refused"


def link_token(link_key: bytes, effect_id: UUID) -> str:
    """The token of a link, for the worker that mails it."""
    return token_for(link_key, f"login:{effect_id}")


async def request_link(database: Database, *, link_key: bytes, email: str) -> None:
    """Stages the mail when the address is known; takes the same time when it is not."""
    ends = monotonic() + ANSWER_SECONDS
    async with database.transaction() as session:
        await _stage_link(session, link_key=link_key, email=email, now=wall_now())
    await asyncio.sleep(max(ends - monotonic(), 0))


async def _stage_link(session: AsyncSession, *, link_key: bytes, email: str, now: datetime) -> None:
    consumer_id = (
        await session.execute(select(ConsumerRow.id).where(ConsumerRow.email == email))
    ).scalar_one_or_none()
    link_id = new_id()
    open_links = (
        await session.execute(
            text(
                "SELECT count(*) FROM (SELECT 1 FROM login_links WHERE consumer_id = :id"
                " AND used_at IS NULL AND expires_at > :now LIMIT :maximum) open"
            ),
            {"id": consumer_id, "now": now, "maximum": LINKS_OPEN_MAX},
        )
    ).scalar_one()
    await session.execute(
        insert(LoginLink).values(
            id=link_id,
            consumer_id=consumer_id,
            created_at=now,
            token_hash=token_hash(link_token(link_key, link_id)),
            expires_at=now + timedelta(minutes=LINK_MINUTES),
        )
    )
    if consumer_id is not None and open_links < LINKS_OPEN_MAX:
        # the driver's own UUID class is a subclass, which the payload's writer does not take
        await outbox.stage(
            session,
            [SendMagicLink(link_id, UUID(int=consumer_id.int))],
            stream=f"consumer:{consumer_id}",
            now=await business_now(session),
        )


async def use_link(session: AsyncSession, *, token: str, hours: int) -> NewSession:
    """A new session; the link is used up, however many ask at once. Raises LinkRefused."""
    now = wall_now()
    used = (
        await session.execute(
            update(LoginLink)
            .where(
                LoginLink.token_hash == token_hash(token),
                LoginLink.used_at.is_(None),
                LoginLink.expires_at > now,
                LoginLink.consumer_id.is_not(None),
            )
            .values(used_at=now)
            .returning(LoginLink.consumer_id)
        )
    ).one_or_none()
    if used is None:
        LOGINS.labels("consumer", "refused").inc()
        raise LinkRefused("this link is not valid, was used or has expired; ask for a new one")
    assert used[0] is not None, "links of nobody are left out by the query"
    LOGINS.labels("consumer", "done").inc()
    return await open_session(session, kind="consumer", subject_id=used[0], hours=hours, now=now)


async def purge_links(session: AsyncSession, *, now: datetime) -> int:
    """Removes links that ended a day ago; returns how many."""
    done = await session.execute(
        text("DELETE FROM login_links WHERE expires_at < :before RETURNING 1"),
        {"before": now - timedelta(days=1)},
    )
    return len(done.all())
