"""Who signs for whom, how strongly, until when; and where a paper original lies."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import insert, text, update

from app.clock import wall_now
from app.crypto import load_keyring
from app.db import Database
from app.domain.case import Stage
from app.ids import new_id
from app.mandates.acting import BIRTH_COLUMN
from app.mandates.service import valid_until
from app.settings import Settings
from app.tables.people import ConsumerRow
from app.tables.security import DataKey
from app.vault import data_key_row
from tests.support.cases import Made, make_case
from tests.support.http import Caller, session_of, staff
from tests.support.signing import signature_of

DRAWN = "M60 220L180 60L260 240"


async def born(database: Database, settings: Settings, who: UUID, day: date) -> None:
    async with database.transaction() as session:
        cipher, key = data_key_row(load_keyring(settings), who, wall_now())
        await session.execute(insert(DataKey).values(**key))
        sealed = cipher.encrypt(day.isoformat(), column=BIRTH_COLUMN, row_id=who)
        await session.execute(
            update(ConsumerRow).where(ConsumerRow.id == who).values(birth_date_cipher=sealed)
        )


async def paper(database: Database, made: Made, state: str = "clean") -> str:
    """A file of the case, as the screening left it."""
    evidence = new_id()
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO evidence (id, case_id, uploaded_by, file_name, media_type, size_bytes,"
                " sha256, storage_key, state, what, uploaded_at) VALUES (:id, :case, 'staff:x',"
                " 'authority.pdf', 'application/pdf', 9, 'aa', 'aa', :state, 'other', now())"
            ),
            {"id": evidence, "case": made.id, "state": state},
        )
    return str(evidence)


async def sign(
    client: httpx.AsyncClient, made: Made, who: Caller, at: int, **changes: Any
) -> httpx.Response:
    page = await client.get(f"/v1/cases/{made.id}/fee-summary", headers=who.auth)
    headers = who.auth
    if who.id not in made.consumer_ids:
        etag = (await client.get(f"/v1/cases/{made.id}", headers=who.auth)).headers["etag"]
        headers = headers | {"If-Match": etag}
    body = signature_of(page.json(), made.claimant_ids[at], "Somebody") | changes
    return await client.post(f"/v1/cases/{made.id}/mandates", headers=headers, json=body)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    problem = answer.json()
    errors = problem["errors"]
    return answer.status_code, errors[0]["code"] if errors else problem["code"]


async def test_a_guardian_signs_for_a_child_and_a_proxy_shows_an_authority(
    client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    made = await make_case(database, stage=Stage.AGREEMENT, claimants=2, amounts=(50_00, 50_00))
    parent, child = [await session_of(database, who) for who in made.consumer_ids]
    handler = await staff(database, "handler")
    today = wall_now().date()
    await born(database, settings, made.consumer_ids[1], today - timedelta(days=9 * 365))
    guardian: dict[str, Any] = {"role": "guardian", "name": "Anna Virtanen", "relation": "mother"}
    proxy: dict[str, Any] = {
        "role": "proxy", "name": "Paavo Proxy", "scope": ["sign"],
        "valid_until": (today + timedelta(days=90)).isoformat(),
    }  # fmt: skip
    unseen, seen = await paper(database, made, "quarantined"), await paper(database, made)
    shown = {**proxy, "evidence_id": seen}
    tries: list[tuple[Caller, int, dict[str, Any], tuple[int, str]]] = [
        (child, 1, {}, (422, "guardian_needed")),
        (parent, 1, {}, (404, "claimant_not_found")),
        (child, 0, {"acting": guardian}, (404, "claimant_not_found")),  # nobody but a parent
        (parent, 0, {"acting": guardian}, (422, "authority_needed")),  # an adult's shows a paper
        (parent, 0, {"acting": shown}, (422, "level_not_yours")),  # which a colleague looks at
        (handler, 1, {"acting": shown}, (422, "guardian_needed")),
        (parent, 0, {"acting": proxy}, (422, "authority_needed")),
        (handler, 0, {"acting": {**shown, "evidence_id": unseen}, "receives_money": False},
         (422, "evidence_not_found")),
        (handler, 0, {"acting": shown}, (422, "authority_narrow")),
        (handler, 0, {"acting": {**shown, "valid_until": "2020-01-01"}}, (422, "authority_ended")),
        (parent, 0, {"acting": {"role": "guardian", "name": "A"}}, (422, "relation_missing")),
    ]  # fmt: skip
    for who, at, changes, expected in tries:
        assert code_of(await sign(client, made, who, at, **changes)) == expected, changes
    signed = await sign(client, made, parent, 1, acting=guardian)
    assert signed.status_code == 201, signed.text
    signed = await sign(client, made, handler, 0, acting=shown, receives_money=False)
    assert signed.status_code == 201, signed.text
    case = signed.json()["case"]
    assert case["stage"] == "contact"
    assert case["claimants"][0]["mandate"]["valid_until"] == proxy["valid_until"]
    async with database.read() as session:
        kept = (await session.execute(text("SELECT * FROM mandate_signers ORDER BY role"))).all()
    assert [(k.role, k.name, k.relation) for k in kept] == [
        ("guardian", "Anna Virtanen", "mother"), ("proxy", "Paavo Proxy", None),
    ]  # fmt: skip


async def test_a_stronger_signature_takes_the_place_of_a_weaker_and_paper_has_a_register(
    client: httpx.AsyncClient, database: Database
) -> None:
    made = await make_case(database, stage=Stage.AGREEMENT)
    anna, handler = (
        await session_of(database, made.consumer_ids[0]),
        await staff(database, "handler"),
    )
    assert code_of(await sign(client, made, anna, 0, level="drawn")) == (422, "drawing_needed")
    assert code_of(await sign(client, made, anna, 0, drawing=DRAWN)) == (422, "drawing_needed")
    script = '"/><script>'
    refused = await sign(client, made, anna, 0, level="drawn", drawing=script)
    assert code_of(refused)[0] == 422 and script not in refused.text
    for level in ("qualified", "wet_ink"):
        assert code_of(await sign(client, made, anna, 0, level=level)) == (422, "level_not_yours")
    assert (await sign(client, made, anna, 0)).status_code == 201
    assert code_of(await sign(client, made, anna, 0)) == (409, "mandate_already_signed")
    drawn = await sign(client, made, anna, 0, level="drawn", drawing=DRAWN)
    assert drawn.status_code == 201, drawn.text
    assert drawn.json()["case"]["claimants"][0]["mandate"]["level"] == "drawn"
    refused = await sign(client, made, handler, 0, level="qualified")
    assert code_of(refused) == (422, "signed_file_needed")
    original = f"/v1/cases/{made.id}/mandates/{drawn.json()['mandate_id']}/original"
    today = wall_now().date()
    entry = {"what": "received", "happened_on": today.isoformat(), "place": "by post, tray 4"}
    none = await client.post(original, headers=handler.auth, json=entry)
    assert code_of(none) == (409, "no_paper_original")
    paper_one = await sign(client, made, handler, 0, level="wet_ink")
    assert paper_one.status_code == 201, paper_one.text
    original = f"/v1/cases/{made.id}/mandates/{paper_one.json()['mandate_id']}/original"
    early = (today - timedelta(days=3)).isoformat()
    for what, day, place, expected in (
        ("sent", today.isoformat(), "MTV, Paris", 409),  # it is not here yet
        ("received", (today + timedelta(days=2)).isoformat(), "by post", 422),
        ("received", today.isoformat(), "by post", 201),
        ("kept", early, "safe 2", 422),
        ("kept", today.isoformat(), "safe 2", 201),
        ("sent", today.isoformat(), "MTV, Paris", 201),
        ("kept", today.isoformat(), "safe 2", 409),  # it is in Paris
        ("returned", today.isoformat(), "MTV, Paris", 201),
    ):
        entry = {"what": what, "happened_on": day, "place": place}
        answer = await client.post(original, headers=handler.auth, json=entry)
        assert answer.status_code == expected, (what, answer.text)
    register = (await client.get(original, headers=handler.auth)).json()["items"]
    assert [e["what"] for e in register] == ["received", "kept", "sent", "returned"]
    async with database.read() as session:
        standing = await session.scalar(
            text("SELECT count(*) FROM mandates WHERE revoked_at IS NULL")
        )
    assert standing == 1


def test_the_last_day_is_the_agencys_or_the_authoritys_whichever_comes_first() -> None:
    today = date(2026, 1, 31)

    class Body:
        acting = None

    assert valid_until({}, Body(), today) is None  # type: ignore[arg-type]  # it reads one field
    assert valid_until({"mandate_months": 1}, Body(), today) == date(2026, 2, 28)  # type: ignore[arg-type]  # it reads one field
