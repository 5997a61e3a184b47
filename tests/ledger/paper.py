"""Books on paper: the ledger's own rules in memory, for long random histories.

It composes with the real posting rules and refuses as the database does: unbalanced, below zero on
a guarded account, one key with two contents, a second reversal, books that disagree.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.domain.book_entries import Step
from app.domain.posting_rules import LegDraft, TxnDraft, compose, mirrored
from app.playbooks.chart import load_chart
from app.playbooks.posting_rules import load_posting_rules

RULES = load_posting_rules()
CHART = {account.name: account for account in load_chart()}
MIRRORS = (("C.TOOWN", "O.FROMCLIENT"), ("C.FROMOWN", "O.TOCLIENT"))
Place = tuple[str, str, str]  # account, sub-account, currency


class Missing(Exception):
    """A guarded sub-account would fall below zero."""


class Reused(Exception):
    """The same key came with another content, or a posting is taken back twice."""


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands under one key: its transactions, one per book, with the currency."""

    content: object
    txns: tuple[tuple[str, TxnDraft], ...]
    reverses: str | None = None


@dataclass
class Books:
    """Both books. Nothing is ever changed in ``log``; ``balance`` follows it."""

    log: dict[str, Paper] = field(default_factory=dict)
    balance: Counter[Place] = field(default_factory=Counter)
    reversed: dict[str, str] = field(default_factory=dict)
    together: list[dict[str, Paper]] = field(default_factory=list)  # by transaction

    def post(self, steps: Iterable[tuple[str, Step, str]]) -> int:
        """Post (key, step, currency) together, all or none; how many were new."""
        papers: dict[str, Paper] = {}
        for key, step, currency in steps:
            content = (step.kind, currency, sorted(step.amounts.items()), sorted(step.subs.items()))
            known = self.log.get(key) or papers.get(key)
            if known is not None:
                if known.content != content:
                    raise Reused(key)
                continue
            drafts = compose(RULES, step.kind, currency, step.amounts, step.subs)
            papers[key] = Paper(content, tuple((currency, draft) for draft in drafts))
        return self.write(papers)

    def reverse(self, pairs: Iterable[tuple[str, str]]) -> int:
        """Mirror what stands under each first key, under the second."""
        papers: dict[str, Paper] = {}
        for original, key in pairs:
            if self.reversed.get(original, key) != key:
                raise Reused(original)
            if key not in self.log:
                txns = tuple((c, mirrored(draft)) for c, draft in self.log[original].txns)
                papers[key] = Paper(("reversal", original), txns, original)
        return self.write(papers)

    def write(self, papers: Mapping[str, Paper]) -> int:
        moved = moves(papers.values())
        for (account, sub, currency), minor in moved.items():
            if CHART[account].guarded and self.balance[account, sub, currency] + minor < 0:
                raise Missing(f"{account}/{sub} {currency}")
        self.log.update(papers)
        self.together.append(dict(papers))
        self.balance.update(moved)
        for key, paper in papers.items():
            if paper.reverses is not None:
                self.reversed[paper.reverses] = key
        return len(papers)

    def of(self, account: str, sub: str, currency: str) -> int:
        return self.balance[account, sub, currency]

    def total(self, account: str, currency: str) -> int:
        return sum(m for (a, _, c), m in self.balance.items() if (a, c) == (account, currency))

    def check(self) -> None:
        """Invariants 2, 3 and 4 from the balances."""
        books: dict[tuple[str, str], int] = defaultdict(int)
        mirrors: dict[tuple[int, str, str], int] = defaultdict(int)
        for (account, sub, currency), minor in self.balance.items():
            of = CHART[account]
            assert minor >= 0 or not of.guarded, (account, sub, currency, minor)
            books[of.book, currency] += minor if of.debit_is_plus else -minor
            for at, pair in enumerate(MIRRORS):
                if account in pair:
                    mirrors[at, sub, currency] += minor if account == pair[0] else -minor
        assert not any(books.values()), "each book sums to zero in each currency"
        assert not any(mirrors.values()), "the two books agree about what they owe each other"


def moves(papers: Iterable[Paper]) -> Counter[Place]:
    """What papers change, each account in its own direction; invariant 1 on the way."""
    found: Counter[Place] = Counter()
    for paper in papers:
        for currency, draft in paper.txns:
            legs: tuple[LegDraft, ...] = draft.legs
            assert len(legs) >= 2 and sum(leg.debit - leg.credit for leg in legs) == 0
            for leg in legs:
                assert (leg.debit > 0) != (leg.credit > 0)
                assert CHART[leg.account].book == draft.book
                change = leg.debit - leg.credit
                plus = CHART[leg.account].debit_is_plus
                found[leg.account, leg.sub, currency] += change if plus else -change
    return found
