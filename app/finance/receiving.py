"""Money coming in: accounts of the agency, statements, receipts recorded by hand."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app.banking.importing import open_bank_account
from app.banking.movements import ReceiptByHand, record_receipt
from app.banking.opening import Opening, record_opening
from app.crypto import Keyring
from app.domain.errors import Conflict, RecourseError
from app.fields import FieldError, FieldsRefused
from app.finance.bank_schemas import BankAccountIn, OpeningIn, ReceiptIn
from app.finance.desk import Desk
from app.ids import new_id
from app.payouts.iban import check_iban
from app.tables.banking import BankAccount, BankStatement
from app.tables.people import InstallationRow

EVERYWHERE_OVER = time(12)  # UTC, the day after: the westernmost zone is 12 hours behind


async def mark_bank_read(desk: Desk) -> None:
    """How far we know what the bank did: the end of the last day that every client account with
    statements has shown, never beyond today. Deadlines do not act on what may have been paid.

    A statement speaks of a calendar day, and a deadline ends with its calendar day in the zone of
    its statute; so the mark is where that day has ended everywhere (noon UTC of the next one).
    An account that was read, and of which nothing stands any more, takes the mark away: what came
    in on it is unknown again.
    """
    stands = BankStatement.undone_at.is_(None)
    last = (
        select(func.max(BankStatement.closes_on).filter(stands).label("day"))
        .join(BankAccount, BankAccount.id == BankStatement.bank_account_id)
        .where(
            BankAccount.book == "client",
            BankStatement.closes_on.is_not(None),
        )
        .group_by(BankAccount.id)
        .subquery()
    )
    days = (await desk.session.scalars(select(last.c.day))).all()
    if not days:
        return
    read = [day for day in days if day is not None]
    until = None
    if len(read) == len(days):
        following = min(*read, desk.today) + timedelta(days=1)
        until = datetime.combine(following, EVERYWHERE_OVER, tzinfo=UTC)
    await desk.session.execute(
        insert(InstallationRow)
        .values(id=1, outgoing_paused=False, bank_read_until=until)
        .on_conflict_do_update(index_elements=["id"], set_={"bank_read_until": until})
    )


async def open_account(desk: Desk, body: BankAccountIn) -> BankAccount:
    """An account of the agency; its book starts at zero. Raises FieldsRefused, Conflict."""
    number = _own_number(body)
    taken = await desk.session.scalar(
        select(BankAccount.id).where(
            BankAccount.number == number, BankAccount.currency == body.currency
        )
    )
    if taken is not None:
        raise Conflict("this account is open already", code="bank_account_known")
    row = await open_bank_account(
        desk.session,
        account_id=new_id(),
        book=body.book,
        holder=body.holder,
        number=number,
        currency=body.currency,
        at=desk.at,
        bic=body.bic,
    )
    await desk.log(
        "bank_account_opened", account=str(row.id), book=body.book, currency=body.currency
    )
    return row


def _own_number(body: BankAccountIn) -> str:
    number = body.number.replace(" ", "").upper()
    if number[:2].isalpha() or body.currency == "EUR":
        try:
            return check_iban(number).compact
        except RecourseError as error:
            raise FieldsRefused(FieldError("/number", error.message, error.code)) from None
    return number


async def record_opening_balance(
    desk: Desk, keyring: Keyring, account: UUID, body: OpeningIn
) -> UUID:
    """What stood on the account before its first statement. Raises what record_opening does."""
    if body.as_of > desk.today:
        raise FieldsRefused(
            FieldError("/as_of", "a day to come has no balance yet", "date_in_future")
        )
    amount = body.amount.money()
    opening = Opening(new_id(), account, amount, body.as_of, body.words, desk.actor, desk.at)
    movement_id = await record_opening(desk.session, keyring, opening)
    await desk.log(
        "opening_balance_recorded",
        account=str(account),
        movement=str(movement_id),
        minor=amount.minor,
        currency=amount.currency,
    )
    return movement_id


async def record_by_hand(desk: Desk, keyring: Keyring, body: ReceiptIn) -> UUID:
    """Money a person saw at the bank before its statement came. Raises what record_receipt does."""
    if body.booked_on > desk.today:
        raise FieldsRefused(
            FieldError("/booked_on", "money of tomorrow is not here yet", "date_in_future")
        )
    payer_account = None
    if body.payer_account is not None:
        payer_account = body.payer_account.replace(" ", "").upper()
    amount = body.amount.money()
    movement_id = await record_receipt(
        desk.session,
        keyring,
        ReceiptByHand(
            id=new_id(),
            bank_account_id=body.bank_account_id,
            amount=amount,
            booked_on=body.booked_on,
            bank_ref=body.bank_reference,
            creditor_ref=body.reference,
            remittance=body.remittance or "",
            payer_name=body.payer_name,
            payer_account=payer_account,
            actor=desk.actor,
            at=desk.at,
        ),
    )
    await desk.log(
        "receipt_recorded_by_hand",
        movement=str(movement_id),
        minor=amount.minor,
        currency=amount.currency,
    )
    return movement_id
