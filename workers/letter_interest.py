"""The statutory interest a letter claims: as a table, or in words where no sum can be stood by.

The formula comes from the case's jurisdiction, the first day from what happened on the case. A sum
is named only where every rate of it was read in a source or approved by a reviewer, and every
payment has its day; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Final
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.decision import TaskKind
from app.domain.interest.accrual import (
    InWords,
    Part,
    Payment,
    Row,
    Statement,
    accrue,
    merged,
    rounded,
    written,
)
from app.domain.interest.formula import Formula
from app.domain.interest.rates import Missing, percent
from app.domain.money import Money
from app.law.calendar import corrections
from app.law.interest import interest_law
from app.playbooks import book
from app.playbooks.working_day import next_working_moment
from letters import content as words
from workers.effects.letter_rows import LetterRows

PROOF: Final = ("recipient_server", "registered")  # an arrival that is only presumed starts nothing
DAILY_DECIMALS: Final = 2  # beyond the currency's: a day's interest is often less than a cent
PRIORITY: Final = 40
# One task per rate for the whole installation, by an id made of the rate: the rate comes with new
# data, however many letters wait for it. Dropped with its case, it is asked again on another one.
RATES: Final = UUID("6f0e7a55-5d3c-5b8e-9a36-0c3f4f1f6a01")
_ASK = text("""
    INSERT INTO tasks (id, case_id, kind, key, role, state, due_at, priority, priority_reason,
                       opened_at)
    VALUES (:id, :case_id, :kind, :key, 'senior', 'open', :due_at, :priority, :reason, :now)
        ON CONFLICT (id) DO UPDATE
       SET case_id = excluded.case_id, state = 'open', due_at = excluded.due_at,
           assignee_id = NULL, opened_at = excluded.opened_at, closed_at = NULL, closed_by = NULL
     WHERE tasks.state = 'dropped'
""")


@dataclass(frozen=True, slots=True)
class Claimed:
    """`missing`: the rates for want of which there is no sum."""

    interest: words.Interest | None = None
    missing: tuple[Missing, ...] = ()


def interest_of(
    rows: LetterRows, items: Sequence[words.AmountLine], today: date, zone: ZoneInfo, language: str
) -> Claimed:
    """Interest on the letter's items up to and with `today`. Nothing where no law is known for the
    place, no money is claimed, or the event that starts interest has not happened."""
    begun = _begun(rows, today, zone) if items else None
    if begun is None:
        return Claimed()
    formula, first = begun
    in_words = words.Interest(
        law=formula.cite(language), starts_on=first, claim=formula.claim, rule=formula.key
    )
    if not formula.gives_sums or formula.claim == "will_be_claimed":
        return Claimed(in_words)
    if first > today or not payments_known(rows, today):
        return Claimed(in_words)
    currency = rows.case.currency
    principal = Part(Money(sum(item.minor for item in items), currency), first)
    # The company is asked for the principal, so what it has paid is set against that alone.
    payments = [Payment(p["paid_on"], Money(p["amount_minor"], currency)) for p in rows.payments]
    found = accrue(formula, [principal], today, payments=payments)
    if isinstance(found, InWords):
        return Claimed(in_words, found.missing)
    if not found.confirmed:
        return Claimed(in_words, _unconfirmed(formula, found))
    if found.total.minor <= 0:
        return Claimed(in_words)
    return Claimed(_table(in_words, found, today))


def came_minor(rows: LetterRows) -> int:
    """What the company has paid so far, to us or to the consumer."""
    return rows.case.money.received + rows.case.money.direct


def payments_known(rows: LetterRows, today: date) -> bool:
    """Whether every payment has its day: the dated ones are all that came."""
    dated = sum(payment["amount_minor"] for payment in rows.payments)
    return dated == came_minor(rows) and all(p["paid_on"] <= today for p in rows.payments)


def _events(rows: LetterRows, zone: ZoneInfo) -> dict[str, date]:
    """The events of interest.yaml that have happened: dated answers by their keys; our first letter
    to the company, whichever step it was, as the demand; the formal notice as the notice."""
    events: dict[str, date] = {}
    for name, answer in (rows.row["answers"] or {}).items():
        with suppress(ValueError):  # most answers are no days
            events[name] = date.fromisoformat(str(answer))
    if not rows.letters:
        return events
    demand = rows.letters[0]
    notice = next((row for row in rows.letters if row["kind"] == "formal_notice"), None)
    for name, row in (("demand", demand), ("notice", notice)):
        if row is None:
            continue
        events[f"{name}_sent"] = row["sent_at"].astimezone(zone).date()
        if row["delivered_at"] is not None and row["evidence_grade"] in PROOF:
            events[f"{name}_received"] = row["delivered_at"].astimezone(zone).date()
        if row["deadline"] is not None:
            events[f"{name}_deadline"] = row["deadline"]
    return events


def _begun(rows: LetterRows, today: date, zone: ZoneInfo) -> tuple[Formula, date] | None:
    """The law that gives interest and its first day: the first one of the place and kind whose
    start has happened, by the first of the starts that letters may use."""
    case, known = rows.case, date(corrections().first_year, 1, 1)
    events = {name: day for name, day in _events(rows, zone).items() if known <= day <= today}
    calendar = book.calendar(book.get(case.playbook))
    for formula in interest_law().applying(case.jurisdiction, case.claim_kind):
        for how in formula.in_letters:
            first = formula.first_day(how, events, calendar)
            if first is not None:
                return formula, first
    return None


def _unconfirmed(formula: Formula, found: Statement) -> tuple[Missing, ...]:
    """The published periods somebody has to confirm before a letter may rest on them."""
    assert formula.series is not None, "only a series has rates to confirm"
    named: dict[Missing, None] = {}
    for row in found.rows:
        if not row.confirmed:
            named |= dict.fromkeys(formula.series.named(row.first, row.last))
    return tuple(named)


def _table(in_words: words.Interest, found: Statement, today: date) -> words.Interest:
    """Rows in whole cents that add up to the total: each is what the rounded sum grew by."""
    shown, run, before = [], Fraction(0), 0
    for row in merged(found.rows):
        run += row.amount
        upto = rounded(run, found.currency).minor
        shown.append(_row(row, upto - before, found.currency))
        before = upto
    per_day = found.per_day
    return words.Interest(
        law=in_words.law, starts_on=in_words.starts_on, claim=in_words.claim, rule=in_words.rule,
        minor=found.total.minor, currency=found.currency, up_to=today, rows=tuple(shown),
        per_day=written(per_day, found.currency, DAILY_DECIMALS) if per_day else None,
    )  # fmt: skip


def _row(row: Row, minor: int, currency: str) -> words.InterestRow:
    return words.InterestRow(
        first=row.first, last=row.last, days=row.days, rate=percent(row.rate),
        principal_minor=rounded(row.principal, currency).minor, minor=minor or None,
    )  # fmt: skip


async def ask_for_rates(
    session: AsyncSession, lacking: Mapping[Missing, UUID], *, now: datetime
) -> None:
    """A senior's task per rate, on a case whose letter lacks it. In one order, so that two workers
    who ask for the same rates wait for each other and not both ways."""
    for one, case_id in sorted(lacking.items(), key=lambda item: item[0].key):
        await session.execute(_ASK, {
            "id": uuid5(RATES, one.key), "case_id": case_id, "kind": TaskKind.RATE_MISSING.value,
            "key": one.key, "due_at": next_working_moment(now), "priority": PRIORITY,
            "reason": f"{TaskKind.RATE_MISSING.value}:{one}", "now": now,
        })  # fmt: skip
