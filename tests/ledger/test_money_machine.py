"""Random histories of money: whatever comes in which order, and twice, nothing is lost or doubled.

Statements, repeated statements, allocations, undoings, payouts, refusals, returns, charges and
sweeps run through the real services on a real PostgreSQL; after every step the books are compared
with a small model; test_flows.py lives through far more of them on paper. ``MONEY_FUZZ_EXAMPLES``
raises the number of histories (the fuzz run does).
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from app import ledger
from app.banking.queries import invoice_gaps
from app.db import Database
from app.domain.settlement import STANDARD_2026, fee_total
from app.ids import new_id
from app.ledger import FundsMissing
from app.payouts import batches, service
from app.payouts.batch_parts import BatchDone
from app.payouts.settling import give_back_return
from tests.banking.desk import Desk, TestCase, a_case
from tests.banking.statements import Line
from tests.support.databases import Databases

EXAMPLES = int(os.environ.get("MONEY_FUZZ_EXAMPLES", "4"))
STEPS = 30
PICK = st.integers(0, 1_000)
T = TypeVar("T")


@dataclass
class CaseModel:
    """What we believe of one case (one claimant)."""

    case: TestCase
    consumer: uuid.UUID
    allocated: int = 0
    basis: int = 0
    paid: int = 0  # settled and not come back
    in_flight: int = 0
    swept: int = 0

    @property
    def fee(self) -> int:
        return fee_total(STANDARD_2026, self.basis)

    @property
    def who(self) -> str:
        return self.case.items[0].claimant_id

    @property
    def open(self) -> int:
        return sum(i.open_minor for i in self.case.items) - self.allocated

    @property
    def owed(self) -> int:
        return self.allocated - self.fee - self.paid - self.in_flight


@dataclass
class PayoutModel:
    """One payout and where it stands."""

    of: CaseModel
    item: service.ItemDone
    batch: BatchDone
    state: str = "proposed"
    history: list[str] = field(default_factory=list)


# From each state the usual next thing, and the other one.
MOVES = {
    "proposed": ("a_payout_is_approved", "a_payout_is_approved"),
    "approved": ("a_batch_is_exported", "an_approval_is_void"),
    "exported": ("the_bank_pays", "the_bank_refuses"),
    "settled": ("a_payout_comes_back", "a_payout_comes_back"),
}


class MoneyMachine(RuleBasedStateMachine):
    """One agency, one client account, three cases."""

    runner: ClassVar[asyncio.Runner]
    databases: ClassVar[Databases]

    def __init__(self) -> None:
        super().__init__()
        self.url = self.databases.take()
        self.database = Database(self.url, pool_size=4)
        self.desk = Desk(self.database)
        self.run(self.desk.open())
        self.cases = [CaseModel(a_case(*amounts, fees=fees), new_id()) for amounts, fees in (
            ((10_003,), (True,)), ((7_777, 1_111), (True, False)), ((5,), (True,)))]  # fmt: skip
        for one in self.cases:
            self.run(self.desk.account(one.consumer))
        self.free: dict[uuid.UUID, int] = {}
        self.done: list[tuple[uuid.UUID, uuid.UUID, CaseModel, int, int]] = []
        self.payouts: list[PayoutModel] = []
        self.last_file = b""

    def teardown(self) -> None:
        self.run(self.database.close())
        self.databases.give_back(self.url)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def bank(self, *lines: Line) -> Any:
        self.last_file = self.desk.next_file(lines)
        return self.run(self.desk.import_raw(self.last_file))

    @initialize(minor=st.integers(1, 12_000), twins=st.booleans())
    def money_came(self, minor: int, twins: bool) -> None:
        self.money_comes(minor, twins)

    @rule(minor=st.integers(1, 12_000), twins=st.booleans())
    def money_comes(self, minor: int, twins: bool) -> None:
        lines = [Line(minor, text="refund")] * (2 if twins else 1)
        for movement in self.bank(*lines).receipts:
            self.free[movement] = minor

    @precondition(lambda self: self.last_file)
    @rule()
    def the_last_statement_comes_again(self) -> None:
        again = self.run(self.desk.import_raw(self.last_file))
        assert again.statements[0].replayed and not again.receipts and not again.settled

    @precondition(lambda self: any(self.free.values()) and any(one.open for one in self.cases))
    @rule(pick=PICK, part=st.integers(1, 100), to=PICK, twice=st.booleans())
    def money_is_allocated(self, pick: int, part: int, to: int, twice: bool) -> None:
        movement = [m for m, left in self.free.items() if left][
            pick % sum(1 for left in self.free.values() if left)
        ]
        wanting = [one for one in self.cases if one.open]
        one = wanting[to % len(wanting)]
        minor = min(max(self.free[movement] * part // 100, 1), one.open)
        key = new_id()
        done = self.run(self.desk.allocate(movement, one.case, minor, allocation_id=key))
        basis_before = self.fee_free_room(one)
        in_basis = max(minor - basis_before, 0)
        fee = fee_total(STANDARD_2026, one.basis + in_basis) - fee_total(STANDARD_2026, one.basis)
        assert done.fee.minor == fee
        if twice:
            assert self.run(
                self.desk.allocate(movement, one.case, minor, allocation_id=key)
            ).replayed
        one.allocated += minor
        one.basis += in_basis
        self.free[movement] -= minor
        self.done.append((key, movement, one, minor, in_basis))

    def fee_free_room(self, one: CaseModel) -> int:
        free = sum(i.open_minor for i in one.case.items if not i.earns_fee)
        return free - (one.allocated - one.basis)

    @precondition(lambda self: self.done)
    @rule(pick=PICK)
    def an_allocation_is_undone(self, pick: int) -> None:
        entry = self.done[pick % len(self.done)]
        key, movement, one, minor, in_basis = entry
        try:
            self.run(self.desk.undo(key))
        except FundsMissing:
            assert one.paid or one.in_flight or one.swept, "only spent money is missing"
            return
        one.allocated -= minor
        one.basis -= in_basis
        self.free[movement] += minor
        self.done.remove(entry)

    @precondition(lambda self: any(one.owed > 0 for one in self.cases))
    @rule(pick=PICK, part=st.integers(1, 100))
    def a_payout_is_prepared(self, pick: int, part: int) -> None:
        ready = [one for one in self.cases if one.owed > 0]
        one = ready[pick % len(ready)]
        minor = max(one.owed * part // 100, 1)
        with suppress(service.PayoutWaits):
            item = self.run(self.desk.prepare(one.case, one.who, one.consumer, minor))
            batch = self.run(self.desk.batch(item.id))
            self.payouts.append(PayoutModel(one, item, batch))

    @precondition(lambda self: any(p.state in MOVES for p in self.payouts))
    @rule(pick=PICK, how=st.integers(0, 9))
    def a_payout_moves_on(self, pick: int, how: int) -> None:
        live = [p for p in self.payouts if p.state in MOVES]
        payout = live[pick % len(live)]
        usual, unusual = MOVES[payout.state]
        getattr(self, usual if how < 7 else unusual)(payout)

    def a_payout_is_approved(self, payout: PayoutModel) -> None:
        try:
            self.run(self.desk.approve(payout.batch))
        except FundsMissing:
            assert payout.of.owed < payout.item.amount.minor
            return
        payout.state = "approved"
        payout.of.in_flight += payout.item.amount.minor

    def an_approval_is_void(self, payout: PayoutModel) -> None:
        payout.batch = self.run(self.reopened(payout.batch.id))
        payout.state = "proposed"
        payout.of.in_flight -= payout.item.amount.minor

    async def reopened(self, batch_id: uuid.UUID) -> BatchDone:
        async with self.database.transaction() as session:
            await batches.void_approval(session, batch_id, actor="staff:x", at=self.desk.at)
        async with self.database.transaction() as session:
            return await batches.propose(session, batch_id, actor="staff:maker", at=self.desk.at)

    def a_batch_is_exported(self, payout: PayoutModel) -> None:
        self.run(self.desk.export(payout.batch))
        payout.state = "exported"

    def the_bank_pays(self, payout: PayoutModel) -> None:
        minor = payout.item.amount.minor
        done = self.bank(Line(-minor, end_to_end_id=payout.item.end_to_end_id))
        assert [s.item_id for s in done.settled] == [payout.item.id]
        payout.state = "settled"
        payout.of.in_flight -= minor
        payout.of.paid += minor

    def the_bank_refuses(self, payout: PayoutModel) -> None:

        async def refuse() -> None:
            async with self.database.transaction() as session:
                await batches.reject_item(
                    session, payout.item.id, reason="AC04", actor="bank", at=self.desk.at
                )

        self.run(refuse())
        payout.state = "rejected"
        payout.of.in_flight -= payout.item.amount.minor

    def a_payout_comes_back(self, payout: PayoutModel) -> None:
        minor = payout.item.amount.minor
        done = self.bank(Line(minor, end_to_end_id=payout.item.end_to_end_id, reason="AC04"))
        assert not done.receipts and done.returned[0].item_id == payout.item.id

        async def tell() -> None:
            async with self.database.transaction() as session:
                await give_back_return(session, payout.item.id, actor="x", at=self.desk.at)

        self.run(tell())
        self.run(tell())
        payout.state = "returned"
        payout.of.paid -= minor

    @precondition(lambda self: any(one.fee > one.swept for one in self.cases))
    @rule()
    def our_commission_is_swept(self) -> None:
        due = sum(one.fee - one.swept for one in self.cases)
        item = self.run(self.sweep())
        batch = self.run(self.desk.approve(self.run(self.desk.batch(item.id))))
        self.run(self.desk.export(batch))
        assert self.bank(Line(-due, end_to_end_id=item.end_to_end_id)).settled
        for one in self.cases:
            one.swept = one.fee

    async def sweep(self) -> service.ItemDone:
        async with self.database.transaction() as session:
            return await service.prepare_sweep(
                session, item_id=new_id(), own_account_id=self.desk.own_id,
                remittance="commission", actor="staff:maker", at=self.desk.at,
            )  # fmt: skip

    @precondition(lambda self: self.desk.closing > 10)
    @rule(minor=st.integers(1, 10))
    def the_bank_charges(self, minor: int) -> None:
        self.bank(Line(-minor, family="CHRG"))

    @invariant()
    def the_books_agree_with_the_model(self) -> None:
        self.run(self.compare())

    async def compare(self) -> None:
        await self.desk.check()
        async with self.database.read() as session:
            assert await invoice_gaps(session) == []
            left = {m.sub: m.amount.minor for m in await ledger.balances(session, "C.UNALLOC")}
            for movement, minor in self.free.items():
                assert left.get(str(movement), 0) == minor
            for one in self.cases:
                sub = f"{one.case.id}/{one.who}"
                owed = await ledger.balance_of(session, "C.CLIENT", sub, "EUR")
                assert owed.minor == one.owed >= 0
                to_own = await ledger.balance_of(session, "C.TOOWN", str(one.case.id), "EUR")
                assert to_own.minor == one.fee - one.swept >= 0
                sums = await session.execute(INVOICED, {"case": one.case.id})
                gross, net, vat = sums.one()
                assert (gross, net + vat) == (one.fee, one.fee)
            for payout in self.payouts:
                live = payout.state in ("approved", "exported")
                kept = await ledger.balance_of(session, "C.PAYOUT", str(payout.item.id), "EUR")
                assert kept.minor == (payout.item.amount.minor if live else 0)


INVOICED = text(
    "SELECT coalesce(sum(gross_minor), 0), coalesce(sum(net_minor), 0),"
    " coalesce(sum(vat_minor), 0) FROM commission_invoices WHERE case_id = :case"
)


@pytest.mark.slow
def test_random_histories_keep_every_invariant(databases: Databases) -> None:
    with asyncio.Runner() as runner:
        MoneyMachine.runner, MoneyMachine.databases = runner, databases
        run_state_machine_as_test(
            MoneyMachine,
            settings=settings(
                max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None,
                derandomize="MONEY_FUZZ_EXAMPLES" not in os.environ,
                suppress_health_check=list(HealthCheck), print_blob=True,
            ),
        )  # fmt: skip
