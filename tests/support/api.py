"""The API as a caller meets it, and people who come in through its doors.

Import the fixtures in the conftest of a test folder: `from tests.support.api import *`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import insert, text

from app.clock import wall_now
from app.consumers.login import link_token
from app.crypto import derive, load_keyring
from app.db import Database
from app.deps import LINK_KEY
from app.ids import new_id
from app.main import create_app
from app.settings import Settings
from app.staff.enrolment import ensure_first_admin, invite_token
from app.tables.people import ConsumerRow

__all__ = ["PASSWORD", "People", "Person", "app", "client", "people"]

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """Somebody with a session. `secret` makes one-time codes of staff."""

    id: UUID
    email: str
    token: str
    secret: str = ""
    recovery_codes: tuple[str, ...] = ()

    @property
    def auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def code(self, steps: int = 0) -> str:
        """The six digits, `steps` time steps from now (each works once).

        Waits out the last moments of a step, so that no test depends on when it runs.
        """
        left = 30 - wall_now().timestamp() % 30
        if left < 1:
            time.sleep(left + 0.01)
        generator = pyotp.TOTP(self.secret)
        return str(generator.generate_otp(int(wall_now().timestamp()) // 30 + steps))


class People:
    """Brings people in: staff by invitation, consumers by a link, apps by a key."""

    def __init__(self, client: httpx.AsyncClient, database: Database, settings: Settings) -> None:
        self.client, self.database, self.settings = client, database, settings
        self.link_key = derive(settings.secret_key.get_secret_value(), LINK_KEY)
        self._admin: Person | None = None

    async def admin(self) -> Person:
        """The first admin of the installation, the same one each time."""
        if self._admin is None:
            async with self.database.transaction() as session:
                token = await ensure_first_admin(
                    session,
                    keyring=load_keyring(self.settings),
                    link_key=self.link_key,
                    email="admin@agency.test",
                )
            assert token is not None, "the database had accounts already"
            self._admin = await self.enrol(token)
        return self._admin

    async def staff(self, *roles: str, email: str | None = None) -> Person:
        """A colleague with these roles, signed in."""
        admin = await self.admin()
        email = email or f"{'-'.join(roles)}-{new_id().hex[-6:]}@agency.test"
        made = await self.client.post(
            "/v1/staff/accounts",
            headers=admin.auth,
            json={"email": email, "name": "Kim Colleague", "roles": list(roles)},
        )
        assert made.status_code == 201, made.text
        effect_id = await self.last_effect("SendStaffInvite", f"staff:{made.json()['id']}")
        return await self.enrol(invite_token(self.link_key, effect_id))

    async def enrol(self, token: str) -> Person:
        """Accepts an invitation and signs in."""
        shown = await self.client.post("/v1/staff/invite/show", json={"token": token})
        assert shown.status_code == 200, shown.text
        person = Person(UUID(int=0), shown.json()["email"], "", shown.json()["totp_secret"])
        accepted = await self.client.post(
            "/v1/staff/invite/accept",
            json={"token": token, "password": PASSWORD, "code": person.code(-1)},
        )
        assert accepted.status_code == 200, accepted.text
        opened = await self.sign_in(person, person.code())
        me = await self.client.get(
            "/v1/staff/me", headers={"Authorization": f"Bearer {opened['token']}"}
        )
        return Person(
            UUID(me.json()["id"]),
            person.email,
            opened["token"],
            person.secret,
            tuple(accepted.json()["recovery_codes"]),
        )

    async def sign_in(self, person: Person, code: str) -> dict[str, Any]:
        answer = await self.client.post(
            "/v1/staff/session", json={"email": person.email, "password": PASSWORD, "code": code}
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def consumer(self, email: str | None = None) -> Person:
        """A consumer, signed in by a link."""
        email = email or f"c{new_id().hex[-8:]}@people.test"
        consumer_id = await self.known_consumer(email)
        asked = await self.client.post("/v1/session/link", json={"email": email})
        assert asked.status_code == 202, asked.text
        effect_id = await self.last_effect("SendMagicLink", f"consumer:{consumer_id}")
        used = await self.client.post(
            "/v1/session", json={"token": link_token(self.link_key, effect_id)}
        )
        assert used.status_code == 201, used.text
        return Person(consumer_id, email, used.json()["token"])

    async def known_consumer(self, email: str) -> UUID:
        consumer_id = new_id()
        async with self.database.transaction() as session:
            await session.execute(
                insert(ConsumerRow).values(
                    id=consumer_id,
                    name="Anna Virtanen",
                    email=email,
                    by_post=False,
                    language="en",
                    country="FI",
                    created_at=wall_now(),
                    version=1,
                )
            )
        return consumer_id

    async def app(self, *scopes: str, days: int = 30) -> Person:
        """An app with a key of these scopes."""
        made = await self.client.post(
            "/v1/api-keys",
            headers=(await self.admin()).auth,
            json={"name": "An app", "scopes": list(scopes), "days": days},
        )
        assert made.status_code == 201, made.text
        return Person(UUID(made.json()["api_key"]["id"]), "", made.json()["key"])

    async def last_effect(self, kind: str, stream: str) -> UUID:
        """What the worker that mails would read."""
        async with self.database.read() as session:
            found = (
                await session.execute(
                    text(
                        "SELECT id FROM effects WHERE kind = :kind AND stream = :stream"
                        " ORDER BY id DESC LIMIT 1"
                    ),
                    {"kind": kind, "stream": stream},
                )
            ).scalar_one()
        return UUID(str(found))


@pytest.fixture
async def app(settings: Settings, database: Database) -> AsyncIterator[FastAPI]:
    """The whole application on the test's own database."""
    made = create_app(settings, database)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
async def client(app: FastAPI, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=settings.public_url) as opened:
        yield opened


@pytest.fixture
def people(client: httpx.AsyncClient, database: Database, settings: Settings) -> People:
    return People(client, database, settings)
