"""The pipelines that exist, each staged through the engine and checked for what it must leave."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any, cast
from uuid import UUID

import httpx
from sqlalchemy import text

from app import engine
from app.correspondence.filing import store_raw
from app.crypto import load_keyring
from app.ids import new_id
from app.main import create_app
from app.moment import read_moment
from tests.api.finance_office import Office, running_case
from tests.banking.statements import Line
from tests.chaos.programme import Lane, Pipeline, Subject
from tests.support.http import staff
from tests.workers.stage import file_case, move_clock, signed_case

ALLOWED = ("done", "superseded", "unknown", "behind")


async def rows(lane: Lane, query: str, **values: Any) -> list[Any]:
    async with lane.database.read() as session:
        return list(await session.execute(text(query), values))


async def journal(lane: Lane, case_id: UUID) -> list[Any]:
    """The orders of a case; one that waits behind an unknown order of its lane is `behind`."""
    return await rows(
        lane,
        "SELECT e.id, e.kind, e.payload, CASE WHEN e.state = 'planned' AND EXISTS"
        " (SELECT 1 FROM effects u WHERE u.stream = e.stream AND u.lane = e.lane"
        " AND u.state = 'unknown' AND u.id < e.id) THEN 'behind' ELSE e.state END AS state"
        " FROM effects e WHERE e.case_id = :id ORDER BY e.id",
        id=case_id,
    )


async def codes(lane: Lane, case_id: UUID) -> list[str]:
    found = await rows(
        lane, "SELECT code FROM audit_entries WHERE stream = :s ORDER BY seq", s=f"case:{case_id}"
    )
    return [r.code for r in found]


# --- letters ----------------------------------------------------------------------------------


async def stage_mail(lane: Lane) -> Subject:
    case = await signed_case(lane.database, lane.settings, lane.companies["mail"])
    return Subject(case.case_id)


async def stage_post(lane: Lane) -> Subject:
    """A company without any e-mail: the mail channel dies, the letter is made again for post."""
    case = await signed_case(lane.database, lane.settings, lane.companies["post"])
    return Subject(case.case_id)


async def check_mail(lane: Lane, subject: Subject) -> list[str]:
    """Exactly one letter order; either it left, or something before it is unknown and blocks."""
    found = await journal(lane, subject.case_id)
    wrong = [f"{r.kind} ended {r.state}" for r in found if r.state not in ALLOWED]
    return wrong + await _letter_or_reason(lane, subject, found, "email")


async def check_post(lane: Lane, subject: Subject) -> list[str]:
    found = await journal(lane, subject.case_id)
    wrong = [
        f"{r.kind} ended {r.state}"
        for r in found
        if r.state not in ALLOWED and not _refused_mail(r)
    ]
    prints = [r for r in found if r.kind == "SendLetter" and r.payload["channel"] == "post"]
    # The unknown end of another order holds the case; the letter in flight is then not repeated.
    held = any(r.state == "unknown" for r in found if r not in prints)
    wrong += [
        f"post ended {r.state} although the printer has keys"
        for r in prints
        if r.state == "unknown" and not held
    ]
    return wrong + await _letter_or_reason(lane, subject, found, "post")


def _refused_mail(row: Any) -> bool:
    failed = row.kind == "SendLetter" and row.state == "failed"
    return bool(failed and row.payload["channel"] == "email")


async def _letter_or_reason(
    lane: Lane, subject: Subject, found: list[Any], channel: str
) -> list[str]:
    sent = [
        r
        for r in found
        if r.kind == "SendLetter" and r.payload["channel"] == channel and r.state == "done"
    ]
    unknown = [r for r in found if r.state == "unknown"]
    letter = await rows(
        lane,
        "SELECT l.state FROM letters l JOIN cases c ON c.letter_id = l.id WHERE c.id = :id",
        id=subject.case_id,
    )
    wrong = []
    if not sent and not unknown:
        wrong.append("the letter was lost")
    if len(sent) > 1:
        wrong.append(f"{len(sent)} letters were sent")
    if sent and [r.state for r in letter] != ["handed_over"]:
        wrong.append(f"the letter went but stands {[r.state for r in letter]}")
    tasks = await rows(
        lane,
        "SELECT key FROM tasks WHERE case_id = :id AND state = 'open' AND kind = 'settle_effect'",
        id=subject.case_id,
    )
    if {str(r.id) for r in unknown} != {t.key for t in tasks}:
        wrong.append("an unknown order has no task")
    if (await codes(lane, subject.case_id)).count("letter_handed_over") > 1:
        wrong.append("the hand-over was recorded twice")
    return wrong


# --- notification -------------------------------------------------------------------------------


async def stage_notice(lane: Lane) -> Subject:
    case = await file_case(lane.database, lane.settings, lane.companies["mail"])
    return Subject(case.case_id)


async def check_notice(lane: Lane, subject: Subject) -> list[str]:
    found = await journal(lane, subject.case_id)
    wrong = [f"{r.kind} ended {r.state}" for r in found if r.state not in ALLOWED]
    return wrong if found else ["the notice was lost"]


# --- payout: bank file, statement, the case -------------------------------------------------------


async def _office(lane: Lane) -> Office:
    """The finance people of this installation, working through the API."""
    if lane.office is None:
        app = create_app(lane.settings, lane.database)
        await lane.stack.enter_async_context(app.router.lifespan_context(app))
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url=lane.settings.public_url
        )
        clerk = await staff(lane.database, "finance")
        approver = await staff(lane.database, "finance_approver")
        lane.office = Office(client, lane.database, clerk, approver)
    return cast(Office, lane.office)


async def stage_payout(lane: Lane) -> Subject:
    """An approved batch whose file the bank has not got, and the statement the bank will answer
    with: the whole way of the money out."""
    office = await _office(lane)
    case = await running_case(lane.database)
    await office.give_account(case)
    await office.allocate(await office.received(100_00), case)
    approved = await office.approve(await office.batch())
    assert approved.status_code == 200, approved.text
    batch = approved.json()
    answer = office.file(
        *[Line(-i["amount"]["minor"], end_to_end_id=i["end_to_end_id"]) for i in batch["items"]]
    )
    (order,) = await rows(
        lane,
        "SELECT e.id, b.message_id FROM effects e JOIN payout_batches b"
        " ON e.stream = 'batch:' || b.id WHERE b.id = :b",
        b=UUID(batch["id"]),
    )
    lane.answers.mkdir(parents=True, exist_ok=True)
    (lane.answers / f"{order.message_id}.xml").write_bytes(answer)
    return Subject(case.id, order.id)


async def check_payout(lane: Lane, subject: Subject) -> list[str]:
    """The bank has the approved bytes once; the money left the books once; the case heard once."""
    found = await rows(
        lane,
        "SELECT e.state, b.message_id, b.file_sha256, b.state AS batch, i.id AS item, i.state AS"
        " item_state FROM effects e JOIN payout_batches b ON e.stream = 'batch:' || b.id"
        " JOIN payout_items i ON i.batch_id = b.id WHERE e.id = :e",
        e=subject.effect_id,
    )
    (one,) = found
    states = (one.state, one.batch, one.item_state)
    wrong = [] if states == ("done", "settled", "settled") else [f"order, batch, item: {states}"]
    files = [p for p in lane.bank_folder.glob("*.xml") if p.stem == one.message_id]
    if len(files) != 1 or sha256(files[0].read_bytes()).hexdigest() != one.file_sha256:
        wrong.append("the bank does not have exactly the approved bytes")
    reserved = await rows(
        lane,
        "SELECT coalesce(sum(balance), 0) AS left FROM account_balances"
        " WHERE account = 'C.PAYOUT' AND sub = :i",
        i=str(one.item),
    )
    if reserved[0].left:
        wrong.append(f"{reserved[0].left} cents are still on their way")
    case = await rows(lane, "SELECT money, stage FROM cases WHERE id = :id", id=subject.case_id)
    if case[0].money["paid_out"] != 75_00:
        wrong.append(f"the case knows of {case[0].money['paid_out']} paid out")
    told = (await codes(lane, subject.case_id)).count("paid_out")
    if told != 1:
        wrong.append(f"the case was told {told} times")
    notices = await journal(lane, subject.case_id)
    wrong += [f"{r.kind} ended {r.state}" for r in notices if r.state not in ALLOWED]
    office = await _office(lane)
    await office.check()
    return wrong


# --- deadline sweep -----------------------------------------------------------------------------


async def stage_sweep(lane: Lane) -> Subject:
    """A filed case whose first date passes: business time jumps there, over holidays too."""
    case = await file_case(lane.database, lane.settings, lane.companies["mail"])
    async with lane.database.read() as session:
        now = (await read_moment(session)).now
        loaded = await engine.peek(session, case.case_id)
    assert loaded is not None and loaded.case.next_wake_at is not None
    await move_clock(lane.database, loaded.case.next_wake_at - now + timedelta(seconds=1))
    return Subject(case.case_id)


async def check_sweep(lane: Lane, subject: Subject) -> list[str]:
    """Each timer fired once: the same history and tasks as in a run that nobody disturbed."""
    async with lane.database.read() as session:
        loaded = await engine.peek(session, subject.case_id)
    assert loaded is not None
    said = await codes(lane, subject.case_id)
    tasks = await rows(lane, "SELECT kind, key FROM tasks WHERE case_id = :id", id=subject.case_id)
    wrong = [f"{c} was recorded {said.count(c)} times" for c in set(said) if said.count(c) > 1]
    if loaded.version != 2:
        wrong.append(f"the case moved {loaded.version - 1} times")
    if len(tasks) != len({(t.kind, t.key) for t in tasks}):
        wrong.append("a task was opened twice")
    return wrong


# --- inbound ------------------------------------------------------------------------------------


async def stage_inbound(lane: Lane) -> Subject:
    """A stored mail of the consumer to the case's own address."""
    case = await file_case(lane.database, lane.settings, lane.companies["mail"])
    to = lane.addresses.case_address(case.reference)
    raw = (
        f"From: anna@person.test\r\nTo: {to}\r\nSubject: A question\r\n"
        f"Message-ID: <{case.case_id.hex}@person.test>\r\n\r\nHow does it stand?\r\n"
    ).encode()
    async with lane.database.transaction() as session:
        await store_raw(
            session, load_keyring(lane.settings), row_id=new_id(), provider="smtp",
            external_id=case.case_id.hex, raw=raw,
            digest=sha256(raw).hexdigest(), envelope_to=to, envelope_from="anna@person.test",
        )  # fmt: skip
    return Subject(case.case_id)


