"""One call to a provider's HTTP API: bounded in time and size, and honest about what may have left.

What failed before the connection stood is Transient: nothing left. What failed later is
OutcomeUnknown for an order, and Transient for a question.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import structlog

from workers.providers.errors import OutcomeUnknown, ProviderError, Transient

log = structlog.get_logger(__name__)
CONNECT_SECONDS_MAX = 10.0
IDLE_SECONDS_MAX = 30.0  # between two bytes
TOTAL_SECONDS_MAX = 45.0  # a server that drips byte after byte never idles
ANSWER_BYTES_MAX = 1024 * 1024
NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Web:
    """`user` goes as the name of HTTP Basic, with an empty password."""

    def __init__(
        self, base_url: str, *, user: str, total_seconds: float = TOTAL_SECONDS_MAX
    ) -> None:
        self.base_url = base_url
        self.auth = httpx.BasicAuth(user, "")
        self.total_seconds = total_seconds
        self.tls: ssl.SSLContext = httpx.create_ssl_context(trust_env=False)

    async def order(self, method: str, path: str, **request: Any) -> Answer:
        """Something may happen over there. Raises Transient, OutcomeUnknown."""
        try:
            async with asyncio.timeout(self.total_seconds):
                return await self._call(method, path, request)
        except TimeoutError:
            raise OutcomeUnknown(f"no whole answer in {self.total_seconds:g} s") from None
        except NOT_CONNECTED as trouble:
            raise not_connected(trouble) from None
        except (httpx.HTTPError, httpx.InvalidURL) as trouble:
            raise OutcomeUnknown(type(trouble).__name__) from None

    async def ask(self, path: str, **request: Any) -> Answer:
        """Nothing happens over there. Raises Transient."""
        try:
            return await self.order("GET", path, **request)
        except OutcomeUnknown as trouble:
            raise Transient(trouble.cause) from None

    async def _call(self, method: str, path: str, request: dict[str, Any]) -> Answer:
        limits = httpx.Timeout(IDLE_SECONDS_MAX, connect=CONNECT_SECONDS_MAX)
        async with (
            # Nothing of the environment: no proxy, no .netrc that would replace the key.
            httpx.AsyncClient(
                base_url=self.base_url, auth=self.auth, verify=self.tls, timeout=limits,
                trust_env=False,
            ) as client,
            client.stream(method, path, **request) as answer,
        ):  # fmt: skip
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    raise OutcomeUnknown("the answer is too large")
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status_code, headers, bytes(body))


def not_connected(trouble: Exception) -> ProviderError:
    """No connection, so nothing left. A certificate that does not hold is an alarm: it will not
    mend itself, or somebody stands between."""
    cause: BaseException | None = trouble
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            log.error("provider_certificate_refused", error=type(cause).__name__)
            return Transient("its certificate does not hold")
        cause = cause.__cause__ or cause.__context__
    return Transient(f"no connection: {type(trouble).__name__}")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait, from Retry-After (RFC 9110 10.2.3: seconds or a date) or from Lob's
    ratelimit-reset (epoch seconds). None for nonsense; who waits caps it (workers.backoff)."""
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    if given:
        try:
            at = parsedate_to_datetime(given)
        except ValueError:
            return None
        return _ahead(at.timestamp(), now) if at.tzinfo is not None else None
    reset = headers.get("ratelimit-reset", "").strip()
    return _ahead(float(reset[:12]), now) if reset.isascii() and reset.isdigit() else None


def _ahead(at: float, now: datetime) -> float | None:
    seconds = at - now.timestamp()
    return seconds if seconds > 0 else None
