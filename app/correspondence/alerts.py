"""What a message says that may not wait for its turn becomes work for a person at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime, time
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app import engine
from app.domain.errors import StaleEvent, TransitionRefused
from app.domain.events import AlertRaised, DistressNoticed, Event, LegalThreatened
from app.playbooks.working_day import next_working_moment

log = structlog.get_logger(__name__)
ACTOR = "system"
DUE_HOUR = time(8, 0)  # UTC, on the day they named: early enough to answer that day
PEOPLE = ("consumer", "unknown")  # a company in distress is a matter for its handler
THREATS = ("legal_threat",)  # kinds of answer that are one


async def raise_alerts(
    session: AsyncSession,
    case_id: UUID,
    message_id: UUID,
    *,
    sender: str,
    alerts: Collection[str],
    kind: str | None,
    deadline: str | None,
    now: datetime,
) -> None:
    """`alerts` of app.reading.alerts; `kind` and `deadline` (ISO day) as the mail was read. Needs
    no trust: it only asks a person, and holds still what goes on by itself."""
    due = datetime.combine(date.fromisoformat(deadline), DUE_HOUR, UTC) if deadline else None
    for event in _events(message_id, sender, alerts, kind, due, now):
        try:
            await engine.advance(session, case_id, event, actor=ACTOR)
        except (TransitionRefused, StaleEvent) as refused:
            log.warning("alert_refused", case_id=str(case_id), code=refused.code)


def _events(
    message_id: UUID,
    sender: str,
    alerts: Collection[str],
    kind: str | None,
    due: datetime | None,
    now: datetime,
) -> list[Event]:
    found: list[Event] = []
    if "distress" in alerts and sender in PEOPLE:
        found.append(DistressNoticed(by=ACTOR))
    if sender != "consumer" and ("threat" in alerts or kind in THREATS):
        found.append(LegalThreatened(deadline=due or next_working_moment(now), by=ACTOR))
    if "complaint_about_us" in alerts and sender in PEOPLE:
        found.append(AlertRaised(message_id, "complaint_about_us"))
    if sender != "consumer":
        found += [
            AlertRaised(message_id, one) for one in ("insolvency", "direct_first") if one in alerts
        ]
    return found
