"""Payout batches: made by one person, approved by another, exported once, voided by any change.

Approval reserves the money (row 5) and is for one exact content: its hash. Export makes the bank
file once; every download is those bytes. Lock order: batch, items by id, ledger balances.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.domain.errors import Conflict, Forbidden, NotFound
from app.domain.money import Money
from app.payouts.batch_parts import (
    BatchDone,
    Reveal,
    accounts_of,
    batch_done,
    current_account,
    describe,
    hash_of,
    items_of,
    lock_batch,
    lock_items,
    move_items,
    payee_of,
    release,
    reserve,
    void,
)
from app.payouts.pain001 import Payment, PaymentFile, build
from app.payouts.settling import ItemReturned, close_batches
from app.tables.banking import BankAccount
from app.tables.payouts import PayoutBatch, PayoutItem

ITEMS_MAX: Final = 10_000
POSTINGS: Final = 1_000  # a statement of the database: inside its timeout on a busy machine


class BatchState(Conflict):
    """The batch is not in the state this needs."""

    code = "batch_state"


class FourEyes(Forbidden):
    """Maker, approver and whoever gave a payee's account are different people."""

    code = "four_eyes"


class ContentChanged(Conflict):
    """The batch is not what the approver saw."""

    code = "batch_changed"


class AccountHeld(Conflict):
    """An account was changed less than 48 hours ago, or since the payout was prepared."""

    code = "account_held"


async def make_batch(
    session: AsyncSession,
    *,
    batch_id: uuid.UUID,
    bank_account_id: uuid.UUID,
    item_ids: Sequence[uuid.UUID],
    execute_on: date,
    actor: str,
    at: datetime,
) -> BatchDone:
    """Put draft items in a batch and propose it for approval. The same call again is a repeat."""
    known = await session.get(PayoutBatch, batch_id)
    if known is not None:
        return await batch_done(session, known)
    account = await session.get(BankAccount, bank_account_id)
    if account is None or account.book != "client":
        raise NotFound("There is no such client account.")
    wanted = set(item_ids)
    if not 1 <= len(wanted) <= ITEMS_MAX:
        raise BatchState("A batch holds between one and ten thousand payouts.")
    items = await lock_items(session, PayoutItem.id.in_(wanted))
    fits = all(
        i.state == "draft" and i.batch_id is None and i.currency == account.currency for i in items
    )
    if len(items) != len(wanted) or not fits:
        raise BatchState("A payout is missing, in another batch or in another currency.")
    batch = PayoutBatch(
        id=batch_id, bank_account_id=bank_account_id, message_id=f"B{batch_id.hex}",
        state="proposed", currency=account.currency, execute_on=execute_on, item_count=0,
        total_minor=0, content_hash="", maker=actor, made_at=at, version=1,
    )  # fmt: skip
    describe(batch, items)
    session.add(batch)
    await session.flush()
    await move_items(session, items, "proposed", batch_id=batch_id)
    return await batch_done(session, batch)


async def approve(
    session: AsyncSession, batch_id: uuid.UUID, *, content_hash: str, actor: str, at: datetime
) -> BatchDone:
    """Approve exactly ``content_hash`` and reserve the money (row 5).

    Refused: BatchState, ContentChanged, FourEyes, AccountHeld, FundsMissing.
    """
    batch = await lock_batch(session, batch_id)
    if batch.state != "proposed":
        raise BatchState("Only a proposed batch can be approved.", state=batch.state)
    items = await items_of(session, batch_id)
    if content_hash != batch.content_hash or hash_of(batch, items) != content_hash:
        raise ContentChanged("The batch changed since it was read. Read it again.")
    accounts = await accounts_of(session, items)
    prepared = {batch.maker, *(item.created_by for item in items)}
    if actor in prepared or any(a.added_by == actor for a in accounts.values()):
        raise FourEyes("Someone else approves: not who prepared it, nor who gave an account.")
    for account in accounts.values():
        if account.usable_from > at or account.retired_at is not None:
            raise AccountHeld("A payee's account was changed and cannot be paid yet.")
    batch.version += 1
    batch.state, batch.checker, batch.approved_at = "approved", actor, at
    batch.approved_hash = batch.content_hash
    await session.flush()
    await move_items(session, items, "approved")
    postings = [p for i in items for p in reserve(i, batch, actor, at)]
    for start in range(0, len(postings), POSTINGS):
        await ledger.post_many(session, postings[start : start + POSTINGS])
    return await batch_done(session, batch)


async def void_approval(
    session: AsyncSession, batch_id: uuid.UUID, *, actor: str, at: datetime
) -> BatchDone:
    """Back to draft: an approved batch releases its money (row 7). Exported is too late."""
    batch = await lock_batch(session, batch_id)
    if batch.state not in ("proposed", "approved"):
        raise BatchState("Only a proposed or approved batch can be reopened.", state=batch.state)
    await void(session, batch, actor=actor, at=at)
    return await batch_done(session, batch)


async def cancel(
    session: AsyncSession, batch_id: uuid.UUID, *, actor: str, at: datetime
) -> BatchDone:
    """Reject a batch that is not at the bank: its payouts are dropped, the money is payable again.

    The dropped items stay with the batch, so that one sees what was rejected.
    """
    batch = await lock_batch(session, batch_id)
    if batch.state not in ("draft", "proposed", "approved"):
        raise BatchState("Only a batch the bank does not have is rejected.", state=batch.state)
    if batch.state != "draft":
        await void(session, batch, actor=actor, at=at)
    for item in await items_of(session, batch_id):
        item.state = "cancelled"
    batch.state = "cancelled"
    batch.version += 1
    await session.flush()
    return await batch_done(session, batch)


