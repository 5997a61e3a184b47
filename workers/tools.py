"""What a worker works with, built once at its start and handed down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.crypto import Keyring
from app.db import Database
from app.documents.store import ObjectStore
from app.settings import Settings
from letters.rendered import RenderedLetter
from workers.providers import Providers


class Renderer(Protocol):
    """Makes the PDF of a letter without blocking the event loop (letters.pool in real life)."""

    async def render(self, content: dict[str, Any]) -> RenderedLetter: ...


class Sealer(Protocol):
    """Puts the agency's seal on a finished letter (workers.sealer in real life)."""

    async def seal(self, pdf: bytes, at: datetime) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Tools:
    """`worker` is this process's name in the attempt log; without `sealer` letters go unsealed."""

    settings: Settings
    database: Database
    store: ObjectStore
    keyring: Keyring
    providers: Providers
    renderer: Renderer
    worker: str
    sealer: Sealer | None = None
