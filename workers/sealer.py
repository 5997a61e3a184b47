"""The seal as a worker uses it: beside the event loop, one letter at a time."""

from __future__ import annotations

import asyncio
from datetime import datetime

import structlog

from app.clock import wall_now
from app.settings import Settings
from letters.sealing import KeyFile, KeyToken, Seal, development_seal

log = structlog.get_logger(__name__)


class ThreadSealer:
    """In a thread: signing keeps a processor busy, and a timestamp authority may take seconds."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._turn = asyncio.Lock()

    async def seal(self, pdf: bytes, at: datetime) -> bytes:
        """Raises SealUnusable, SealDisturbed."""
        async with self._turn:
            return await asyncio.to_thread(self._seal.seal, pdf, at)


def build_sealer(settings: Settings) -> ThreadSealer | None:
    """By the settings: the agency's certificate; a made one in development; else none."""
    if settings.seal_certificate is not None:
        return ThreadSealer(Seal(settings.seal_certificate, _key(settings), settings.seal_tsa_url))
    if settings.environment == "development":
        made = development_seal(settings.data_dir.resolve() / "seal", wall_now())
        return ThreadSealer(Seal(made, KeyFile(made), settings.seal_tsa_url))
    if settings.is_production:
        log.warning("letters_go_unsealed", setting="seal_certificate")
    return None


def _key(settings: Settings) -> KeyFile | KeyToken:
    if settings.seal_key is not None:
        phrase = settings.seal_key_passphrase
        return KeyFile(settings.seal_key, phrase.get_secret_value().encode() if phrase else None)
    module, pin = settings.seal_pkcs11_module, settings.seal_pkcs11_pin
    token, key = settings.seal_pkcs11_token, settings.seal_pkcs11_key
    assert module and token and key, "the settings were checked (seal_problems)"
    return KeyToken(module, token, key, pin.get_secret_value() if pin else None)
