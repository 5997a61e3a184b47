"""What servers report of a mail of ours (RFC 3464): delivered, delayed, or come back.

Such a report arrives at the return path of one mail, which nobody else knows, or carries that
mail's Message-ID with its proof. It is believed about that mail alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.events import EffectFailed, Event, LetterDelivered

GRADE: Final = "recipient_server"
_STATES: Final = {"delivered": "delivered", "delayed": "deferred", "failed": "bounced"}
# A mail only moves on: a delay reported late says nothing of one that has arrived.
_NOTE: Final = text("""
    UPDATE messages SET state = :state, delivery_status = :status
     WHERE effect_id = :effect AND direction = 'out'
       AND state = ANY(CASE WHEN :state = 'deferred' THEN ARRAY['sent']
                            ELSE ARRAY['sent', 'deferred', 'delivered'] END)
    RETURNING letter_id, lower(to_address) AS to_address, channel
""")
_KIND: Final = text("SELECT kind FROM effects WHERE id = :effect")


async def note_report(
    session: AsyncSession, effect_id: UUID, report: dict[str, Any], at: datetime
) -> Event | None:
    """Keeps the report beside its mail; returns what the case should learn. `relayed` and
    `expanded` promise nothing of the recipient, so the mail stays handed over."""
    state = _STATES.get(report["action"])
    if state is None:
        return None
    values = {"effect": effect_id, "state": state, "status": report["status"] or None}
    row = (await session.execute(_NOTE, values)).one_or_none()
    if row is None:
        return None
    if state == "bounced" and row.letter_id is None and report["permanent"]:
        kind = (await session.execute(_KIND, {"effect": effect_id})).scalar_one()
        reason = f"bounced with {report['status'] or '?'}"
        return EffectFailed(effect_id=effect_id, kind=kind, reason=reason)
    named = (report["recipient"] or "").lower()
    if state == "delivered" and row.letter_id is not None and named == row.to_address:
        return LetterDelivered(letter_id=row.letter_id, at=at, grade=GRADE)
    return None
