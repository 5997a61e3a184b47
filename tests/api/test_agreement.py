"""The summary before signing, the signature, and taking it back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

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
from tests.support.http import Caller, consumer, rows, session_of, staff


def signature(made: Made, at: int = 0, **changes: object) -> dict[str, object]:
    return {
        "claimant_id": str(made.claimant_ids[at]),
        "signed_name": "Anna Virtanen",
        "level": "typed",
        "text_version": "2026-2",
        "receives_money": True,
        "start_now": True,
    } | changes


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
    shown = (await client.get(f"{path}/fee-summary", headers=anna.auth)).json()
    headers = anna.auth | {"Idempotency-Key": "sign"}
    answer = await client.post(f"{path}/mandates", headers=headers, json=signature(made))
    assert answer.status_code == 201, answer.text
    assert answer.json()["case"]["stage"] == "contact"
    assert answer.json()["case"]["claimants"][0]["mandate"]["state"] == "signed"
    again = await client.post(f"{path}/mandates", headers=headers, json=signature(made))
    assert again.content == answer.content
    async with database.read() as session:
        kept = (await session.execute(text("SELECT shown, fee_rule, filed_by FROM mandates"))).one()
    assert {k: kept.shown[k] for k in shown} == shown
    assert kept.fee_rule == "standard-2026@1" and kept.filed_by == f"consumer:{anna.id}"
    twice = await client.post(f"{path}/mandates", headers=anna.auth, json=signature(made))
    assert (twice.status_code, twice.json()["code"]) == (409, "mandate_already_signed")


async def test_signatures_that_do_not_stand_are_refused(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna, bo) = await agreed(database, claimants=2)
    eve, handler = await consumer(database), await staff(database, "handler")
    path, before = f"/v1/cases/{made.id}/mandates", await rows(database)
    tries = [
        (eve.auth, signature(made), 404, "case_not_found"),
        (anna.auth, signature(made, 1), 404, "claimant_not_found"),
        (anna.auth, signature(made, text_version="2025-9"), 409, "mandate_text_changed"),
        (anna.auth, signature(made, level="wet_ink"), 422, "fields_refused"),
        (anna.auth, signature(made, signed_name="\u200b"), 422, "validation_failed"),
        (anna.auth, signature(made, level="crayon"), 422, "validation_failed"),
        (anna.auth, signature(made, receives_money="yes"), 422, "validation_failed"),
        (anna.auth, signature(made) | {"mandate_id": "x"}, 422, "validation_failed"),
        (anna.at(made.version + 1), signature(made), 412, "stale_version"),
        (anna.auth | {"If-Match": "*"}, signature(made), 422, "if_match_invalid"),
        (handler.auth, signature(made, level="wet_ink"), 428, "if_match_required"),
        (handler.at(made.version), signature(made), 422, "fields_refused"),
    ]
    for headers, body, status, code in tries:
        answer = await client.post(path, headers=headers, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), body
    assert await rows(database) == before
    assert (await client.post(path, headers=bo.auth, json=signature(made, 1))).status_code == 201


async def test_a_handler_files_the_paper_original(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, _ = await agreed(database)
    handler = await staff(database, "handler")
    answer = await client.post(
        f"/v1/cases/{made.id}/mandates",
        headers=handler.at(made.version),
        json=signature(made, level="wet_ink"),
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


async def test_who_does_not_ask_us_to_begin_is_not_acted_for_while_they_may_withdraw(
    client: httpx.AsyncClient, database: Database
) -> None:
    made, (anna,) = await agreed(database)
    path = f"/v1/cases/{made.id}"
    body = signature(made, start_now=False)
    signed = await client.post(f"{path}/mandates", headers=anna.auth, json=body)
    assert signed.status_code == 201, signed.text
    case = (await client.get(path, headers=anna.auth)).json()
    told = " ".join(entry["text"] for entry in case["timeline"])
    assert "the 14 days in which you may withdraw" in told
    async with database.read() as session:
        kept = (await session.execute(
            text("SELECT m.*, c.pauses FROM mandates m JOIN cases c ON c.id = m.case_id")
        )).one()  # fmt: skip
    assert kept.start_asked_at is None and kept.proof["session"] and kept.proof["address"]
    (pause,) = kept.pauses
    until = datetime.fromisoformat(pause["until"])
    assert timedelta(days=13) < until - kept.signed_at <= timedelta(days=20)
    assert kept.text_sha256 == kept.shown["text_sha256"]


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
