"""The journal is carried out: once, in order, and never lost."""

from __future__ import annotations

from uuid import UUID

from app.db import Database
from tests.workers.conftest import relaying, until
from tests.workers.stage import effects_of, install, signed_case
from workers.providers.fakes import FakeMail
from workers.tools import Tools


async def test_a_first_letter_is_rendered_released_and_mailed_once(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    company = await install(database)
    case = await signed_case(database, tools.settings, company)
    async with relaying(tools):
        await until(lambda: _all_done(database, case.case_id))
    sent = [e for e in await effects_of(database, case.case_id) if e.kind == "SendLetter"]
    assert len(sent) == 1
    to_company = [m for m in mail.mails.values() if m.to == "claims@airline.test"]
    assert len(to_company) == 1
    assert set(mail.delivered.values()) == {1}


async def _all_done(database: Database, case_id: UUID) -> bool:
    """Everything the case ordered so far was carried out, the letter among it."""
    found = await effects_of(database, case_id)
    done = all(e.state in ("done", "superseded") for e in found)
    return done and any(e.kind == "SendLetter" for e in found)
