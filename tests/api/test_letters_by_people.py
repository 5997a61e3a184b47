"""Letters in people's hands: who may release what, for which bytes, and never their own work."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from app import engine
from app.clock import wall_now
from app.db import Database
from app.domain import events as e
from app.domain.case import Stage
from app.ids import new_id
from tests.support.api import People, Person
from tests.support.cases import Made, make_case
from tests.support.staff_work import one, post, problem, snapshot

ABOVE_LINE = (600_00,)


async def test_a_senior_releases_a_notice_above_the_line(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case = await make_case(
        database, stage=Stage.FORMAL_NOTICE, letter="to_approve", amounts=ABOVE_LINE
    )
    answer = await post(
        client,
        senior,
        f"/v1/cases/{case.id}/letters/{case.letter_id}/approve",
        {"sha256": case.sha256},
        case=case,
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["waiting_on"] == "delivery"
    letter = await one(
        database, "SELECT state, approved_by FROM letters WHERE id = :id", id=case.letter_id
    )
    assert (letter.state, letter.approved_by) == ("released", f"staff:{senior.id}")
    order = await one(
        database,
        "SELECT payload, not_before > staged_at AS held FROM effects"
        " WHERE case_id = :id AND kind = 'SendLetter'"
        " AND payload->>'letter_id' = :letter",
        id=case.id,
        letter=str(case.letter_id),
    )
    assert order.payload["sha256"] == case.sha256
    assert order.held, "a person's release waits for second thoughts"


async def test_a_handler_does_not_release_above_the_line(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(
        database,
        stage=Stage.FORMAL_NOTICE,
        letter="to_approve",
        amounts=ABOVE_LINE,
        handler_id=handler.id,
    )
    before = await snapshot(database, case)
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/letters/{case.letter_id}/approve",
        {"sha256": case.sha256},
        case=case,
    )
    problem(answer, 403, "senior_needed")
    assert await snapshot(database, case) == before


async def test_every_complaint_needs_a_senior_however_small_and_a_word_for_each_gap(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(
        database,
        stage=Stage.COMPLAINT,
        letter="to_approve",
        amounts=(20_00,),
        handler_id=handler.id,
    )
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/letters/{case.letter_id}/approve",
        {"sha256": case.sha256},
        case=case,
    )
    problem(answer, 403, "senior_needed")
    await _told_by_the_matrix(client, people, case)


async def _told_by_the_matrix(client: httpx.AsyncClient, people: People, case: Made) -> None:
    """What is tied is no gap; what is kept in proves nothing; the rest needs a reason."""
    senior, legal = await people.staff("senior"), await people.staff("legal")
    path = f"/v1/cases/{case.id}"
    kept = await client.post(
        f"{path}/evidence", params={"what": "the contract"}, content=b"Contract of sale",
        headers=senior.auth | {"Content-Type": "text/plain"},
    )  # fmt: skip
    exhibit = f"evidence:{kept.json()['id']}"
    tie = {"element": "contract", "exhibit": exhibit}

    async def send(who: Person, to: str, body: dict[str, str]) -> httpx.Response:
        return await client.post(f"{path}/{to}", headers=who.auth, json=body)

    async def gap() -> bool:
        proof = (await client.get(f"{path}/proof", headers=senior.auth)).json()
        return "contract" in proof["gaps"]

    assert await gap()
    assert (await send(senior, "proof/ties", tie)).status_code == 204 and not await gap()
    unknown = await send(senior, "proof/ties", tie | {"element": "moon"})
    problem(unknown, 422, "exhibit_does_not_fit")
    release = {"exhibit": exhibit, "reason": "The board asks for it."}
    problem(await send(legal, "exhibits/release", release), 409, "nothing_to_release")
    inside = {"exhibit": exhibit, "paper_class": "internal", "reason": "Our own note."}
    assert (await send(senior, "exhibits/class", inside)).status_code == 204 and await gap()
    assert (await send(senior, "exhibits/release", release)).status_code == 403
    assert (await send(legal, "exhibits/release", release)).status_code == 204 and not await gap()
    approve, body = f"{path}/letters/{case.letter_id}/approve", {"sha256": case.sha256}
    version = int((await client.get(path, headers=senior.auth)).json()["version"])
    problem(await post(client, senior, approve, body, version=version), 409, "proof_gap")
    body["gaps_reason"] = "The company holds the rest."
    done = await post(client, senior, approve, body, version=version)
    assert done.status_code == 200, done.text


async def test_who_assessed_the_case_does_not_release_its_notice(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior, other = await people.staff("senior"), await people.staff("senior")
    case = await make_case(database, amounts=ABOVE_LINE)
    assessed = await post(
        client,
        senior,
        f"/v1/cases/{case.id}/assessment",
        {
            "decision": "accept",
            "entry_stage": "formal_notice",
            "entry_reason": "complaint_ran",
            "opponent_role": "contract_party",
            "conflict_of_interest": {"checked": True, "found": False},
        },
        case=case,
    )
    assert assessed.status_code == 200, assessed.text
    letter_id, sha256, version = await _sign_and_render(database, case.id)
    path = f"/v1/cases/{case.id}/letters/{letter_id}/approve"
    problem(await post(client, senior, path, {"sha256": sha256}, version=version), 403, "own_work")
    released = await post(client, other, path, {"sha256": sha256}, version=version)
    assert released.status_code == 200, released.text


async def _sign_and_render(database: Database, case_id: UUID) -> tuple[str, str, int]:
    """The claimants sign and the worker makes the document, as they would."""
    digest = "ab" * 32
    async with database.transaction() as session:
        loaded = await engine.peek(session, case_id)
        assert loaded is not None
        for claimant in loaded.case.claimants:
            await engine.advance(
                session,
                case_id,
                e.MandateSigned(claimant_id=claimant.id, mandate_id=new_id()),
                actor="consumer:test",
            )
        loaded = await engine.peek(session, case_id)
        assert loaded is not None and loaded.case.letter is not None
        letter = loaded.case.letter
        await engine.advance(
            session,
            case_id,
            e.LetterRendered(letter_id=letter.id, step=letter.step, sha256=digest, n=letter.n),
            actor="system",
        )
    row = await one(database, "SELECT version FROM cases WHERE id = :id", id=case_id)
    return str(letter.id), digest, row.version


async def test_an_approval_is_for_exactly_these_bytes(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case = await make_case(
        database, stage=Stage.FORMAL_NOTICE, letter="to_approve", amounts=ABOVE_LINE
    )
    before = await snapshot(database, case)
    answer = await post(
        client,
        senior,
        f"/v1/cases/{case.id}/letters/{case.letter_id}/approve",
        {"sha256": "0" * 64},
        case=case,
    )
    problem(answer, 409, "letter_changed")
    assert await snapshot(database, case) == before


async def test_a_returned_letter_is_made_anew(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case = await make_case(
        database, stage=Stage.FORMAL_NOTICE, letter="to_approve", amounts=ABOVE_LINE
    )
    answer = await post(
        client,
        senior,
        f"/v1/cases/{case.id}/letters/{case.letter_id}/return",
        {"reason": "The sum in the second line is wrong."},
        case=case,
    )
    assert answer.status_code == 200, answer.text
    letter = await one(
        database, "SELECT state, n, sha256 FROM letters WHERE id = :id", id=case.letter_id
    )
    assert (letter.state, letter.n, letter.sha256) == ("rendering", 2, None)


async def test_a_letter_of_another_case_is_unknown_here(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case = await make_case(database, stage=Stage.FORMAL_NOTICE, letter="to_approve")
    other = await make_case(
        database, stage=Stage.FORMAL_NOTICE, letter="to_approve", amounts=ABOVE_LINE
    )
    answer = await post(
        client,
        senior,
        f"/v1/cases/{case.id}/letters/{other.letter_id}/approve",
        {"sha256": other.sha256},
        case=case,
    )
    problem(answer, 404, "letter_not_found")


@pytest.mark.parametrize("what", ["delivered", "bounced"])
async def test_a_person_records_what_became_of_a_letter(
    client: httpx.AsyncClient, people: People, database: Database, what: str
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="sent", handler_id=handler.id)
    at = wall_now().isoformat()
    body = (
        {"at": at, "grade": "registered"}
        if what == "delivered"
        else {"reason": "moved away", "at": at}
    )
    answer = await post(
        client, handler, f"/v1/cases/{case.id}/letters/{case.letter_id}/{what}", body, case=case
    )
    assert answer.status_code == 200, answer.text
    if what == "delivered":
        assert answer.json()["waiting_on"] == "company"
    else:
        letter = await one(
            database, "SELECT n, channel FROM letters WHERE id = :id", id=case.letter_id
        )
        assert (letter.n, letter.channel) == (2, "post"), "the next channel is tried"


async def test_a_letter_posted_by_hand_is_recorded_as_sent(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="released", handler_id=handler.id)
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/letters/{case.letter_id}/sent",
        {"at": wall_now().isoformat(), "by": "hand"},
        case=case,
    )
    assert answer.status_code == 200, answer.text
    letter = await one(
        database, "SELECT state, sent_at FROM letters WHERE id = :id", id=case.letter_id
    )
    assert letter.state == "handed_over" and letter.sent_at is not None


async def test_nothing_is_delivered_tomorrow(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="sent", handler_id=handler.id)
    at = (wall_now() + timedelta(days=1)).isoformat()
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/letters/{case.letter_id}/delivered",
        {"at": at, "grade": "registered"},
        case=case,
    )
    problem(answer, 422, "date_in_future")
