"""What becomes of a mail that left: its two forms, its pace, its copy, its reports, its link."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from app.db import Database
from app.documents.keys import letter_key
from app.domain.errors import NotFound
from app.links.service import open_link
from app.mail_rates import Rate, after_one, read_rates
from app.moment import read_moment
from app.settings import Settings
from tests.support.imap import PASSWORD, FakeImap
from tests.workers.conftest import relaying, until
from tests.workers.stage import COMPANY_MAIL, Staged, effects_of, install, move_clock, signed_case
from tests.workers.test_inbox import put
from workers.archive_watch import ABSENT, FOUND, ArchiveWatch
from workers.claims_lists import order_lists
from workers.inbox import Inbox
from workers.mail import Draft, address_book, compose
from workers.mail_html import html_of
from workers.mime import MailReader
from workers.providers.delivery import Delivery, Guard
from workers.providers.fakes import FakeMail, FakePost
from workers.providers.smtp import OutgoingMail
from workers.tools import Tools

URL = "https://refunds.example"


def test_the_html_says_the_same_words_and_fetches_and_follows_nothing() -> None:
    words = (
        f"Dear <b>A&B</b>,\nsee {URL}/cases/1.\n\nNot https://evil.test/x, not {URL}.evil.test/y.\n"
    )
    page = html_of(words, language="fi", our_url=URL)
    assert re.findall(r'(?:href|src)="([^"]*)"', page) == [f"{URL}/cases/1"]
    shown = re.sub(r"<[^>]+>", "", page.split("</head>")[1])
    plain = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert plain.split() == words.split()
    assert '<html lang="fi">' in page and "<script" not in page and "<img" not in page


def test_a_mail_has_both_forms_the_same_bytes_every_time_and_secrets_are_not_copied(
    settings: Settings,
) -> None:
    draft = Draft(
        uuid4(), "Anna", "anna@person.test", "Hello", "Words, 5 €.",
        datetime(2026, 3, 1, tzinfo=UTC), "Agency",
        attachments=(("a.pdf", b"%PDF"),), language="de",
    )  # fmt: skip
    archived = settings.model_copy(update={"archive_address": "archive@us.test"})
    first, second = compose(draft, archived), compose(draft, archived)
    assert first.data.isascii(), "servers without 8BITMIME take it too (F-S9)"
    assert first == second and first.copy_to == "archive@us.test"
    assert compose(replace(draft, secret=True), archived).copy_to is None
    mail = message_from_bytes(first.data, policy=policy.default)
    kinds = [part.get_content_type() for part in mail.walk()]
    assert kinds == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "application/pdf",
    ]  # fmt: skip
    body = mail.get_body(("html",))
    assert body is not None and "Words, 5 €." in body.get_content()


def test_a_rate_lets_a_tenth_go_at_once_and_then_the_even_pace() -> None:
    assert read_rates("Big.Example=100/hour, *=5/second") == {
        "big.example": Rate(100, 3_600), "*": Rate(5, 1),
    }  # fmt: skip
    for wrong in ("big.example", "a=0/hour", "a=1/week", "a=1/hour,a=2/hour"):
        with pytest.raises(ValueError, match="rate"):
            read_rates(wrong)
    mark, rate, gone = 0.0, Rate(100, 3_600), [0, 0]
    for hour in (0, 1):
        for second in range(3_600):
            now = 1_000_000.0 + hour * 3_600 + second
            while True:
                mark, wait = after_one(mark, now, rate)
                if wait:
                    break
                gone[hour] += 1
            if hour == second == 0:
                assert gone[0] == 10
    assert 100 <= gone[0] <= 110 and gone[1] == 100


async def of_mail(database: Database, case: Staged) -> Any:
    async with database.read() as session:
        return (
            await session.execute(
                text(
                    "SELECT e.*, l.state AS letter, l.evidence_grade, m.state AS message,"
                    " m.delivery_status FROM effects e"
                    " LEFT JOIN letters l ON l.id = CAST(e.payload->>'letter_id' AS uuid)"
                    " LEFT JOIN messages m ON m.effect_id = e.id"
                    " WHERE e.case_id = :id AND e.kind = 'SendLetter' ORDER BY e.id LIMIT 1"
                ),
                {"id": case.case_id},
            )
        ).one_or_none()


async def in_state(database: Database, case: Staged, *states: str) -> bool:
    row = await of_mail(database, case)
    return row is not None and row.state in states


async def test_a_mail_above_the_rate_waits_without_a_try_and_goes_in_its_time(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    limited = tools.settings.model_copy(update={"mail_rates": read_rates("airline.test=1/hour")})
    company = await install(database)
    one = await signed_case(database, tools.settings, company)
    two = await signed_case(database, tools.settings, company)
    async with relaying(replace(tools, settings=limited)):
        await until(lambda: _one_went_one_waits(database, one, two))
        rows = [await of_mail(database, c) for c in (one, two)]
        waiting = next(r for r in rows if r.state == "planned")
        assert (waiting.attempts, waiting.cause) == (0, "rate_limit")
    assert [m.to for m in mail.mails.values()].count(COMPANY_MAIL) == 1
    async with database.transaction() as session:  # an hour later, on the database's clock
        await session.execute(text("UPDATE mail_pace SET mark = mark - 3600"))
    await move_clock(database, timedelta(hours=2))
    async with relaying(replace(tools, settings=limited)):
        await until(lambda: in_state(database, one, "done"))
        await until(lambda: in_state(database, two, "done"))
    assert [m.to for m in mail.mails.values()].count(COMPANY_MAIL) == 2


async def _one_went_one_waits(database: Database, one: Staged, two: Staged) -> bool:
    rows = [await of_mail(database, c) for c in (one, two)]
    return sorted(r.state if r and r.cause != "rate_limit" else "waits" for r in rows) == [
        "done", "waits",
    ]  # fmt: skip


async def test_the_first_letter_goes_to_the_official_address_too_as_no_letter_of_its_own(
    database: Database, tools: Tools, mail: FakeMail, post: FakePost
) -> None:
    company = await install(database)
    async with database.transaction() as session:
        await session.execute(text("UPDATE channels SET official = (kind = 'post')"))
    case = await signed_case(database, tools.settings, company)
    async with relaying(tools):
        await until(lambda: _copied(database, case))
    assert [m.to for m in mail.mails.values()].count(COMPANY_MAIL) == 1
    [(job, pdf)] = post.jobs.values()
    assert job.address_lines[0] == "Airline plc" and pdf.startswith(b"%PDF")
    async with database.read() as session:
        filed = await session.execute(
            text(
                "SELECT channel, letter_id IS NULL AS loose FROM messages"
                " WHERE direction = 'out' AND channel IN ('email', 'post')"
                " AND to_address <> '' ORDER BY channel"
            )
        )
        assert [tuple(row) for row in filed] == [("email", False), ("post", True)]
    await _claims_list_goes_once_a_week(database, tools, mail, case)


async def _claims_list_goes_once_a_week(
    database: Database, tools: Tools, mail: FakeMail, case: Staged
) -> None:
    async with database.transaction() as session:
        await session.execute(text("UPDATE companies SET claims_list_to = 'lists@airline.test'"))
        moment = await read_moment(session)
        assert await order_lists(session, moment) == 1
        assert await order_lists(session, moment) == 0
    async with relaying(tools):
        await until(lambda: _nothing_planned(database))
    [sent] = [m for m in mail.mails.values() if m.to == "lists@airline.test"]
    parsed = message_from_bytes(sent.data, policy=policy.default)
    [file] = list(parsed.iter_attachments())
    assert file.get_content_type() == "text/csv"
    content = file.get_payload(decode=True)
    assert isinstance(content, bytes)
    heading, line = content.decode("utf-8-sig").splitlines()
    assert heading.startswith("reference;") and heading.endswith(";paid")
    assert line.startswith(case.reference) and line.endswith(";123.00;EUR;")
    assert "Anna" not in content.decode(), "no consumer is named"


async def _nothing_planned(database: Database) -> bool:
    return all(e.state == "done" for e in await effects_of(database) if e.case_id is None)


async def _copied(database: Database, case: Staged) -> bool:
    found = await effects_of(database, case.case_id)
    return any(e.kind == "SendCopy" and e.state == "done" for e in found)


class LastLineLost(FakeMail):
    """The line to the company's server breaks after the final dot."""

    async def send(self, mail: OutgoingMail, *, guard: Guard) -> Delivery:
        self.unknown_after_delivery = mail.to == COMPANY_MAIL
        return await super().send(mail, guard=guard)


