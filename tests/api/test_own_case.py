"""Reading one's case and acting on it: offers, questions, "they paid me", messages, leaving."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import insert, text

from app import engine
from app.clock import wall_now
from app.db import Database
from app.documents.store import open_store
from app.domain.case import OfferKind, Stage
from app.domain.events import CompanyOffered, QuestionAsked
from app.ids import new_id
from app.moment import read_moment
from app.settings import Settings
from app.tables.work import OfferRow, QuestionRow
from tests.support.cases import Made, make_case
from tests.support.clear_papers import put_in_clear
from tests.support.http import Caller, api_key, consumer, pointers, rows, session_of, staff


async def owned(database: Database, **wish: Any) -> tuple[Made, list[Caller]]:
    made = await make_case(database, **wish)
    return made, [await session_of(database, who) for who in made.consumer_ids]


async def offer(
    database: Database, made: Made, minor: int = 60_00, kind: OfferKind = OfferKind.PART
) -> UUID:
    """What a handler records when the company offers."""
    offer_id, now = new_id(), wall_now()
    async with database.transaction() as session:
        await session.execute(
            insert(OfferRow).values(
                id=offer_id,
                case_id=made.id,
                kind=kind,
                state="open",
                amount_minor=minor,
                currency=made.case.currency,
                made_at=now,
                answer_by=now + timedelta(days=10),
                in_full_settlement=True,
                message_id=None,
                words="We can give you half.",
                answers={},
                recorded_by="staff",
            )
        )
        await engine.advance(
            session,
            made.id,
            CompanyOffered(offer_id, kind, minor, now + timedelta(days=10), "staff"),
            actor="staff:x",
        )
    return offer_id


async def question(database: Database, made: Made) -> UUID:
    question_id, now = new_id(), wall_now()
    async with database.transaction() as session:
        await session.execute(
            insert(QuestionRow).values(
                id=question_id,
                case_id=made.id,
                code="receipt",
                words="Do you have the receipt?",
                default_action="close",
                asked_at=now,
                asked_by="staff",
                answer=None,
                answered_at=None,
                answered_by=None,
            )
        )
        await engine.advance(
            session, made.id, QuestionAsked(question_id, "receipt", "close", 10), actor="staff:x"
        )
    return question_id


async def test_a_case_is_read_by_its_people_and_by_nobody_else(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (_, bo) = await owned(database, stage=Stage.CONTACT, claimants=2, letter="delivered")
    eve, shop = await consumer(database), await api_key(database)
    paths = [
        f"/v1/cases/{made.id}{tail}"
        for tail in (
            "",
            "/timeline",
            "/letters",
            "/fee-summary",
            "/messages",
            "/evidence",
            f"/letters/{made.letter_id}/pdf",
        )
    ]
    for path in paths:
        for who in (eve, shop):
            answer = await client.get(path, headers=who.auth)
            assert (answer.status_code, answer.json()["code"]) == (404, "case_not_found"), path
        assert (await client.get(path)).status_code == 401
    mine = (await client.get(f"/v1/cases/{made.id}", headers=bo.auth)).json()
    assert [c["is_you"] for c in mine["claimants"]] == [False, True]
    assert mine["waiting_on_text"] == "We wait for Slow Parcels Ltd to answer our first demand."
    assert mine["letters"][0]["state"] == "delivered" and mine["letters"][0]["pdf"]
    assert "reminder" in mine["now_and_next"]["what_then"]
    assert mine["next_promised_date"]["rule"] and mine["next_promised_date"]["whose_text"]


async def test_internal_entries_and_unsent_letters_are_for_staff_only(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna,) = await owned(database, stage=Stage.CONTACT, letter="to_approve")
    handler, auditor = await staff(database, "handler"), await staff(database, "auditor")
    async with database.transaction() as session:
        await engine.amend(
            session,
            made.id,
            {},
            code="account_shared",
            actor="system",
            params={"internal": "1"},
            moment=await read_moment(session),
        )
    path = f"/v1/cases/{made.id}"
    hers = (await client.get(path, headers=anna.auth)).json()
    ours = (await client.get(path, headers=handler.auth)).json()
    assert hers["letters"] == [] and len(ours["letters"]) == 1
    assert hers["staff"] is None and ours["staff"]["payment_reference"]
    assert "account_shared" not in {e["code"] for e in hers["timeline"]}
    assert "account_shared" in {e["code"] for e in ours["timeline"]}
    masked = (await client.get(path, headers=auditor.auth)).json()
    assert masked["claimants"][0]["name"] == "A*** V***"
    pages: list[dict[str, Any]] = []
    query = "limit=2"
    while query:
        page = (await client.get(f"{path}/timeline?{query}", headers=anna.auth)).json()
        pages += page["items"]
        query = f"limit=2&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    assert [e["number"] for e in pages] == [e["number"] for e in hers["timeline"]]
    assert all(e["text"] and e["by"] for e in pages)
    assert (await client.get(f"{path}/letters", headers=anna.auth)).json()["items"] == []
    pdf = await client.get(f"{path}/letters/{made.letter_id}/pdf", headers=anna.auth)
    assert pdf.status_code == 404


async def test_the_letter_comes_byte_for_byte(
    client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    made, (anna,) = await owned(database, stage=Stage.CONTACT, letter="sent")
    content = b"%PDF-1.7 the letter"
    digest = await put_in_clear(open_store(settings), content)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE letters SET sha256 = :d WHERE id = :i"), {"d": digest, "i": made.letter_id}
        )
    answer = await client.get(
        f"/v1/cases/{made.id}/letters/{made.letter_id}/pdf", headers=anna.auth
    )
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_offer_shows_what_it_leaves_and_each_claimant_answers(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna, bo) = await owned(
        database, stage=Stage.CONTACT, claimants=2, letter="delivered", amounts=(80_00, 40_00)
    )
    offer_id = await offer(database, made)
    path = f"/v1/cases/{made.id}"
    shown = (await client.get(path, headers=anna.auth)).json()["offers"][0]
    assert shown["our_fee_if_accepted"]["minor"] == 1500
    assert [n["would_get"]["minor"] for n in shown["each_would_get"]] == [3000, 1500]
    assert shown["if_you_accept"] and shown["if_you_refuse"] and shown["answer_by_text"]
    body = {"claimant_id": str(made.claimant_ids[0])}
    for headers, who, status in (
        (bo.auth, body, 404),
        ((await consumer(database)).auth, body, 404),
        (anna.at(1), body, 412),
    ):
        answer = await client.post(f"{path}/offers/{offer_id}/accept", headers=headers, json=who)
        assert answer.status_code == status
    one = await client.post(f"{path}/offers/{offer_id}/accept", headers=anna.auth, json=body)
    assert one.status_code == 200, one.text
    assert one.json()["offers"][0]["answers"][0]["answer"] == "accepted"
    assert one.json()["stage"] == "contact"
    body = {"claimant_id": str(made.claimant_ids[1])}
    both = await client.post(f"{path}/offers/{offer_id}/accept", headers=bo.auth, json=body)
    assert both.json()["stage"] == "settlement"
    late = await client.post(f"{path}/offers/{offer_id}/refuse", headers=bo.auth, json=body)
    assert (late.status_code, late.json()["code"]) == (409, "offer_closed")


async def test_refusing_and_countering_an_offer(
    client: httpx.AsyncClient, database: Database
) -> None:
    for verb, extra, state in (
        ("refuse", {}, "refused"),
        ("counter", {"amount": {"amount": "100.00", "currency": "EUR"}}, "countered"),
    ):
        made, (anna,) = await owned(database, stage=Stage.CONTACT, letter="delivered")
        offer_id = await offer(database, made)
        path = f"/v1/cases/{made.id}/offers/{offer_id}/{verb}"
        body: dict[str, Any] = {"claimant_id": str(made.claimant_ids[0])} | extra
        if verb == "counter":
            before = await rows(database)
            for amount in (
                {"amount": "100.00", "currency": "SEK"},
                {"amount": "0", "currency": "EUR"},
                {"amount": "1.001", "currency": "EUR"},
            ):
                wrong = await client.post(path, headers=anna.auth, json=body | {"amount": amount})
                assert wrong.status_code == 422
                assert any(p.startswith("/amount") for p in pointers(wrong))
            assert await rows(database) == before
        done = await client.post(path, headers=anna.auth, json=body)
        assert done.status_code == 200, done.text
        assert done.json()["offers"][0]["state"] == state
    none = await client.post(
        f"/v1/cases/{made.id}/offers/{new_id()}/refuse",
        headers=anna.auth,
        json={"claimant_id": str(made.claimant_ids[0])},
    )
    assert (none.status_code, none.json()["code"]) == (404, "offer_not_found")


async def test_a_question_is_answered_once(client: httpx.AsyncClient, database: Database) -> None:
    made, (anna,) = await owned(database, stage=Stage.ASSESSMENT)
    question_id = await question(database, made)
    path = f"/v1/cases/{made.id}/questions/{question_id}/answer"
    shown = (await client.get(f"/v1/cases/{made.id}", headers=anna.auth)).json()
    assert shown["waiting_on"] == "consumer"
    assert shown["questions"][0]["if_you_do_not_answer"] == "the case is closed"
    assert shown["questions"][0]["answer_by"]
    for body in (
        {},
        {"answer": ""},
        {"answer": "  "},
        {"answer": "x" * 4_001},
        {"answer": "yes", "by": "me"},
    ):
        assert (await client.post(path, headers=anna.auth, json=body)).status_code == 422, body
    eve = await consumer(database)
    assert (await client.post(path, headers=eve.auth, json={"answer": "x"})).status_code == 404
    done = await client.post(path, headers=anna.auth, json={"answer": "Yes, I have it."})
    assert done.status_code == 200, done.text
    assert done.json()["questions"][0]["answer"] == "Yes, I have it."
    assert done.json()["waiting_on"] == "handler"
    again = await client.post(path, headers=anna.auth, json={"answer": "No."})
    assert (again.status_code, again.json()["code"]) == (409, "question_answered")


async def test_they_paid_me_goes_to_a_person(client: httpx.AsyncClient, database: Database) -> None:
    made, (anna,) = await owned(database, stage=Stage.CONTACT, letter="delivered")
    path = f"/v1/cases/{made.id}/direct-payments"
    body = {"amount": {"amount": "60.00", "currency": "EUR"}, "paid_on": "2026-01-02"}
    before = await rows(database)
    for change, pointer in (
        ({"paid_on": "2099-01-01"}, "/paid_on"),
        ({"paid_on": "2025-02-29"}, "/paid_on"),
        ({"amount": {"amount": "60.00", "currency": "USD"}}, "/amount/currency"),
        ({"amount": {"amount": "0.00", "currency": "EUR"}}, "/amount"),
    ):
        answer = await client.post(path, headers=anna.auth, json=body | change)
        assert answer.status_code == 422 and pointer in pointers(answer), change
    assert await rows(database) == before
    headers = anna.auth | {"Idempotency-Key": "paid"}
    done = await client.post(path, headers=headers, json=body)
    assert done.status_code == 201, done.text
    assert done.json()["amount"]["text"] == "60.00 EUR"
    assert (await client.post(path, headers=headers, json=body)).content == done.content
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM direct_payments")) == 1
        assert (
            await session.scalar(
                text("SELECT count(*) FROM tasks WHERE kind = 'check_direct_payment'")
            )
            == 1
        )


async def test_messages_are_filed_and_only_ones_own_are_read(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna, bo) = await owned(database, stage=Stage.CONTACT, claimants=2, letter="delivered")
    path = f"/v1/cases/{made.id}/messages"
    sent = await client.post(path, headers=anna.auth, json={"text": "Any news?\nThanks."})
    assert sent.status_code == 201, sent.text
    assert (await client.get(path, headers=anna.auth)).json()["items"] == [sent.json()]
    assert (await client.get(path, headers=bo.auth)).json()["items"] == []
    handler = await staff(database, "handler")
    assert len((await client.get(path, headers=handler.auth)).json()["items"]) == 1
    for body in ({"text": ""}, {"text": "x" * 10_001}, {"text": "a\u0000b"}, {"text": 1}):
        assert (await client.post(path, headers=anna.auth, json=body)).status_code == 422
    eve = await consumer(database)
    assert (await client.post(path, headers=eve.auth, json={"text": "hi"})).status_code == 404


async def test_withdrawing_gives_a_receipt_and_stops_what_had_not_left(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna,) = await owned(database, stage=Stage.CONTACT, letter="to_approve")
    path = f"/v1/cases/{made.id}/withdraw"
    eve = await consumer(database)
    assert (await client.post(path, headers=eve.auth)).status_code == 404
    assert (await client.post(path, headers=anna.at(1))).status_code == 412
    headers = anna.auth | {"Idempotency-Key": "leave"}
    done = await client.post(path, headers=headers)
    assert done.status_code == 200, done.text
    receipt = done.json()
    assert receipt["outcome"] == "withdrawn" and receipt["fee_still_possible"] is False
    assert any("first demand" in line for line in receipt["stopped"])
    assert receipt["had_already_gone"] == ["Nothing had been sent in your name."]
    read = await client.get(f"/v1/cases/{made.id}", headers=anna.auth)
    assert read.json()["stage"] == "closed"
    assert read.headers["etag"] == done.headers["etag"] == f'"{receipt["version"]}"'
    assert (await client.post(path, headers=headers)).content == done.content
    again = await client.post(path, headers=anna.auth)
    assert again.status_code == 409


async def test_after_an_offer_in_writing_the_receipt_says_what_may_be_owed(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna,) = await owned(database, stage=Stage.CONTACT, letter="delivered")
    await offer(database, made)
    receipt = (await client.post(f"/v1/cases/{made.id}/withdraw", headers=anna.auth)).json()
    assert receipt["fee_still_possible"] is True and receipt["fee_window_ends"]
    assert "was sent on" in receipt["had_already_gone"][0]


async def test_one_of_a_party_does_not_withdraw_for_the_others(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (_, bo) = await owned(database, stage=Stage.CONTACT, claimants=2, letter="delivered")
    before = await rows(database)
    answer = await client.post(f"/v1/cases/{made.id}/withdraw", headers=bo.auth)
    assert (answer.status_code, answer.json()["code"]) == (409, "other_claimants_stay")
    assert await rows(database) == before


async def test_leaving_for_our_lateness_needs_our_lateness(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna,) = await owned(database, stage=Stage.ASSESSMENT)
    path = f"/v1/cases/{made.id}/leave"
    early = await client.post(path, headers=anna.auth)
    assert (early.status_code, early.json()["code"]) == (409, "transition_refused")
    late = wall_now() + timedelta(days=45)
    async with database.transaction() as session:
        moment = await read_moment(session)
        await engine.sweep_due(session, moment=replace(moment, now=late))
    view = (await client.get(f"/v1/cases/{made.id}", headers=anna.auth)).json()
    assert view["we_are_late"] is True
    done = await client.post(path, headers=anna.auth)
    assert done.status_code == 200, done.text
    assert done.json()["outcome"] == "agency_late"
    assert done.json()["fee_still_possible"] is False


async def test_a_handler_acts_for_somebody_on_the_phone_with_the_version_they_read(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, _ = await owned(database, stage=Stage.ASSESSMENT)
    handler, auditor = await staff(database, "handler"), await staff(database, "auditor")
    question_id = await question(database, made)
    path, body = f"/v1/cases/{made.id}/questions/{question_id}/answer", {"answer": "Yes."}
    version = (await client.get(f"/v1/cases/{made.id}", headers=handler.auth)).json()["version"]
    for headers, status in (
        (handler.auth, 428),
        (handler.at(version - 1), 412),
        (auditor.at(version), 403),
    ):
        assert (await client.post(path, headers=headers, json=body)).status_code == status
    done = await client.post(path, headers=handler.at(version), json=body)
    assert done.status_code == 200, done.text
    assert done.json()["timeline"][0]["by"] == "our handler"
    other = await make_case(database, stage=Stage.ASSESSMENT, handler_id=new_id())
    assert (await client.get(f"/v1/cases/{other.id}", headers=handler.auth)).status_code == 404


async def test_repeated_calls_with_one_key_act_once(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna,) = await owned(database, stage=Stage.CONTACT, letter="delivered")
    offer_id = await offer(database, made)
    claimant = {"claimant_id": str(made.claimant_ids[0])}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("messages", {"text": "Hello."}),
        (f"offers/{offer_id}/accept", claimant),
    ]
    for tail, body in calls:
        headers = anna.auth | {"Idempotency-Key": tail[:8]}
        first, again = [
            await client.post(f"/v1/cases/{made.id}/{tail}", headers=headers, json=body)
            for _ in range(2)
        ]
        assert first.is_success and first.content == again.content
        assert again.headers["idempotency-replayed"] == "true"
        other = await client.post(
            f"/v1/cases/{made.id}/{tail}", headers=headers, json=body | {"text": "Other."}
        )
        assert (other.status_code, other.json()["code"]) in (
            (422, "idempotency_key_reused"),
            (422, "validation_failed"),
        )
