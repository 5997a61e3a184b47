"""The company's answer inside a consumer's mail becomes a message of its own: of low trust, unread,
and nothing but a person's record of it counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.correspondence.senders import Known, role_by_address
from app.ids import new_id
from app.tables.correspondence import MessageRow

CHANNEL: Final = "passed_on"
REASONS: Final = ["passed_on_by_consumer"]
SOURCES: Final = ("company", "body", "unknown")  # not the consumer's own words, quoted back


async def keep_passed_on(
    session: AsyncSession,
    case_id: UUID,
    inbound_id: UUID,
    known: Known,
    inner: Sequence[dict[str, Any]],
    *,
    own_domain: str,
    received_at: datetime,
    suggested: Sequence[str],
) -> list[tuple[UUID, str, bool]]:
    """Each kept message: its id, who seems to have written it, whether a machine did. Mails of our
    own that the consumer answers or passes on are no answer."""
    kept: list[tuple[UUID, str, bool]] = []
    for one in inner:
        role = role_by_address(known, one["sender"])
        if role not in SOURCES or one["sender"].endswith(f"@{own_domain}"):
            continue
        message_id = new_id()
        await session.execute(insert(MessageRow).values(
            id=message_id, case_id=case_id, inbound_id=inbound_id, direction="in",
            channel=CHANNEL, sender=role, from_address=one["sender"], to_address="",
            subject=one["subject"], text=one["text"], automatic=one["automatic"],
            state="set_aside" if one["automatic"] else "unread", pen_reasons=[],
            message_id_header=None, received_at=received_at,
            reading={name: one["reading"].get(name) for name in suggested},
            trust="low", trust_reasons=REASONS,
        ))  # fmt: skip
        kept.append((message_id, role, one["automatic"]))
    return kept
