"""Writing down how acts ended: journal, attempt log, rows of their own, and facts for the cases.

One transaction for many; the cases are locked before their orders. A row whose epoch was overtaken
is not touched: a stale worker has only the attempt log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import outbox
from app.channel_health import is_dead, note_refusal
from app.domain.effects import SendLetter
from app.domain.events import EffectFailed, EffectUnknown, Event
from app.moment import read_moment
from app.outbox import Attempt, Settlement
from workers import backoff
from workers.attention import ask_person, keep_event, tell_cases
from workers.effects.handler import Done, Handler, Order
from workers.providers.errors import (
    KeyTaken,
    NoLongerWanted,
    OutcomeUnknown,
    Refused,
    Transient,
)

CAUSE_LENGTH_MAX = 300  # characters in the journal; the attempt log keeps more
_LOCK_CASES = text("SELECT id FROM cases WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")


@dataclass(frozen=True, slots=True)
class Ended:
    """One act and its end: `done`, or `failure` (a ProviderError, or our own bug)."""

    order: Order[Any]
    handler: Handler[Any]
    prepared: Any = None
    done: Done | None = None
    failure: Exception | None = None
    repeatable: bool = False  # the provider has keys: an unseen end is repeated, not unknown
    dispatched: bool = False  # it was said to go: the try is counted in `attempts`
    without_facts: bool = False

    def bare(self) -> Ended:
        """The same end without telling anybody: the engine could not digest it."""
        return replace(self, without_facts=True)

    @property
    def what(self) -> str:
        """The word of the attempt log."""
        match self.failure:
            case None:
                return "done"
            case KeyTaken():
                return "unknown"
            case OutcomeUnknown() if self.repeatable:
                return "transient"
            case OutcomeUnknown():
                return "unknown"
            case NoLongerWanted():
                return "superseded"
            case Refused():
                return "refused"
            case Transient():
                return "transient"
            case _:
                return "poison"

    @property
    def state(self) -> str:
        """The state of the journal this end leads to. An order of which some try may have been
        carried out never ends as failed or superseded: only the provider's own word does that."""
        claimed = self.order.claimed
        tries = claimed.attempts + claimed.stumbles + self.stumbled
        match self.what:
            case "refused":
                return "failed"
            case "transient" if claimed.attempts < backoff.TRANSIENT_TRIES_MAX:
                return "planned"
            case "poison" if tries < backoff.POISON_TRIES_MAX:
                return "planned"
            case "transient":
                return "unknown" if self.unseen or claimed.unseen else "failed"
            case "superseded" if claimed.unseen:
                return "unknown"
            case "poison":
                return "parked"
            case word:
                return word

    @property
    def unseen(self) -> bool:
        """Whether the provider carried it out could not be seen this time."""
        return isinstance(self.failure, OutcomeUnknown)

    @property
    def stumbled(self) -> bool:
        """Our own code failed before anything left: counted apart from the tries that left."""
        return self.what == "poison" and not self.dispatched


def settlement(ended: Ended, now: datetime) -> Settlement:
    claimed = ended.order.claimed
    delivery = ended.done.delivery if ended.done else None
    not_before = None
    if ended.state == "planned":
        if isinstance(ended.failure, Transient):
            not_before = now + backoff.retry_in(claimed.attempts, ended.failure.retry_after)
        elif ended.what == "transient":
            not_before = now + backoff.retry_in(1)
        else:
            not_before = now + backoff.POISON_RETRY
    return Settlement(
        id=claimed.id, epoch=claimed.epoch, state=ended.state, not_before=not_before,
        provider=delivery.provider if delivery else None,
        provider_ref=delivery.ref if delivery else None,
        cause=_cause(ended.failure)[:CAUSE_LENGTH_MAX] or None,
        stumbled=ended.stumbled, unseen=ended.unseen,
    )  # fmt: skip


async def record(session: AsyncSession, batch: Sequence[Ended], *, worker: str) -> set[UUID]:
    """Write all of it; returns the ids this worker no longer held."""
    moment = await read_moment(session)
    now = moment.now
    telling = [e for e in batch if not e.without_facts]
    cases = {e.order.claimed.case_id for e in telling if e.order.claimed.case_id}
    if cases:
        await session.execute(_LOCK_CASES, {"ids": sorted(cases)})
    mine = await outbox.settle(session, [settlement(e, now) for e in batch])
    await outbox.log_attempts(session, [_attempt(e, mine, worker) for e in batch])
    kept = [e for e in batch if e.order.id in mine]
    by_handler: dict[str, list[Ended]] = {}
    for ended in kept:
        if ended.done is not None:
            by_handler.setdefault(ended.order.claimed.kind, []).append(ended)
    for same in by_handler.values():
        done = [(e.order, e.prepared, e.done) for e in same if e.done is not None]
        await same[0].handler.record(session, done, now)
    facts: list[tuple[UUID, Event]] = []
    for ended in kept:
        facts += await _consequences(session, ended, now)
    await tell_cases(session, facts, now=now)
    return {e.order.id for e in batch} - mine


async def _consequences(
    session: AsyncSession, ended: Ended, now: datetime
) -> list[tuple[UUID, Event]]:
    """Facts for the case, and tasks for what no case will ask about."""
    order, state = ended.order, ended.state
    case_id = order.claimed.case_id
    events: list[Event] = []
    if ended.done is not None:
        events += ended.handler.facts(order, ended.done, now)
    elif state == "failed":
        reason = _cause(ended.failure)[:CAUSE_LENGTH_MAX]
        if isinstance(order.effect, SendLetter) and isinstance(ended.failure, Refused):
            letter = order.effect.letter_id
            await note_refusal(session, letter, dead=is_dead(reason), error=reason, at=now)
        events.append(EffectFailed(
            effect_id=order.id, kind=order.claimed.kind, reason=reason,
            letter_id=getattr(order.effect, "letter_id", None),
        ))  # fmt: skip
    elif state == "unknown":
        events.append(EffectUnknown(effect_id=order.id, kind=order.claimed.kind))
    told = case_id is not None and not ended.without_facts
    if state in ("unknown", "parked") or (state == "failed" and not told):
        await ask_person(session, order.id, case_id, reason=f"effect_{state}", now=now)
    if told:
        assert case_id is not None
        return [(case_id, event) for event in events]
    for event in events:
        await keep_event(session, case_id, event, cause="the ladder refused it", now=now)
    return []


def _attempt(ended: Ended, mine: set[UUID], worker: str) -> Attempt:
    claimed = ended.order.claimed
    what = ended.what if claimed.id in mine else f"stale:{ended.what}"
    detail = ended.done.delivery.detail or ended.done.delivery.ref if ended.done else ""
    return Attempt(claimed.id, claimed.epoch, worker, what, detail or _cause(ended.failure))


def _cause(failure: Exception | None) -> str:
    """Providers' causes are made for people; of our own failures only the type is kept, because a
    message may quote personal data."""
    if failure is None:
        return ""
    cause = getattr(failure, "cause", None)
    return str(cause) if cause else f"{type(failure).__module__}.{type(failure).__qualname__}"
