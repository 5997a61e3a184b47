"""Mail from a provider that posts it: signed, stored byte for byte, once."""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text

from app.clock import wall_now
from app.correspondence.webhook import BadSignature, check_signature
from app.db import Database
from app.deps import Parts
from tests.support.raw_mails import raw_mails
from tests.support.staff_work import problem

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
RAW = b"From: anna@person.test\r\nMessage-ID: <1@person.test>\r\n\r\nWhere is it?\r\n"


def signed(body: bytes, *, at: float | None = None, key: bytes = KEY, name: str = "msg_1") -> Any:
    moment = str(int(at or wall_now().timestamp()))
    digest = hmac.digest(key, f"{name}.{moment}.".encode() + body, sha256)
    return {
        "webhook-id": name, "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
        "content-type": "message/rfc822",
    }  # fmt: skip


def test_the_signature_covers_name_time_and_body() -> None:
    now = wall_now()
    check_signature(signed(RAW), RAW, secret=SECRET, now=now)
    both = signed(RAW)
    both["webhook-signature"] = "v1,AAAA v2,xx " + both["webhook-signature"]
    check_signature(both, RAW, secret=SECRET, now=now)
    for headers, body in (
        (signed(RAW), RAW + b"x"),
        (signed(RAW, key=KEY[::-1]), RAW),
        (signed(RAW, at=now.timestamp() - 301), RAW),
        (signed(RAW, at=now.timestamp() + 301), RAW),
        (signed(RAW) | {"webhook-id": "msg_2"}, RAW),
        (signed(RAW) | {"webhook-id": ""}, RAW),
        (signed(RAW) | {"webhook-timestamp": "²"}, RAW),
        (signed(RAW) | {"webhook-timestamp": "9" * 5000}, RAW),
        (signed(RAW) | {"webhook-signature": "v1,!!!"}, RAW),
        ({}, RAW),
    ):
        with pytest.raises(BadSignature):
            check_signature(headers, body, secret=SECRET, now=now)


async def test_a_signed_mail_is_stored_once(
    client: httpx.AsyncClient, app: FastAPI, database: Database
) -> None:
    path = "/v1/inbound/mail?to=case@mail.test"
    off = await client.post(path, content=RAW, headers=signed(RAW))
    problem(off, 404, "webhook_off")
    parts: Parts = app.state.parts
    on = parts.settings.model_copy(update={"inbound_webhook_secret": SecretStr(SECRET)})
    object.__setattr__(parts, "settings", on)
    forged = await client.post(path, content=RAW, headers=signed(RAW, key=KEY[::-1]))
    problem(forged, 401, "bad_signature")
    for new in (True, False):
        answer = await client.post(path, content=RAW, headers=signed(RAW))
        assert (answer.status_code, answer.json()) == (202, {"new": new}), answer.text
    async with database.read() as session:
        rows = (await session.execute(text("SELECT envelope_to FROM inbound"))).all()
    assert [tuple(row) for row in rows] == [("case@mail.test",)]
    assert await raw_mails(database) == [RAW]
