"""Files wait in quarantine until the scanner has looked at them."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from sqlalchemy import text

from app.db import Database
from app.domain.screening import first_state
from tests.support.clamd import EICAR, fake_clamd
from tests.workers.stage import install
from tests.workers.test_inbox import put
from workers.inbox import Inbox
from workers.mail import address_book
from workers.mime import MailReader
from workers.providers.clamd import Clamd, ScannerAway
from workers.screening import Screener
from workers.tools import Tools


async def test_clamd_is_asked_in_its_own_words() -> None:
    """B114, B116: and what it cannot look at is never called clean."""
    async with fake_clamd(limit=200_000) as address:
        scanner = Clamd(address)
        assert await scanner.scan(b"harmless " * 1_000) is None
        assert await scanner.scan(b"%PDF-1.4 " + EICAR) == "Eicar-Test-Signature"
        with pytest.raises(ScannerAway, match="size limit"):
            await scanner.scan(bytes(300_000) + EICAR)
    with pytest.raises(ScannerAway):
        await scanner.scan(b"nobody is there any more")


def test_one_rule_for_every_file() -> None:
    assert first_state(None, scanned=True) == first_state(None, scanned=False) == "rejected"
    assert first_state("application/pdf", scanned=True) == "quarantined"
    assert first_state("application/pdf", scanned=False) == "unscanned"


async def test_a_file_leaves_quarantine_when_the_scanner_has_looked(
    database: Database, tools: Tools
) -> None:
    await install(database)
    reader = MailReader()
    inbox = Inbox(
        database, address_book(tools.settings), reader, 5.0, tools.store, tools.keyring, scans=True
    )
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "x@airline.test", "nobody@agency.test", "Offer"
    mail.set_content("See the papers.")
    inner = EmailMessage()
    inner["From"], inner["To"], inner["Subject"] = "a@b.test", "c@d.test", "Inside"
    inner.set_content("The mail that I mean.")
    mail.add_attachment(b"%PDF-1.4 good", maintype="application", subtype="pdf", filename="a.pdf")
    mail.add_attachment(b"%PDF-1.4 " + EICAR, maintype="application", subtype="pdf", filename="b")
    mail.add_attachment(inner)
    mail.add_attachment(b"PK\x03\x04" + bytes(99), maintype="application", subtype="zip")
    await put(database, "nobody@agency.test", mail.as_bytes())
    await inbox.once()
    await reader.close()
    assert await states(database) == ["quarantined"] * 3 + ["rejected"]
    away = Screener(database, tools.store, tools.keyring, Clamd("tcp://127.0.0.1:1"))
    await away.once()
    assert await states(database) == ["quarantined"] * 3 + ["rejected"], "down: it stays"
    assert not await Screener(database, tools.store, tools.keyring, away.scanner).once(), (
        "and waits its turn"
    )
    async with database.transaction() as session:
        kinds = await session.execute(text("SELECT media_type FROM attachments ORDER BY position"))
        assert list(kinds.scalars())[2] == "message/rfc822", "a mail in a mail is a file"
        await session.execute(text("UPDATE attachments SET scan_at = NULL"))
    async with fake_clamd() as address:
        await Screener(database, tools.store, tools.keyring, Clamd(address)).once()
    assert await states(database) == ["clean", "rejected", "clean", "rejected"]


async def states(database: Database) -> list[str]:
    async with database.read() as session:
        found = await session.execute(text("SELECT state FROM attachments ORDER BY position"))
        return list(found.scalars())
