"""Callers with a session or key made directly, and bodies to file with.

The doors by which people come in have their own tests (tests/api/test_*_login.py); everything else
starts inside, so that a test costs milliseconds.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import insert, text

from app.clock import wall_now
from app.crypto import new_token, token_hash
from app.db import Database
from app.ids import new_id
from app.sessions import format_api_key, open_session
from app.tables.people import ConsumerRow
from app.tables.security import ApiKey, Staff


@dataclass(frozen=True)
class Caller:
    """Somebody with a token; `auth` are the headers that prove it."""

    id: UUID
    token: str
    email: str = ""

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def at(self, version: int) -> dict[str, str]:
        """The same with the version that was read."""
        return self.auth | {"If-Match": f'"{version}"'}


async def consumer(
    database: Database, *, name: str = "Anna Virtanen", email: str | None = None
) -> Caller:
    """A consumer of ours with a session."""
    consumer_id = new_id()
    email = email or f"c{consumer_id.hex[-10:]}@people.test"
    async with database.transaction() as session:
        await session.execute(
            insert(ConsumerRow).values(
                id=consumer_id,
                name=name,
                email=email,
                by_post=False,
                language="en",
                country="FI",
                created_at=wall_now(),
                version=1,
            )
        )
    return await session_of(database, consumer_id, email)


async def session_of(database: Database, consumer_id: UUID, email: str = "") -> Caller:
    """A session of a consumer who exists."""
    async with database.transaction() as session:
        opened = await open_session(
            session, kind="consumer", subject_id=consumer_id, hours=1, now=wall_now()
        )
    return Caller(consumer_id, opened.token, email)


async def staff(database: Database, *roles: str) -> Caller:
    """A colleague with these roles and a session."""
    staff_id = new_id()
    async with database.transaction() as session:
        await session.execute(
            insert(Staff).values(
                id=staff_id,
                email=f"s{staff_id.hex[-10:]}@agency.test",
                name="Kim Colleague",
                roles=list(roles),
                status="active",
                password_hash="-",
                totp_secret=b"-",
                created_at=wall_now(),
            )
        )
        opened = await open_session(
            session, kind="staff", subject_id=staff_id, hours=1, now=wall_now()
        )
    return Caller(staff_id, opened.token)


async def api_key(database: Database, *scopes: str) -> Caller:
    """An app with a key of these scopes (all that apps can have, if none is named)."""
    owner, key_id, secret, now = await staff(database, "admin"), new_id(), new_token(), wall_now()
    async with database.transaction() as session:
        await session.execute(
            insert(ApiKey).values(
                id=key_id,
                app_id=key_id,
                name="An app",
                environment="test",
                secret_hash=token_hash(secret),
                scopes=list(scopes or ("cases.read", "cases.write", "documents.write")),
                created_by=owner.id,
                created_at=now,
                expires_at=now + timedelta(days=1),
            )
        )
    return Caller(key_id, format_api_key("test", key_id, secret))


CLAIM: dict[str, Any] = {
    "claim_kind": "online_not_delivered",
    "jurisdiction": "FI",
    "currency": "EUR",
    "company": {"name": "Slow Parcels Ltd", "country": "FI"},
    "booking_reference": "ORDER-1234",
    "what_happened": "I ordered a kettle on the first of the month and it never came.",
    "language": "en",
    "answers": {"bought_as": "private", "wants": ["refund"]},
    "items": [
        {"what": "kettle", "kind": "price", "amount": {"amount": "80.00", "currency": "EUR"}},
        {
            "what": "bus to the pick-up point",
            "kind": "care",
            "amount": {"amount": "5.60", "currency": "EUR"},
        },
    ],
    "first_written_complaint": "2026-01-05",
}
PERSON: dict[str, Any] = {
    "name": "Anna Virtanen",
    "email": "anna@people.test",
    "country": "FI",
    "language": "en",
    "address": {"lines": ["Kotikatu 1 A 2", "00100 Helsinki"]},
    "birth_date": "1980-02-29",
}


def body_of_consumer(**claim: Any) -> dict[str, Any]:
    """What a consumer posts for themself."""
    return {"claim": copy.deepcopy(CLAIM) | claim}


def body_of_app(**claim: Any) -> dict[str, Any]:
    """What an app posts for a person."""
    return {"claim": copy.deepcopy(CLAIM) | claim, "consumer": copy.deepcopy(PERSON)}


async def file(client: httpx.AsyncClient, caller: Caller, body: dict[str, Any]) -> dict[str, Any]:
    """A filed case; fails the test with the refusal otherwise."""
    answer = await client.post("/v1/cases", headers=caller.auth, json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def pointers(answer: httpx.Response) -> set[str]:
    """The fields a refusal points at."""
    return {error["pointer"] for error in answer.json()["errors"]}


COUNTED = (
    "cases",
    "claimants",
    "claim_items",
    "consumers",
    "data_keys",
    "mandates",
    "offers",
    "questions",
    "direct_payments",
    "evidence",
    "messages",
    "payout_accounts",
    "audit_entries",
    "effects",
    "tasks",
    "case_timers",
    "idempotency_keys",
)


async def rows(database: Database) -> dict[str, Any]:
    """How many rows every table holds and the sum of versions: equal before and after = nothing
    changed."""
    async with database.read() as session:
        found = {t: await session.scalar(text(f"SELECT count(*) FROM {t}")) for t in COUNTED}
        found["versions"] = await session.scalar(text("SELECT sum(version) FROM cases"))
    return found
