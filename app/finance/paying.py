"""Money going out: prepared by one person, approved by another, settled by the bank alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select, update

from app import engine, outbox
from app.banking.files import payer_accounts
from app.banking.movements import resting_on_a_word
from app.crypto import DataErased, Keyring
from app.domain.decision import TaskKind
from app.domain.effects import SubmitBankFile
from app.domain.errors import Conflict, NotFound
from app.domain.events import PayoutApproved
from app.fields import FieldError, FieldsRefused
from app.finance.desk import Desk
from app.finance.payout_schemas import BATCH_MAX, BatchIn
from app.finance.telling import tell_bank
from app.ids import new_id
from app.law.calendar import ANYWHERE, calendar_for
from app.payouts import batches, payable, queries, service
from app.payouts.batch_parts import BatchDone, Payee, Reveal
from app.payouts.payable import ACCOUNT_FAILED, Payable, payables, ready_payables
from app.payouts.service import PAYABLE_CURRENCY, NothingToPay, PreparePayout
from app.payouts.settling import settle_by_hand
from app.tables.banking import BankAccount, Movement
from app.tables.payouts import PayoutAccount, PayoutBatch, PayoutItem
from app.tables.work import TaskRow
from app.vault import create_cipher, open_cipher, open_ciphers

FILE_COLUMN = "payout_batches.file_cipher"  # the worker that submits the file reads the same
NUMBER_COLUMN = "payout_accounts.iban_cipher"
HOLDER_COLUMN = "payout_accounts.holder_cipher"
EXECUTION_DAYS_MAX = 30
SWEEP_TEXT = "Commission"


class NotPayable(Conflict):
    """Somebody who was named cannot be paid now."""

    code = "not_payable"


class MoneyNotSeen(Conflict):
    """Client money never pays more than came in: the bank has not shown it yet."""

    code = "money_not_seen"


class BankFileMissing(NotFound):
    """There is no such batch, or it is not approved."""

    code = "bank_file_not_found"


async def create_batch(desk: Desk, body: BatchIn) -> UUID:
    """Prepare payments and propose them in one batch. Raises NothingToPay, NotPayable, NotFound,
    FieldsRefused, PayoutWaits, BatchState."""
    if body.all == bool(body.claimant_ids or body.item_ids):
        raise FieldsRefused(
            FieldError("/all", "say all, or name claimants or items, not both", "all_or_named")
        )
    execute_on = _execution_date(desk, body.execution_date)
    account_id = await _client_account(desk, body.bank_account_id)
    lines = await _chosen(desk, body)
    await desk.lock({line.case_id for line in lines})
    items = list(body.item_ids or ())
    if body.all:
        items += await ready_items(desk)
    items += [await _prepare(desk, line) for line in lines]
    if not items:
        raise NothingToPay("nothing can be paid out now")
    batch_id = new_id()
    done = await batches.make_batch(
        desk.session,
        batch_id=batch_id,
        bank_account_id=account_id,
        item_ids=items,
        execute_on=execute_on,
        actor=desk.actor,
        at=desk.at,
    )
    await desk.log(
        "payout_batch_proposed",
        batch=str(batch_id),
        items=done.item_count,
        minor=done.total.minor,
        hash=done.content_hash,
    )
    return batch_id


async def _chosen(desk: Desk, body: BatchIn) -> list[Payable]:
    if body.all:
        return await ready_payables(desk.session, now=desk.moment.now, limit=BATCH_MAX)
    named = body.claimant_ids or []
    if not named:
        return []
    lines = await payables(desk.session, now=desk.moment.now, claimants=named)
    missing = set(named) - {line.claimant_id for line in lines}
    if missing:
        raise NotPayable("nothing is owed to a claimant who was named", claimant=str(min(missing)))
    for line in lines:
        # Named by a person who looked: a payment that failed for another reason may be tried again.
        if line.why_not not in (None, ACCOUNT_FAILED):
            raise NotPayable(
                EXPLANATIONS[line.why_not], claimant=str(line.claimant_id), why=line.why_not
            )
    return lines


async def _prepare(desk: Desk, line: Payable) -> UUID:
    if line.item_id is not None:
        # A draft that fell out of a batch: made anew, with the sum and account of today.
        await service.cancel_item(desk.session, line.item_id)
    done = await service.prepare_payout(
        desk.session,
        PreparePayout(
            id=new_id(),
            case_id=line.case_id,
            claimant_id=line.claimant_id,
            consumer_id=line.consumer_id,
            currency=line.amount.currency,
            remittance=line.reference,
            actor=desk.actor,
            at=desk.at,
        ),
    )
    return done.id


async def ready_items(desk: Desk) -> list[UUID]:
    """Prepared payments that are no claimant's and in no batch."""
    rows = await desk.session.execute(
        select(PayoutItem.id)
        .where(
            PayoutItem.state == "draft",
            PayoutItem.batch_id.is_(None),
            PayoutItem.kind != "consumer",
        )
        .order_by(PayoutItem.id)
        .limit(BATCH_MAX)
    )
    return list(rows.scalars())


