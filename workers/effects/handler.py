"""What every effect's file provides, and what passes between it and the relay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.effects import AnyEffect
from app.domain.events import Event
from app.outbox import Claimed
from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import ProviderError
from workers.tools import Tools

EffectT = TypeVar("EffectT", bound=AnyEffect)


@dataclass(frozen=True, slots=True)
class Order(Generic[EffectT]):
    """An order as this worker holds it: the journal's row and its meaning."""

    claimed: Claimed
    effect: EffectT

    @property
    def id(self) -> UUID:
        return self.claimed.id


@dataclass(frozen=True, slots=True)
class Done:
    """An act that succeeded. `made` is what `record` needs to remember beyond the journal."""

    delivery: Delivery
    made: Any = None


# What `prepare` found per order: the material for the act, or why there is none.
Prepared = Mapping[UUID, Any]


class Handler(Protocol[EffectT]):
    """One effect: prepare (reads) -> act (no transaction open) -> record (writes)."""

    effect: type[EffectT]
    timeout_seconds: float  # whole time of the act, connection to last byte

    def provider(self, tools: Tools, prepared: Any) -> str:
        """The name of the provider this act will call."""
        ...

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[EffectT]]
    ) -> Prepared:
        """Read what the acts need, for all orders together. A ProviderError as value settles that
        order without an act."""
        ...

    async def act(self, tools: Tools, order: Order[EffectT], prepared: Any, guard: Guard) -> Done:
        """Call the provider with key = effect id. Raises ProviderError."""
        ...

    async def record(
        self,
        session: AsyncSession,
        done: Sequence[tuple[Order[EffectT], Any, Done]],
        now: datetime,
    ) -> None:
        """Rows to keep besides the journal's, in the recording transaction."""
        ...

    def facts(self, order: Order[EffectT], done: Done, now: datetime) -> Sequence[Event]:
        """What the case should learn."""
        ...


__all__ = ["Done", "Handler", "Order", "Prepared", "ProviderError"]
