"""Going on alone: the pack of a consumer we no longer act for."""

from __future__ import annotations

import io
import string
import zipfile
from dataclasses import replace
from datetime import date
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.db import Database
from app.domain.case import Stage
from app.selfhelp.pack import BodyTold, Known, make
from app.selfhelp.texts import lines_of
from app.texts.words import LANGUAGES
from tests.support.cases import make_case
from tests.support.http import session_of

ON = date(2026, 11, 28)
KNOWN = Known(
    language="en", on=ON, reference="RC-K7MM-D1", people=(("Anna Ek", ("Bay St 1", "Turku")),),
    company="Northbound Air Ab", company_address=("Runway 2",), booking="NB2204",
    story="They cancelled.\nNobody answered.", currency="EUR",
    items=(("ticket", 18_900), ("compensation", 40_000)),
    grounds=("Regulation (EC) No 261/2004, Article 8",), reasons=("The flight was cancelled.",),
    body=BodyTold("The Board", "https://board.test", ("PO Box 1",), ("fi", "sv"), (0, "EUR"),
                  None, date(2027, 3, 1), "Consumer advice"),
    limitation=date(2029, 10, 14),
    acts=({"code": "card", "act": "Ask your bank.", "why": "Only you can.",
           "last_day": "2027-02-09"},),
    papers=((date(2026, 10, 2), "ticket.pdf"),), letters=((date(2026, 10, 14), "first demand"),),
)  # fmt: skip


def files_of(packed: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}


def test_the_pack_lets_somebody_go_on_alone() -> None:
    files = files_of(make(KNOWN))
    assert [name.partition(" ")[2] for name in files] == [
        "Read me first.txt", "Letter to the company.txt", "Complaint to the body.txt",
        "Your papers.txt", "Dates.ics",
    ]  # fmt: skip
    readme, letter, complaint, papers, dates = files.values()
    assert "until 1 March 2027" in readme and "It is free." in readme
    assert "asked Consumer advice first" in readme
    assert letter.startswith("Anna Ek\r\nBay St 1\r\nTurku\r\n")
    assert "I ask you to pay €589.00 within 14 days" in letter and "Recourse" not in letter
    assert complaint.index("PO Box 1") < complaint.index("Regulation (EC) No 261/2004")
    assert "14 October 2026: first demand" in complaint
    assert "ticket.pdf" in papers
    assert [line for line in dates.split("\r\n") if line.startswith("DTSTART")] == [
        f"DTSTART;VALUE=DATE:{day}" for day in ("20270209", "20291014", "20270301")
    ]
    assert make(KNOWN) == make(KNOWN)


def test_without_a_body_there_is_no_complaint() -> None:
    files = files_of(make(replace(KNOWN, body=None, acts=(), limitation=None)))
    assert len(files) == 3 and "take the matter further" in files["2 Letter to the company.txt"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_line_with_the_same_blanks(language: str) -> None:
    def blanks(line: str) -> set[str | None]:
        return {name for _, name, _, _ in string.Formatter().parse(line)} - {None}

    english, lines = lines_of("en"), lines_of(language)
    assert {n: blanks(v) for n, v in lines.items()} == {n: blanks(v) for n, v in english.items()}
    assert len(files_of(make(replace(KNOWN, language=language)))) == 5


async def test_it_is_there_when_the_case_has_ended(
    client: httpx.AsyncClient, database: Database
) -> None:
    made = await make_case(
        database, stage=Stage.CONTACT, claimants=2, amounts=(100_00, 50_00), letter="delivered"
    )
    anna, bo = [await session_of(database, who) for who in made.consumer_ids]
    path = f"/v1/cases/{made.id}/self-filing-pack"
    early = await client.get(path, headers=anna.auth)
    assert (early.status_code, early.json()["code"]) == (409, "still_acting")
    for who, one in zip((anna, bo), await mandates_of(database, made.id), strict=True):
        done = await client.post(f"/v1/cases/{made.id}/mandates/{one}/revoke", headers=who.auth)
        assert done.status_code == 200, done.text
    # Each of a party gets their own lines.
    for who, theirs, other in ((anna, "€100.00", "€50.00"), (bo, "€50.00", "€100.00")):
        letter = files_of((await client.get(path, headers=who.auth)).content)[
            "2 Letter to the company.txt"
        ]
        assert theirs in letter and other not in letter
    got = await client.get(path, headers=anna.auth, params={"language": "fi"})
    assert got.status_code == 200, got.text
    assert got.headers["content-type"] == "application/zip"
    files = files_of(got.content)
    assert "2 Kirje yritykselle.txt" in files
    assert made.reference in files["1 Lue ensin.txt"]


async def test_what_came_already_is_not_asked_for_again(
    client: httpx.AsyncClient, database: Database
) -> None:
    made = await make_case(database, stage=Stage.CONTACT, letter="delivered", amounts=(100_00,))
    anna = await session_of(database, made.consumer_ids[0])
    path = f"/v1/cases/{made.id}/self-filing-pack"
    await client.post(f"/v1/cases/{made.id}/withdraw", headers=anna.auth)
    for minor, found in ((40_00, "€60.00"), (60_00, None)):
        async with database.transaction() as session:
            await session.execute(RECOVERED, {"case": made.id, "minor": minor})
        got = await client.get(path, headers=anna.auth)
        if found is None:
            assert (got.status_code, got.json()["code"]) == (409, "nothing_left_to_claim")
        else:
            assert f"pay {found} within" in files_of(got.content)["2 Letter to the company.txt"]


RECOVERED = text("""
    INSERT INTO recovery_lines (source_id, item_id, case_id, claimant_id, amount_minor, earns_fee,
                                in_basis)
    SELECT gen_random_uuid(), i.id, i.case_id, i.creditor_id, :minor, true, true
      FROM claim_items i WHERE i.case_id = :case
""")


async def mandates_of(database: Database, case_id: UUID) -> list[UUID]:
    """In the order of the claimants."""
    order = "SELECT mandate_id FROM claimants WHERE case_id = :id ORDER BY position"
    async with database.read() as session:
        return list((await session.execute(text(order), {"id": case_id})).scalars())
