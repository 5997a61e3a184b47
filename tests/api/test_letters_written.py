"""A handler has a letter written: what is taken, what is refused with its reason, what is kept."""

from __future__ import annotations

import json

import httpx

from app.clock import wall_now
from app.crypto import load_keyring
from app.db import Database
from app.domain.case import Stage
from app.letter_details import read_details
from app.settings import Settings
from app.vault import create_cipher
from tests.support.api import People
from tests.support.cases import Made, make_case
from tests.support.staff_work import every, one, post, problem

DISPUTE = {
    "kind": "debt_dispute", "addressee": "collector", "reason": "withdrawn",
    "debt_reference": "Secret-77",
    "recipient": {"name": "Collector Oy", "address_lines": ["Box 1", "00101 Helsinki"],
                  "country": "FI"},
}  # fmt: skip


async def give_key(database: Database, settings: Settings, case: Made) -> None:
    """The person has a data key, as everybody has who files by the door."""
    async with database.transaction() as session:
        await create_cipher(session, load_keyring(settings), case.consumer_ids[0], at=wall_now())


async def test_a_letter_is_asked_for_once_with_its_words_sealed(
    client: httpx.AsyncClient, people: People, database: Database, settings: Settings
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    await give_key(database, settings, case)
    path = f"/v1/cases/{case.id}/letters"
    answer = await post(client, handler, path, DISPUTE, case=case)
    assert answer.status_code == 201, answer.text
    letter = await one(
        database, "SELECT * FROM letters WHERE case_id = :id AND topic <> ''", id=case.id
    )
    assert (letter.kind, letter.state, letter.recipient, letter.channel) == (
        "debt_dispute", "rendering", "other", "post",
    )  # fmt: skip
    stored = await every(database, "SELECT to_jsonb(d) FROM letter_details d")
    assert "Secret-77" not in json.dumps([str(row) for row in stored])
    assert "Secret" not in letter.topic
    async with database.read() as session:
        kept = await read_details(session, load_keyring(settings), [letter.id])
    assert kept[letter.id].said["debt_reference"] == "Secret-77"
    version = answer.json()["version"]
    again = await post(client, handler, path, DISPUTE, version=version)
    assert problem(again, 409, "transition_refused")["detail"].endswith("made already")
    closing = await post(client, handler, path, {"kind": "closing_company"}, version=version)
    assert "closed case" in problem(closing, 409, "transition_refused")["detail"]
    mail = DISPUTE | {"channel": "email", "debt_reference": "other"}
    assert (await post(client, handler, path, mail, version=version)).status_code == 422
    unknown = {"kind": "declaration", "declared": "extra_time", "contract": "x"}
    assert (await post(client, handler, path, unknown, version=version)).status_code == 422
    assert len(await every(database, "SELECT 1 FROM letter_details")) == 1


async def test_a_denial_is_answered_with_the_reasons_a_handler_names(
    client: httpx.AsyncClient, people: People, database: Database, settings: Settings
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    await give_key(database, settings, case)
    known = await client.get("/v1/denial-reasons", headers=handler.auth, params={"language": "de"})
    fitting = {x["id"]: x for x in known.json()["items"]}["carrier_says_delivered"]
    assert "Gefahr" in fitting["answer"] and "2011/83" in fitting["law"]["EU"]
    denied = await post(
        client, handler, f"/v1/cases/{case.id}/answers",
        {"kind": "denied", "reason": "carrier_says_delivered"}, case=case,
    )  # fmt: skip
    version = denied.json()["version"]
    path = f"/v1/cases/{case.id}/next-step"
    wish = {"stage": "contact", "reason": "answer it", "letter": "denial_answer"}
    foreign = await post(client, handler, path, wish | {"denials": ["weather"]}, version=version)
    assert problem(foreign, 422, "invalid_input")["detail"].startswith("weather")
    chosen = await post(
        client, handler, path, wish | {"denials": ["carrier_says_delivered", "papers_missing"]},
        version=version,
    )  # fmt: skip
    assert chosen.status_code == 200, chosen.text
    letter = await one(
        database, "SELECT id FROM letters WHERE kind = 'denial_answer' AND topic = ''"
    )
    async with database.read() as session:
        kept = await read_details(session, load_keyring(settings), [letter.id])
    assert kept[letter.id].said["denials"] == ["carrier_says_delivered", "papers_missing"]
