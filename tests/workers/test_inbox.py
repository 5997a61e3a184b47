"""Mail in: stored raw first, parsed in a child that may die, placed by what proves itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

import aiosmtplib
import pytest
from sqlalchemy import text

from app import engine
from app.authorisation import Principal
from app.cases.actions import send_message
from app.correspondence.attachments import attachments_of
from app.correspondence.filing import store_raw
from app.db import Database
from app.documents.keys import subject_key
from app.domain.case import Outcome
from app.domain.events import CaseRejected
from app.ids import new_id, new_reference
from tests.support.raw_mails import KEYRING, raw_mails
from tests.workers.conftest import relaying, until
from tests.workers.stage import COMPANY_MAIL, Staged, effects_of, file_case, install, signed_case
from workers.inbox import TRIES_MAX, Inbox
from workers.loops import Loop
from workers.mail import address_book
from workers.mime import MailReader, Unreadable
from workers.providers.fakes import FakeMail
from workers.smtp_door import Door
from workers.tools import Tools


@pytest.fixture
async def inbox(database: Database, tools: Tools) -> AsyncIterator[Inbox]:
    reader = MailReader()
    yield Inbox(database, address_book(tools.settings), reader, 0.2, tools.store, tools.keyring)
    await reader.close()


@pytest.fixture
async def case(database: Database, tools: Tools) -> Staged:
    return await file_case(database, tools.settings, await install(database))


def mail_of(sender: str, to: str, *more: str, body: str = "Where is my money?") -> bytes:
    lines = [
        f"From: {sender}",
        f"To: {to}",
        "Subject: Hello",
        "Message-ID: <m1@person.test>",
        *more,
    ]
    return "\r\n".join([*lines, "", body, ""]).encode()


async def put(database: Database, to: str, raw: bytes) -> None:
    async with database.transaction() as session:
        await store_raw(
            session, KEYRING, row_id=new_id(), provider="smtp",
            external_id=sha256(raw).hexdigest(), raw=raw,
            digest=sha256(raw).hexdigest(), envelope_to=to, envelope_from="x@y.test",
        )  # fmt: skip


async def messages(database: Database) -> list[Any]:
    async with database.read() as session:
        return list(
            await session.execute(text("SELECT * FROM messages WHERE direction = 'in' ORDER BY id"))
        )


def address(tools: Tools, case: Staged) -> str:
    return address_book(tools.settings).case_address(case.reference)


async def test_a_consumers_mail_to_the_case_is_filed_and_acknowledged_once_a_day(
    database: Database, tools: Tools, inbox: Inbox, case: Staged, mail: FakeMail
) -> None:
    to = address(tools, case)
    for number in range(2):
        await put(database, to, mail_of("Anna <anna@person.test>", to, body=f"Question {number}"))
    await inbox.once()
    found = await messages(database)
    assert [(m.case_id, m.sender, m.state) for m in found] == [
        (case.case_id, "consumer", "unread")
    ] * 2
    async with relaying(tools):
        await until(lambda: _nothing_planned(database))
    answers = [m for m in mail.mails.values() if b"auto-replied" in m.data]
    assert len(answers) == 1
    assert b"In-Reply-To: <m1@person.test>" in answers[0].data


async def test_what_a_consumer_writes_in_their_case_is_acknowledged_too(
    database: Database, tools: Tools, case: Staged, mail: FakeMail
) -> None:
    """Once a day, however often they write; a card number does not reach the file."""
    anna = Principal("consumer", case.consumer_id)
    for words in ("Is there news?", "My card is 4111 1111 1111 1111."):
        async with database.transaction() as session:
            await send_message(session, anna, case.case_id, words)
    async with relaying(tools):
        await until(lambda: _nothing_planned(database))
    [answer] = [m for m in mail.mails.values() if b"auto-replied" in m.data]
    assert answer.to == "anna@person.test" and b"In-Reply-To" not in answer.data
    assert [m.text for m in await messages(database)][1] == "My card is **** 1111."


async def test_the_same_mail_by_two_ways_is_one_message(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    to = address(tools, case)
    both = f"{to}, office@{tools.settings.mail_domain}"
    await put(database, to, mail_of("anna@person.test", both, "X-Way: one"))
    await put(database, f"office@{tools.settings.mail_domain}",
              mail_of("anna@person.test", both, "X-Way: two"))  # fmt: skip
    await inbox.once()
    assert [m.case_id for m in await messages(database)] == [case.case_id]
    async with database.read() as session:
        causes = (await session.execute(text("SELECT cause FROM inbound ORDER BY id"))).all()
    assert sorted(row.cause or "" for row in causes) == ["", "same_as_before"]


async def test_a_companys_mail_blocks_the_next_step_until_it_is_read(
    database: Database, tools: Tools, inbox: Inbox
) -> None:
    case = await signed_case(database, tools.settings, await install(database))
    to = address(tools, case)
    await put(database, to, mail_of("claims@airline.test", to))
    await inbox.once()
    (found,) = await messages(database)
    assert (found.sender, found.reading["language"]) == ("company", "en")
    assert found.reading["own_text"] == "Where is my money?"
    async with database.read() as session:
        pauses = (await session.execute(text("SELECT pauses FROM cases"))).scalar_one()
    assert [p["kind"] for p in pauses] == ["unread_reply"]


async def test_an_automatic_answer_is_filed_and_never_answered(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    to = address(tools, case)
    await put(database, to, mail_of("anna@person.test", to, "Auto-Submitted: auto-replied"))
    await inbox.once()
    assert [(m.automatic, m.state) for m in await messages(database)] == [(True, "set_aside")]
    assert [e.kind for e in await effects_of(database)] == ["NotifyConsumer"]


async def test_what_a_person_wrote_is_read_by_one_though_it_calls_itself_automatic(
    database: Database, tools: Tools, inbox: Inbox, case: Staged, mail: FakeMail
) -> None:
    """Ticket systems mark what people write; nothing answers it, for the mark may be true."""
    to = address(tools, case)
    words = "I have read your letter and spoken to my husband. Please go on with my case."
    await put(
        database, to,
        mail_of("anna@person.test", to, "In-Reply-To: <a@b.test>", "Auto-Submitted: auto-replied",
                body=words),
    )  # fmt: skip
    await inbox.once()
    assert [(m.automatic, m.state) for m in await messages(database)] == [(False, "unread")]
    async with relaying(tools):
        await until(lambda: _given_up(database, "AcknowledgeMessage"))
    assert not [m for m in mail.mails.values() if b"auto-replied" in m.data]


async def test_a_robot_without_any_mark_stops_nothing(
    database: Database, tools: Tools, inbox: Inbox
) -> None:
    case = await signed_case(database, tools.settings, await install(database))
    to = address(tools, case)
    await put(database, to, mail_of(
        "noreply@airline.test", to,
        body="Your request has been received. We aim to reply within 28 days. This is an automatic"
        " message, please do not reply.",
    ))  # fmt: skip
    await inbox.once()
    assert [(m.automatic, m.state) for m in await messages(database)] == [(True, "set_aside")]
    async with database.read() as session:
        pauses = (await session.execute(text("SELECT pauses FROM cases"))).scalar_one()
    assert pauses == []


async def test_a_mail_without_a_proof_goes_to_the_pen_with_its_reasons(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    forged = address(tools, case).replace("@", "x@")
    await put(database, forged, mail_of("anna@person.test", forged))
    await inbox.once()
    (found,) = await messages(database)
    assert (found.case_id, found.state) == (None, "pen")
    assert found.pen_reasons[:2] == ["no_case_address", "address_not_ours"]
    async with database.read() as session:
        kinds = (await session.execute(text("SELECT kind FROM tasks WHERE case_id IS NULL"))).all()
    assert [row.kind for row in kinds] == ["place_mail"]


async def test_two_proofs_that_disagree_leave_it_to_a_person(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    async with database.read() as session:
        company = (await session.execute(text("SELECT id FROM companies"))).scalar_one()
    other = await file_case(database, tools.settings, company)
    both = f"{address(tools, case)}, {address(tools, other)}"
    await put(database, address(tools, case), mail_of("anna@person.test", both))
    await inbox.once()
    assert [m.pen_reasons for m in await messages(database)] == [["signals_disagree"]]


async def test_a_bounce_finds_its_letter(
    database: Database, tools: Tools, inbox: Inbox, mail: FakeMail
) -> None:
    case = await signed_case(database, tools.settings, await install(database))
    async with relaying(tools):
        await until(lambda: _sent(database, case))
    letter = next(m for m in mail.mails.values() if m.to == "claims@airline.test")
    report = (
        f"From: MAILER-DAEMON@relay.test\r\nTo: {letter.envelope_from}\r\nSubject: failed\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.test\r\n\r\n"
        "Final-Recipient: rfc822; claims@airline.test\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "--b--\r\n"
    )
    await put(database, letter.envelope_from, report.encode())
    await inbox.once()
    (found,) = await messages(database)
    assert found.case_id == case.case_id
    assert found.letter_id is not None
    async with database.read() as session:
        states = await session.execute(text("SELECT channel, state FROM letters"))
        assert [tuple(r) for r in states] == [("post", "rendering")]


async def test_a_bounce_in_plain_words_finds_its_letter_too(
    database: Database, tools: Tools, inbox: Inbox, mail: FakeMail
) -> None:
    case = await signed_case(database, tools.settings, await install(database))
    async with relaying(tools):
        await until(lambda: _sent(database, case))
    letter = next(m for m in mail.mails.values() if m.to == "claims@airline.test")
    notice = (
        f"From: MAILER-DAEMON@relay.test\r\nTo: {letter.envelope_from}\r\n"
        "Subject: failure notice\r\nReturn-Path: <>\r\n\r\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
        "This is a permanent error; I've given up.\r\n\r\n<claims@airline.test>:\r\n"
        "550 5.1.1 no such user\r\n"
    )
    await put(database, letter.envelope_from, notice.encode())
    await inbox.once()
    async with database.read() as session:
        states = await session.execute(text("SELECT channel, state FROM letters"))
        assert [tuple(r) for r in states] == [("post", "rendering")]


async def test_a_doubtful_from_line_is_nobodys_and_waits_in_quarantine(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    to = address(tools, case)
    await put(database, to, mail_of("anna@person.test<evil@evil.test>", to))
    await inbox.once()
    (found,) = await messages(database)
    assert (found.sender, found.from_address, found.state) == ("unknown", "", "quarantine")
    assert (found.trust, found.trust_reasons) == ("quarantine", ["doubtful_from"])
    assert found.pen_guesses[0]["case_id"] == str(case.case_id)
    assert [e.kind for e in await effects_of(database)] == ["NotifyConsumer"], "nobody is answered"


async def test_only_what_our_server_vouches_for_proves_that_a_letter_arrived(
    database: Database, tools: Tools, inbox: Inbox, mail: FakeMail
) -> None:
    """An automatic receipt answers nothing; of high trust it proves that our letter is there."""
    inbox.authserv_id = "mx.agency.test"
    case = await signed_case(database, tools.settings, await install(database))
    async with relaying(tools):
        await until(lambda: _sent(database, case))
    letter = next(m for m in mail.mails.values() if m.to == "claims@airline.test")
    words = "Your request has been received. This is an automatic message, please do not reply."
    async with database.transaction() as session:
        await session.execute(text("UPDATE letters SET delivered_at = NULL"))
    trusted = []
    for number, found in enumerate(("dmarc=none", "dmarc=pass header.from=airline.test")):
        raw = mail_of(
            "noreply@airline.test", address(tools, case), f"In-Reply-To: {letter.message_id}",
            "Auto-Submitted: auto-replied", body=f"{words} {number}",
        )  # fmt: skip
        top = f"Authentication-Results: mx.agency.test; {found}\r\n".encode()
        await put(database, address(tools, case), top + raw)
        await inbox.once()
        async with database.read() as session:
            at = (await session.execute(text("SELECT delivered_at FROM letters"))).scalar_one()
        trusted.append(((await messages(database))[-1].trust, at is not None))
    assert trusted == [("low", False), ("high", True)]


@pytest.mark.parametrize(
    "header",
    [
        "From: " + "a," * 20_000,
        "Content-Type: text/plain" + "; a=b" * 20_000,
        "X: " + "y" * 20_000,
        "\r\n".join(f"X-{n}: y" for n in range(1_000)),
    ],
)
async def test_a_mail_made_to_choke_a_parser_costs_a_line_in_the_pen(
    database: Database, tools: Tools, inbox: Inbox, case: Staged, header: str
) -> None:
    to = address(tools, case)
    await put(database, to, header.encode() + b"\r\n\r\nbody\r\n")
    await put(database, to, mail_of("anna@person.test", to))
    await inbox.once()
    found = sorted(m.state for m in await messages(database))
    assert found == ["pen", "unread"]


async def test_a_mail_whose_reader_dies_is_parked_after_three_tries_and_kept(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    class Dying(MailReader):
        async def read(self, raw: bytes) -> Any:
            raise Unreadable("the parser died")

    inbox.reader = Dying()
    raw = mail_of("anna@person.test", address(tools, case))
    await put(database, address(tools, case), raw)
    for _ in range(TRIES_MAX):
        await inbox.once()
        await until(lambda: _lease_over(database))
    async with database.read() as session:
        row = (await session.execute(text("SELECT state, tries FROM inbound"))).one()
    assert (row.state, row.tries) == ("parked", TRIES_MAX)
    assert await raw_mails(database, tools.keyring) == [raw]
    assert [m.pen_reasons for m in await messages(database)] == [["unreadable", "the parser died"]]


async def test_the_mark_of_what_was_read_moves_only_when_all_is_read_and_mail_can_come_in(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    inbox.listening = False
    await inbox.once()
    assert await _mark(database) is None
    inbox.listening = True
    await inbox.once()
    assert await _mark(database) is not None


async def test_the_door_stores_before_it_says_yes_and_knows_a_redelivery(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    door = Door(database, tools.settings, tools.keyring, Loop("inbox", inbox.once, 1.0))
    port = await door.open("127.0.0.1", 0)
    raw = mail_of("anna@person.test", address(tools, case))
    try:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
            for trace in (b"Received: one\r\n", b"Received: two\r\n"):
                await smtp.sendmail("anna@person.test", [address(tools, case)], trace + raw)
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
                await smtp.sendmail("anna@person.test", ["someone@else.test"], raw)
    finally:
        await door.close()
    async with database.read() as session:
        rows = list(await session.execute(text("SELECT raw, state FROM inbound")))
    assert [r.state for r in rows] == ["stored"] and b"Received" not in bytes(rows[0].raw)
    assert await raw_mails(database, tools.keyring) == [b"Received: one\r\n" + raw]


async def test_a_second_mail_smuggled_behind_bare_line_ends_is_no_mail_of_its_own(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    """B213: what some servers take for the end of a mail is no end here."""
    to = address(tools, case)
    door = Door(database, tools.settings, tools.keyring, Loop("inbox", inbox.once, 1.0))
    reader, writer = await asyncio.open_connection("127.0.0.1", await door.open("127.0.0.1", 0))
    try:
        inner = f"MAIL FROM:<{COMPANY_MAIL}>\r\nRCPT TO:<{to}>\r\nDATA\r\nFrom: {COMPANY_MAIL}\r\n"
        for end in ("\n.\n", "\n.\r\n", "\r.\r", "\r\n.\n", "\r\n.\r"):
            said = ("EHLO x", "MAIL FROM:<a@evil.test>", f"RCPT TO:<{to}>", "DATA")
            for line in said:
                writer.write(f"{line}\r\n".encode())
            writer.write(f"Subject: {end!r}\r\n\r\nwords{end}{inner}\r\nWe paid.\r\n.\r\n".encode())
        writer.write(b"QUIT\r\n")
        answers = (await asyncio.wait_for(reader.read(), 10)).decode()
    finally:
        writer.close()
        await door.close()
    kept = await raw_mails(database, tools.keyring)
    assert len(kept) == answers.count("354") <= 5
    assert all(b"evil" not in raw and raw.startswith(b"Subject:") for raw in kept)
    async with database.read() as session:
        senders = (await session.execute(text("SELECT envelope_from FROM inbound"))).scalars()
        assert set(senders) <= {"a@evil.test"}


async def test_mail_to_closed_and_erased_cases_and_a_replay_make_nothing_new(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    """B204, B209: a closed case still hears; an address whose case is gone names none; an old
    genuine mail sent again is the same mail, whatever its way."""
    async with database.transaction() as session:
        rejected = CaseRejected(Outcome.NO_MERIT, "no_claim", "nothing", "anna")
        await engine.advance(session, case.case_id, rejected, actor="staff:anna")
    to, gone = address(tools, case), address_book(tools.settings).case_address(new_reference())
    raw = mail_of("anna@person.test", to)
    await put(database, to, raw)
    await put(database, to, b"Received: from replay.evil.test\r\n" + raw)
    await put(database, gone, mail_of("anna@person.test", gone).replace(b"m1@", b"m2@"))
    await inbox.once()
    found = [(m.case_id, m.state) for m in await messages(database)]
    assert found == [(case.case_id, "unread"), (None, "pen")]
    async with database.read() as session:
        stage = await session.scalar(text("SELECT stage FROM cases"))
    assert stage == "closed"


async def _given_up(database: Database, kind: str) -> bool:
    return [e.state for e in await effects_of(database) if e.kind == kind] == ["superseded"]


async def _nothing_planned(database: Database) -> bool:
    return all(e.state == "done" for e in await effects_of(database))


async def _sent(database: Database, case: Staged) -> bool:
    return any(
        e.kind == "SendLetter" and e.state == "done"
        for e in await effects_of(database, case.case_id)
    )


async def _lease_over(database: Database) -> bool:
    async with database.read() as session:
        over = await session.execute(text("SELECT lease_until < clock_timestamp() FROM inbound"))
        return bool(over.scalar_one())


async def _mark(database: Database) -> Any:
    async with database.read() as session:
        return (
            await session.execute(text("SELECT mail_read_until FROM installation"))
        ).scalar_one()


async def test_what_hangs_on_a_mail_is_kept_and_told_by_its_bytes(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "x@airline.test", "nobody@agency.test", "Offer"
    mail.set_content("See the paper.")
    paper, program = b"%PDF-1.4 " + bytes(range(256)) * 300, b"MZ" + bytes(90)
    mail.add_attachment(paper, maintype="image", subtype="png", filename="../Żółć\u202eoffer.exe")
    mail.add_attachment(program, maintype="application", subtype="pdf", filename="bill.pdf")
    await put(database, "nobody@agency.test", mail.as_bytes())
    await inbox.once()
    (row,) = await messages(database)
    async with database.read() as session:
        paper_out, program_out = (await attachments_of(session, [row.id]))[row.id]
        kept = (
            await session.execute(text("SELECT sha256 FROM attachments ORDER BY position"))
        ).scalars()
        digests = list(kept)
        key = await subject_key(session, tools.keyring, row.inbound_id)
    assert (paper_out.name, paper_out.media_type) == ("Żółćoffer.pdf", "application/pdf")
    assert (program_out.name, program_out.declared_type) == ("bill.pdf", "application/pdf")
    assert [o.state for o in (paper_out, program_out)] == ["unscanned", "rejected"]
    assert paper_out.download and program_out.download is None
    assert [await tools.store.get(d, key) for d in digests] == [paper, program]
    assert row.text.strip() == "See the paper."


async def test_a_blocked_sender_is_heard_where_a_case_is_named(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    to = f"office@{tools.settings.mail_domain}"
    await put(database, to, mail_of("news@shop.test", to, body="Buy now"))
    await inbox.once()
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO learned_senders SELECT 'news@shop.test', NULL, true, id, 'test', now()"
                " FROM messages"
            )
        )
    await put(database, to, mail_of("news@shop.test", to, body="Buy more"))
    await put(database, to, mail_of("news@shop.test", to, body=f"On {case.reference}: we pay."))
    await inbox.once()
    found = {m.text.strip(): m.state for m in await messages(database)}
    assert found == {
        "Buy now": "pen", "Buy more": "not_ours", f"On {case.reference}: we pay.": "pen",
    }  # fmt: skip


async def test_words_of_distress_and_a_threat_ask_a_person_at_once(
    database: Database, tools: Tools, inbox: Inbox
) -> None:
    """The mail is poor evidence of who writes, and enough to look after somebody (B230). The second
    names the case in the envelope only, as a blind copy does (B203)."""
    case = await signed_case(database, tools.settings, await install(database))
    to = address(tools, case)
    cry = mail_of("Anna <anna@person.test>", to, body="En jaksa enää, en halua elää.")
    html = (
        "From: claims@airline.test\r\nTo: desk@air.test\r\nSubject: Notice\r\n"
        "Message-ID: <h@a.b>\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
        "<p>We will take legal action against you. The company has entered administration."
        "<img src=http://t.test/p.gif></p>\r\n"
    )
    await put(database, to, cry)
    await put(database, to, html.encode())
    await inbox.once()
    found = sorted(await messages(database), key=lambda m: m.alerts)
    assert [m.alerts for m in found] == [["distress"], ["insolvency", "threat"]]
    assert "<img" not in found[1].html
    async with database.read() as session:
        tasks = await session.execute(text("SELECT kind, role FROM tasks WHERE state = 'open'"))
        pauses = (
            await session.execute(
                text("SELECT pauses FROM cases WHERE id = :id"), {"id": case.case_id}
            )
        ).scalar_one()
    assert {("care", "handler"), ("legal", "legal"), ("insolvency_notice", "legal")} <= {
        tuple(t) for t in tasks
    }
    assert {"distress", "legal"} <= {p["kind"] for p in pauses}
