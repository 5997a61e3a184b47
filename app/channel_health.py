"""What letters taught us of a company's channels: refusals at once, arrivals now and then.

A refusal is rare and everybody must know of it: the next letter to the company goes another way. An
arrival is common, so it is read from the letters in one statement, not written with each of them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

ERROR_CHARACTERS_MAX: Final = 300
LOOKED_BACK: Final = timedelta(days=3)  # arrivals are noticed within days, also after an outage
# RFC 3463: 5.1.x says that the address is wrong, 5.2.1 that the mailbox is shut. Everything else
# (policy, size, a full mailbox) may pass next time. Without a status the reply code counts.
_DEAD_STATUS: Final = re.compile(r"\b5\.(?:1\.\d{1,3}|2\.1)\b")
_STATUS: Final = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")
_DEAD_CODE: Final = re.compile(r"\b(?:550|551|553)\b")
# The address the letter went to, or, where it never left, the one it would have gone to.
_REFUSED = text("""
    UPDATE channels SET health = CASE WHEN :dead THEN 'dead'
                                      WHEN health = 'alive' THEN 'degraded' ELSE health END,
           last_error = :error, last_error_at = :at, version = version + 1
     WHERE id = (
        SELECT h.id FROM letters l
          JOIN cases c ON c.id = l.case_id
          LEFT JOIN letter_details d ON d.letter_id = l.id
          JOIN channels h ON h.company_id = coalesce(d.company_id, c.company_id)
                         AND h.kind = l.channel
          LEFT JOIN LATERAL (SELECT to_address FROM messages
                              WHERE case_id = c.id AND letter_id = l.id AND direction = 'out'
                              ORDER BY id DESC LIMIT 1) m ON true
         WHERE l.id = :letter AND l.recipient = 'company'
           AND h.health IN ('alive', 'degraded')
           AND (m.to_address IS NULL OR h.kind NOT IN ('email', 'post')
                OR (h.kind = 'email' AND lower(h.address) = lower(m.to_address))
                OR (h.kind = 'post' AND position(h.address IN m.to_address) > 0))
         ORDER BY h.official DESC, h.health, h.created_at, h.id LIMIT 1)
""")
_BOUNCED = text("""
    UPDATE messages SET state = 'bounced'
     WHERE id = (SELECT m.id FROM letters l
                   JOIN messages m ON m.case_id = l.case_id AND m.letter_id = l.id
                  WHERE l.id = :letter AND m.direction = 'out' ORDER BY m.id DESC LIMIT 1)
""")
_ARRIVED = text("""
    UPDATE channels h
       SET last_success_at = s.at,
           health = CASE WHEN h.health = 'degraded'
                          AND (h.last_error_at IS NULL OR s.at > h.last_error_at)
                         THEN 'alive' ELSE h.health END
      FROM (SELECT c.company_id, l.channel, lower(m.to_address) AS address,
                   max(l.delivered_at) AS at
              FROM letters l
              JOIN cases c ON c.id = l.case_id
              JOIN messages m ON m.case_id = c.id AND m.letter_id = l.id AND m.direction = 'out'
             WHERE l.delivered_at > :since AND l.recipient = 'company'
             GROUP BY 1, 2, 3) s
     WHERE h.company_id = s.company_id AND h.kind = s.channel
       AND (h.kind <> 'email' OR lower(h.address) = s.address)
       AND (h.last_success_at IS NULL OR h.last_success_at < s.at)
""")


def is_dead(reason: str) -> bool:
    """Whether a server's permanent refusal says that the address itself takes no mail."""
    if _STATUS.search(reason):
        return bool(_DEAD_STATUS.search(reason))
    return bool(_DEAD_CODE.search(reason))


async def note_refusal(
    session: AsyncSession, letter_id: UUID, *, dead: bool, error: str, at: datetime
) -> None:
    """A letter to a company came back or was not taken. A body's channel is not a company's."""
    values = {"letter": letter_id, "dead": dead, "error": error[:ERROR_CHARACTERS_MAX], "at": at}
    await session.execute(_REFUSED, values)
    await session.execute(_BOUNCED, {"letter": letter_id})


async def note_arrivals(session: AsyncSession, now: datetime) -> None:
    """Takes over what arrived lately; a degraded channel that delivered since works again."""
    await session.execute(_ARRIVED, {"since": now - LOOKED_BACK})
