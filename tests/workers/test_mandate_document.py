"""Whoever signs gets what they signed, at once, as a document that is stored by its hash."""

from __future__ import annotations

import ast
from typing import Any

from sqlalchemy import text

from app import engine
from app.authorisation import Principal
from app.cases.queries import read_case_row
from app.db import Database
from app.documents.keys import mandate_key
from app.domain.case import Stage
from app.domain.events import CaseAccepted
from app.mandates import service
from app.mandates.schemas import MandateIn
from app.mandates.summary import summary_of
from letters.content import content_from_dict
from tests.support.signing import signature_of
from tests.workers.conftest import quiet, relaying, until
from tests.workers.stage import PLAYBOOK, file_case, install
from workers.providers.fakes import FakeMail
from workers.tools import Tools


async def test_the_signed_mandate_is_stored_and_mailed_with_the_page_that_was_shown(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    staged = await file_case(database, tools.settings, await install(database))
    signer = Principal("consumer", staged.consumer_id)
    async with database.transaction() as session:
        event = CaseAccepted(Stage.CONTACT, "never_in_writing", PLAYBOOK, "staff:test")
        await engine.advance(session, staged.case_id, event, actor="test")
    async with database.transaction() as session:
        page = summary_of(await read_case_row(session, signer, staged.case_id), "fi")
        shown = page.model_dump(mode="json")
        body = MandateIn(**signature_of(shown, staged.claimant_id, "Anna Virtanen"))
        proof = service.Proof("2001:db8::7", "a browser")
        done = await service.sign(session, tools.keyring, signer, staged.case_id, body, None, proof)
    async with relaying(tools):
        await until(lambda: quiet(database))
    async with database.read() as session:
        row = await service.document_of(session, signer, staged.case_id, done.mandate_id)
        kept = (await session.execute(text("SELECT * FROM mandates"))).one()
        key = await mandate_key(session, tools.keyring, done.mandate_id)
    pdf = await tools.store.get(row.sha256, key)
    # What the render child was given, as the fake of it wrote it down.
    content: dict[str, Any] = dict(ast.literal_eval(pdf.partition(b"\n")[2].decode()))
    letter = content_from_dict(content)
    assert letter.kind == "signed_mandate" and letter.language == "fi"
    assert content["page_sha256"] == page.page_sha256 == kept.shown["page_sha256"]
    assert content["mandate_texts"] == [page.mandate_text, page.mandate_money_text]
    assert content["start_text"] == page.start_now_text
    assert (content["network_address"], content["signed_name"]) == ("2001:db8::7", "Anna Virtanen")
    told = [line for part in content["page"] for line in part["lines"]]
    assert page.withdrawal_right in told and page.steps[0].text in told
    assert [net["yours_minor"] for net in content["nets"]] == [
        net.you_get.minor or None for net in page.net_amounts
    ]
    carrying = [m for m in mail.mails.values() if b"mandate_signed.pdf" in m.data]
    assert len(carrying) == 1 and b"application/pdf" in carrying[0].data
