"""Raw mails at rest: old ones are read and sealed, one whose key is gone stops no other."""

from __future__ import annotations

from sqlalchemy import text

from app.clock import wall_now
from app.correspondence.sealed_raw import seal_old_mails
from app.db import Database
from app.vault import destroy_key
from tests.support.raw_mails import KEYRING, raw_mails
from tests.workers.stage import Staged
from tests.workers.test_inbox import (
    address,
    case,
    inbox,
    mail_of,
    messages,
    put,
)
from workers.inbox import TRIES_MAX, Inbox
from workers.tools import Tools

__all__ = ["case", "inbox"]


async def test_a_mail_from_before_is_read_in_the_clear_and_sealed_by_the_command(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    raw = mail_of("anna@person.test", address(tools, case), body="Of last year")
    await put(database, address(tools, case), raw)
    async with database.transaction() as session:
        clear = text("UPDATE inbound SET raw = :raw, raw_sealed = false")
        await session.execute(clear, {"raw": raw})
        await session.execute(text("DELETE FROM data_keys WHERE subject_id IN"
                                   " (SELECT id FROM inbound)"))  # fmt: skip
    assert await seal_old_mails(database, KEYRING) == 0, "what waits to be read is left"
    await inbox.once()
    assert [m.text.strip() for m in await messages(database)] == ["Of last year"]
    assert await seal_old_mails(database, KEYRING) == 1
    assert await seal_old_mails(database, KEYRING) == 0
    assert await raw_mails(database) == [raw]


async def test_a_mail_whose_key_is_gone_ends_in_the_pen_and_stops_no_other(
    database: Database, tools: Tools, inbox: Inbox, case: Staged
) -> None:
    for body in ("first", "second"):
        mail = mail_of("anna@person.test", address(tools, case), body=body)
        await put(database, address(tools, case), mail)
    async with database.transaction() as session:
        first = await session.scalar(text("SELECT id FROM inbound ORDER BY id LIMIT 1"))
        await destroy_key(session, first, at=wall_now())
    for _ in range(TRIES_MAX):
        await inbox.once()
        async with database.transaction() as session:
            await session.execute(text("UPDATE inbound SET lease_until = NULL"))
    found = await messages(database)
    assert sorted(m.state for m in found) == ["pen", "unread"]
    assert [m.pen_reasons for m in found if m.state == "pen"] == [["unreadable", "data_erased"]]
