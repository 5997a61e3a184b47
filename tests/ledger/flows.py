"""An agency on paper that lives through every flow of money: what it believes beside its books.

Each flow is a method that says whether it happened; a flow that has nothing to act on does not. The
decisions are those of the product: fees by ``settlement``, entries by ``book_entries``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from app.domain.book_entries import Plan, Step, Taken, net_clawback, take_back, waive
from app.domain.money import split_largest_remainder
from app.domain.settlement import (
    STANDARD_2026,
    FeeRule,
    ItemDue,
    ItemShare,
    Posted,
    fee_total,
    set_against_items,
    settle,
    vat_inside,
)
from tests.ledger.paper import Books, Missing, Reused

DAY = date(2026, 3, 3)
VAT = str(STANDARD_2026.vat_bp)


@dataclass
class Case:
    """A case with its items, and what we believe of its money (minor units)."""

    name: str
    currency: str
    items: list[ItemDue]
    rule: FeeRule = STANDARD_2026
    open: dict[str, int] = field(default_factory=dict)
    basis: int = 0
    fee: int = 0  # of the basis, before waivers
    waived: int = 0
    allocated: int = 0
    reversed: int = 0
    adjusted: int = 0
    charged: int = 0  # outlays with a separate yes
    paid: int = 0
    flying: int = 0
    back: int = 0  # returned by the bank, not given back yet

    def __post_init__(self) -> None:
        self.open = {item.item_id: item.open_minor for item in self.items}

    @property
    def owed(self) -> int:
        """Invariant 5 solved for what is still owed."""
        there = self.allocated - self.reversed + self.adjusted
        return there - (self.fee - self.waived) - self.charged - self.paid - self.flying - self.back

    def due(self) -> list[ItemDue]:
        return [
            ItemDue(i.item_id, i.claimant_id, self.open[i.item_id], i.earns_fee) for i in self.items
        ]


@dataclass
class Allocation:
    name: str
    case: Case
    movement: str
    shares: tuple[ItemShare, ...]
    keys: list[str]
    fees: dict[str, tuple[int, int]]
    taken: Counter[str] = field(default_factory=Counter)  # by item, taken back since
    gone: bool = False

    @property
    def left(self) -> int:
        return sum(s.amount_minor for s in self.shares) - sum(self.taken.values())


@dataclass
class Payout:
    name: str
    kind: str  # consumer, payer, sweep
    amount: int
    currency: str
    case: Case | None = None
    who: str = ""
    movement: str = ""
    state: str = "approved"


@dataclass
class Invoice:
    name: str
    case: Case
    who: str
    gross: int
    vat: int
    open: int


class Agency:
    """The books, and everything we know besides."""

    def __init__(self) -> None:
        self.books = Books()
        self.cases = [
            Case("k1", "EUR", [ItemDue("k1a", "p", 10_003, True)]),
            Case(
                "k2",
                "EUR",
                [
                    ItemDue("k2a", "p", 7_777, True),
                    ItemDue("k2b", "q", 1_111, True),
                    ItemDue("k2c", "q", 500, False),
                ],
            ),
            Case("k3", "KWD", [ItemDue("k3a", "p", 90_001, True)]),
        ]
        # Mode B: the company pays the consumer, only our invoice moves.
        self.direct = Case("k4", "EUR", [ItemDue("k4a", "p", 40_000, True)])  # fmt: skip
        self.costs = Case("costs", "EUR", [])  # invoices for costs, by currency in place of a name
        self.counter = 0
        self.receipts: dict[str, str] = {}  # movement -> currency
        self.debits: dict[str, str] = {}  # unexplained -> currency
        self.bank: Counter[str] = Counter()  # what the bank says, by currency
        self.stripe: Counter[str] = Counter()
        self.transit: list[tuple[str, int]] = []
        self.allocations: list[Allocation] = []
        self.payouts: list[Payout] = []
        self.invoices: list[Invoice] = []
        self.documents: list[tuple[int, str, str, int, int, bool]] = []
        self.numbers = 0
        self.swept: Counter[str] = Counter()
        self.entries: list[tuple[str, Plan, Case | None, str]] = []  # plain ones, to be taken back
        self.cheques: list[str] = []
        self.suspense: Counter[str] = Counter()  # debits nobody has explained yet
        self.relief: Counter[str] = Counter()  # VAT taken back on bad debts
        self.causes: dict[str, str] = {}  # of C.FROMOWN -> currency
        self.last: list[tuple[str, Step, str]] = []
        self.did: Counter[str] = Counter()
        self.crash = False

    # --- posting --------------------------------------------------------------------------------

    def name(self, kind: str) -> str:
        self.counter += 1
        return f"{kind}{self.counter}"

    def post(self, steps: Sequence[tuple[str, Step, str]]) -> None:
        """One transaction of the database: with ``crash`` it dies on its way and comes again."""
        if self.crash:
            self.crash = False
            before, many = Counter(self.books.balance), len(self.books.log)
            trial = Books(dict(self.books.log), Counter(before), dict(self.books.reversed))
            trial.post(steps[: max(len(steps) // 2, 1)])
            assert (self.books.balance, len(self.books.log)) == (before, many)
        self.books.post(steps)
        self.last = list(steps)

    def one(self, key: str, kind: str, currency: str, subs: dict[str, str], **amounts: int) -> None:
        self.post([(key, Step(kind, amounts, subs), currency)])

    def again(self, other: bool) -> bool:
        """Invariants 7 and 8: the last event once more, the same or with another content."""
        if not self.last:
            return False
        before = Counter(self.books.balance)
        if other:
            key, step, currency = self.last[0]
            wrong = Step(step.kind, {**step.amounts, "amount": 987_654_321, "fee": 3}, step.subs)
            try:
                self.books.post([(key, wrong, currency)])
                raise AssertionError("another content under the same key was taken")
            except Reused:
                pass
        else:
            assert self.books.post(self.last) == 0
        assert self.books.balance == before
        return True

    def document(self, case: Case, who: str, gross: int, vat: int, deducted: bool = True) -> None:
        self.numbers += 1
        self.documents.append((self.numbers, case.name, who, gross, vat, deducted))

    def currency_of(self, case: str, who: str) -> str:
        return who if case == "costs" else "KWD" if case == "k3" else "EUR"

    def posted(self, case: Case, deducted: bool | None = None) -> dict[str, Posted]:
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for _, name, who, gross, vat, how in self.documents:
            if name == case.name and deducted in (None, how):
                sums[who][0] += gross
                sums[who][1] += vat
        return {who: Posted(g, v) for who, (g, v) in sums.items()}

    # --- rows 2, 3, 15, 18: allocation and its fee ------------------------------------------------

    def free(self, movement: str) -> int:
        return self.books.of("C.UNALLOC", movement, self.receipts[movement])

    def allocate(self, movement: str, case: Case, minor: int) -> bool:
        currency = self.receipts[movement]
        minor = min(minor, self.free(movement), sum(case.open.values()))
        if minor <= 0 or currency != case.currency:
            return False
        shares, _ = set_against_items(minor, case.due())
        done = settle(
            case.rule, shares, reason="fee_due", basis_before=case.basis, fee_before=case.fee,
            posted=self.posted(case),
        )  # fmt: skip
        name = self.name("a")
        steps, fees = [], {}
        for part in done.shares:
            subs = {"movement": movement, "case": case.name, "claimant": part.claimant_id,
                    "vat_rate": VAT}  # fmt: skip
            got = Step("money_allocated", {"amount": part.received_minor}, subs)
            steps.append((f"{name}:{part.claimant_id}", got))
            if part.fee_minor:
                fees[part.claimant_id] = (part.fee_minor, part.vat_minor)
                amounts = {"fee": part.fee_minor, "vat": part.vat_minor}
                key = f"{name}:fee:{part.claimant_id}"
                steps.append((key, Step("commission_deducted", amounts, subs)))
        self.post([(key, step, currency) for key, step in steps])
        for who, (fee, vat) in fees.items():
            self.document(case, who, fee, vat)
        for share in shares:
            case.open[share.item_id] -= share.amount_minor
        case.basis, case.fee = done.basis_total_minor, done.fee_total_minor
        case.allocated += minor
        self.allocations.append(
            Allocation(name, case, movement, shares, [key for key, _ in steps], fees)
        )
        return True

    def undo(self, one: Allocation) -> bool:
        """By its mirror; what the rest of the case then owes differently is posted anew."""
        case = one.case
        if one.gone or one.taken or case.waived:
            return False
        basis = self.basis_by(case, without=one)
        target = fee_total(case.rule, sum(basis.values()))
        correction = target - (case.fee - sum(fee for fee, _ in one.fees.values()))
        try:
            self.books.reverse([(key, f"undo:{key}") for key in one.keys])
        except Missing:
            return False  # some of it was spent, charged, set off or swept since
        for who, (fee, vat) in one.fees.items():
            self.document(case, who, -fee, -vat)
        self.correct(case, correction, basis, one.name)
        for share in one.shares:
            case.open[share.item_id] += share.amount_minor
        case.allocated -= one.left
        case.basis, case.fee, one.gone = sum(basis.values()), target, True
        return True

    def correct(self, case: Case, correction: int, basis: dict[str, int], name: str) -> None:
        who = sorted(w for w in basis if basis[w])
        if not correction or not who:
            return
        posted = self.posted(case)
        steps = []
        for claimant, fee in zip(
            who, split_largest_remainder(correction, [basis[w] for w in who]), strict=True
        ):
            if fee:
                was = posted.get(claimant, Posted())
                vat = vat_inside(was.gross_minor + fee, case.rule.vat_bp) - was.vat_minor
                subs = {"case": case.name, "claimant": claimant, "vat_rate": VAT}
                step = Step("commission_deducted", {"fee": fee, "vat": vat}, subs)
                steps.append((f"correct:{name}:{claimant}", step, case.currency))
                self.document(case, claimant, fee, vat)
        self.post(steps)

    def basis_by(self, case: Case, without: Allocation | None = None) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for one in self.allocations:
            if one.case is case and not one.gone and one is not without:
                for share in one.shares:
                    if share.earns_fee:
                        found[share.claimant_id] += share.amount_minor - one.taken[share.item_id]
        return found

    # --- rows 24, 25: taken back ------------------------------------------------------------------

    def taken_back(self, one: Allocation, minor: int, debit: str) -> bool:
        case = one.case
        minor = min(minor, one.left)
        if minor <= 0 or one.gone:
            return False
        left = [s.amount_minor - one.taken[s.item_id] for s in one.shares]
        parts = split_largest_remainder(minor, left)
        by: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for share, part in zip(one.shares, parts, strict=True):
            by[share.claimant_id][0] += part
            by[share.claimant_id][1] += part * share.earns_fee
        basis = case.basis - sum(b for _, b in by.values())
        fee = fee_total(case.rule, basis) if basis != case.basis else case.fee
        waived = min(case.waived, fee)
        back = (case.fee - case.waived) - (fee - waived)
        who = sorted(w for w in by if by[w][0])
        fees = dict(zip(who, split_largest_remainder(back, [by[w][1] for w in who])
                        if back else [0] * len(who), strict=True))  # fmt: skip
        posted = self.posted(case)
        taken = []
        for w in who:
            was = posted.get(w, Posted())
            vat = was.vat_minor - vat_inside(max(was.gross_minor - fees[w], 0), case.rule.vat_bp)
            held = self.books.of("C.CLIENT", f"{case.name}/{w}", case.currency)
            taken.append(Taken(w, by[w][0], fees[w], vat if fees[w] else 0, held))
        unswept = self.books.of("C.TOOWN", case.name, case.currency)
        plan = take_back(case.name, debit, VAT, taken, unswept=unswept)
        self.run(plan, case.currency)
        self.suspense[case.currency] -= minor
        for step in plan.steps:  # we lend only what the claimant does not hold
            if step.amounts.get("short"):
                sub = f"{case.name}/{step.subs['claimant']}"
                assert not self.books.of("C.CLIENT", sub, case.currency)
        for one_of in taken:
            if one_of.fee:
                self.document(case, one_of.claimant, -one_of.fee, -one_of.vat)
        for share, minor_part in zip(one.shares, parts, strict=True):
            one.taken[share.item_id] += minor_part
            case.open[share.item_id] += minor_part
        case.basis, case.fee, case.waived = basis, fee, waived
        case.reversed += minor
        case.adjusted += plan.tells.adjusted
        return True

    def run(self, plan: Plan, currency: str) -> str:
        name = self.name("e")
        self.post([(f"{name}:{at}", step, currency) for at, step in enumerate(plan.steps)])
        for step in plan.steps:
            for blank in ("cause", "debit", "entry"):
                if step.subs.get(blank):
                    self.causes[step.subs[blank]] = currency
        return name

    def waive_fee(self, case: Case, who: str, minor: int) -> bool:
        was = self.posted(case, deducted=True).get(who, Posted())
        minor = min(minor, case.fee - case.waived, was.gross_minor)
        if minor <= 0:
            return False
        vat = was.vat_minor - vat_inside(was.gross_minor - minor, case.rule.vat_bp)
        name = self.name("w")
        unswept = self.books.of("C.TOOWN", case.name, case.currency)
        plan = waive(Taken(who, 0, minor, vat, 0), case.name, name, VAT, unswept=unswept)
        self.run(plan, case.currency)
        self.document(case, who, -minor, -vat)
        case.waived += minor
        return True

    def set_off(self, case: Case, who: str, cause: str, minor: int) -> bool:
        owed = self.books.of("C.CLIENT", f"{case.name}/{who}", case.currency)
        claw = self.books.of("O.CLAWBACK", case.name, case.currency)
        minor = min(minor, owed, claw)
        if minor <= 0 or self.causes.get(cause) != case.currency:
            return False
        lent = self.books.of("C.FROMOWN", cause, case.currency)
        self.run(net_clawback(case.name, who, cause, minor, owed=owed, lent=lent, clawback=claw),
                 case.currency)  # fmt: skip
        case.adjusted -= minor
        return True


Flow = Callable[[Agency, int, int, int], bool]