@pytest.fixture
async def archive(tools: Tools) -> AsyncIterator[tuple[FakeImap, Tools]]:
    imap = FakeImap()
    await imap.start()
    kept = tools.settings.model_copy(
        update={
            "archive_address": "archive@us.test", "archive_imap_host": "127.0.0.1",
            "archive_imap_port": imap.port, "archive_imap_tls": False,
            "archive_imap_user": "reader", "archive_imap_password": SecretStr(PASSWORD),
        }
    )  # fmt: skip
    yield imap, replace(tools, settings=kept)
    await imap.stop()


async def test_a_copy_in_the_archive_settles_an_unseen_end_and_its_absence_is_told_to_a_person(
    database: Database, archive: tuple[FakeImap, Tools], mail: FakeMail
) -> None:
    imap, tools = archive
    case = await signed_case(database, tools.settings, await install(database))
    deaf = LastLineLost(mails=mail.mails, delivered=mail.delivered)
    providers = replace(tools.providers, mail=deaf)
    async with relaying(replace(tools, providers=providers)):
        await until(lambda: in_state(database, case, "unknown"))
    effect = await of_mail(database, case)
    watch = ArchiveWatch(tools)
    await watch.once()
    assert (await of_mail(database, case)).state == "unknown"
    assert ABSENT not in ((await of_mail(database, case)).cause or "")
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE effects SET dispatched_at = dispatched_at - interval '31 minutes'")
        )
    await watch.once()
    await watch.once()
    after = await of_mail(database, case)
    assert after.state == "unknown" and after.cause.count(ABSENT) == 1
    copy = next(m for m in mail.mails.values() if m.key == effect.id.hex)
    assert copy.copy_to == "archive@us.test"
    imap.put(copy.data)
    await ArchiveWatch(tools).once()
    found = await of_mail(database, case)
    assert (found.state, found.cause, found.letter) == ("done", FOUND, "handed_over")
    assert mail.delivered[copy.message_id] == 1