def _execution_date(desk: Desk, wanted: date | None) -> date:
    """The day asked for, or the next day on which euro payments settle (the ECB's calendar)."""
    bank_days = calendar_for(ANYWHERE)
    if wanted is None:
        wanted = desk.today + timedelta(days=1)
        while bank_days.closed_because(wanted):
            wanted += timedelta(days=1)
        return wanted
    if not desk.today <= wanted <= desk.today + timedelta(days=EXECUTION_DAYS_MAX):
        raise FieldsRefused(
            FieldError(
                "/execution_date",
                f"between today and {EXECUTION_DAYS_MAX} days from now",
                "date_out_of_range",
            )
        )
    if closed := bank_days.closed_because(wanted):
        raise FieldsRefused(
            FieldError("/execution_date", f"the banks are closed: {closed}", "not_a_bank_day")
        )
    return wanted


async def _client_account(desk: Desk, wanted: UUID | None) -> UUID:
    query = select(BankAccount.id).where(
        BankAccount.book == "client", BankAccount.currency == PAYABLE_CURRENCY
    )
    if wanted is not None:
        query = query.where(BankAccount.id == wanted)
    found = list((await desk.session.execute(query.limit(2))).scalars())
    if not found:
        raise NotFound("there is no such client account in EUR", code="bank_account_not_found")
    if len(found) > 1:
        raise FieldsRefused(
            FieldError(
                "/bank_account_id", "there are several client accounts: name one", "account_needed"
            )
        )
    return found[0]


async def approve_batch(desk: Desk, keyring: Keyring, batch_id: UUID, content_hash: str) -> None:
    """Approve exactly what was read: the money is reserved, the bank file made once and ordered to
    be sent, every case told. Raises MoneyNotSeen, FourEyes, ContentChanged, AccountHeld,
    BatchState, NotFound."""
    found = (
        await desk.session.execute(
            select(PayoutItem.case_id).where(
                PayoutItem.batch_id == batch_id, PayoutItem.case_id.is_not(None)
            )
        )
    ).scalars()
    case_ids = [case_id for case_id in found if case_id is not None]
    await desk.lock(case_ids)
    if unseen := await resting_on_a_word(desk.session, case_ids):
        raise MoneyNotSeen(
            f"money of {len(unseen)} of these cases was recorded by hand and stands on no bank"
            " statement yet: import the statement, then approve",
            cases=", ".join(sorted(str(case_id) for case_id in unseen)[:20]),
        )
    approved = await batches.approve(
        desk.session, batch_id, content_hash=content_hash, actor=desk.actor, at=desk.at
    )
    items = (
        (
            await desk.session.execute(
                select(PayoutItem)
                .where(PayoutItem.batch_id == batch_id, PayoutItem.kind == "consumer")
                .order_by(PayoutItem.id)
            )
        )
        .scalars()
        .all()
    )
    await desk.tell_all(
        [
            engine.Fact(item.case_id, PayoutApproved(item.id, item.amount_minor), desk.actor)
            for item in items
            if item.case_id is not None
        ]
    )
    await _repaired(desk, items)
    await _send_file(desk, keyring, approved)


async def _repaired(desk: Desk, items: Sequence[PayoutItem]) -> None:
    """A new payout of a claimant answers the task about the one that failed."""
    failed = select(PayoutItem.id).where(
        PayoutItem.case_id.in_([item.case_id for item in items]),
        PayoutItem.claimant_id.in_([item.claimant_id for item in items]),
        PayoutItem.state.in_(("rejected", "returned")),
    )
    await desk.session.execute(
        update(TaskRow)
        .where(
            TaskRow.kind == TaskKind.FIX_PAYOUT.value,
            TaskRow.state == "open",
            TaskRow.case_id.in_([item.case_id for item in items]),
            TaskRow.subject_id.in_(failed),
        )
        .values(state="done", closed_at=desk.moment.now, closed_by=desk.actor)
    )


async def _send_file(desk: Desk, keyring: Keyring, approved: BatchDone) -> None:
    cipher = await create_cipher(desk.session, keyring, approved.id, at=desk.moment.now)
    exported = await batches.export(
        desk.session,
        approved.id,
        actor=desk.actor,
        at=desk.at,
        reveal=await _reveal(desk, keyring, approved.id),
        seal=lambda plain: cipher.encrypt(plain, column=FILE_COLUMN, row_id=approved.id),
    )
    assert exported.file_sha256 is not None, "an exported batch has a file"
    await outbox.stage(
        desk.session,
        [SubmitBankFile(new_id(), approved.id, exported.file_sha256)],
        stream=f"batch:{approved.id}",
        now=desk.moment.now,
    )
    await desk.log(
        "payout_batch_approved",
        batch=str(approved.id),
        hash=approved.content_hash,
        minor=approved.total.minor,
        file=exported.file_sha256,
    )


