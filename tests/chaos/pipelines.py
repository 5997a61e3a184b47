"""The pipelines that exist, each staged through the engine and checked for what it must leave."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from app import engine, outbox
from app.correspondence.filing import store_raw
from app.crypto import load_keyring
from app.domain.effects import SubmitBankFile
from app.ids import new_id
from app.moment import read_moment
from app.tables.payouts import PayoutBatch
from app.vault import create_cipher
from tests.chaos.programme import Lane, Pipeline, Subject
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
    wrong += [
        f"post ended {r.state} although the printer has keys"
        for r in prints
        if r.state == "unknown"
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


# --- bank file ----------------------------------------------------------------------------------


async def stage_payout(lane: Lane) -> Subject:
    """An exported batch with its frozen file, and the order to hand it over."""
    batch_id, effect_id = new_id(), new_id()
    raw = f"<Document><MsgId>{batch_id.hex[-12:]}</MsgId></Document>"
    digest = sha256(raw.encode()).hexdigest()
    async with lane.database.transaction() as session:
        now = (await read_moment(session)).now
        account = (await session.execute(text("SELECT id FROM bank_accounts LIMIT 1"))).scalar_one()
        cipher = await create_cipher(session, load_keyring(lane.settings), batch_id, at=now)
        await session.execute(
            insert(PayoutBatch).values(
                id=batch_id,
                bank_account_id=account,
                message_id=f"RC{batch_id.hex[-12:]}",
                state="exported",
                currency="EUR",
                execute_on=date(2026, 11, 23),
                item_count=1,
                total_minor=100,
                content_hash="h",
                approved_hash="h",
                maker="a",
                made_at=now,
                checker="b",
                approved_at=now,
                exported_at=now,
                exported_by="b",
                file_sha256=digest,
                file_cipher=cipher.encrypt(
                    raw, column="payout_batches.file_cipher", row_id=batch_id
                ),
            )
        )
        order = SubmitBankFile(effect_id, batch_id, digest)
        await outbox.stage(session, [order], stream=f"batch:{batch_id}", now=now)
    return Subject(batch_id, effect_id)


def _files(folder: Path, message_id: str) -> list[Path]:
    return [p for p in folder.glob("*.xml") if p.stem == message_id]


async def check_payout(lane: Lane, subject: Subject) -> list[str]:
    found = await rows(
        lane,
        "SELECT e.state, b.message_id, b.file_sha256 FROM effects e,"
        " payout_batches b WHERE e.id = :e AND b.id = :b",
        e=subject.effect_id,
        b=subject.case_id,
    )
    files = _files(lane.bank_folder, found[0].message_id)
    wrong = [] if found[0].state == "done" else [f"the bank file ended {found[0].state}"]
    if len(files) != 1 or sha256(files[0].read_bytes()).hexdigest() != found[0].file_sha256:
        wrong.append("the bank does not have exactly the approved bytes")
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
            session, row_id=new_id(), provider="smtp", external_id=case.case_id.hex, raw=raw,
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
PAYOUT = Pipeline("payout", ("relay",), stage_payout, check_payout)
SWEEP = Pipeline("deadline sweep", ("sweep",), stage_sweep, check_sweep, ("case",))
INBOUND = Pipeline(
    "inbound", ("inbox", "relay"), stage_inbound, check_inbound, ("inbox", "effects")
)
ALL = (LETTER_BY_MAIL, LETTER_BY_POST, NOTIFICATION, PAYOUT, SWEEP, INBOUND)
