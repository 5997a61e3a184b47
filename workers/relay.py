"""Carries out the effects journal: claim -> act -> record.

A claim is one short transaction for many orders, an act runs with none open, a record is again one
transaction for many. The row is the job: whatever happens to this process, the lease runs out and
`claiming.recover` decides what may be repeated.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import structlog

from app import outbox
from app.clock import monotonic
from workers import claiming, mail_pace, preparing, recording
from workers.effects.handler import Done, Handler, Order
from workers.providers import OWN_STORE
from workers.providers.errors import (
    DatabaseAway,
    LeaseLost,
    OutcomeUnknown,
    ProviderError,
    Transient,
)
from workers.recording import Ended
from workers.tools import Tools
from workers.trouble import DATABASE_TROUBLE, passes

log = structlog.get_logger(__name__)
RECORD_BATCH_MAX = 200  # ended acts per recording transaction
HEARTBEATS_PER_LEASE = 4
FRESH_SHARE = 0.6  # of a lease: older than this, it is renewed before anything is sent
DATABASE_RETRY_SECONDS = (0.1, 0.3, 1.0, 3.0)
LOCKED_RETRY_SECONDS = 0.05  # the cases of all candidates were being moved by somebody
Handlers = Mapping[str, Handler[Any]]


@dataclass(slots=True)
class Held:
    """An order in this worker's hands."""

    order: Order[Any]
    handler: Handler[Any]
    renewed_at: float  # monotonic seconds
    task: asyncio.Task[None] | None = None
    acting: bool = True
    put_off: bool = False  # handed back before anything left: its time comes later
    left: bool = False  # the guard let the first byte go


