"""Letters beside the steps on their way: made from the rows, approved, sent to the right people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app import engine
from app.db import Database
from app.domain import events as e
from app.domain.case import LetterKind, OfferKind
from app.ids import new_id
from app.letter_details import LetterDetails, keep_details
from app.moment import read_moment
from letters import render
from letters.content import content_from_dict
from tests.workers.conftest import quiet, relaying, until
from tests.workers.stage import COMPANY_MAIL, Staged, install, move_clock, signed_case
from workers.effects.letter_seal import open_content
from workers.providers.fakes import FakeMail, FakePost
from workers.tools import Tools

COLLECTOR = {
    "name": "Collector Oy", "address_lines": ["Box 1", "00101 Helsinki"], "country": "FI",
    "email": "disputes@collector.test",
}  # fmt: skip


async def told(database: Database, case: Staged, event: e.Event) -> Any:
    async with database.transaction() as session:
        return await engine.advance(session, case.case_id, event, actor="staff:anna")


async def asked(
    tools: Tools, case: Staged, kind: LetterKind, to: str, said: dict[str, Any], way: str = "email"
) -> UUID:
    """As the endpoint does it: the request and its details in one transaction."""
    letter_id = new_id()
    request = e.LetterRequested(letter_id, kind, f"{kind}:1", way, to, "staff:anna")
    async with tools.database.transaction() as session:
        await engine.advance(session, case.case_id, request, actor="staff:anna")
        if said:
            await keep_details(
                session, tools.keyring, letter_id=letter_id, consumer_id=case.consumer_id,
                details=LetterDetails(said),
            )  # fmt: skip
    return letter_id


async def approve_all(database: Database, case: Staged) -> dict[str, UUID]:
    """A person reads and approves whatever waits; letters by kind."""
    async with database.transaction() as session:
        rows = (await session.execute(
            text("SELECT id, kind, sha256 FROM letters WHERE case_id = :id"
                 " AND state = 'awaiting_approval'"), {"id": case.case_id},
        )).all()  # fmt: skip
        for row in rows:
            await engine.advance(
                session, case.case_id, e.LetterApproved(row.id, row.sha256, "staff:berit"),
                actor="staff:berit",
            )  # fmt: skip
    return {row.kind: row.id for row in rows}


async def made(tools: Tools, letter_id: UUID) -> str:
    """What the letter says, as the page a company reads."""
    async with tools.database.read() as session:
        content = await open_content(session, tools.keyring, letter_id, 1)
    return render.render_html(content_from_dict(content)).replace("\xa0", " ")


async def test_letters_beside_the_steps_are_made_from_the_rows_and_reach_whom_they_are_for(
    database: Database, tools: Tools, mail: FakeMail, post: FakePost
) -> None:
    case = await signed_case(database, tools.settings, await install(database))
    async with relaying(tools):
        await until(lambda: quiet(database))
        offer_id = new_id()
        moment = await _now(database)
        await told(database, case, e.CompanyOffered(
            offer_id, OfferKind.PART, 6_000, moment.replace(year=moment.year + 1), "anna"
        ))  # fmt: skip
        await asked(tools, case, LetterKind.MORE_TIME, "company", {})
        await asked(tools, case, LetterKind.MANDATE_NOTICE, "company", {}, way="post")
        await asked(tools, case, LetterKind.DEBT_DISPUTE, "other", {
            "addressee": "collector", "reason": "withdrawn", "debt_reference": "PE-77",
            "recipient": COLLECTOR,
        })  # fmt: skip
        await asked(tools, case, LetterKind.DECLARATION, "company", {
            "declared": "cancellation", "contract": "Seat plan, no. 9",
        })  # fmt: skip
        await until(lambda: _waiting(database, case, 4))
        letters = await approve_all(database, case)
        assert set(letters) == {"more_time", "mandate_notice", "debt_dispute", "declaration"}
        page = await made(tools, letters["more_time"])
        assert "EUR 60.00" in page and "neither accepts nor refuses" in page
        assert "also includes receiving payment" in await made(tools, letters["mandate_notice"])
        dispute = await made(tools, letters["debt_dispute"])
        assert "PE-77" in dispute and "Collector Oy" in dispute and "Airline plc" in dispute
        assert "2016/679" in dispute, "the ground of the jurisdiction"
        assert "Seat plan, no. 9" in await made(tools, letters["declaration"])
        await move_clock(database, timedelta(days=2))
        await until(lambda: _sent(database, case, 5))
        to = [one.to for one in mail.mails.values()]
        assert to.count("disputes@collector.test") == 1 and to.count(COMPANY_MAIL) == 3
        assert [job.address_lines[0] for job, _ in post.jobs.values()] == ["Airline plc"]
        await told(database, case, e.OfferAccepted(offer_id, case.claimant_id))
        await until(lambda: _waiting(database, case, 1))
        letters = await approve_all(database, case)
        page = await made(tools, letters["offer_accepted"])
        assert "We accept this offer" in page and "EUR 60.00" in page


async def _now(database: Database) -> Any:
    async with database.read() as session:
        return (await read_moment(session)).now


async def _count(database: Database, case: Staged, where: str) -> int:
    async with database.read() as session:
        found = await session.scalar(
            text(f"SELECT count(*) FROM letters WHERE case_id = :id AND {where}"),
            {"id": case.case_id},
        )
    return int(found or 0)


async def _waiting(database: Database, case: Staged, count: int) -> bool:
    return await _count(database, case, "state = 'awaiting_approval'") == count


async def _sent(database: Database, case: Staged, count: int) -> bool:
    return await _count(database, case, "sent_at IS NOT NULL") == count
