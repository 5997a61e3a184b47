"""`./run bench money`: a made-up year through the cascade, and what came of it.

The pure cascade decides; a person sets right what it only suggested. False is a confirmation of
another case or another sum than the truth of the year, or of money that is nobody's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from app.banking.match_rules import load_rules
from app.clock import monotonic
from app.domain.matching import Facts, Receipt, Rules, Suggestion, keys_of, match, read_advice
from bench.money_year import Year, YearCase, YearLine, make_year

CASES, MOVEMENTS, SEED = 20_000, 60_000, 20_261_128
ALL_MIN, REFERENCE_MIN = 90.0, 100.0  # percent that confirm by themselves
SLOWEST_MS = 50.0


@dataclass
class Counts:
    """What became of the receipts, by the way the payer named them."""

    receipts: Counter[str] = field(default_factory=Counter)
    confirmed: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    best_right: Counter[str] = field(
        default_factory=Counter
    )  # not confirmed, first suggestion right
    steps: Counter[str] = field(default_factory=Counter)
    minor: Counter[str] = field(default_factory=Counter)  # all, confirmed
    movements: int = 0
    slowest_ms: float = 0.0
    seconds: float = 0.0
    examples: list[tuple[YearLine, Suggestion]] = field(default_factory=list)

    @property
    def payments(self) -> int:
        """Receipts that belong to a case: without strangers and our own returned payouts."""
        return sum(n for kind, n in self.receipts.items() if kind not in NOT_OURS)

    @property
    def rate(self) -> float:
        done = sum(n for kind, n in self.confirmed.items() if kind not in NOT_OURS)
        return 100 * done / max(1, self.payments)

    @property
    def reference_rate(self) -> float:
        return 100 * self.confirmed[OURS] / max(1, self.receipts[OURS])


OURS = "our reference"
NOT_OURS = ("stranger", "returned payout", "twin with our reference")


class Desk:
    """The year day by day: what is known when a line is booked, and what it changes."""

    def __init__(self, year: Year, rules: Rules) -> None:
        self.year, self.rules, self.counts = year, rules, Counts()
        self.by_ref: dict[str, YearCase] = {}
        self.by_booking: dict[str, list[YearCase]] = defaultdict(list)
        self.by_company: dict[str, list[YearCase]] = defaultdict(list)
        self.learned: dict[str, set[str]] = defaultdict(set)
        for case in year.cases.values():
            self.by_ref[case.payment_ref] = self.by_ref[case.reference] = case
            self.by_company[str(case.company)].append(case)
            if case.booking_ref:
                self.by_booking[case.booking_ref].append(case)
        self.names = {name.casefold(): str(at) for at, name in enumerate(year.companies)}

    def run(self) -> Counts:
        began = monotonic()
        for line in self.year.lines:
            self.counts.movements += 1
            if line.receipt is not None:
                self._line(line, line.receipt)
        self.counts.seconds = monotonic() - began
        return self.counts

    def _line(self, line: YearLine, receipt: Receipt) -> None:
        for case_id, said in line.promises:
            self.year.cases[case_id].promised.append(said)
        for case_id in line.asks:
            self.year.cases[case_id].asks = True
        facts = self._facts(line, receipt)
        began = monotonic()
        found = match(receipt, facts, self.rules)
        self.counts.slowest_ms = max(self.counts.slowest_ms, 1000 * (monotonic() - began))
        self._count(line, receipt, found)
        truth = self._truth_now(line)
        if not (found and found[0].confirms) and receipt.payer_token:
            for case_id, _ in truth:  # a person's decision teaches the payer's account
                self.learned[receipt.payer_token].add(str(self.year.cases[case_id].company))
        for case_id, minor in truth:
            self.year.cases[case_id].open_minor -= minor
        for case_id in line.asks:
            self.year.cases[case_id].asks = False

    def _facts(self, line: YearLine, receipt: Receipt) -> Facts:
        keys = keys_of(receipt, self.rules)
        lines = read_advice(line.advice, receipt.currency) if line.advice else ()
        named_in_list = [ref for one in lines for ref in one.references]
        wanted = {*keys.references, *keys.near, *named_in_list}
        cases = {self.by_ref[ref].id: self.by_ref[ref] for ref in wanted if ref in self.by_ref}
        for word in keys.booking_words:
            cases |= {case.id: case for case in self.by_booking.get(word, ())}
        payer = self.learned.get(receipt.payer_token or "", set())
        name = (receipt.payer_name or "").casefold()
        named = {company for known, company in self.names.items() if known in name}
        for company in payer | named:
            for case in self.by_company[company]:
                if case.open_minor > 0 and case.opened <= receipt.booked_on:
                    cases[case.id] = case
        return Facts(
            tuple(self.year.facts(case) for case in cases.values()),
            frozenset(payer), frozenset(named), lines,
        )  # fmt: skip

    def _truth_now(self, line: YearLine) -> list[tuple[str, int]]:
        """The lines of a case may be booked in another order than they were made up in."""
        return [
            (case_id, min(minor, self.year.cases[case_id].open_minor))
            for case_id, minor in line.truth
            if self.year.cases[case_id].open_minor > 0
        ]

    def _count(self, line: YearLine, receipt: Receipt, found: tuple[Suggestion, ...]) -> None:
        counts, kind = self.counts, line.kind
        counts.receipts[kind] += 1
        counts.minor["all"] += receipt.amount_minor
        first = found[0] if found else None
        truth = sorted(self._truth_now(line))
        right = first is not None and truth == sorted(
            (p.case_id, p.amount_minor) for p in first.parts
        )
        if first is not None and first.confirms:
            counts.confirmed[kind] += 1
            counts.steps[first.step] += 1
            counts.minor["confirmed"] += receipt.amount_minor
            if not right:
                counts.false[kind] += 1
                counts.examples.append((line, first))
        elif right:
            counts.best_right[kind] += 1


def run_year(cases: int, movements: int, seed: int) -> Counts:
    return Desk(make_year(cases, movements, seed), load_rules()).run()


def main(scale: float = 1.0) -> Counts:
    return run_year(int(CASES * scale), int(MOVEMENTS * scale), SEED)


def show(found: Counts) -> None:
    print(f"{found.movements:,} movements, {sum(found.receipts.values()):,} of them receipts")
    print(f"{'how it was named':28}{'receipts':>9}{'confirmed':>10}{'false':>7}{'first right':>12}")
    for kind, many in found.receipts.most_common():
        print(
            f"{kind:28}{many:>9,}{found.confirmed[kind]:>10,}{found.false[kind]:>7}"
            f"{found.best_right[kind]:>12,}"
        )
    print("confirmed by step: " + ", ".join(f"{s} {n:,}" for s, n in found.steps.most_common()))
    by_value = 100 * found.minor["confirmed"] / max(1, found.minor["all"])
    print(
        f"all payments {found.rate:.2f} % by themselves, with our reference"
        f" {found.reference_rate:.2f} %, by value {by_value:.1f} %; false {found.false.total()};"
        f" slowest {found.slowest_ms:.1f} ms, {found.seconds:.1f} s in all"
    )
