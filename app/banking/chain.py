"""Whether statements continue where their account stands, and what is missing when they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.banking.reading.amounts import written
from app.banking.reading.model import Statement
from app.domain.errors import Conflict
from app.tables.banking import BankAccount, BankStatement


class AccountUnknown(Conflict):
    """The statement is of an account that is not our client account."""

    code = "bank_account_unknown"


class StatementGap(Conflict):
    """The statement contradicts the last one that was imported: no missing one can explain it."""

    code = "statement_gap"


class OpeningMissing(Conflict):
    """The first statement does not open with what we know to have stood there before."""

    code = "opening_balance_missing"


class StatementChanged(Conflict):
    """A statement with this id was imported before, with another content."""

    code = "statement_changed"


@dataclass(frozen=True, slots=True)
class Held:
    """A statement that waits. ``missing`` names what must come first, ``how`` what a person may
    do when it never comes."""

    statement: str
    missing: str
    how: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an account stands after its last statement; ``position`` 0 before the first."""

    account: BankAccount
    closing: int
    sequence: int | None
    closes_on: date | None
    position: int


@dataclass(frozen=True, slots=True)
class Step:
    """A statement and where it goes: behind ``after``, or ``known`` when it stands already."""

    statement: Statement
    after: Standing
    known: BankStatement | None = None


Standings = dict[tuple[str, str], Standing]


async def plan(
    session: AsyncSession,
    statements: Sequence[Statement],
    standings: Standings,
    *,
    after_gap: bool,
) -> list[Step] | Held:
    """What posting these in their order means; ``standings`` learns where accounts then stand,
    unless something is missing. Locks the accounts. Raises AccountUnknown, OpeningMissing,
    StatementGap, StatementChanged.
    """
    ahead, steps = dict(standings), []
    for statement in statements:
        key = (statement.account, statement.currency)
        if key not in ahead:
            ahead[key] = await _standing(session, statement)
        standing = ahead[key]
        known = await _known(session, standing.account, statement)
        if known is None:
            held = _continues(standing, statement, after_gap=after_gap)
            if held is not None:
                return held
            ahead[key] = replace(
                standing, closing=statement.closing or 0, sequence=statement.sequence,
                closes_on=statement.closes_on, position=standing.position + 1,
            )  # fmt: skip
        steps.append(Step(statement, standing, known))
    standings.update(ahead)
    return steps


async def locked_account(session: AsyncSession, number: str, currency: str) -> BankAccount:
    """The client account, locked: statements of one account take turns. AccountUnknown."""
    account = (
        await session.execute(
            select(BankAccount)
            .where(
                BankAccount.number == number,
                BankAccount.currency == currency,
                BankAccount.book == "client",
            )
            .with_for_update()
        )
    ).scalar_one_or_none()
    if account is None:
        raise AccountUnknown(
            "The statement is not of our client account.",
            account=f"...{number[-4:]}", currency=currency,
        )  # fmt: skip
    return account


async def last_statement(session: AsyncSession, account: BankAccount) -> BankStatement | None:
    """The newest statement that stands."""
    return (
        await session.execute(
            select(BankStatement)
            # Positions below zero are what people recorded by hand, not statements.
            .where(
                BankStatement.bank_account_id == account.id,
                BankStatement.position > 0,
                BankStatement.undone_at.is_(None),
            )
            .order_by(BankStatement.position.desc())
            .limit(1)
        )
    ).scalar_one_or_none()


async def _standing(session: AsyncSession, statement: Statement) -> Standing:
    account = await locked_account(session, statement.account, statement.currency)
    last = await last_statement(session, account)
    if last is None:
        return Standing(account, account.opening_minor or 0, None, None, 0)
    return Standing(account, last.closing_minor, last.sequence, last.closes_on, last.position)


async def _known(
    session: AsyncSession, account: BankAccount, statement: Statement
) -> BankStatement | None:
    known = (
        await session.execute(
            select(BankStatement).where(
                BankStatement.bank_account_id == account.id,
                BankStatement.ident == statement.ident,
                BankStatement.undone_at.is_(None),
            )
        )
    ).scalar_one_or_none()
    if known is not None and known.content_hash != statement.content_hash:
        raise StatementChanged(
            "This statement was imported before with another content.", statement=statement.ident
        )
    return known


def _continues(standing: Standing, statement: Statement, *, after_gap: bool) -> Held | None:
    opening, currency = statement.opening or 0, statement.currency
    given, before = statement.sequence, standing.sequence
    fits = opening == standing.closing
    if standing.position == 0:
        if fits:
            return None
        if given is not None and given > 1:
            return _first_held(standing, statement)
        raise OpeningMissing(
            "This first statement opens with another balance than is known here: record the opening"
            " balance of the account first, or import from the account's beginning.",
            expected=written(standing.closing, currency), opening=written(opening, currency),
        )  # fmt: skip
    # Banks number from 1 again each year; between two numbers of one year nothing may be missing.
    numbered = given is not None and before is not None
    jumps = numbered and given not in ((before or 0) + 1, 1) and given != before
    if fits and (not jumps or after_gap):
        return None
    later = (given or 0) > (before or 0) + 1 if numbered else _is_later(standing, statement)
    if jumps and (fits or later) and later:
        return _held(standing, statement, fits=fits)
    if not numbered and later:
        return _held(standing, statement, fits=fits)
    raise StatementGap(
        "The opening balance is not the last closing balance, and no missing statement explains it."
        if not fits else "A statement that comes after this one was imported already.",
        expected=written(standing.closing, currency), opening=written(opening, currency),
        last=before or 0, sequence=given or 0,
    )  # fmt: skip


def _is_later(standing: Standing, statement: Statement) -> bool:
    opens_on = statement.opens_on or statement.closes_on
    return bool(standing.closes_on and opens_on and opens_on > standing.closes_on)


def _held(standing: Standing, statement: Statement, *, fits: bool) -> Held:
    given, before = statement.sequence, standing.sequence
    if given is not None and before is not None:
        first, last = before + 1, given - 1
        missing = f"statement {first}" if first == last else f"statements {first} to {last}"
    else:
        missing = f"what came after {standing.closes_on} and before {statement.opens_on}"
    if fits:
        how = (
            "Its opening balance is the last closing balance, so no money is missing: if the bank"
            " skips numbers, import the file again with after_gap=true."
        )
    else:
        how = (
            f"Ask the bank for {missing} and import that; this one then follows by itself. It opens"
            f" with {written(statement.opening or 0, statement.currency)}, the books stand at"
            f" {written(standing.closing, statement.currency)} {statement.currency}."
        )
    return Held(statement.ident, missing, how)


def _first_held(standing: Standing, statement: Statement) -> Held:
    number = statement.sequence or 0
    missing = "statement 1" if number == 2 else f"statements 1 to {number - 1}"
    return Held(
        statement.ident, missing,
        f"Import {missing} first; this one then follows by itself. Or, if the account was used"
        f" before, record its opening balance {written(statement.opening or 0, statement.currency)}"
        f" {statement.currency} and import the file again.",
    )  # fmt: skip
