"""The interest a letter claims: a table where every rate is known, else words and a task."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app import engine
from app.crypto import Keyring
from app.db import Database
from app.domain.case import Case, MoneyState, Outcome, Stage
from app.domain.events import CaseClosed, NextStepChosen
from app.domain.interest.accrual import InWords, Part, accrue
from app.domain.interest.rates import Missing
from app.domain.money import Money
from app.ids import new_id
from app.law.interest import interest_law
from app.moment import read_moment
from app.tasks.forms import forms
from letters.content import AmountLine, Interest
from tests.workers.conftest import quiet, relaying, until
from tests.workers.stage import Staged, install, move_clock, signed_case
from workers.effects.letter_rows import LetterRows
from workers.effects.letter_seal import open_content
from workers.letter_interest import Claimed, ask_for_rates, interest_of
from workers.tools import Tools

ITEM = AmountLine(what="ticket", minor=60_000, currency="EUR", creditor="Anna")
SENT = datetime(2026, 1, 5, 9, tzinfo=UTC)
HELSINKI = ZoneInfo("Europe/Helsinki")


def letter(kind: str = "contact", sent: datetime = SENT, **values: Any) -> dict[str, Any]:
    return {
        "kind": kind, "channel": "email", "sent_at": sent, "step": 1, "delivered_at": None,
        "evidence_grade": None, "deadline": date(2026, 1, 19),
    } | values  # fmt: skip


def claimed(
    today: date,
    *letters: dict[str, Any],
    place: str = "FI",
    paid: tuple[tuple[date, int], ...] = (),
    received: int | None = None,
    language: str = "en",
    kind: str = "air",
    answers: dict[str, Any] | None = None,
) -> Claimed:
    """What a letter of this day would claim."""
    came = sum(minor for _, minor in paid) if received is None else received
    case = Case(
        id=new_id(), reference="RC-0000-0000", claim_kind=kind, jurisdiction=place,
        currency="EUR", stage=Stage.FORMAL_NOTICE, step=2, opened_at=SENT, playbook="house.fi@1",
        money=MoneyState(received=came),
    )  # fmt: skip
    rows = LetterRows(
        case=case, row={"answers": answers}, now=SENT, profile={}, company=None, channels=(),
        dead=(), items=(), letters=letters,
        payments=[{"paid_on": d, "amount_minor": m} for d, m in paid],
        evidence=(), account=None, signed=(), ciphers=(), said=(),
    )  # fmt: skip
    return interest_of(rows, (ITEM,), today, HELSINKI, language)


def shown(found: Claimed) -> Interest:
    assert found.interest is not None
    return found.interest


def test_finnish_interest_begins_thirty_days_after_our_first_demand() -> None:
    found = shown(claimed(date(2026, 3, 1), letter()))
    assert (found.starts_on, found.up_to) == (date(2026, 2, 5), date(2026, 3, 1))
    assert (found.minor, found.per_day, found.claim) == (390, "0.1562", "claimed")
    assert [(row.days, row.rate, row.minor) for row in found.rows] == [(25, "9.5", 390)]


def test_a_payment_lowers_the_principal_and_the_rows_still_add_up() -> None:
    found = shown(claimed(date(2026, 6, 30), letter(), paid=((date(2026, 3, 1), 20_000),)))
    assert [row.principal_minor for row in found.rows] == [60_000, 40_000]
    assert found.minor == sum(row.minor or 0 for row in found.rows) == 1_650


def test_before_the_first_day_interest_is_announced_in_words() -> None:
    found = claimed(date(2026, 1, 20), letter())
    assert found == Claimed(
        Interest(
            law="Interest Act (Finland, 633/1982), sections 4 and 12",
            starts_on=date(2026, 2, 5),
            rule="fi.viivastyskorko@1",
        )
    )


def test_a_deadline_that_has_not_passed_starts_no_interest() -> None:
    german = letter(deadline=date(2026, 1, 19))
    assert claimed(date(2026, 1, 18), german, place="DE") == Claimed()
    assert shown(claimed(date(2026, 1, 19), german, place="DE")).starts_on == date(2026, 1, 20)


def test_there_is_no_interest_before_any_demand() -> None:
    assert claimed(date(2026, 3, 1)) == Claimed()


def test_there_is_no_interest_where_no_law_is_known() -> None:
    assert claimed(date(2026, 3, 1), letter(), place="JP") == Claimed()


def test_a_rate_nobody_has_confirmed_is_asked_for_and_prints_no_sum() -> None:
    early = letter(sent=datetime(2025, 9, 1, 9, tzinfo=UTC))
    found = claimed(date(2026, 3, 1), early)
    assert (shown(found).minor, shown(found).rows) == (None, ())
    assert [one.key for one in found.missing] == ["fi_viitekorko:2025-07-01"]


def test_payments_without_their_days_leave_interest_in_words() -> None:
    found = claimed(date(2026, 3, 1), letter(), received=20_000)
    assert (shown(found).minor, found.missing) == (None, ())


def test_only_a_court_grants_english_interest() -> None:
    found = shown(claimed(date(2026, 3, 1), letter(), place="GB"))
    assert (found.claim, found.starts_on, found.minor) == (
        "will_be_claimed", date(2026, 1, 20), None,
    )  # fmt: skip


def test_french_interest_waits_for_the_proven_receipt_of_the_notice() -> None:
    notice = letter("formal_notice", SENT + timedelta(days=30))
    arrived = {"delivered_at": SENT + timedelta(days=33)}
    today = date(2026, 3, 1)
    assert claimed(today, letter(), notice, place="FR") == Claimed()
    presumed = notice | arrived | {"evidence_grade": "presumed"}
    assert claimed(today, letter(), presumed, place="FR") == Claimed()
    proven = notice | arrived | {"evidence_grade": "registered"}
    found = shown(claimed(today, letter(), proven, place="FR"))
    assert (found.starts_on, found.minor) == (date(2026, 2, 7), 252)


def test_a_bank_owes_penalty_interest_from_the_day_it_should_have_refunded() -> None:
    told = {"told_bank_on": "2026-01-12", "how": "lost_or_stolen_card"}
    found = claimed(date(2026, 3, 1), place="FR", kind="unauthorised_payment", answers=told)
    assert shown(found).law == "French Monetary and Financial Code, article L133-18"
    # Nobody has read its steps in a source yet, so no sum.
    assert (shown(found).starts_on, shown(found).minor) == (date(2026, 1, 14), None)


def test_the_law_is_cited_in_the_letters_language() -> None:
    found = shown(claimed(date(2026, 3, 1), letter(), language="fi"))
    assert found.law == "korkolaki (633/1982) 4 ja 12 §"


async def test_a_missing_rate_is_asked_for_once_for_the_whole_installation(
    database: Database, tools: Tools
) -> None:
    company = await install(database)
    cases = [await signed_case(database, tools.settings, company) for _ in range(2)]
    async with relaying(tools):
        await until(lambda: quiet(database))
        await move_clock(database, timedelta(days=300))  # beyond any rate that is published today
        for case in cases:
            await _serve_notice(database, case)
        await until(lambda: _rendered(database, tools.keyring, 2))
    contents = await _notices(database, tools.keyring)
    assert [(c["interest"]["minor"], c["interest"]["rows"]) for c in contents] == [(None, [])] * 2
    assert all(c["interest"]["law"].startswith("Interest Act") for c in contents)
    first = date.fromisoformat(contents[0]["interest"]["starts_on"])
    tasks = await _rate_tasks(database)
    assert sorted(task.key for task in tasks) == _lacking(
        first, date.fromisoformat(contents[0]["dated"])
    )
    assert {task.role for task in tasks} == {"senior"}


async def test_a_task_dropped_with_its_case_is_asked_again_on_the_next(
    database: Database, tools: Tools
) -> None:
    company = await install(database)
    first, second = [await signed_case(database, tools.settings, company) for _ in range(2)]
    await _ask(database, first)
    await _ask(database, second)
    assert [(t.case_id, t.state) for t in await _rate_tasks(database)] == [(first.case_id, "open")]
    async with database.transaction() as session:
        closed = CaseClosed(Outcome.UNECONOMIC, "the costs are higher", "staff:test")
        await engine.advance(session, first.case_id, closed, actor="test")
    assert [t.state for t in await _rate_tasks(database)] == ["dropped"]
    await _ask(database, second)
    assert [(t.case_id, t.state) for t in await _rate_tasks(database)] == [(second.case_id, "open")]


async def test_the_task_names_the_rate_in_words(database: Database, tools: Tools) -> None:
    await _ask(database, await signed_case(database, tools.settings, await install(database)))
    (task,) = await _rate_tasks(database)
    assert forms().reason(task.priority_reason) == (
        "a rate of interest is missing: fi_viitekorko 2026-07-01 to 2026-12-31"
    )


async def _ask(database: Database, case: Staged) -> None:
    rate = Missing("fi_viitekorko", date(2026, 7, 1), date(2026, 12, 31))
    async with database.transaction() as session:
        now = (await read_moment(session)).now
        await ask_for_rates(session, {rate: case.case_id}, now=now)


async def _serve_notice(database: Database, case: Staged) -> None:
    async with database.transaction() as session:
        step = NextStepChosen(Stage.FORMAL_NOTICE, "the refusal stands on file", "staff:test")
        await engine.advance(session, case.case_id, step, actor="test")


async def _notices(database: Database, keyring: Keyring) -> list[Any]:
    async with database.read() as session:
        rows = await session.execute(
            text(
                "SELECT v.letter_id, v.n FROM letter_versions v"
                " JOIN letters l ON l.id = v.letter_id WHERE l.kind = 'formal_notice'"
            )
        )
        return [await open_content(session, keyring, row.letter_id, row.n) for row in rows.all()]


async def _rendered(database: Database, keyring: Keyring, count: int) -> bool:
    return len(await _notices(database, keyring)) == count


async def _rate_tasks(database: Database) -> list[Any]:
    async with database.read() as session:
        found = await session.execute(text("SELECT * FROM tasks WHERE kind = 'rate_missing'"))
        return list(found)


def _lacking(first: date, today: date) -> list[str]:
    """The rates the law's own data lacks between two days."""
    formula = interest_law().formula("fi.viivastyskorko")
    found = accrue(formula, [Part(Money(12_300, "EUR"), first)], today)
    assert isinstance(found, InWords)
    return sorted(one.key for one in found.missing)
