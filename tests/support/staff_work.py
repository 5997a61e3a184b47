"""Short words for tests of staff work: a call with the right headers, and what it answered."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import text

from app.db import Database
from tests.support.api import Person
from tests.support.cases import Made


async def post(
    client: httpx.AsyncClient,
    who: Person,
    path: str,
    body: Any = None,
    *,
    case: Made | None = None,
    version: int | None = None,
    key: str | None = None,
) -> httpx.Response:
    """A POST as this person; `case` sends its ETag, `version` another one, `key` makes it safe to
    repeat."""
    sent = dict(who.auth)
    if key is not None:
        sent["Idempotency-Key"] = key
    if version is not None:
        sent["If-Match"] = f'"{version}"'
    elif case is not None:
        sent |= case.etag
    return await client.post(path, json=body, headers=sent)


async def get(client: httpx.AsyncClient, who: Person, path: str, **params: Any) -> httpx.Response:
    return await client.get(path, headers=who.auth, params=params)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Asserts the one shape of a refusal."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["code"] == code, document
    return document


async def one(database: Database, query: str, **params: Any) -> Any:
    """The first row of a query, for looking at what was written."""
    async with database.read() as session:
        return (await session.execute(text(query), params)).first()


async def every(database: Database, query: str, **params: Any) -> list[Any]:
    async with database.read() as session:
        return list((await session.execute(text(query), params)).all())


async def snapshot(database: Database, case: Made) -> tuple[Any, ...]:
    """Everything a refused call must leave as it was."""
    row = await one(
        database,
        "SELECT (SELECT to_jsonb(c) FROM cases c WHERE c.id = :id),"
        " (SELECT jsonb_agg(to_jsonb(t) ORDER BY t.id) FROM tasks t WHERE t.case_id = :id),"
        " (SELECT jsonb_agg(to_jsonb(l) ORDER BY l.id) FROM letters l WHERE l.case_id = :id),"
        " (SELECT count(*) FROM audit_entries WHERE stream = 'case:' || CAST(:id AS text)),"
        " (SELECT count(*) FROM effects WHERE case_id = :id),"
        " (SELECT count(*) FROM offers WHERE case_id = :id),"
        " (SELECT count(*) FROM questions WHERE case_id = :id),"
        " (SELECT count(*) FROM case_notes WHERE case_id = :id),"
        " (SELECT count(*) FROM assessments WHERE case_id = :id)",
        id=case.id,
    )
    return tuple(row)
