"""A made-up year of money, for counting what the cascade gets right and wrong.

Everything follows from the seed. 20,000 cases against 240 companies and 60,000 movements: receipts
with our reference in the field, in the text or in the end-to-end id; 5 % without any reference, 2 %
with a wrong one (a typing error, of which some fit the check digit and name another case); parts,
twins, batches with and without a list, sums in full settlement, returned payouts, strangers; the
rest of the lines are payouts and charges, which are no receipts. A person sets right what did
not confirm, and that teaches the payer's account.

What is not in the year: a payer who names another case of the same company by a whole, right
reference and says nothing else. No line can show that; finance undoes it when somebody asks.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from app.domain.bank_refs import in_fives, national_reference, rf_reference
from app.domain.matching.facts import CaseFacts, Promised, Receipt
from app.domain.reference import ALPHABET, format_reference

START = date(2026, 1, 1)
COMPANY_OF = 84  # cases per company
FIRST_NUMBER = 100_000  # of the running payment numbers
FIXED = (25_000, 40_000, 60_000)  # sums that a law fixes: many cases ask for the same
NAMES = (
    "Nordvind", "Kaleva", "Aurora", "Baltia", "Saimaa", "Pohjola", "Borealis", "Meridian", "Vista",
    "Polaris", "Ostra", "Lumen", "Tellus", "Arctos", "Solaris", "Iberis", "Gallia", "Rhenus",
    "Danubia", "Hansa",
)  # fmt: skip
KINDS = ("Air", "Travel", "Rail", "Shop", "Media", "Energy", "Mobile", "Hotels", "Fitness",
         "Tickets", "Cruises", "Parcel")  # fmt: skip


@dataclass(slots=True)
class YearCase:
    id: str
    reference: str
    payment_ref: str
    company: int
    booking_ref: str | None
    open_minor: int
    opened: date
    promised: list[Promised] = field(default_factory=list)
    asks: bool = False


@dataclass(frozen=True, slots=True)
class YearLine:
    """One movement. ``truth`` is what a person would do: case -> minor; empty for money of nobody.
    ``kind`` says how the payer named it; ``advice`` is the list that came by mail."""

    on: date
    kind: str
    receipt: Receipt | None
    truth: tuple[tuple[str, int], ...] = ()
    advice: str = ""
    promises: tuple[tuple[str, Promised], ...] = ()  # said before this line was booked
    asks: tuple[str, ...] = ()


@dataclass(slots=True)
class Year:
    cases: dict[str, YearCase]
    companies: list[str]
    lines: list[YearLine]

    def facts(self, case: YearCase) -> CaseFacts:
        return CaseFacts(
            case.id, case.reference, case.payment_ref, str(case.company),
            self.companies[case.company], "EUR", case.open_minor, case.booking_ref,
            tuple(case.promised), case.asks,
        )  # fmt: skip


def make_year(cases: int, movements: int, seed: int) -> Year:
    return _Maker(random.Random(seed), cases, movements).make()


class _Maker:
    def __init__(self, chance: random.Random, cases: int, movements: int) -> None:
        self.chance = chance
        self.movements = movements
        names = [f"{name} {kind}" for name in NAMES for kind in KINDS]
        count = max(3, min(len(names), cases // COMPANY_OF))
        self.companies = chance.sample(names, count)
        self.accounts = [
            [f"acc-{at}-{n}" for n in range(chance.choice((1, 1, 1, 2, 3)))] for at in range(count)
        ]
        self.cases = {case.id: case for case in map(self._case, range(cases))}
        self.by_company: dict[int, list[YearCase]] = defaultdict(list)
        for case in self.cases.values():
            self.by_company[case.company].append(case)
        self.left = {case.id: case.open_minor for case in self.cases.values()}

    def _case(self, at: int) -> YearCase:
        chance = self.chance
        sum_minor = chance.choice(FIXED) if chance.random() < 0.6 else chance.randint(900, 250_000)
        booking = "".join(chance.choice(ALPHABET) for _ in range(6))
        return YearCase(
            id=f"case-{at:06d}", reference=format_reference(at * 7_919 + 1),
            payment_ref=national_reference(FIRST_NUMBER + at),
            company=chance.randrange(len(self.companies)),
            booking_ref=booking if chance.random() < 0.8 else None, open_minor=sum_minor,
            opened=START + timedelta(days=chance.randrange(300)),
        )  # fmt: skip

    def make(self) -> Year:
        self._share_bookings()
        lines = [line for case in list(self.cases.values()) for line in self._of_case(case)]
        lines += list(self._batches())
        lines += [self._stranger(at) for at in range(len(lines) // 250)]
        lines += [self._returned(case) for case in self.cases.values() if self._one_in(70)]
        while len(lines) < self.movements:
            on = START + timedelta(days=self.chance.randrange(365))
            lines.append(YearLine(on, "payout or charge", None))
        lines.sort(key=lambda line: line.on)
        return Year(self.cases, self.companies, lines)

    def _one_in(self, many: int) -> bool:
        return self.chance.randrange(many) == 0

    def _share_bookings(self) -> None:
        """Two travellers of one booking are two cases."""
        for group in self.by_company.values():
            for first, second in zip(group[::10], group[1::10], strict=False):
                second.booking_ref, second.open_minor = first.booking_ref, first.open_minor
                self.left[second.id] = second.open_minor

    # --- payments ----------------------------------------------------------------------------

    def _of_case(self, case: YearCase) -> Iterator[YearLine]:
        if self.chance.random() < 0.12:
            return  # never pays, or is paid with a batch
        on = case.opened + timedelta(days=self.chance.randint(5, 60))
        parts = self._parts(case)
        for minor in parts:
            yield self._payment(case, minor, on)
            on += timedelta(days=self.chance.randint(1, 30))
        if self._one_in(100):
            yield self._payment(case, parts[-1], on, twin=True)

    def _parts(self, case: YearCase) -> list[int]:
        draw, whole = self.chance.random(), case.open_minor
        if draw < 0.80:
            return [whole]
        if draw < 0.92:
            first = self.chance.randint(1, whole - 1)
            return [first, whole - first]
        if draw < 0.95:
            return [max(1, whole // 2)]
        return [whole + self.chance.randint(1, 5_000)]  # more than the claim

    def _payment(self, case: YearCase, minor: int, on: date, *, twin: bool = False) -> YearLine:
        takes = min(minor, self.left[case.id])  # a twin covers what is still open, and no more
        self.left[case.id] -= takes
        truth = ((case.id, takes),) if takes else ()
        promises: tuple[tuple[str, Promised], ...] = ()
        if self.chance.random() < 0.4:
            said = on - timedelta(days=self.chance.randint(1, 30))
            promises = ((case.id, Promised(minor, max(said, case.opened))),)
        draw = self.chance.random()
        if draw < 0.05:
            return self._without(case, minor, on, truth, promises)
        if draw < 0.07:
            return self._wrong(case, minor, on, truth, promises)
        if draw < 0.085 and minor < case.open_minor and not twin:
            return self._in_full(case, minor, on, truth)
        kind = "twin with our reference" if not takes else "our reference"
        return YearLine(on, kind, self._with_reference(case, minor, on), truth, promises=promises)

    def _receipt(
        self, case: YearCase, minor: int, on: date, *, field: str | None = None,
        end: str | None = "NOTPROVIDED", text: str = "",
    ) -> Receipt:  # fmt: skip
        account = self.chance.choice(self.accounts[case.company])
        name = self.companies[case.company]
        shown = self.chance.choice((name, f"{name} Oy", name.upper(), f"{name} AB (publ)"))
        return Receipt(minor, "EUR", on, field, end, text, shown, account)

    def _with_reference(self, case: YearCase, minor: int, on: date) -> Receipt:
        rf, plain = rf_reference(case.payment_ref), case.payment_ref
        text = f"refund {case.booking_ref}" if case.booking_ref and self._one_in(3) else "refund"
        draw = self.chance.random()
        if draw < 0.45:
            spelled = self.chance.choice((rf, plain, f"0000{plain}", in_fives(plain)))
            return self._receipt(case, minor, on, field=spelled, text=text)
        if draw < 0.60:
            return self._receipt(case, minor, on, end=self.chance.choice((rf, case.reference)))
        spelled = self.chance.choice(
            (rf, f"{rf[:4]} {rf[4:]}", f"viite {in_fives(plain)}", f"ref. {plain}",
             case.reference, case.reference.replace("-", " ").lower())
        )  # fmt: skip
        return self._receipt(case, minor, on, text=f"{text} {spelled} {self._noise()}")

    def _noise(self) -> str:
        """Numbers that have nothing to do with us: invoices, telephones, days."""
        digits = self.chance.randint(10**5, 10**8)
        return self.chance.choice(("", f"inv {digits}", f"{digits}", f"tel 0{digits}", "2026-05"))

    def _without(
        self, case: YearCase, minor: int, on: date, truth: tuple[tuple[str, int], ...],
        promises: tuple[tuple[str, Promised], ...],
    ) -> YearLine:  # fmt: skip
        booking = f" {case.booking_ref}" if case.booking_ref and self._one_in(2) else ""
        receipt = self._receipt(case, minor, on, text=f"refund{booking} {self._noise()}")
        return YearLine(on, "without reference", receipt, truth, promises=promises)

    def _wrong(
        self, case: YearCase, minor: int, on: date, truth: tuple[tuple[str, int], ...],
        promises: tuple[tuple[str, Promised], ...],
    ) -> YearLine:  # fmt: skip
        """A typing error in the national form; some still fit the check digit. Every fourth is the
        right reference of a case of another company."""
        wrong = self._mistyped(case.payment_ref)
        if self._one_in(4):
            others = [c for c in self.cases.values() if c.company != case.company]
            wrong = self.chance.choice(others).payment_ref if others else wrong
        if self._one_in(2):
            receipt = self._receipt(case, minor, on, field=wrong, text="refund")
        else:
            receipt = self._receipt(case, minor, on, text=f"viite {wrong}")
        return YearLine(on, "wrong reference", receipt, truth, promises=promises)

    def _mistyped(self, right: str) -> str:
        digits = list(right)
        while True:
            at = self.chance.randrange(len(digits) - 1)
            draw = self.chance.random()
            if draw < 0.5:
                digits[at] = self.chance.choice("0123456789")
            elif draw < 0.9:
                digits[at], digits[at + 1] = digits[at + 1], digits[at]
            else:
                digits.pop(at)
            if "".join(digits) != right:
                return "".join(digits)
            digits = list(right)

    def _in_full(
        self, case: YearCase, minor: int, on: date, truth: tuple[tuple[str, int], ...]
    ) -> YearLine:
        """Below the claim and called the whole, in words or by an offer: no machine's decision."""
        said = self._one_in(2)
        words = self.chance.choice(
            ("in full and final settlement", "kertakaikkinen korvaus", "solde de tout compte",
             "zur vollständigen Abgeltung", "slutlig reglering")
        )  # fmt: skip
        receipt = self._receipt(
            case, minor, on, field=rf_reference(case.payment_ref), text=words if said else ""
        )
        asks = () if said else (case.id,)
        return YearLine(on, "in full settlement", receipt, truth, asks=asks)

    # --- batches, returns, strangers ---------------------------------------------------------

    def _batches(self) -> Iterator[YearLine]:
        """Cases that were not paid alone, several in one payment."""
        for company, group in self.by_company.items():
            whole = [c for c in group if self.left[c.id] == c.open_minor]
            while len(whole) >= 2:
                size = min(len(whole), self.chance.randint(2, 12))
                chosen, whole = whole[:size], whole[size:]
                if len(chosen) >= 2 and self.chance.random() < 0.8:
                    yield self._batch(company, chosen)

    def _batch(self, company: int, chosen: list[YearCase]) -> YearLine:
        on = max(c.opened for c in chosen) + timedelta(days=self.chance.randint(5, 40))
        total = sum(c.open_minor for c in chosen)
        truth = tuple((c.id, c.open_minor) for c in chosen)
        for case in chosen:
            self.left[case.id] = 0
        draw = self.chance.random()
        if draw < 0.35 and len(chosen) <= 5:
            text = " ".join(rf_reference(c.payment_ref) for c in chosen)
            receipt = self._receipt(chosen[0], total, on, text=text)
            return YearLine(on, "batch, references in text", receipt, truth)
        receipt = self._receipt(chosen[0], total, on, text="refunds")
        if draw < 0.85:
            rows = [
                f"{rf_reference(c.payment_ref)};{c.open_minor // 100},{c.open_minor % 100:02d}"
                for c in chosen
            ]
            advice = "\n".join(["reference;amount", *rows])
            return YearLine(on, "batch with a list", receipt, truth, advice)
        return YearLine(on, "batch without anything", receipt, truth)

    def _stranger(self, at: int) -> YearLine:
        on = START + timedelta(days=self.chance.randrange(365))
        digits = self.chance.randint(10**6, 10**8)
        receipt = Receipt(
            self.chance.choice((*FIXED, self.chance.randint(500, 90_000))), "EUR", on, None,
            "NOTPROVIDED", f"invoice {digits} {self._noise()}", f"Private Person {at}", f"s-{at}",
        )  # fmt: skip
        return YearLine(on, "stranger", receipt)

    def _returned(self, case: YearCase) -> YearLine:
        """One of our payouts comes back under another amount (a bank kept its charge)."""
        on = case.opened + timedelta(days=self.chance.randint(30, 64))
        receipt = Receipt(
            max(1, case.open_minor - 500), "EUR", on, None, "NOTPROVIDED",
            f"RETURN {case.reference}", None, None, return_reason="AC04",
        )  # fmt: skip
        return YearLine(on, "returned payout", receipt)
