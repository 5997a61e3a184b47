"""What other matching rules would have decided on receipts of the past; nothing is changed.

Each receipt is looked at as if its own money were not allocated yet; cases and learned payers are
those of today. ``against_standing``: the rules would confirm another case than the one the money
stands on now, which a person may have put right: the one kind of change to look at first.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.banking.match_rules import load_rules
from app.banking.matching import facts_of, receipt_facts
from app.crypto import Keyring
from app.domain.matching import Facts, Rules, Suggestion, match
from app.tables.banking import Allocation, Movement

RECEIPTS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Changed:
    """A receipt the two rule sets decide differently: "confirms STEP CASES", or why not."""

    movement_id: uuid.UUID
    booked_on: date
    now: str
    then: str
    against_standing: bool


@dataclass(frozen=True, slots=True)
class DryRun:
    receipts: int
    confirmed_now: int
    confirmed_then: int
    changed: tuple[Changed, ...]


async def dry_run(
    session: AsyncSession, keyring: Keyring, rules: Rules, *, since: date, limit: int
) -> DryRun:
    """Compare ``rules`` with those in force over receipts booked since a day, oldest first."""
    rows = await session.scalars(
        select(Movement)
        .where(
            Movement.kind == "receipt",
            Movement.booked_on >= since,
            Movement.undone_at.is_(None),
        )
        .order_by(Movement.booked_on, Movement.id)
        .limit(min(limit, RECEIPTS_MAX))
    )
    changed: list[Changed] = []
    counts = [0, 0, 0]
    for movement in rows.all():
        counts[0] += 1
        receipt = await receipt_facts(session, movement, keyring)
        standing = await _standing(session, movement.id)
        facts = _given_back(await facts_of(session, receipt, rules), standing)
        before, after = (match(receipt, facts, one)[:1] for one in (load_rules(), rules))
        counts[1] += any(one.confirms for one in before)
        counts[2] += any(one.confirms for one in after)
        if _said(before) != _said(after):
            cases = after[0].case_ids if after and after[0].confirms else frozenset()
            wrong = bool(cases and standing and cases != frozenset(standing))
            changed.append(
                Changed(movement.id, movement.booked_on, _said(before), _said(after), wrong)
            )
    return DryRun(counts[0], counts[1], counts[2], tuple(changed))


async def _standing(session: AsyncSession, movement_id: uuid.UUID) -> dict[str, int]:
    rows = await session.execute(
        select(Allocation.case_id, Allocation.amount_minor).where(
            Allocation.movement_id == movement_id, Allocation.undone_at.is_(None)
        )
    )
    found: dict[str, int] = {}
    for case_id, minor in rows:
        found[str(case_id)] = found.get(str(case_id), 0) + minor
    return found


def _given_back(facts: Facts, standing: dict[str, int]) -> Facts:
    """The cases before this receipt was set against them; one it closed runs again."""
    cases = tuple(
        replace(case, open_minor=case.open_minor + standing[case.case_id], runs=True)
        if case.case_id in standing
        else case
        for case in facts.cases
    )
    return replace(facts, cases=cases)


def _said(found: tuple[Suggestion, ...]) -> str:
    if not found:
        return "nothing"
    first = found[0]
    if first.against is None:
        return f"confirms {first.step} {' '.join(sorted(first.case_ids))}"
    return f"suggests {first.step}: {first.against.code}"
