"""An answer that the consumer passes on becomes a message of its own, and moves nothing."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from sqlalchemy import text

from app.db import Database
from app.reading.passed_on import passed_on
from tests.workers.stage import install, signed_case
from tests.workers.test_inbox import address, messages, put
from workers.inbox import Inbox
from workers.mail import address_book
from workers.mime import MailReader
from workers.tools import Tools

BLOCKS = [
    "Hi, see this.\n\n---------- Forwarded message ---------\nFrom: Air <Claims@airline.test>\n"
    "Date: Mon, 2 Nov 2026\nSubject: Your claim\nTo: anna@person.test\n\n{}\n",
    "Hei, näin vastasivat.\n\nLähettäjä: Air <claims@airline.test>\nLähetetty: maanantai\n"
    "Vastaanottaja: anna@person.test\nAihe: Your claim\n\n{}\n",
    "Siehe unten.\n\nVon: Air <claims@airline.test>\nGesendet: Montag, 2. November 2026 10:00\n"
    "An: anna@person.test\nBetreff: Your claim\n\n{}\n",
    "-------- Message transféré --------\nSujet : Your claim\nDate : Mon, 2 Nov 2026\n"
    "De : Air <claims@airline.test>\nPour : anna@person.test\n\n{}\n",
    "Titta.\n\n-- Vidarebefordrat meddelande --\nFrån: Air <claims@airline.test>\nDatum: 2 nov\n"
    "Ämne: Your claim\nTill: anna@person.test\n\n{}\n",
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_passed_on_mail_is_unpacked_in_five_languages(block: str) -> None:
    """B198."""
    found = passed_on(block.format("We agree to pay EUR 250 by 5 December 2026."))
    assert found is not None
    assert (found.sender, found.subject) == ("claims@airline.test", "Your claim")
    assert found.text == "We agree to pay EUR 250 by 5 December 2026."


def test_a_quotation_is_no_passed_on_mail() -> None:
    assert (
        passed_on("Thanks.\n\nOn Mon, 2 Nov 2026, Us <a@b.test> wrote:\n> We ask for money.")
        is None
    )
    assert passed_on("Note: two things.\nFirst: pay.\n") is None


async def test_what_the_consumer_passes_on_waits_for_a_person(
    database: Database, tools: Tools
) -> None:
    case = await signed_case(database, tools.settings, await install(database))
    to = address(tools, case)
    reader = MailReader()
    inbox = Inbox(database, address_book(tools.settings), reader, 5.0, tools.store, tools.keyring,
                  authserv_id="mx.test")  # fmt: skip
    inner = EmailMessage()
    inner["From"], inner["To"], inner["Subject"] = "x@airline.test", "anna@person.test", "Refusal"
    inner["Authentication-Results"] = "mx.test; dmarc=pass header.from=airline.test"
    inner.set_content("We refuse your claim because of extraordinary circumstances.")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "anna@person.test", to, "Fwd"
    mail.set_content(BLOCKS[0].format("We agree to pay EUR 250.00 by 5 December 2026."))
    mail.add_attachment(inner)
    await put(database, to, mail.as_bytes())
    await inbox.once()
    await reader.close()
    found = await messages(database)
    shown = sorted((m.channel, m.sender, m.state, m.trust) for m in found)
    low = ("passed_on", "company", "unread", "low")
    assert shown == [("email", "consumer", "unread", "low"), low, low]
    kinds = {m.reading["kind"] for m in found if m.channel == "passed_on"}
    assert "deny_reasoned" in kinds and any(
        m.reading["amount_minor"] == 25_000 for m in found if m.channel == "passed_on"
    )
    async with database.read() as session:
        row = (await session.execute(text("SELECT stage, promise, agreed_minor FROM cases"))).one()
    assert tuple(row) == ("contact", None, None), "only a person's record counts"
