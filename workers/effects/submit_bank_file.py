"""SubmitBankFile: hand the frozen bytes of an approved batch to the bank, once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.effects import SubmitBankFile
from app.domain.events import Event
from app.vault import open_cipher
from workers.effects.handler import Done, Order, Prepared
from workers.providers.delivery import Guard
from workers.providers.errors import ProviderError, Refused
from workers.tools import Tools

BANK_SECONDS_MAX = 120.0
FILE_COLUMN = "payout_batches.file_cipher"
_BATCHES = text("""
    SELECT id, message_id, state, file_cipher, file_sha256 FROM payout_batches
     WHERE id = ANY(:ids)
""")


@dataclass(frozen=True, slots=True)
class BankFile:
    message_id: str
    data: bytes


class SubmitBankFileHandler:
    effect = SubmitBankFile
    timeout_seconds = BANK_SECONDS_MAX

    def provider(self, tools: Tools, prepared: Any) -> str:
        return tools.providers.bank.name

    async def prepare(
        self, tools: Tools, session: AsyncSession, orders: Sequence[Order[SubmitBankFile]]
    ) -> Prepared:
        found = await session.execute(_BATCHES, {"ids": [o.effect.batch_id for o in orders]})
        rows = {r.id: r for r in found}
        out: dict[UUID, BankFile | ProviderError] = {}
        for order in orders:
            row = rows.get(order.effect.batch_id)
            if row is None or row.file_cipher is None:
                out[order.id] = Refused("the batch has no file")
                continue
            cipher = await open_cipher(session, tools.keyring, row.id)
            data = cipher.decrypt(
                bytes(row.file_cipher), column=FILE_COLUMN, row_id=row.id
            ).encode()
            digest = sha256(data).hexdigest()
            if digest != row.file_sha256 or digest != order.effect.sha256:
                out[order.id] = Refused("the file is not the one that was approved")
                continue
            out[order.id] = BankFile(row.message_id, data)
        return out

    async def act(
        self, tools: Tools, order: Order[SubmitBankFile], prepared: Any, guard: Guard
    ) -> Done:
        assert isinstance(prepared, BankFile)
        delivery = await tools.providers.bank.submit(
            prepared.message_id, prepared.data, key=order.id, guard=guard
        )
        return Done(delivery)

    async def record(
        self,
        session: AsyncSession,
        done: Sequence[tuple[Order[SubmitBankFile], Any, Done]],
        now: datetime,
    ) -> None:
        """The journal is enough: the batch was marked when its file was made."""

    def facts(self, order: Order[SubmitBankFile], done: Done, now: datetime) -> Sequence[Event]:
        return ()
