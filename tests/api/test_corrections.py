"""Facts learnt while a case runs: shown, kept old and new, taken over on approval."""

from __future__ import annotations

from typing import Any

import httpx
import orjson

from app.db import Database
from app.ids import new_id
from tests.api.test_assessing import ACCEPT
from tests.api.test_finding import british_bags
from tests.support.api import People
from tests.support.cases import Made
from tests.support.staff_work import every, one, post, problem, snapshot

LEARNT = {
    "answers": {"flight_date": "2025-07-01", "first_written_complaint": "2026-09-02"},
    "reason": "The boarding pass shows another year",
    "source": "consumer_said",
}


async def accepted(client: httpx.AsyncClient, handler: Any, database: Database) -> tuple[Made, str]:
    case = await british_bags(database, handler)
    answer = await post(client, handler, f"/v1/cases/{case.id}/assessment", ACCEPT, case=case)
    assert answer.status_code == 200, answer.text
    return case, answer.headers["etag"].strip('"')


async def test_facts_learnt_change_a_running_case_only_as_far_as_a_handler_approves(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case, at = await accepted(client, handler, database)
    path, version = f"/v1/cases/{case.id}/corrections", int(at)

    async def send(to: str, body: dict[str, Any]) -> httpx.Response:
        return await post(client, handler, path + to, body, version=version)

    before = await snapshot(database, case)
    problem(await send("/preview", LEARNT | {"answers": {"song": "x"}}), 422, "answers_invalid")
    wrong = LEARNT | {"answers": {"flight_date": "1980-01-01"}}
    problem(await send("/preview", wrong), 422, "answers_invalid")
    nowhere = LEARNT | {"source": "message", "source_id": str(new_id())}
    problem(await send("/preview", nowhere), 404, "source_not_found")
    problem(await send("/preview", LEARNT | {"source": "evidence"}), 422, "source_unclear")
    shown = (await send("/preview", LEARNT)).json()
    found = {
        one["what"]: (one["was"], one["now"], one["take_over"]) for one in shown["differences"]
    }
    assert found["answer.flight_date"] == ("2026-08-01", "2025-07-01", None)
    assert found["finding.limitation_on"] == ("2032-08-01", "2031-07-01", None)
    assert found["limitation"] == ("2032-08-01", "2031-07-01", "limitation")
    assert found["dates.first_written_complaint"][1:] == ("2026-09-02", "dates")
    other = LEARNT | {"seen": "0" * 64, "take_over": ["limitation"]}
    problem(await send("", other), 409, "difference_changed")
    assert await snapshot(database, case) == before  # nothing of all this changed the case

    approved = LEARNT | {"seen": shown["seen"], "take_over": ["limitation"]}
    answer = await send("", approved)
    assert answer.status_code == 200, answer.text
    problem(await send("", approved), 412, "stale_version")
    row = await one(database, "SELECT * FROM cases WHERE id = :id", id=case.id)
    assert row.answers["flight_date"] == "2025-07-01"
    assert row.limitation_on.isoformat() == "2031-07-01"
    assert row.extra["limitation_basis"]["start_event"] == "flight_date"
    assert row.first_written_complaint is None or (
        row.first_written_complaint.isoformat() != "2026-09-02"
    )  # shown, not approved
    note = await one(
        database, "SELECT words FROM case_notes WHERE case_id = :id AND about ="
        " 'answers_corrected'", id=case.id,
    )  # fmt: skip
    kept = orjson.loads(note.words)
    assert [kept[when]["flight_date"] for when in ("was", "now")] == ["2026-08-01", "2025-07-01"]
    told = (await client.get(f"/v1/cases/{case.id}/explain", headers=handler.auth)).json()["text"]
    assert "answers_corrected" in told and "facts_learned" in told
    version = int(answer.headers["etag"].strip('"'))
    again = LEARNT | {"answers": {"flight_date": "2025-07-02"}}
    shown = (await send("/preview", again)).json()
    answer = await send("", again | {"seen": shown["seen"], "take_over": []})
    assert answer.status_code == 200, answer.text
    row = await one(database, "SELECT * FROM cases WHERE id = :id", id=case.id)
    assert (row.answers["flight_date"], row.limitation_on.isoformat()) == (
        "2025-07-02", "2031-07-01",
    )  # fmt: skip


async def test_the_lines_of_the_claim_follow_what_was_approved_and_the_old_ones_are_kept(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case, at = await accepted(client, handler, database)
    path, version = f"/v1/cases/{case.id}/corrections", int(at)

    async def send(to: str, body: dict[str, Any]) -> httpx.Response:
        return await post(client, handler, path + to, body, version=version)

    row = await one(database, "SELECT answers FROM cases WHERE id = :id", id=case.id)
    bags = row.answers["items"]
    bags[1]["amount"]["amount"] = "68.00"
    dearer = LEARNT | {"answers": {"items": bags}}
    shown = (await send("/preview", dearer)).json()
    found = {d["what"]: (d["now"], d["take_over"]) for d in shown["differences"]}
    assert found["items.1"] == ("parcel: 68.00 GBP", "items")
    assert found["claimed"] == ("123.00 GBP", "items")
    answer = await send("", dearer | {"seen": shown["seen"], "take_over": ["items"]})
    assert answer.status_code == 200, answer.text
    assert await claim_of(database, case) == (123_00, [(0, 55_00, True), (1, 68_00, True)])
    # Where no machine can say it, the handler writes the lines; the same approval holds.
    version = int(answer.headers["etag"].strip('"'))
    fee = {"what": "fee of the bank", "kind": "fee",
           "amount": {"amount": "4.50", "currency": "GBP"}}  # fmt: skip
    by_hand = LEARNT | {"answers": {"flight_date": "2025-07-03"}, "lines": [fee | {"line": 9}]}
    problem(await send("/preview", by_hand), 422, "line_unknown")
    by_hand["lines"] = [fee | {"line": 0}, fee | {"what": "and once more"}]
    shown = (await send("/preview", by_hand)).json()
    answer = await send("", by_hand | {"seen": shown["seen"], "take_over": ["items"]})
    assert answer.status_code == 200, answer.text
    assert await claim_of(database, case) == (
        9_00, [(0, 4_50, True), (1, 68_00, False), (3, 4_50, True)],
    )  # fmt: skip
    notes = await every(
        database, "SELECT words FROM case_notes WHERE case_id = :id AND about ="
        " 'answers_corrected' ORDER BY written_at", id=case.id,
    )  # fmt: skip
    assert [len(orjson.loads(note.words)["lines"]) for note in notes] == [1, 3]


async def claim_of(database: Database, case: Made) -> tuple[int, list[tuple[int, int, bool]]]:
    row = await one(database, "SELECT claimed_minor FROM cases WHERE id = :id", id=case.id)
    lines = await every(
        database, "SELECT position, amount_minor, counted FROM claim_items WHERE case_id = :id"
        " ORDER BY position", id=case.id,
    )  # fmt: skip
    return row.claimed_minor, [(x.position, x.amount_minor, x.counted) for x in lines]
