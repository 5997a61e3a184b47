"""The engine room: what could not be sent, the big switch, how things stand."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Literal

from app.schemas import In, Out, Reason

EffectState = Literal["unknown", "parked", "failed", "deferred"]
Verdict = Literal["sent", "not_sent", "again"]


class EffectOut(Out):
    """An order to the outside that needs a person, or is tried again (`deferred`) at `next_try_at`.
    No content of the case."""

    id: uuid.UUID
    kind: str
    lane: str
    state: str
    stream: str
    case_id: uuid.UUID | None
    reference: str | None
    attempts: int
    cause: str | None
    provider: str | None
    staged_at: datetime
    dispatched_at: datetime | None
    next_try_at: datetime | None


class EffectListOut(Out):
    items: list[EffectOut]
    next_cursor: str | None


class SettleIn(In):
    """`sent`: it arrived. `not_sent`: it did not, and a person decides what follows. `again`: send
    it once more; for a letter that is a new order with a new number."""

    verdict: Verdict
    reason: Reason


class SettledOut(Out):
    """`again` names the order that now does it: a new one, or the same under its old key."""

    id: uuid.UUID
    state: str
    verdict: str
    again_as: uuid.UUID | None


class PauseIn(In):
    reason: Reason


class OutgoingOut(Out):
    paused: bool
    reason: str | None
    by: str | None


class CountOut(Out):
    """`at_least`: the count stopped at its cap."""

    number: int
    at_least: bool


class StatusOut(Out):
    outgoing: OutgoingOut
    business_time: datetime
    mail_read_until: datetime | None
    bank_read_until: datetime | None
    swept_at: datetime | None
    cases_due: CountOut
    cases_parked: CountOut
    effects_waiting: CountOut
    effects_sending: CountOut
    effects_unknown: CountOut
    effects_parked: CountOut
    effects_failed: CountOut
    messages_in_pen: CountOut
    oldest_waiting_effect_at: datetime | None


class UnparkedOut(Out):
    case_id: uuid.UUID
    reference: str
