"""The money that stood on a client account before its first statement.

An agency that worked before it came to us has an account with its clients' money on it. A person of
finance records how much, before the first statement; that statement confirms it, because it must
open with exactly this. The money is somebody's: it comes in as unallocated, like any receipt whose
case is not known yet, and finance says whose it is. So the client book holds no sum without a name.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.movements import ReceiptByHand, insert_movements, movement_row, store_sheet
from app.banking.reading.lines import EntryRead
from app.crypto import Keyring
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.money import Money
from app.ledger import Posting
from app.tables.banking import BankAccount, BankStatement

KIND: Final = "opening_balance"


class OpeningTooLate(Conflict):
    """A statement of this account has been imported: what it opened with stands."""

    code = "opening_too_late"


@dataclass(frozen=True, slots=True)
class Opening:
    """What the bank says stood there at the end of ``as_of``. ``words`` say where that is read."""

    id: uuid.UUID
    bank_account_id: uuid.UUID
    amount: Money
    as_of: date
    words: str
    actor: str
    at: datetime


async def record_opening(session: AsyncSession, keyring: Keyring, opening: Opening) -> uuid.UUID:
    """Post it; returns the movement. A second one corrects the first: that is taken back, for
    which nothing of it may be allocated (FundsMissing). Raises NotFound, InvalidInput,
    OpeningTooLate."""
    account = (
        await session.execute(
            select(BankAccount)
            .where(BankAccount.id == opening.bank_account_id, BankAccount.book == "client")
            .with_for_update()
        )
    ).scalar_one_or_none()
    if account is None:
        raise NotFound("There is no such client account.", code="bank_account_not_found")
    if opening.amount.currency != account.currency:
        raise InvalidInput("The account is in another currency.", code="currency_mismatch")
    imported = await session.scalar(
        select(BankStatement.id)
        .where(
            BankStatement.bank_account_id == account.id,
            BankStatement.position > 0,
            BankStatement.undone_at.is_(None),
        )
        .limit(1)
    )
    if imported is not None:
        raise OpeningTooLate("A statement of this account has been imported already.")
    if account.opening_movement_id is not None:
        before = str(account.opening_movement_id)
        await ledger.reverse(
            session, f"movement:{before}", reversal_key=f"correct:{before}",
            effective_on=opening.as_of, at=opening.at, actor=opening.actor,
        )  # fmt: skip
    await _post(session, keyring, account, opening)
    account.opening_minor, account.opening_movement_id = opening.amount.minor, opening.id
    await session.flush()
    return opening.id


async def _post(
    session: AsyncSession, keyring: Keyring, account: BankAccount, opening: Opening
) -> None:
    sheet = ReceiptByHand(
        id=opening.id, bank_account_id=account.id, amount=opening.amount,
        booked_on=opening.as_of, bank_ref=KIND, creditor_ref=None, remittance=opening.words,
        payer_name=None, payer_account=None, actor=opening.actor, at=opening.at,
    )  # fmt: skip
    file, statement_id = await store_sheet(session, keyring, account, sheet, "opening")
    entry = EntryRead(
        key=f"opening:{opening.id}", credit=True, amount=opening.amount, booked_on=opening.as_of,
        bank_ref=None, end_to_end_id=None, payment_info_id=None, creditor_ref=None,
        remittance=opening.words, payer_name=None, payer_account=None, return_reason=None,
        is_charge=False,
    )  # fmt: skip
    row = movement_row(opening.id, account, statement_id, file, entry, "receipt", opening.at)
    await insert_movements(session, [row])
    await ledger.post(
        session,
        Posting(
            kind=KIND, key=f"movement:{opening.id}", currency=account.currency,
            amounts={"amount": opening.amount.minor},
            subs={"bank_account": str(account.id), "movement": str(opening.id)},
            effective_on=opening.as_of, at=opening.at, actor=opening.actor,
        ),
    )  # fmt: skip
