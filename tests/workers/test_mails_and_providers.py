"""What leaves the house: links that open, words in both languages, files that are written once."""

from __future__ import annotations

import ast
import asyncio
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from sqlalchemy import update

from app import deps
from app.clock import monotonic, wall_now
from app.consumers.login import request_link, use_link
from app.crypto import derive
from app.db import Database
from app.domain.effects import AnyEffect
from app.ids import new_id
from app.settings import Settings
from app.tables.security import LoginLink
from app.texts import LANGUAGES
from app.texts import words as ways_of
from app.wake import loads
from letters.errors import LetterUnprintable
from letters.inspection import inspect_pdf, page_text
from tests.workers.conftest import relaying, until
from tests.workers.stage import effects_of, file_case, install
from workers.bus import ArqBus, PostgresBus
from workers.effects import HANDLERS
from workers.effects.paper import Sheet, sheet_pdf
from workers.effects.people import Person
from workers.effects.send_magic_link import LINK_KEY
from workers.mail import one_line, wire_address
from workers.notices import words, write_notice
from workers.providers.bank_files import BankFolder
from workers.providers.errors import OutcomeUnknown, Refused
from workers.providers.fakes import FakeMail
from workers.providers.post import PostJob, PrintFolder
from workers.tools import Tools

ROOT = Path(__file__).resolve().parents[2]
RSS_BYTES_MAX = 150 * 1024 * 1024


def no_guard() -> None:
    """The lease is fresh."""


def test_every_effect_has_a_handler_of_its_name() -> None:
    assert set(HANDLERS) == {kind.__name__ for kind in AnyEffect.__args__}
    assert all(handler.effect.__name__ == name for name, handler in HANDLERS.items())


async def test_a_sign_in_link_from_the_mail_opens_a_session_once(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    await file_case(database, tools.settings, await install(database))
    key = derive(tools.settings.secret_key.get_secret_value(), deps.LINK_KEY)
    assert deps.LINK_KEY == LINK_KEY
    await request_link(database, link_key=key, email="anna@person.test")
    async with relaying(tools):
        await until(lambda: _done(database, "SendMagicLink"))
    data = next(m.data for m in mail.mails.values() if b"/login#" in m.data)
    token = re.search(rb"/login#([\w-]+)", data.replace(b"=\r\n", b""))
    assert token is not None
    async with database.transaction() as session:
        opened = await use_link(session, token=token[1].decode(), hours=1)
    assert opened.token


async def test_a_link_that_is_over_is_not_mailed(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    await file_case(database, tools.settings, await install(database))
    key = derive(tools.settings.secret_key.get_secret_value(), LINK_KEY)
    await request_link(database, link_key=key, email="anna@person.test")
    async with database.transaction() as session:
        await session.execute(
            update(LoginLink).values(expires_at=wall_now() - timedelta(minutes=1))
        )
    async with relaying(tools):
        await until(lambda: _done(database, "SendMagicLink", "superseded"))
    assert not any(b"/login#" in m.data for m in mail.mails.values())


async def _done(database: Database, kind: str, state: str = "done") -> bool:
    return any((e.kind, e.state) == (kind, state) for e in await effects_of(database))


def test_every_notice_the_ladder_gives_has_words_in_every_language() -> None:
    codes = set()
    for file in (ROOT / "app" / "domain").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "notify"
                and isinstance(node.args[0], ast.Constant)
            ):
                codes.add(node.args[0].value)
            # How a case ends is handed on as the third argument of closing.close().
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "close"
            ):
                assert isinstance(node.args[2], ast.Constant), ast.unparse(node)
                codes.add(node.args[2].value)
    assert len(codes) > 30 and {"settled", "withdrawn", "not_signed"} <= codes
    for language in LANGUAGES:
        assert codes - words(language)["notices"].keys() == set()


