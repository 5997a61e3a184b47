"""The HTTP door: how everybody in the simulated world calls the API, with their own token.

Each person has an address of their own (X-Forwarded-For, believed from the loopback only), as
people have in the world; so limits count per person and not for the whole play.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

CALL_SECONDS_MAX = 30.0


class Refused(Exception):
    """The API said no: `code` is the problem document's."""

    def __init__(self, status: int, code: str, what: str) -> None:
        super().__init__(f"{what}: {status} {code}")
        self.status, self.code = status, code


@dataclass
class Person:
    """Somebody with a token; `number` makes their address."""

    name: str
    number: int
    token: str = ""
    email: str = ""
    id: str = ""

    @property
    def headers(self) -> dict[str, str]:
        high, low = divmod(self.number, 250)
        sent = {"X-Forwarded-For": f"10.{77 + high}.0.{low + 1}"}
        return sent | ({"Authorization": f"Bearer {self.token}"} if self.token else {})


@dataclass
class Door:
    """Calls the API. `seen` is told every case view that an answer carries."""

    client: httpx.AsyncClient
    seen: Callable[[dict[str, Any]], None] = lambda view: None
    calls: Counter[str] = field(default_factory=Counter)

    async def get(self, who: Person, path: str, **params: Any) -> Any:
        return await self.call(who, "GET", path, params=params)

    async def post(self, who: Person, path: str, body: Any = None, **more: Any) -> Any:
        return await self.call(who, "POST", path, body, **more)

    async def call(
        self,
        who: Person,
        method: str,
        path: str,
        body: Any = None,
        *,
        version: int | None = None,
        params: dict[str, Any] | None = None,
        raw: bytes | None = None,
        kind: str = "application/json",
    ) -> Any:
        """The answer's JSON (or bytes). Raises Refused."""
        headers = dict(who.headers)
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        if raw is not None:
            headers["Content-Type"] = kind
            answer = await self.client.request(
                method, path, content=raw, headers=headers, params=params
            )
        else:
            answer = await self.client.request(
                method, path, json=body, headers=headers, params=params
            )
        self.calls[method] += 1
        if answer.status_code >= 400:
            raise _refused(answer, f"{who.name}: {method} {path}")
        if not answer.headers.get("content-type", "").startswith("application/json"):
            return answer.content
        found = answer.json()
        for view in (found, found.get("case") if isinstance(found, dict) else None):
            if isinstance(view, dict) and "stage" in view and "reference" in view:
                self.seen(view)
        return found

    async def change(
        self, who: Person, method: str, case_id: str, path: str, body: Any = None
    ) -> Any:
        """A change of a case by staff: read it first, change what was read."""
        view = await self.get(who, f"/v1/cases/{case_id}")
        return await self.call(
            who, method, f"/v1/cases/{case_id}{path}", body, version=view["version"]
        )


def _refused(answer: httpx.Response, what: str) -> Refused:
    try:
        problem = answer.json()
    except ValueError:
        return Refused(answer.status_code, "", f"{what}: {answer.text[:300]}")
    words = f"{problem.get('detail') or problem.get('title')} {problem.get('errors') or ''}"
    return Refused(answer.status_code, str(problem.get("code", "")), f"{what}: {words}")