async def check_inbound(lane: Lane, subject: Subject) -> list[str]:
    messages = await rows(
        lane,
        "SELECT sender FROM messages WHERE case_id = :id AND direction = 'in'",
        id=subject.case_id,
    )
    found = await journal(lane, subject.case_id)
    wrong = [f"{r.kind} ended {r.state}" for r in found if r.state not in ALLOWED]
    if [m.sender for m in messages] != ["consumer"]:
        wrong.append(f"filed {len(messages)} times")
    if (await codes(lane, subject.case_id)).count("message_arrived") != 1:
        wrong.append("the case was not told exactly once")
    if [r.kind for r in found].count("AcknowledgeMessage") != 1:
        wrong.append("not acknowledged exactly once")
    return wrong


LETTER_BY_MAIL = Pipeline("letter by mail", ("relay",), stage_mail, check_mail)
LETTER_BY_POST = Pipeline("letter by post", ("relay",), stage_post, check_post)
NOTIFICATION = Pipeline("notification", ("relay",), stage_notice, check_notice)
PAYOUT = Pipeline("payout", ("relay", "finance"), stage_payout, check_payout, ("bank", "effects"))
SWEEP = Pipeline("deadline sweep", ("sweep",), stage_sweep, check_sweep, ("case",))
INBOUND = Pipeline(
    "inbound", ("inbox", "relay"), stage_inbound, check_inbound, ("inbox", "effects")
)
ALL = (LETTER_BY_MAIL, LETTER_BY_POST, NOTIFICATION, PAYOUT, SWEEP, INBOUND)
