"""The summary before signing, the signature, and taking it back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from app.db import Database
from app.domain.case import Stage
from app.mandates.service import withdrawal_ends
from app.playbooks import book
from app.texts import words
from app.texts.words import LANGUAGES
from tests.support.cases import Made, make_case
from tests.support.estate_link import letter_link
from tests.support.http import Caller, consumer, rows, session_of, staff
from tests.support.signing import signature_of


def signature(made: Made, page: dict[str, Any], at: int = 0, **changes: object) -> dict[str, Any]:
    """As the signer of the page that was shown sends it."""
    return signature_of(page, made.claimant_ids[at], "Anna Virtanen") | changes


async def page_of(client: httpx.AsyncClient, made: Made, who: Caller, lang: str = "en") -> Any:
    answer = await client.get(f"/v1/cases/{made.id}/fee-summary?language={lang}", headers=who.auth)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def agreed(database: Database, claimants: int = 1) -> tuple[Made, list[Caller]]:
    made = await make_case(
        database, stage=Stage.AGREEMENT, claimants=claimants, amounts=(100_00, 50_01)
    )
    return made, [await session_of(database, who) for who in made.consumer_ids]


async def test_the_summary_shows_net_amounts_for_every_outcome(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna,) = await agreed(database)
    answer = await client.get(f"/v1/cases/{made.id}/fee-summary", headers=anna.auth)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    lines = {
        n["outcome"]: (
            n["recovered"]["minor"],
            n["our_fee"]["minor"],
            n["vat_inside_fee"]["minor"],
            n["you_get"]["minor"],
        )
        for n in page["net_amounts"]
    }
    assert lines == {
        "full": (15001, 3750, 762, 11251),
        "half": (7500, 1875, 381, 5625),
        "voucher": (15001, 0, 0, 15001),
        "direct": (15001, 3750, 762, 11251),
        "nothing": (0, 0, 0, 0),
        "left_after_offer": (15001, 3750, 762, 11251),
    }
    assert page["fee"]["rate_percent"] == "25" and page["fee"]["vat_percent"] == "25.5"
    assert "14 days" in page["withdrawal_right"] and "Slow Parcels" in page["mandate_text"]
    finnish = await client.get(f"/v1/cases/{made.id}/fee-summary?language=fi", headers=anna.auth)
    assert "14 päivän" in finnish.json()["withdrawal_right"]
    assert finnish.json()["net_amounts"][0]["you_get"] == page["net_amounts"][0]["you_get"]


async def test_signing_starts_the_ladder_and_keeps_what_was_shown(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna,) = await agreed(database)
    path = f"/v1/cases/{made.id}"
    shown = await page_of(client, made, anna, "fi")  # the case itself speaks English
    body = signature(made, shown)
    headers = anna.auth | {"Idempotency-Key": "sign"}
    answer = await client.post(f"{path}/mandates", headers=headers, json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["case"]["stage"] == "contact"
    assert answer.json()["case"]["claimants"][0]["mandate"]["state"] == "signed"
    again = await client.post(f"{path}/mandates", headers=headers, json=body)
    assert again.content == answer.content
    async with database.read() as session:
        kept = (await session.execute(text("SELECT shown, fee_rule, filed_by FROM mandates"))).one()
        asked = (await session.execute(text("SELECT * FROM mandate_starts"))).one()
    assert {k: kept.shown[k] for k in shown} == shown and "14 päivän" in shown["withdrawal_right"]
    assert kept.fee_rule == "standard-2026@1" and kept.filed_by == f"consumer:{anna.id}"
    assert (asked.text, asked.language) == (shown["start_now_text"], "fi")
    twice = await client.post(f"{path}/mandates", headers=anna.auth, json=body)
    assert (twice.status_code, twice.json()["code"]) == (409, "mandate_already_signed")


async def test_signatures_that_do_not_stand_are_refused(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna, bo) = await agreed(database, claimants=2)
    eve, handler = await consumer(database), await staff(database, "handler")
    path, page = f"/v1/cases/{made.id}/mandates", await page_of(client, made, anna)
    other = (await page_of(client, made, anna, "de"))["page_sha256"]
    before = await rows(database)
    tries = [
        (eve.auth, signature(made, page), 404, "case_not_found"),
        (anna.auth, signature(made, page, 1), 404, "claimant_not_found"),
        (anna.auth, signature(made, page, text_version="2025-9"), 409, "mandate_text_changed"),
        (anna.auth, signature(made, page, summary_sha256=other), 409, "mandate_text_changed"),
        (anna.auth, signature(made, page, summary_language="de"), 409, "mandate_text_changed"),
        (anna.auth, signature(made, page, summary_language="xx"), 422, "validation_failed"),
        (anna.auth, signature(made, page, level="wet_ink"), 422, "fields_refused"),
        (anna.auth, signature(made, page, signed_name="\u200b"), 422, "validation_failed"),
        (anna.auth, signature(made, page, level="crayon"), 422, "validation_failed"),
        (anna.auth, signature(made, page, receives_money="yes"), 422, "validation_failed"),
        (anna.auth, signature(made, page) | {"mandate_id": "x"}, 422, "validation_failed"),
        (anna.at(made.version + 1), signature(made, page), 412, "stale_version"),
        (anna.auth | {"If-Match": "*"}, signature(made, page), 422, "if_match_invalid"),
        (handler.auth, signature(made, page, level="wet_ink"), 428, "if_match_required"),
        (handler.at(made.version), signature(made, page), 422, "fields_refused"),
    ]
    for headers, body, status, code in tries:
        answer = await client.post(path, headers=headers, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), body
    assert await rows(database) == before
    assert (
        await client.post(path, headers=bo.auth, json=signature(made, page, 1))
    ).status_code == 201


async def test_a_handler_files_the_paper_original(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, _ = await agreed(database)
    handler = await staff(database, "handler")
    page = await page_of(client, made, handler)
    answer = await client.post(
        f"/v1/cases/{made.id}/mandates",
        headers=handler.at(made.version),
        json=signature(made, page, level="wet_ink"),
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["case"]["stage"] == "contact"


async def test_revoking_stops_and_only_ones_own(
    client: httpx.AsyncClient, database: Database
) -> None:
    made = await make_case(database, stage=Stage.CONTACT, claimants=2, letter="to_approve")
    anna, bo = [await session_of(database, who) for who in made.consumer_ids]
    path = f"/v1/cases/{made.id}"
    view = (await client.get(path, headers=anna.auth)).json()
    mine = view["claimants"][0]["mandate"]["mandate_id"]
    async with database.transaction() as session:
        letter = await session.scalar(text("SELECT letter_id FROM cases"))
        ids = {"case_id": str(made.id), "letter_id": str(letter)}
        ids["claimant_id"] = str(made.claimant_ids[0])
        link = await letter_link(session, ids, b"%PDF papers of both")
    other = await client.post(f"{path}/mandates/{mine}/revoke", headers=bo.auth)
    assert (other.status_code, other.json()["code"]) == (404, "mandate_not_found")
    done = await client.post(f"{path}/mandates/{mine}/revoke", headers=anna.auth)
    assert done.status_code == 200, done.text
    assert [c["mandate"]["state"] for c in done.json()["claimants"]] == ["revoked", "signed"]
    assert done.json()["stage"] == "contact"
    again = await client.post(f"{path}/mandates/{mine}/revoke", headers=anna.auth)
    assert (again.status_code, again.json()["code"]) == (409, "mandate_revoked")
    async with database.read() as session:
        assert (
            await session.scalar(text("SELECT count(*) FROM mandates WHERE revoked_at IS NULL"))
            == 1
        )
    # What carries the papers of who left to others opens nothing any more.
    opened = await client.get(f"/v1/documents/{link['token']}")
    assert (opened.status_code, opened.json()["code"]) == (404, "link_not_found")


async def test_who_does_not_ask_us_to_begin_waits_until_they_do(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna, bo) = await agreed(database, claimants=2)
    path, page = f"/v1/cases/{made.id}", await page_of(client, made, anna)
    for who, at in ((anna, 0), (bo, 1)):
        body = signature(made, page, at, start_now=False)
        signed = await client.post(f"{path}/mandates", headers=who.auth, json=body)
        assert signed.status_code == 201, signed.text
    case = (await client.get(path, headers=anna.auth)).json()
    told = " ".join(entry["text"] for entry in case["timeline"])
    assert case["stage"] == "agreement" and "did not ask us to begin at once" in told
    mine, theirs = (c["mandate"] for c in case["claimants"])
    until, since = (datetime.fromisoformat(mine[k]) for k in ("waits_until", "signed_at"))
    assert timedelta(days=13) < until - since <= timedelta(days=20)

    # No handler lifts it, whatever name they have for it.
    senior = await staff(database, "senior")
    lift = f"{path}/holds/{made.claimant_ids[0]}"
    etag = (await client.get(path, headers=senior.auth)).headers["etag"]
    refused = await client.delete(lift, headers=senior.auth | {"If-Match": etag})
    assert (refused.status_code, refused.json()["code"]) == (409, "withdrawal_wait")

    # The signer's own request, in their words, for themself alone.
    start = f"{path}/mandates/{mine['mandate_id']}/start"
    body = {"language": "en", "start_now_sha256": page["start_now_sha256"]}
    stale = body | {"start_now_sha256": page["page_sha256"]}
    for headers, given, status, code in (
        (bo.auth, body, 404, "claimant_not_found"),
        (senior.auth, body, 403, "forbidden"),
        (anna.auth, stale, 409, "mandate_text_changed"),
    ):
        answer = await client.post(start, headers=headers, json=given)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    begun = await client.post(start, headers=anna.auth, json=body)
    assert begun.status_code == 200, begun.text
    assert "I owe nothing" in begun.json()["text"] and begun.json()["case"]["stage"] == "contact"
    waits = [c["mandate"]["waits_until"] for c in begun.json()["case"]["claimants"]]
    assert waits == [None, theirs["waits_until"]]
    again = await client.post(start, headers=anna.auth, json=body)
    assert (again.status_code, again.json()["code"]) == (409, "already_begun")
    async with database.read() as session:
        kept = (await session.execute(text("SELECT * FROM mandate_starts"))).one()
    assert kept.text == page["start_now_text"] and kept.proof["session"] and kept.proof["address"]


def test_the_time_to_withdraw_ends_with_a_working_day() -> None:
    finnish = book.choose(claim_kind="air", jurisdiction="FI", on=date(2026, 11, 1))
    signed = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # the 23rd in Helsinki
    assert withdrawal_ends(finnish, signed) == datetime(2026, 12, 7, 22, tzinfo=UTC)
    saturday = datetime(2026, 11, 21, 9, tzinfo=UTC)  # ends on Saturday 5, before Independence Day
    assert withdrawal_ends(finnish, saturday) == datetime(2026, 12, 7, 22, tzinfo=UTC)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_contract_binds_nobody_to_us(language: str) -> None:
    """No exclusivity, exit penalty, assignment, silent price change, settlement without a yes; and
    what must be there is there."""
    summary = words(language).document("summary")
    whole = " ".join(summary.values()).lower()
    assert [sign for sign in UNFAIR[language] if sign in whole] == []
    assert "14" in summary["withdrawal_right"] and "12" in summary["leaving"]
    assert "30" in summary["late"] and "{company}" in summary["mandate_text"]
    for needed in ("alone", "complaint_about_us", "data_use", "public_at_body", "start_now"):
        assert len(summary[needed]) > 60, needed


UNFAIR = {
    "en": ("exclusiv", "penalty", "assign", "cession", "settle for", "on your behalf without",
           "may change the fee", "cancellation fee", "handling fee"),
    "fi": ("yksinoik", "sopimussak", "siirrät saata", "muuttaa palkkiota", "peruutusmaksu",
           "käsittelymaksu", "suostumuksettasi"),
    "sv": ("ensamrätt", "exklusiv", "vite", "överlåt", "ändra arvodet", "avbokningsavgift",
           "utan ditt samtycke"),
    "fr": ("exclusiv", "pénalité", "cession", "cédez", "modifier les honoraires",
           "frais de résiliation", "sans votre accord"),
    "de": ("exklusiv", "vertragsstrafe", "abtret", "honorar ändern", "stornogebühr",
           "bearbeitungsgebühr", "ohne ihre zustimmung"),
}  # fmt: skip