def test_every_language_has_the_same_notices_with_the_same_blanks_and_none_in_english() -> None:
    first, *others = (dict(_leaves(words(language))) for language in LANGUAGES)
    for other in others:
        assert other.keys() == first.keys()
        for place, sentence in first.items():
            blanks = set(re.findall(r"\{[a-z_]+\}", sentence))
            assert set(re.findall(r"\{[a-z_]+\}", other[place])) == blanks, place
            wordless = not re.sub(r"\{[a-z_]+\}", "", sentence).strip(" :")
            assert wordless or other[place] != sentence, place


def _leaves(table: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(table, dict):
        yield place, str(table)
        return
    for name, below in table.items():
        yield from _leaves(below, (*place, name))


def test_a_notice_says_what_we_wait_for_until_when_and_what_then() -> None:
    params = {
        "waiting_on": "company",
        "until": "2026-12-07T07:00:00+00:00",
        "then": "reminder",
        "amount": "12300",
        "fee": "3075",
    }
    notice = write_notice(
        "money_arrived",
        params,
        language="en",
        currency="EUR",
        name="Anna",
        company="Airline",
        reference="RC-1",
        link="http://x",
        agency="Agency",
    )
    told = ("€123.00", "€30.75", "waiting for", "7 December 2026", "remind Airline", "http://x")
    for part in told:
        assert part in notice.text, part
    assert "{" not in notice.text + notice.subject


def test_a_notice_says_in_words_what_happens_without_an_answer_and_how_a_case_ended() -> None:
    for language in LANGUAGES:
        asked, ended = (
            write_notice(
                code,
                params,
                language=language,
                currency="EUR",
                name="Anna",
                company="Airline",
                reference="RC-1",
                link="x",
                agency="A",
            ).text
            for code, params in (
                ("question", {"default": "go_on"}),
                ("closed", {"outcome": "bill_cancelled"}),
            )
        )
        assert ways_of(language).term("defaults", "go_on") in asked
        assert ways_of(language).term("outcomes", "bill_cancelled") in ended


def test_on_paper_a_notice_says_how_paper_is_answered() -> None:
    """Nothing on a sheet can be clicked, and nobody replies to one."""
    ways = {"post": "Street 1, 00100 Town", "phone": "+358 9 123", "site": "refunds.example"}
    for language in LANGUAGES:
        for given in (ways, ways | {"phone": ""}):
            said = write_notice(
                "received", {}, language=language, currency="EUR", paper=given, name="Anna",
                company="Airline", reference="RC-1", link="https://x/cases/RC-1", agency="A",
            ).text  # fmt: skip
            assert "https://" not in said and "{" not in said
            assert all(way in said for way in given.values())
            assert said.count("RC-1") >= 2 and ("+358" in said) == bool(given["phone"])


def test_no_name_or_subject_smuggles_in_a_header() -> None:
    assert one_line("Anna\r\nBcc: all@x.test") == "Anna Bcc: all@x.test"
    for bad in ("a@b\r\nRCPT TO:<x>", "a b@c.test", "@c.test", "a@", "ä@c.test", "a,b@c.test"):
        with pytest.raises(Refused):
            wire_address(bad)
    assert wire_address("anna@münchen.test") == "anna@xn--mnchen-3ya.test"


def test_a_paper_notice_prints_every_name_as_it_is_written() -> None:
    words = "Word (one)\\ " * 900 + "x" * 200
    address = ("Łukasz Żółć", "Ľubomírova 4 – „Dům“", "Αθήνα, Київ, Győr")
    sheet = Sheet(address, "RC-1", "Subject", words, "Agency", "1 March 2026")
    made = sheet_pdf(sheet)
    assert made == sheet_pdf(sheet)
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert len(pdf.pages) == 3
        shown = page_text(pdf.pages[0])
    assert all(line in shown for line in address)
    inspect_pdf(made, pages=3, must_contain="Subject")
    with pytest.raises(LetterUnprintable):
        sheet_pdf(replace(sheet, address_lines=("王",)))


def test_a_person_has_the_ways_they_gave_the_usual_one_first() -> None:
    anna = Person(new_id(), new_id(), "Anna", "anna@people.test", False, "en")
    at_home = replace(anna, address_lines=("Koivukuja 4",))
    assert (anna.ways, at_home.ways) == (("email",), ("email", "post"))
    assert replace(at_home, by_post=True).ways == ("post", "email")
    assert replace(at_home, email=None, by_post=True).ways == ("post",)


def test_paper_prints_the_letters_and_signs_of_our_languages() -> None:
    said = "Åse Œuvre Größe œuf ß å ä ö é ç ñ Š ž 1\u00a0234,50\u00a0€ «\u00a0oui\u00a0» – “hej” …"
    sheet = Sheet(("Anna",), "RC-1", "Subject", said, "Agency", "1er mars 2026")
    with pikepdf.open(io.BytesIO(sheet_pdf(sheet))) as pdf:
        shown = page_text(pdf.pages[0])
    assert said in shown and "1er mars 2026" in shown


async def test_a_print_job_is_written_once_and_other_bytes_under_its_key_are_refused(
    tmp_path: Path,
) -> None:
    printer, key = PrintFolder(tmp_path), new_id()
    job = PostJob(("Anna",), "RC-1", "0" * 64)
    for _ in range(2):
        await printer.send(job, b"%PDF", key=key, guard=no_guard)
    with pytest.raises(OutcomeUnknown):
        await printer.send(job, b"%PDF other", key=key, guard=no_guard)
    assert sorted(p.rpartition(".")[2] for p in os.listdir(tmp_path)) == ["json", "pdf"]
    await printer.recall(key, key=new_id(), guard=no_guard)
    (tmp_path / f"{key}.printed").touch()
    with pytest.raises(Refused):
        await printer.recall(key, key=new_id(), guard=no_guard)


async def test_a_bank_file_is_written_once_under_its_message_id(tmp_path: Path) -> None:
    bank = BankFolder(tmp_path)
    for _ in range(2):
        await bank.submit("RC123", b"<x/>", key=new_id(), guard=no_guard)
    with pytest.raises(OutcomeUnknown):
        await bank.submit("RC123", b"<y/>", key=new_id(), guard=no_guard)
    for bad in ("../x", "", ".."):
        with pytest.raises(Refused):
            await bank.submit(bad, b"<x/>", key=new_id(), guard=no_guard)
    assert os.listdir(tmp_path) == ["RC123.xml"]


@pytest.mark.parametrize("kind", ["arq", "postgres"])
async def test_a_nudge_arrives_over_either_bus(settings: Settings, kind: str) -> None:
    bus = ArqBus(settings) if kind == "arq" else PostgresBus(settings.database_dsn)
    heard: list[str] = []
    task = asyncio.create_task(bus.run(heard.append))
    give_up = monotonic() + 10
    while "relay" not in heard and monotonic() < give_up:
        await bus.nudge("relay")
        await asyncio.sleep(0.05)
    assert "relay" in heard
    assert await bus.health()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_nudge_without_redis_costs_half_a_second_at_most_and_raises_nothing(
    settings: Settings,
) -> None:
    bus = ArqBus(settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"}))
    started = monotonic()
    await bus.nudge("relay")
    assert monotonic() - started < 1.0
    assert not await bus.health()


@pytest.mark.parametrize("raw", [b"", b"\x80\x04cos\nsystem\n", b"[]", b'{"f":"x"}', b"null"])
def test_a_job_that_is_not_ours_runs_nothing(raw: bytes) -> None:
    assert loads(raw)["f"] == "ignored"


def test_a_worker_process_stays_under_150_megabytes() -> None:
    code = (
        "import workers.main, resource;"
        "from pathlib import Path;"
        "print(int(Path('/proc/self/statm').read_text().split()[1]) * resource.getpagesize())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert int(done.stdout) < RSS_BYTES_MAX * 0.8, "only imports so far; the loops need the rest"
