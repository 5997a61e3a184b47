"""Between the claim and the first byte: what each act needs, and whether it may still be sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.clock import wall_now
from app.outbox import Claimed
from workers.effects.handler import Handler, Order
from workers.providers.errors import DatabaseAway, OutcomeUnknown
from workers.tools import Tools
from workers.trouble import passes


async def prepare(
    tools: Tools, handler: Handler[Any], orders: Sequence[Order[Any]]
) -> dict[UUID, Any]:
    """All at once; when that fails, one by one, so that one bad order harms no other. A failure is
    the value of its order; DatabaseAway is nobody's fault and no try."""
    try:
        async with tools.database.read() as session:
            found = await handler.prepare(tools, session, orders)
        return {o.id: found[o.id] for o in orders}
    # Whatever reading one order does wrong must become that order's own ending (parked).
    except Exception as failure:
        if passes(failure):
            return {o.id: DatabaseAway() for o in orders}
        if len(orders) == 1:
            return {orders[0].id: failure}
    alone: dict[UUID, Any] = {}
    for order in orders:
        alone |= await prepare(tools, handler, [order])
    return alone


def sendable(tools: Tools, handler: Handler[Any], claimed: Claimed, prepared: Any) -> Any:
    """What was prepared, or why it must not be sent."""
    if isinstance(prepared, Exception):
        return prepared
    provider = handler.provider(tools, prepared)
    if claimed.provider not in (None, provider):
        return OutcomeUnknown("an earlier try went another way and its end was not seen")
    window = tools.providers.key_window_seconds(provider)
    if claimed.dispatched_at is None or window is None:
        return prepared
    # A repetition after the provider may have forgotten the key of the first call: whether that
    # one arrived can no longer be asked for, so a person decides.
    age = (wall_now() - claimed.dispatched_at).total_seconds()
    return OutcomeUnknown("key_window_over") if age > window else prepared
