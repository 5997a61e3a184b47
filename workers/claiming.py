"""Taking orders out of the journal: from planned, or from the hands of a worker that is gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app import outbox
from app.domain.case import Case
from app.domain.effects import RENDER_LANE
from app.domain.wanted import still_wanted
from app.engine.load import lock_cases
from app.moment import read_moment
from app.outbox import Attempt, Candidate, Claimed
from workers import trouble
from workers.attention import ask_person, tell_unknown
from workers.effects.decode import decode
from workers.effects.handler import Handler, Order
from workers.providers import OWN_STORE
from workers.tools import Tools

log = structlog.get_logger(__name__)
CRASHES_MAX = 5  # an order that took so many workers with it is parked (arq would drop it silently)
# Nobody yet, or our own store: nothing has left the house, so it is simply tried again.
NOTHING_OUTSIDE = (None, OWN_STORE)
Handlers = Mapping[str, Handler[Any]]


@dataclass(slots=True)
class Claim:
    orders: list[Order[Any]] = field(default_factory=list)
    seen: int = 0  # candidates looked at
    skipped: int = 0  # whose case somebody else was moving: look again soon
    settled: int = 0  # superseded or parked on the spot


def known_kinds(handlers: Handlers) -> list[str]:
    """`Name/version` of every order this code can carry out."""
    return [f"{name}/{handler.effect.VERSION}" for name, handler in handlers.items()]


async def claim(
    session: AsyncSession,
    handlers: Handlers,
    *,
    lanes: Sequence[str],
    limit: int,
    lease_seconds: float,
    worker: str,
) -> Claim:
    """Lease up to `limit` orders that are due, first of their lane and still wanted."""
    moment = await read_moment(session)
    found = await outbox.candidates(
        session, now=moment.now, limit=limit, paused=moment.outgoing_paused, lanes=lanes,
        kinds=known_kinds(handlers),
    )  # fmt: skip
    out = Claim(seen=len(found))
    if not found:
        return out
    cases, broken = await _lock(session, {c.case_id for c in found if c.case_id})
    wanted: dict[UUID, Any] = {}
    told: set[UUID | None] = set()  # cases that moved on since they were read here
    for candidate in found:
        case_id = candidate.case_id
        if case_id in broken:
            await _park(session, candidate, broken[case_id], moment.now, worker)
            out.settled += 1
        elif case_id is not None and (case_id not in cases or case_id in told):
            out.skipped += 1
        else:
            case = cases[case_id] if case_id is not None else None
            effect = await _judge(session, handlers, candidate, case, moment.now, worker)
            if effect is None:
                out.settled += 1
                told |= {case_id} if candidate.unseen else set()
            else:
                wanted[candidate.id] = effect
    if wanted:
        leased = await outbox.lease(session, list(wanted), lease_seconds=lease_seconds)
        out.orders = [Order(claimed, wanted[claimed.id]) for claimed in leased]
    return out


async def _lock(session: AsyncSession, ids: set[UUID]) -> tuple[dict[UUID, Case], dict[UUID, str]]:
    """Cases locked in id order (others skipped), and those that cannot even be read."""
    if not ids:
        return {}, {}
    try:
        locked = await lock_cases(session, sorted(ids), skip_locked=True)
        return {i: loaded.case for i, loaded in locked.items()}, {}
    # A row that years of versions made unreadable must not stop the orders of other cases.
    except Exception as failure:
        if trouble.passes(failure) or len(ids) == 1:
            if len(ids) == 1 and not trouble.passes(failure):
                return {}, dict.fromkeys(ids, repr(failure))
            raise
    cases: dict[UUID, Case] = {}
    broken: dict[UUID, str] = {}
    for case_id in sorted(ids):
        one, bad = await _lock(session, {case_id})
        cases |= one
        broken |= bad
    return cases, broken


async def _judge(
    session: AsyncSession,
    handlers: Handlers,
    candidate: Candidate,
    case: Case | None,
    now: datetime,
    worker: str,
) -> Any:
    """The order when it is to be carried out; None when it was settled or parked here."""
    try:
        effect = decode(handlers[candidate.kind].effect, candidate)
        why = "" if case is None else _unwanted(effect, case)
    # A payload or case this code cannot digest: parked with its cause, never dropped.
    except Exception as failure:
        await _park(session, candidate, repr(failure), now, worker)
        return None
    if why and candidate.unseen:
        # An earlier try may have arrived: who may hold it is not told off by forgetting it.
        await outbox.mark_unknown(session, candidate.id, cause=why)
        await tell_unknown(session, candidate, now=now)
        return None
    if why:
        await outbox.supersede(session, [candidate.id], cause=why)
        return None
    return effect


def _unwanted(effect: Any, case: Case) -> str:
    """Why the order has no purpose any more, or ""."""
    return "" if still_wanted(effect, case) else "no_longer_wanted"


async def _park(
    session: AsyncSession, candidate: Candidate, cause: str, now: datetime, worker: str
) -> None:
    await outbox.park(session, [candidate.id], cause=cause)
    await outbox.log_attempts(session, [Attempt(candidate.id, 0, worker, "parked", cause)])
    await ask_person(session, candidate.id, candidate.case_id, reason="effect_parked", now=now)


async def recover(
    session: AsyncSession,
    tools: Tools,
    handlers: Handlers,
    *,
    lanes: Sequence[str],
    limit: int,
    mine: Sequence[UUID],
) -> list[Order[Any]]:
    """Expired leases: orders to repeat under the same key; those that never left are planned again,
    the others become unknown here. With outgoing paused nothing is repeated: what would be waits
    with its lease run out."""
    found = await outbox.expired(session, lanes=lanes, limit=limit, mine=mine)
    if not found:
        return []
    moment = await read_moment(session)
    now = moment.now
    cases, _ = await _lock(session, {c.case_id for c, _ in found if c.case_id})
    orders: list[Order[Any]] = []
    for claimed, age_seconds in found:
        if claimed.case_id is not None and claimed.case_id not in cases:
            continue
        case = cases[claimed.case_id] if claimed.case_id is not None else None
        if claimed.provider in NOTHING_OUTSIDE:
            state = "parked" if claimed.stumbles + 1 >= CRASHES_MAX else "planned"
            await _give_up(session, claimed, tools.worker, now, state=state)
        elif effect := _repeatable(tools, handlers, claimed, case, age_seconds):
            if moment.outgoing_paused and claimed.lane != RENDER_LANE:
                continue
            retaken = await outbox.retake(
                session, claimed.id, claimed.epoch, lease_seconds=tools.settings.lease_seconds
            )
            if retaken is not None:
                orders.append(Order(retaken, effect))
        else:
            await _give_up(session, claimed, tools.worker, now, state="unknown")
    return orders


def _repeatable(
    tools: Tools, handlers: Handlers, claimed: Claimed, case: Case | None, age_seconds: float
) -> Any:
    """The order when it is still wanted and its provider still knows the key, so that a repetition
    does nothing twice. What is no longer wanted is not repeated only to learn whether it went."""
    handler = handlers.get(claimed.kind)
    window = tools.providers.key_window_seconds(claimed.provider or "")
    if handler is None or claimed.attempts >= CRASHES_MAX or window is None:
        return None
    if age_seconds >= window:
        return None
    try:
        effect = decode(handler.effect, claimed)
        return None if case is not None and _unwanted(effect, case) else effect
    # Unreadable: nobody can say what left, so a person looks at it.
    except Exception as failure:
        log.warning("recover_unreadable", effect_id=str(claimed.id), error=type(failure).__name__)
        return None


async def _give_up(
    session: AsyncSession, claimed: Claimed, worker: str, now: datetime, *, state: str
) -> None:
    cause = "lease_expired"
    if not await outbox.give_up(session, claimed.id, claimed.epoch, state=state, cause=cause):
        return
    await outbox.log_attempts(session, [Attempt(claimed.id, claimed.epoch, worker, state, cause)])
    if state == "unknown":
        await tell_unknown(session, claimed, now=now)
    elif state == "parked":
        await ask_person(session, claimed.id, claimed.case_id, reason="effect_parked", now=now)
