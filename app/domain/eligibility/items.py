"""What is asked, line by line: which lines count, in which currency, less what came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from app.domain.eligibility.facts import Answers
from app.domain.eligibility.finding import Due, Note, Test
from app.domain.eligibility.lawbook import LawBook

CANCEL: Final = "cancel: "  # a bill that was not paid is cancelled, not paid back
UNPAID: Final = "unpaid_bill"
OWN_TIME: Final = "own_time"


@dataclass(frozen=True, slots=True)
class Claimed:
    items: tuple[Due, ...]
    warnings: tuple[Note, ...]

    @property
    def minor(self) -> int:
        return sum(item.amount_minor for item in self.items)


def minor(money: Any, law: LawBook) -> tuple[int, str]:
    """`{amount: "12.50", currency: "EUR"}` in minor units, half a unit up; yen has none."""
    currency = str(money["currency"])
    places = law["decimals"].get(currency, 2)
    amount = Decimal(str(money["amount"])).scaleb(places)
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP)), currency


def percent(minor_units: int, share: int) -> int:
    """A share of a sum, half a unit up."""
    return int((Decimal(minor_units * share) / 100).quantize(Decimal(1), ROUND_HALF_UP))


def claimed(answers: Answers, law: LawBook, test: Test) -> Claimed:
    """The counted lines in order, the computed ones first, less the money received for them."""
    types = law["counted"] if test.counts is None else test.counts
    warnings: list[Note] = []
    lines = list(test.computed)
    persons = {str(p.get("who")) for p in answers.entries("persons") if isinstance(p, dict)}
    for item in answers.entries("items"):
        if item.get("person") not in (None, "unknown") and item["person"] not in persons:
            warnings.append(Note("another_person", {"what": str(item["what"])}))
            continue
        if item.get("amount") in (None, "unknown") or item["type"] not in types:
            warnings += _not_counted(item)
            continue
        sum_minor, currency = minor(item["amount"], law)
        prefix = CANCEL if item["type"] == UNPAID else ""
        lines.append(Due(f"{prefix}{item['what']}", sum_minor, currency))
    if not lines:
        return Claimed((), tuple(warnings))
    currency = lines[0].currency
    warnings += [
        Note("other_currency", {"what": line.what, "currency": line.currency})
        for line in lines
        if line.currency != currency
    ]
    kept = [line for line in lines if line.currency == currency]
    return Claimed(_less_received(answers, law, kept, currency), tuple(warnings))


def _not_counted(item: Any) -> list[Note]:
    if item["type"] == OWN_TIME:
        return [Note("own_time")]
    if item["type"] in ("loss", "care"):
        return [Note("not_in_the_sum", {"what": str(item["what"])})]
    return []


def _less_received(
    answers: Answers, law: LawBook, lines: Sequence[Due], currency: str
) -> tuple[Due, ...]:
    """Money that came for these lines is taken off in their order; a line at zero falls away."""
    received = 0
    for money in answers.entries("money_received"):
        if money.get("for_items") is True and money.get("amount") not in (None, "unknown"):
            sum_minor, of = minor(money["amount"], law)
            received += sum_minor if of == currency else 0
    left: list[Due] = []
    for line in lines:
        taken = min(received, line.amount_minor)
        received -= taken
        if line.amount_minor > taken:
            left.append(Due(line.what, line.amount_minor - taken, currency))
    return tuple(left)