@dataclass
class Relay:
    """One loop over some lanes with a bounded number of acts at a time."""

    tools: Tools
    handlers: Handlers
    lanes: tuple[str, ...]
    slots: int
    held: dict[UUID, Held] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._wake = asyncio.Event()
        self._ended: asyncio.Queue[Ended] = asyncio.Queue()
        self._room = asyncio.Event()
        self._room.set()
        self._stopping = False

    @property
    def lease_seconds(self) -> float:
        return self.tools.settings.lease_seconds

    def nudge(self) -> None:
        """Something may have been staged: look now."""
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled. The poll is the guarantee; a nudge only makes it sooner."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._record_forever())
            group.create_task(self._heartbeat_forever())
            group.create_task(self._recover_forever())
            group.create_task(self._claim_forever())

    async def drain(self, seconds: float) -> None:
        """Stop claiming and wait for acts under way to be recorded, for at most `seconds`."""
        self._stopping = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.held:
                    self._room.clear()
                    await self._room.wait()

    async def turn(self, lanes: Collection[str]) -> int:
        """Instead of `run`, for who holds the clock (the simulated world) and knows in which lanes
        something is due: claim, act and record once. Returns how many orders came to an end."""
        if not set(lanes) & set(self.lanes):
            return 0
        taken, _ = await self._claim_once()
        await asyncio.gather(*(held.task for held in self.held.values() if held.task is not None))
        while not self._ended.empty():
            await self._record([self._ended.get_nowait() for _ in range(self._ended.qsize())])
        return taken

    # --- the loops -----------------------------------------------------------------------------

    async def _claim_forever(self) -> None:
        while not self._stopping:
            self._wake.clear()
            pause = self.tools.settings.sweep_seconds
            try:
                taken, more = await self._claim_once()
                if more:
                    pause = 0.0 if taken else LOCKED_RETRY_SECONDS
            # As in recovery: a worker that stops claiming is a dead one.
            except Exception as failure:
                _say("claim_failed", failure)
                pause = min(1.0, pause)
            await self._pause(pause)

    async def _pause(self, seconds: float) -> None:
        """Until nudged, or for so long; with all hands full, until one is free."""
        while len(self.held) > self.slots * 3 // 4 and not self._stopping:
            self._room.clear()
            await self._room.wait()
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._wake.wait()

    async def _claim_once(self) -> tuple[int, bool]:
        """(orders taken, whether there may be more right now)."""
        free = self.slots - len(self.held)
        async with self.tools.database.transaction() as session:
            claim = await claiming.claim(
                session, self.handlers, lanes=self.lanes, limit=free,
                lease_seconds=self.lease_seconds, worker=self.tools.worker,
            )  # fmt: skip
        if claim.orders:
            await self._take(claim.orders)
        return len(claim.orders) + claim.settled, claim.seen >= free or claim.skipped > 0

    async def _recover_forever(self) -> None:
        """What dead or hanging workers left: again under the same key, or unknown."""
        while not self._stopping:
            try:
                async with self.tools.database.transaction() as session:
                    orders = await claiming.recover(
                        session, self.tools, self.handlers, lanes=self.lanes,
                        limit=max(1, self.slots - len(self.held)), mine=list(self.held),
                    )  # fmt: skip
                if orders:
                    await self._take(orders)
            # Whatever one row does to this look, the next look must come.
            except Exception as failure:
                _say("recover_failed", failure)
            await asyncio.sleep(min(self.lease_seconds / 2, 5.0))

    async def _heartbeat_forever(self) -> None:
        while True:
            await asyncio.sleep(self.lease_seconds / HEARTBEATS_PER_LEASE)
            if self.held:
                with suppress(*DATABASE_TROUBLE):
                    await self._renew(list(self.held.values()))

    async def _record_forever(self) -> None:
        while True:
            batch = [await self._ended.get()]
            while len(batch) < RECORD_BATCH_MAX and not self._ended.empty():
                batch.append(self._ended.get_nowait())
            await self._record(batch)

    # --- acting --------------------------------------------------------------------------------

    async def _take(self, orders: Sequence[Order[Any]]) -> None:
        """Prepare the orders of each kind together, say that they go, and start their acts.
        Whatever fails on the way, an order whose act did not start is handed back."""
        now = monotonic()
        by_kind: dict[str, list[Order[Any]]] = {}
        for order in orders:
            handler = self.handlers[order.claimed.kind]
            self.held[order.id] = Held(order, handler, renewed_at=now)
            by_kind.setdefault(order.claimed.kind, []).append(order)
        held = [self.held[order.id] for order in orders]
        try:
            await self._start(held, by_kind)
        finally:
            await self._hand_back([e for e in held if e.task is None and not e.put_off])

    async def _start(self, held: Sequence[Held], by_kind: dict[str, list[Order[Any]]]) -> None:
        prepared: dict[UUID, Any] = {}
        for kind, mine in by_kind.items():
            prepared |= await preparing.prepare(self.tools, self.handlers[kind], mine)
        for each in held:
            key = each.order.id
            prepared[key] = preparing.sendable(
                self.tools, each.handler, each.order.claimed, prepared[key]
            )
        going = [h for h in held if not isinstance(prepared[h.order.id], Exception)]
        going = await self._within_rates(going, prepared)
        gone = await self._dispatch(going, prepared) if going else set()
        for each in held:
            ready = prepared[each.order.id]
            if each.put_off or isinstance(ready, DatabaseAway):
                continue
            if isinstance(ready, Exception) or each.order.id in gone:
                each.task = asyncio.create_task(self._act(each, ready))

    async def _within_rates(self, going: list[Held], prepared: dict[UUID, Any]) -> list[Held]:
        """Without the mails that go above the rate of their domain."""
        orders = [(h.order.claimed, prepared[h.order.id]) for h in going]
        waiting = await mail_pace.put_off_above(self.tools, orders)
        for each in going:
            if each.order.id in waiting:
                each.put_off = True
                self.counts["put_off"] += 1
                self._release(each.order.id)
        return [h for h in going if not h.put_off]

    async def _hand_back(self, held: Sequence[Held]) -> None:
        """Orders that were not dispatched are planned again at once and without counting a try;
        where the database is away, or they were taken over, their leases run out."""
        if not held:
            return
        self.counts["handed_back"] += len(held)
        try:
            with suppress(*DATABASE_TROUBLE):
                async with self.tools.database.transaction() as session:
                    await outbox.release(session, [each.order.claimed for each in held])
        finally:
            for each in held:
                self._release(each.order.id)
        await asyncio.sleep(DATABASE_RETRY_SECONDS[1])  # it had trouble: not again at once

    async def _dispatch(self, going: Sequence[Held], prepared: dict[UUID, Any]) -> set[UUID]:
        """The last word before the first byte, and the lease anew. An order that is not in the
        answer was taken over while this worker slept."""
        asked_at = monotonic()
        try:
            async with self.tools.database.transaction() as session:
                gone = await outbox.dispatch(
                    session,
                    [
                        (h.order.claimed, h.handler.provider(self.tools, prepared[h.order.id]))
                        for h in going
                    ],
                    lease_seconds=self.lease_seconds,
                )
        # Whether it was written is not known: nothing leaves, the leases run out.
        except DATABASE_TROUBLE as trouble:
            log.warning("dispatch_failed", error=type(trouble).__name__)
            return set()
        for each in going:
            each.renewed_at = asked_at
            if tries := gone.get(each.order.id):
                claimed = replace(each.order.claimed, attempts=tries)
                each.order = replace(each.order, claimed=claimed)
        return set(gone)

    async def _act(self, held: Held, prepared: Any) -> None:
        order = held.order
        try:
            ended = await self._call(held, prepared)
        except LeaseLost:
            log.warning("lease_lost", effect_id=str(order.id), epoch=order.claimed.epoch)
            self.counts["lease_lost"] += 1
            self._release(order.id)
            return
        held.acting = False
        self._ended.put_nowait(ended)

    async def _call(self, held: Held, prepared: Any) -> Ended:
        """The act and how it ended. Only LeaseLost and cancellation come out of here."""
        order, handler = held.order, held.handler
        if isinstance(prepared, Exception):
            return Ended(order, handler, failure=prepared)
        await self._ensure_fresh(held)
        try:
            async with asyncio.timeout(handler.timeout_seconds):
                done: Done = await handler.act(
                    self.tools, order, prepared, lambda: self._let_go(held)
                )
        except LeaseLost:
            raise
        except TimeoutError:
            return self._failed(held, prepared, OutcomeUnknown("timeout"))
        except ProviderError as failure:
            return self._failed(held, prepared, failure)
        # Poison: our own code failed on this order. It is parked in the end; the others go on. Once
        # the first byte may have left, it says nothing about what arrived.
        except Exception as failure:
            log.exception("act_failed", effect_id=str(order.id), effect_kind=order.claimed.kind)
            what = OutcomeUnknown(type(failure).__name__) if held.left else failure
            return self._failed(held, prepared, what)
        return Ended(order, handler, prepared, done=done)

    def _failed(self, held: Held, prepared: Any, failure: Exception) -> Ended:
        provider = held.handler.provider(self.tools, prepared)
        if provider == OWN_STORE and isinstance(failure, OutcomeUnknown):
            failure = Transient(failure.cause)  # nothing outside has happened
        window = self.tools.providers.key_window_seconds(provider)
        return Ended(
            held.order, held.handler, prepared, failure=failure, repeatable=window is not None,
            dispatched=True,
        )  # fmt: skip

    async def _ensure_fresh(self, held: Held) -> None:
        """A worker that slept must not send: renew an old lease before anything leaves."""
        if monotonic() - held.renewed_at < self.lease_seconds * FRESH_SHARE:
            return
        try:
            await self._renew([held])
        except DATABASE_TROUBLE as trouble:
            raise LeaseLost from trouble
        self._guard(held)

    def _let_go(self, held: Held) -> None:
        """Asked by a provider right before the first byte."""
        self._guard(held)
        held.left = True

    def _guard(self, held: Held) -> None:
        if monotonic() - held.renewed_at >= self.lease_seconds:
            raise LeaseLost

    async def _renew(self, held: Sequence[Held]) -> None:
        asked_at = monotonic()
        async with self.tools.database.transaction() as session:
            mine = await outbox.renew(
                session, [h.order.claimed for h in held], lease_seconds=self.lease_seconds
            )
        for each in held:
            if each.order.id in mine:
                each.renewed_at = asked_at
            elif each.acting:
                each.renewed_at = asked_at - self.lease_seconds  # the guard stops it

    # --- recording -----------------------------------------------------------------------------

    async def _record(self, batch: list[Ended]) -> None:
        """Until the database has it. Repeating is harmless: the epoch guards every row."""
        tries = 0
        while True:
            try:
                async with self.tools.database.transaction() as session:
                    stale = await recording.record(session, batch, worker=self.tools.worker)
                break
            # One order's result the engine cannot digest: find it, keep it, go on with the others.
            except Exception as failure:
                if not passes(failure):
                    await self._record_one_by_one(batch)
                    return
            await asyncio.sleep(DATABASE_RETRY_SECONDS[min(tries, 3)])
            tries += 1
        self.counts["stale"] += len(stale)
        for ended in batch:
            self.counts[ended.state] += 1
            self._release(ended.order.id)

    async def _record_one_by_one(self, batch: list[Ended]) -> None:
        if len(batch) > 1:
            for ended in batch:
                await self._record([ended])
            return
        ended = batch[0]
        log.exception("record_failed", effect_id=str(ended.order.id))
        if ended.without_facts:  # even the bare settlement is refused: the lease runs out
            self._release(ended.order.id)
            return
        await self._record([ended.bare()])

    def _release(self, effect_id: UUID) -> None:
        self.held.pop(effect_id, None)
        self._room.set()
        if not self._stopping:
            self._wake.set()  # the next order of its lane may go


def _say(event: str, failure: Exception) -> None:
    """The database's bad days are a line, our own bugs come with their place."""
    if passes(failure):
        log.warning(event, error=type(failure).__name__)
    else:
        log.error(event, exc_info=failure)


__all__ = ["Held", "Relay"]
