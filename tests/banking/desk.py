"""A finance desk for tests: real services on a real database, each call its own transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.banking.case_money import CaseMoney, recovered_by_item
from app.banking.files import payer_accounts
from app.banking.holds import hold_in_full_settlement, settle_hold
from app.banking.importing import ImportDone, import_file, open_bank_account
from app.banking.queries import UnallocatedMoney, unallocated
from app.banking.service import (
    AllocateMoney,
    AllocationDone,
    UndoDone,
    allocate,
    undo_allocation,
)
from app.crypto import Keyring
from app.db import Database
from app.domain.money import Money
from app.domain.settlement import STANDARD_2026, FeeRule, FeeStanding, ItemDue
from app.ids import new_id
from app.payouts import accounts, batches, service
from app.payouts.accounts import AccountDone, NewAccount
from app.payouts.batch_parts import BatchDone, Payee, Reveal
from app.tables.banking import Movement
from app.tables.payouts import PayoutAccount
from tests.banking.statements import IBAN, Line, camt053, statement

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
CONTACTED = FeeStanding(first_contact_on=date(2026, 1, 10))
KEYRING = Keyring({"test": bytes(32)}, "test", bytes(32))
CONSUMER_IBAN = "FI1410093000123458"


@dataclass
class TestCase:
    """A case as the money side knows it."""

    __test__ = False

    items: list[ItemDue]
    fee_rule: FeeRule = STANDARD_2026
    standing: FeeStanding = CONTACTED
    id: uuid.UUID = field(default_factory=new_id)
    currency: str = "EUR"


def a_case(*minors: int, fees: Sequence[bool] = (), people: int = 1) -> TestCase:
    """A case with an item per amount; items go round the claimants."""
    who = [str(new_id()) for _ in range(people)]
    items = [
        ItemDue(str(new_id()), who[at % people], minor, fees[at] if fees else True)
        for at, minor in enumerate(minors)
    ]
    return TestCase(items)


@dataclass
class Desk:
    """Who works with the money. ``at`` is business time and moves only when a test moves it."""

    database: Database
    bank_id: uuid.UUID = field(default_factory=new_id)
    own_id: uuid.UUID = field(default_factory=new_id)
    at: datetime = NOW
    iban: str = IBAN
    own_iban: str = "FI4950009420028730"
    closing: int = 0
    number: int = 0

    async def open(self) -> Desk:
        async with self.database.transaction() as session:
            # The cases of this desk have no rows of their own, so their papers name none.
            for name in ("case_id_cases", "claimant_id_claimants"):
                await session.execute(
                    text(f"ALTER TABLE case_papers DROP CONSTRAINT IF EXISTS fk_case_papers_{name}")
                )
            await open_bank_account(
                session, account_id=self.bank_id, book="client", holder="Recourse Oy clients",
                number=self.iban, currency="EUR", at=self.at,
            )  # fmt: skip
            await open_bank_account(
                session, account_id=self.own_id, book="own", holder="Recourse Oy",
                number=self.own_iban, currency="EUR", at=self.at,
            )  # fmt: skip
        return self

    def next_file(self, lines: Sequence[Line]) -> bytes:
        """The bank's next statement with these lines."""
        self.number += 1
        raw = camt053(
            statement(
                lines, opening=self.closing, ident=f"S{self.number}", sequence=self.number,
                day=self.at.date(), iban=self.iban,
            )
        )  # fmt: skip
        self.closing += sum(line.minor for line in lines)
        return raw

    async def bank(self, *lines: Line) -> ImportDone:
        """The bank sends a statement and it is imported."""
        return await self.import_raw(self.next_file(lines))

    async def import_raw(self, raw: bytes, *, after_gap: bool = False) -> ImportDone:
        async with self.database.transaction() as session:
            return await import_file(
                session, KEYRING, raw, actor="bank", at=self.at, after_gap=after_gap
            )

    async def received(self, minor: int, **details: str) -> uuid.UUID:
        """Money came; returns its movement."""
        done = await self.bank(Line(minor, **details))  # type: ignore[arg-type]  # texts only
        return done.receipts[0]

    async def case_money(self, case: TestCase) -> CaseMoney:
        async with self.database.read() as session:
            got = await recovered_by_item(session, case.id)
        items = tuple(
            ItemDue(
                i.item_id, i.claimant_id, i.open_minor - got.get(uuid.UUID(i.item_id), 0),
                i.earns_fee,
            )
            for i in case.items
        )  # fmt: skip
        return CaseMoney(case.id, case.currency, items, case.fee_rule, case.standing)

    async def allocate(
        self,
        movement: uuid.UUID,
        case: TestCase,
        minor: int,
        *,
        allocation_id: uuid.UUID | None = None,
        named: Mapping[str, int] | None = None,
    ) -> AllocationDone:
        order = AllocateMoney(
            id=allocation_id or new_id(), movement_id=movement, case=await self.case_money(case),
            amount=Money(minor, "EUR"), rule="person", evidence={"step": "person"},
            actor="staff:finance", at=self.at, named=named or {},
        )  # fmt: skip
        async with self.database.transaction() as session:
            return await allocate(session, order)

    async def undo(self, allocation_id: uuid.UUID) -> UndoDone:
        async with self.database.transaction() as session:
            return await undo_allocation(
                session, allocation_id, actor="staff:finance", at=self.at, reason="wrong case"
            )

    async def hold(self, movement: uuid.UUID, case: TestCase) -> None:
        async with self.database.transaction() as session:
            await hold_in_full_settlement(
                session, movement, case.id, actor="staff:finance", at=self.at
            )

    async def answer_hold(self, movement: uuid.UUID, *, accepted: bool) -> None:
        async with self.database.transaction() as session:
            await settle_hold(
                session, movement, accepted=accepted, actor="staff:finance", at=self.at
            )

    async def account(
        self, consumer: uuid.UUID, *, rail: str = "sepa", by: str = "consumer:1",
        account_id: uuid.UUID | None = None, iban: str = CONSUMER_IBAN,
    ) -> AccountDone:  # fmt: skip
        new = NewAccount(
            id=account_id or new_id(), consumer_id=consumer, rail=rail, country="FI",
            currency="EUR", iban_cipher=iban.encode()[::-1], holder_cipher=b"onia",
            iban_index=b"i" * 16, iban_last4=iban[-4:], added_by=by,
        )  # fmt: skip
        async with self.database.transaction() as session:
            return await accounts.set_account(session, new, at=self.at)

    async def prepare(
        self, case: TestCase, claimant: str, consumer: uuid.UUID, minor: int | None = None
    ) -> service.ItemDone:
        order = service.PreparePayout(
            id=new_id(), case_id=case.id, claimant_id=uuid.UUID(claimant), consumer_id=consumer,
            currency=case.currency, remittance="RC-TEST", actor="staff:maker", at=self.at,
            amount=Money(minor, "EUR") if minor is not None else None,
        )  # fmt: skip
        async with self.database.transaction() as session:
            return await service.prepare_payout(session, order)

    async def batch(self, *items: uuid.UUID, by: str = "staff:maker") -> BatchDone:
        async with self.database.transaction() as session:
            return await batches.make_batch(
                session, batch_id=new_id(), bank_account_id=self.bank_id, item_ids=items,
                execute_on=(self.at + timedelta(days=1)).date(), actor=by, at=self.at,
            )  # fmt: skip

    async def approve(self, batch: BatchDone, by: str = "staff:checker") -> BatchDone:
        async with self.database.transaction() as session:
            return await batches.approve(
                session, batch.id, content_hash=batch.content_hash, actor=by, at=self.at
            )

    async def export(self, batch: BatchDone) -> BatchDone:
        async with self.database.transaction() as session:
            return await batches.export(
                session,
                batch.id,
                actor="staff:checker",
                at=self.at,
                reveal=reveal(session),
                seal=seal,
            )

    async def file(self, batch: BatchDone) -> bytes:
        async with self.database.read() as session:
            return await batches.bank_file(session, batch.id, unseal=unseal)

    async def paid_item(self, case: TestCase, claimant: str) -> service.ItemDone:
        """From owed money to a file at the bank."""
        consumer = new_id()
        await self.account(consumer)
        item = await self.prepare(case, claimant, consumer)
        await self.export(await self.approve(await self.batch(item.id)))
        return item

    async def balance(self, account: str, sub: str) -> int:
        async with self.database.read() as session:
            return (await ledger.balance_of(session, account, sub, "EUR")).minor

    async def owed(self, case: TestCase, claimant: str) -> int:
        return await self.balance("C.CLIENT", f"{case.id}/{claimant}")

    async def unallocated(self) -> list[UnallocatedMoney]:
        async with self.database.read() as session:
            return await unallocated(session)

    async def check(self) -> None:
        """What must hold after every step."""
        async with self.database.read() as session:
            assert await ledger.client_book_in_balance(session)
            assert await ledger.balance_differences(session) == []
            assert (
                await ledger.balance_of(session, "C.BANK", str(self.bank_id), "EUR")
            ).minor == self.closing


def reveal(session: AsyncSession) -> Reveal:
    """Undo the toy encryption of ``Desk.account``: the text backwards. Payers' accounts are
    really sealed."""

    async def opened(account: PayoutAccount | Movement) -> Payee:
        if isinstance(account, Movement):
            numbers = await payer_accounts(session, KEYRING, [account.id])
            return Payee(str(account.payer_name), numbers[account.id])
        return Payee("Äiti Ænigma", account.iban_cipher[::-1].decode())

    return opened


def seal(text: str) -> bytes:
    """Stands for encryption: not the plain bytes, and reversible."""
    return text.encode()[::-1]


def unseal(sealed: bytes) -> str:
    """The text back."""
    return sealed[::-1].decode()
