"""Payment files to the bank: a folder that the bank's client program empties. A file is named by
its MsgId and written once; the same bytes again change nothing, other bytes are refused."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Protocol
from uuid import UUID

from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import KeyTaken, Refused, Transient
from workers.providers.folder import OtherBytes, put_once

FOREVER = float("inf")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9.-]{1,35}")  # Max35Text, and safe as a file name


class BankProvider(Protocol):
    name: str
    key_window_seconds: float | None

    async def submit(self, message_id: str, data: bytes, *, key: UUID, guard: Guard) -> Delivery:
        """Raises Refused, Transient, OutcomeUnknown, LeaseLost."""
        ...


class BankFolder:
    """Files in `folder`, by default `bank/out` in the data folder."""

    name = "bank_folder"
    key_window_seconds: float | None = FOREVER

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def submit(self, message_id: str, data: bytes, *, key: UUID, guard: Guard) -> Delivery:
        if not _MESSAGE_ID.fullmatch(message_id) or set(message_id) <= {"."}:
            raise Refused("the message id is not one")
        guard()
        try:
            await asyncio.to_thread(put_once, self.folder / f"{message_id}.xml", data)
        except OtherBytes:
            raise KeyTaken("this message id was used for another file") from None
        except OSError as trouble:
            raise Transient(f"folder: {trouble.strerror or type(trouble).__name__}") from None
        return Delivery(self.name, message_id)