def report(action: str, status: str, recipient: str, message_id: str) -> bytes:
    return (
        "From: MAILER-DAEMON@mx.airline.test\r\nTo: x\r\nSubject: Delivery Status Notification\r\n"
        f"Message-ID: <{action}@mx.airline.test>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nAbout your mail.\r\n--b\r\n"
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.airline.test\r\n\r\n"
        f"Final-Recipient: rfc822; {recipient}\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n--b--\r\n"
    ).encode()


async def test_reports_move_the_mail_and_a_delivery_starts_the_clock(
    database: Database, tools: Tools
) -> None:
    case = await signed_case(database, tools.settings, await install(database))
    async with relaying(tools):
        await until(lambda: in_state(database, case, "done"))
    row = await of_mail(database, case)
    book = address_book(tools.settings)
    to, message_id = book.bounce_address(row.id), book.message_id(row.id)
    reader = MailReader()
    inbox = Inbox(database, book, reader, 5, tools.store, tools.keyring)
    seen = []
    for action, status, who in (
        ("delayed", "4.4.1", COMPANY_MAIL),
        ("relayed", "2.0.0", COMPANY_MAIL),
        ("delivered", "2.0.0", "somebody@else.test"),
        ("delivered", "2.1.5", COMPANY_MAIL),
        ("delayed", "4.4.2", COMPANY_MAIL),
    ):
        raw = report(action, status, who, message_id) + who.encode()
        await put(database, to, raw.replace(b"<delivered@", f"<{status}@".encode()))
        while await inbox.once():
            pass
        now = await of_mail(database, case)
        seen.append((now.message, now.delivery_status, now.letter))
    await reader.close()
    assert seen == [
        ("deferred", "4.4.1", "handed_over"),
        ("deferred", "4.4.1", "handed_over"),
        ("delivered", "2.0.0", "handed_over"),  # of another address: noted, no clock
        ("delivered", "2.1.5", "delivered"),
        ("delivered", "2.1.5", "delivered"),
    ]
    assert now.evidence_grade == "recipient_server"
    async with database.read() as session:
        waiting = await session.scalar(text("SELECT waiting_on FROM cases"))
    assert waiting == "company"


async def test_a_notice_that_comes_back_asks_a_person_to_call(
    database: Database, tools: Tools
) -> None:
    case = await signed_case(database, tools.settings, await install(database))
    async with relaying(tools):
        await until(lambda: in_state(database, case, "done"))
    notice = next(e for e in await effects_of(database) if e.kind == "NotifyConsumer")
    book = address_book(tools.settings)
    reader = MailReader()
    inbox = Inbox(database, book, reader, 5, tools.store, tools.keyring)
    raw = report("failed", "5.1.1", "anna@person.test", book.message_id(notice.id))
    await put(database, book.bounce_address(notice.id), raw)
    while await inbox.once():
        pass
    await reader.close()
    async with database.read() as session:
        kinds = (
            await session.execute(text("SELECT kind FROM tasks WHERE state = 'open'"))
        ).scalars()
        assert "call_consumer" in list(kinds)
        state = await session.scalar(
            text("SELECT state FROM messages WHERE effect_id = :id"), {"id": notice.id}
        )
    assert state == "bounced"


async def test_a_letter_too_large_for_a_mail_is_a_link_that_counts_expires_and_is_revoked(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    small = replace(
        tools, settings=tools.settings.model_copy(update={"mail_attachment_bytes_max": 10})
    )
    case = await signed_case(database, tools.settings, await install(database))
    async with relaying(small):
        await until(lambda: in_state(database, case, "done"))
    sent = next(m for m in mail.mails.values() if m.to == COMPANY_MAIL)
    read = message_from_bytes(sent.data, policy=policy.default)
    assert not list(read.iter_attachments()) or read.get_content_type() == "multipart/alternative"
    body = read.get_body(("plain",))
    assert body is not None
    (token,) = re.findall(r"/v1/documents/([A-Za-z0-9_-]{43})\s", body.get_content())
    async with database.transaction() as session:
        link = await open_link(session, token)
        assert link.opened == 1 and link.case_id == case.case_id
        key = await letter_key(session, tools.keyring, link.letter_id, link.sha256)
        letter = await tools.store.get(link.sha256, key)
        assert len(letter) == link.size_bytes
    with pytest.raises(NotFound):
        async with database.transaction() as session:
            await open_link(session, "x" * 43)
    await move_clock(database, timedelta(days=91))
    with pytest.raises(NotFound):
        async with database.transaction() as session:
            await open_link(session, token)
