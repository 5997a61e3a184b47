"""A company answers by the link in a letter: taken as a message of low trust, and nothing more."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import text

from app.answering.answers import WORDS_MAX, Asked, read_form
from app.answering.links import answer_token, keep_link, new_link
from app.answering.page import LANGUAGES, POLICY, form_page, thanks_page, words
from app.clock import wall_now
from app.db import Database
from app.domain.case import Stage
from app.domain.errors import InvalidInput
from app.ids import new_id
from app.settings import Settings
from tests.support.cases import make_case
from tests.support.staff_work import every, one

POSITION = "SELECT stage, step, agreed_minor FROM cases WHERE id = :i"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ("", "kind"), ("kind=money", "kind"), ("kind=paid", "on"), ("kind=paid&on=soon", "on"),
        ("kind=offer", "amount"), ("kind=refuse", "words"), ("kind=not_us&words=+", "words"),
        ("kind=refuse&words=" + "x" * (WORDS_MAX + 1), "words"),
        ("kind=refuse&words=%00", "words"), ("kind=refuse&words=%ff", "kind"),
        ("&".join(f"a{n}=1" for n in range(40)), "kind"),
    ],
)  # fmt: skip
def test_what_a_form_lacks_is_named(form: str, field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_form(form.encode())
    assert refusal.value.params["field"] == field


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_the_same_in_every_language_and_runs_nothing(language: str) -> None:
    asked = Asked(new_id(), new_id(), "contact", language, "RC-7K2M-9QX4", wall_now().date())
    for wrong in (None, "kind", "on", "amount", "words", "name"):
        page = form_page(asked, "<b>Agency & Co</b>", wrong=wrong)
        assert "<script" not in page and "<b>" not in page and "&lt;b&gt;Agency &amp; Co" in page
        assert f'<html lang="{language}">' in page and page.count('type="radio"') == 6
        assert ('role="alert"' in page) == (wrong is not None)
    assert words(language)["thanks"] in thanks_page(asked)
    assert "script-src" not in POLICY and "default-src 'none'" in POLICY


async def test_an_answer_becomes_a_message_that_a_person_reads_and_moves_nothing(
    client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered")
    link = new_link(settings, case.letter_id)
    async with database.transaction() as session:
        await keep_link(session, link, letter_id=case.letter_id, language="fi", now=wall_now())
    path = f"/v1/answers/{answer_token(settings, case.letter_id)}"
    shown = await client.get(path)
    assert shown.status_code == 200 and case.reference not in shown.text
    assert shown.headers["content-security-policy"] == POLICY
    assert "Anna" not in shown.text, "whose case it is stands in the letter, not here"
    before = await one(
        database, "SELECT stage, step, agreed_minor FROM cases WHERE id = :i", i=case.id
    )
    bad = await client.post(path, content="kind=offer", headers=FORM)
    assert bad.status_code == 422 and 'role="alert"' in bad.text
    assert (await client.post(path, json={"kind": "paid"})).status_code == 415
    body = urlencode({"kind": "offer", "amount": "50 EUR", "words": "IBAN FI00 <b>", "name": "R"})
    for _ in range(2):
        sent = await client.post(path, content=body, headers=FORM)
        assert sent.status_code == 200 and words("fi")["thanks"] in sent.text
    (message,) = await every(database, "SELECT * FROM messages WHERE channel = 'answer_link'")
    assert (message.trust, message.sender, message.state) == ("low", "company", "unread")
    assert "We offer an amount" in message.text and "Amount: 50 EUR" in message.text
    assert (message.case_id, message.letter_id) == (case.id, case.letter_id)
    tasks = await every(
        database, "SELECT 1 FROM tasks WHERE kind = 'read_reply' AND subject_id = :m", m=message.id
    )
    assert len(tasks) == 1
    after = await one(
        database, "SELECT stage, step, agreed_minor FROM cases WHERE id = :i", i=case.id
    )
    assert tuple(after) == tuple(before)
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE answer_links SET expires_at = :t"), {"t": wall_now() - timedelta(days=1)}
        )
    assert (await client.get(path)).status_code == 404
    assert (await client.get(f"/v1/answers/{'x' * 43}")).status_code == 404