async def void_for_account(
    session: AsyncSession, account_id: uuid.UUID, *, actor: str, at: datetime
) -> tuple[uuid.UUID, ...]:
    """A payee's account changes: batches with it that are not exported lose their approval."""
    rows = await session.execute(
        select(PayoutItem.batch_id)
        .where(PayoutItem.account_id == account_id, PayoutItem.state.in_(("proposed", "approved")))
        .distinct()
    )
    voided = []
    for batch_id in sorted(b for b in rows.scalars() if b is not None):
        batch = await lock_batch(session, batch_id)
        if batch.state in ("proposed", "approved"):
            await void(session, batch, actor=actor, at=at)
            voided.append(batch_id)
    return tuple(voided)


async def remove_item(
    session: AsyncSession, batch_id: uuid.UUID, item_id: uuid.UUID, *, actor: str, at: datetime
) -> BatchDone:
    """Take a payout out of a batch that is not exported; an approval is void by that."""
    batch = await lock_batch(session, batch_id)
    if batch.state not in ("draft", "proposed", "approved"):
        raise BatchState("The bank has this batch already.", state=batch.state)
    if batch.state != "draft":
        await void(session, batch, actor=actor, at=at)
    items = await items_of(session, batch_id)
    gone = next((i for i in items if i.id == item_id), None)
    if gone is None:
        raise NotFound("The payout is not in this batch.")
    gone.batch_id = None
    left = [i for i in items if i.id != item_id]
    if not left:
        batch.state = "cancelled"
    else:
        describe(batch, left)
    batch.version += 1
    await session.flush()
    return await batch_done(session, batch)


async def propose(
    session: AsyncSession, batch_id: uuid.UUID, *, actor: str, at: datetime
) -> BatchDone:
    """Propose a reopened batch again; its items take their payee's current account."""
    batch = await lock_batch(session, batch_id)
    if batch.state != "draft":
        raise BatchState("Only a draft can be proposed.", state=batch.state)
    items = await items_of(session, batch_id)
    for item in items:
        if item.account_id is not None:
            item.account_id = await current_account(session, item.account_id)
        item.state = "proposed"
    describe(batch, items)
    batch.state, batch.maker, batch.made_at = "proposed", actor, at
    batch.checker = batch.approved_at = batch.approved_hash = None
    batch.version += 1
    await session.flush()
    return await batch_done(session, batch)


async def export(
    session: AsyncSession,
    batch_id: uuid.UUID,
    *,
    actor: str,
    at: datetime,
    reveal: Reveal,
    seal: Callable[[str], bytes],
) -> BatchDone:
    """Make the bank file of an approved batch, once. Exported before: answered with what stands.

    ``reveal`` decrypts an account, ``seal`` encrypts the file's text for storage; the hash is of
    the plain bytes. BatchState, PaymentFileInvalid.
    """
    batch = await lock_batch(session, batch_id)
    if batch.state in ("exported", "settled"):
        return await batch_done(session, batch)
    if batch.state != "approved":
        raise BatchState("Only an approved batch can be exported.", state=batch.state)
    items = await items_of(session, batch_id)
    assert hash_of(batch, items) == batch.approved_hash, "what is exported is what was approved"
    account = await session.get_one(BankAccount, batch.bank_account_id)
    accounts = await accounts_of(session, items)
    payments = []
    for item in items:
        payee = await payee_of(session, item, accounts, reveal)
        amount = Money(item.amount_minor, item.currency)
        payments.append(
            Payment(item.end_to_end_id, amount, payee.name, payee.iban, item.remittance)
        )
    raw = build(
        PaymentFile(
            batch.message_id, at, batch.execute_on, account.holder, account.number, account.bic,
            tuple(payments),
        )
    )  # fmt: skip
    batch.file_cipher = seal(raw.decode("utf-8"))
    batch.file_sha256 = hashlib.sha256(raw).hexdigest()
    batch.state, batch.exported_at, batch.exported_by = "exported", at, actor
    batch.version += 1
    await session.flush()
    await move_items(session, items, "exported")
    return await batch_done(session, batch)


async def bank_file(
    session: AsyncSession, batch_id: uuid.UUID, *, unseal: Callable[[bytes], str]
) -> bytes:
    """The bytes that were made at export, the same each time; their hash is checked."""
    batch = await session.get(PayoutBatch, batch_id)
    if batch is None or batch.file_cipher is None:
        raise NotFound("This batch has no bank file.")
    raw = unseal(batch.file_cipher).encode("utf-8")
    assert hashlib.sha256(raw).hexdigest() == batch.file_sha256, "the stored file was altered"
    return raw


async def reject_item(
    session: AsyncSession, item_id: uuid.UUID, *, reason: str, actor: str, at: datetime
) -> ItemReturned:
    """Row 7: the bank refused a payment (pain.002 RJCT). The money is the consumer's again."""
    rows = await lock_items(session, PayoutItem.id == item_id)
    if not rows:
        raise NotFound("There is no such payout.")
    item = rows[0]
    if item.state != "exported" or item.kind == "sweep":
        raise BatchState("Only a payment the bank holds can be refused.", state=item.state)
    item.state, item.reason = "rejected", reason[:35]
    await session.flush()
    await release(session, item, "rejected", actor=actor, at=at)
    await close_batches(session, {item.batch_id})
    return ItemReturned(
        item.id, item.kind, item.case_id, item.claimant_id,
        Money(item.amount_minor, item.currency), item.reason, settled_before=False,
    )  # fmt: skip