async def _reveal(desk: Desk, keyring: Keyring, batch_id: UUID) -> Reveal:
    """Opens the payees' accounts, all keys read at once, and the accounts of payers who get money
    back. DataErased for a person who is gone."""
    people = (
        await desk.session.execute(
            select(PayoutAccount.consumer_id)
            .join(PayoutItem, PayoutItem.account_id == PayoutAccount.id)
            .where(PayoutItem.batch_id == batch_id)
        )
    ).scalars()
    ciphers = await open_ciphers(desk.session, keyring, people)

    async def reveal(account: PayoutAccount | Movement) -> Payee:
        if isinstance(account, Movement):
            numbers = await payer_accounts(desk.session, keyring, [account.id])
            return Payee(account.payer_name or "Payer", numbers[account.id])
        cipher = ciphers[account.consumer_id]
        if cipher is None:
            raise DataErased("this person's data has been erased")
        return Payee(
            cipher.decrypt(account.holder_cipher, column=HOLDER_COLUMN, row_id=account.id),
            cipher.decrypt(account.iban_cipher, column=NUMBER_COLUMN, row_id=account.id),
        )

    return reveal


async def reject_batch(desk: Desk, batch_id: UUID, reason: str) -> None:
    """Drop a batch before it is at the bank; its money is payable again. Raises BatchState."""
    await batches.cancel(desk.session, batch_id, actor=desk.actor, at=desk.at)
    await desk.log("payout_batch_rejected", batch=str(batch_id), reason=reason)


async def propose_batch(desk: Desk, batch_id: UUID) -> None:
    """Propose a batch again that lost its standing when a payee's account changed."""
    done = await batches.propose(desk.session, batch_id, actor=desk.actor, at=desk.at)
    await desk.log(
        "payout_batch_proposed",
        batch=str(batch_id),
        items=done.item_count,
        minor=done.total.minor,
        hash=done.content_hash,
    )


async def bank_file(desk: Desk, keyring: Keyring, batch_id: UUID) -> tuple[str, bytes]:
    """Message id and bytes of the file, the same each time; who took it is history."""
    batch = await desk.session.get(PayoutBatch, batch_id)
    if batch is None or batch.file_cipher is None:
        raise BankFileMissing("this batch has no bank file")
    cipher = await open_cipher(desk.session, keyring, batch_id)
    raw = await batches.bank_file(
        desk.session,
        batch_id,
        unseal=lambda stored: cipher.decrypt(stored, column=FILE_COLUMN, row_id=batch_id),
    )
    await desk.log("bank_file_taken", batch=str(batch_id), file=str(batch.file_sha256))
    return batch.message_id, raw


async def _lock_case_of(desk: Desk, item_id: UUID) -> None:
    case_id = await desk.session.scalar(select(PayoutItem.case_id).where(PayoutItem.id == item_id))
    if case_id is not None:
        await desk.lock_case(case_id)


async def mark_settled(desk: Desk, item_id: UUID, movement_id: UUID) -> None:
    """A person says which debit of a statement was this payment. Raises NotFound, Conflict."""
    await _lock_case_of(desk, item_id)
    settled = await settle_by_hand(desk.session, item_id, movement_id, actor=desk.actor, at=desk.at)
    _nothing_left_out(await tell_bank(desk, [settled], []))
    await desk.log("payout_settled_by_hand", item=str(item_id), movement=str(movement_id))


async def refuse_item(desk: Desk, item_id: UUID, reason: str) -> None:
    """The bank refused a payment it was given (row 7): the money is the claimant's again."""
    await _lock_case_of(desk, item_id)
    returned = await batches.reject_item(
        desk.session, item_id, reason=reason, actor=desk.actor, at=desk.at
    )
    _nothing_left_out(await tell_bank(desk, [], [returned]))


def _nothing_left_out(not_told: Sequence[object]) -> None:
    """Unlike a statement, a person's word is taken back when the case does not take it."""
    if not_told:
        raise Conflict("the case does not take this", code="case_refuses")


async def sweep(desk: Desk, own_account_id: UUID) -> service.ItemDone:
    """Prepare the move of our earned commission to our own account (row 4)."""
    return await service.prepare_sweep(
        desk.session,
        item_id=new_id(),
        own_account_id=own_account_id,
        remittance=SWEEP_TEXT,
        actor=desk.actor,
        at=desk.at,
    )


async def the_item(desk: Desk, item_id: UUID) -> queries.ItemView:
    found = await queries.item(desk.session, item_id)
    if found is None:
        raise NotFound("there is no such payout", code="payout_not_found")
    return found


EXPLANATIONS = {
    payable.NO_RAIL: "we cannot pay this currency or kind of account by bank file",
    payable.BEING_PAID: "it stands in a batch that waits for approval",
    payable.NO_ACCOUNT: "the consumer has given no account yet",
    payable.ACCOUNT_WAITS: "the account was changed less than two days ago",
    payable.ACCOUNT_FAILED: "the last payment to this account failed: ask for another account, or"
    " name the claimant to try it again",
}
