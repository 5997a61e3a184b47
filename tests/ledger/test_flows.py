"""Random histories over every flow of the design on paper, with repeats, other contents, crashes.

The books are the real posting rules, fees and entries; only the database is paper. After every step
invariants 1 to 11, 13, 14, 18, 20 and 21 of the design hold, and 12 as far as a balance goes. What
needs the database itself is proved there: 12 by import, 15, 16 and 22 by the tests of payouts and
erasure, 17 by the test of closing, 19 by the tests of money, 21 under concurrency by the tests of
allocation. ``./run fuzz`` lives a thousand lives of a hundred steps (FLOW_LIVES, FLOW_STEPS).
"""

from __future__ import annotations

import hashlib
import os
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from app.domain.settlement import fee_total
from tests.ledger.flow_entries import FLOWS
from tests.ledger.flows import Agency
from tests.ledger.paper import Books, moves

# In an order of its own, so that what follows from money stands beside what brings it.
NAMES = sorted(FLOWS, key=lambda name: hashlib.sha256(name.encode()).digest())
# The way of most money, more often than what is rare.
USUAL = ["1, 19 money comes", "2, 3, 15 allocated", "5 payout", "4, 6, 16 settled",
         "24, 25 taken back", "26 set off"]  # fmt: skip
SEEN: Counter[str] = Counter()


class Life(RuleBasedStateMachine):
    """One agency's life."""

    def __init__(self) -> None:
        super().__init__()
        self.agency = Agency()

    @rule(seed=st.integers(0, 2**40))
    def something_happens(self, seed: int) -> None:
        luck = random.Random(seed * 1_000 + self.agency.counter)
        SEEN["steps"] += 1
        if self.agency.last and luck.random() < 0.1:
            SEEN["repeats"] += self.agency.again(luck.random() < 0.5)
            return
        self.agency.crash = luck.random() < 0.1
        at = luck.randrange(len(NAMES)) if luck.random() < 0.7 else NAMES.index(luck.choice(USUAL))
        x, y, z = (luck.randrange(2**16) for _ in range(3))
        for name in NAMES[at:] + NAMES[:at]:  # what cannot happen now gives way to the next
            if FLOWS[name](self.agency, x, y, z):
                SEEN[name] += 1
                break

    @invariant()
    def the_books_hold(self) -> None:
        a = self.agency
        a.books.check()  # 2, 3, 4, 20
        for currency in ("EUR", "KWD"):
            assert a.books.total("C.BANK", currency) == a.bank[currency]  # 12
            assert a.books.total("C.STRIPE", currency) == a.stripe[currency]  # 13
            assert a.books.total("O.SUSPENSE", currency) == a.suspense[currency]
            invoiced = sum(v.open for v in a.invoices if v.case.currency == currency)
            assert a.books.total("O.COMMREC", currency) == invoiced
            assert all(a.books.of("O.CLAWBACK", c.name, c.currency) >= 0 for c in a.cases)
        for case in a.cases:
            assert case.owed == sum(  # 5
                a.books.of("C.CLIENT", f"{case.name}/{who}", case.currency)
                for who in {item.claimant_id for item in case.items}
            )
        self.fees_hold()
        for item in a.payouts:  # 14
            held = item.amount if item.state == "approved" else 0
            assert a.books.of("C.PAYOUT", item.name, item.currency) == held
            back = item.amount if item.state == "returned" else 0
            assert a.books.of("C.RETURN", item.name, item.currency) == back

    def fees_hold(self) -> None:
        a = self.agency
        for case in [*a.cases, a.direct]:
            assert case.fee == fee_total(case.rule, case.basis)  # 9
            assert 0 <= case.waived <= case.fee <= case.basis
            assert sum(a.basis_by(case).values()) == (0 if case is a.direct else case.basis)
            posted = a.posted(case).values()
            assert sum(p.gross_minor for p in posted) == case.fee - case.waived
        for currency in ("EUR", "KWD"):  # 10
            documents = sum(d[3] for d in a.documents if a.currency_of(d[1], d[2]) == currency)
            income = sum(a.books.total(o, currency) for o in ("O.COMM", "O.LEGALFEE", "O.VAT"))
            assert income + a.relief[currency] == documents
        assert [d[0] for d in a.documents] == list(range(1, len(a.documents) + 1))  # 21

    def teardown(self) -> None:
        """7: the whole log once more, into empty books, gives the same balances."""
        books = self.agency.books
        again = Books()
        for papers in books.together:
            again.write(papers)
        assert again.balance == books.balance == moves(books.log.values())
        SEEN["lives"] += 1
        SEEN["postings"] += sum(len(paper.txns) for paper in books.log.values())


def live(lives: int, steps: int, *, derandomize: bool) -> None:
    SEEN.clear()
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=lives, stateful_step_count=steps, deadline=None, database=None,
            derandomize=derandomize, suppress_health_check=list(HealthCheck), print_blob=True,
            phases=(Phase.generate,),  # shrinking sixty steps takes minutes
        ),
    )  # fmt: skip


def test_fifty_lives_of_sixty_steps_keep_every_invariant() -> None:
    live(50, 60, derandomize=True)
    assert SEEN["lives"] >= 50 and SEEN["steps"] > 2_500
    assert len(set(FLOWS) - set(SEEN)) < 10  # all of them in the long run


@pytest.mark.fuzz
def test_a_thousand_lives_of_a_hundred_steps(capsys: pytest.CaptureFixture[str]) -> None:
    lives = int(os.environ.get("FLOW_LIVES", "1000"))
    live(lives, int(os.environ.get("FLOW_STEPS", "100")), derandomize=False)
    with capsys.disabled():
        print(f"\n{SEEN['lives']} lives, {SEEN['steps']} steps, {SEEN['postings']} transactions")
        for flow in sorted(FLOWS):
            print(f"  {SEEN[flow]:8d}  {flow}")
        print(f"  {SEEN['repeats']:8d}  repeats")
    assert SEEN["lives"] >= lives and set(FLOWS) - set(SEEN) == set()
