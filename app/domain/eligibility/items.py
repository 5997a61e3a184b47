"""What is asked, line by line: which lines count, in which currency, less what came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from app.domain.eligibility.facts import UNKNOWN, Answers
from app.domain.eligibility.finding import Due, Note, Test
from app.domain.eligibility.lawbook import LawBook

CANCEL: Final = "cancel: "  # a bill that was not paid is cancelled, not paid back
UNPAID: Final = "unpaid_bill"
OWN_TIME: Final = "own_time"
NAMED_APART: Final = ("loss", "care")


@dataclass(frozen=True, slots=True)
class Claimed:
    items: tuple[Due, ...]
    warnings: tuple[Note, ...]
    unknown: bool  # a line whose sum or sort is not known could count

    @property
    def minor(self) -> int:
        return sum(item.amount_minor for item in self.items)


def minor(money: Any, law: LawBook) -> tuple[int, str]:
    """`{amount: "12.50", currency: "EUR"}` in minor units, half a unit up; yen has none."""
    currency = str(money["currency"])
    places = law["decimals"].get(currency, 2)
    amount = Decimal(str(money["amount"])).scaleb(places)
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP)), currency


def share(minor_units: int, percent: int, *, of: int = 1) -> int:
    """So many percent of an `of`-th of a sum, rounded once, half a unit up."""
    exact = Decimal(minor_units * percent) / (100 * of)
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def known(value: Any) -> bool:
    return value not in (None, UNKNOWN)


def own_items(answers: Answers) -> list[Mapping[str, Any]]:
    """The lines of the persons on the claim; a line of somebody else is a case of its own."""
    return [item for item in answers.entries("items") if not _strange(item, answers)]


def _strange(item: Mapping[str, Any], answers: Answers) -> bool:
    """Named, and not one of the persons (where those are known)."""
    if not known(item.get("person")) or answers.vague("persons"):
        return False
    named = {_plain(p.get("who")) for p in answers.entries("persons")}
    return _plain(item["person"]) not in named


def _plain(name: object) -> str:
    return " ".join(str(name).split()).casefold()


def claimed(answers: Answers, law: LawBook, test: Test) -> Claimed:
    """The counted lines in order, the computed ones first, less the money received for them."""
    types = law["counted"] if test.counts is None else test.counts
    unknown = answers.vague("items")
    lines = list(test.computed)
    warnings = [
        Note("another_person", {"what": str(item["what"])})
        for item in answers.entries("items")
        if _strange(item, answers)
    ]
    for item in own_items(answers):
        kind, paid = item["type"], item.get("paid")
        unpaid = kind in test.paid_only and paid is not True
        if kind in types and not unpaid and known(item["amount"]):
            sum_minor, currency = minor(item["amount"], law)
            prefix = CANCEL if kind == UNPAID else ""
            lines.append(Due(f"{prefix}{item['what']}", sum_minor, currency))
        elif kind == UNKNOWN or (kind in types and not (unpaid and known(paid))):
            unknown = True
            warnings.append(Note("sum_open", {"what": str(item["what"])}))
        else:
            warnings += _not_counted(item)
    if not lines:
        return Claimed((), tuple(warnings), unknown)
    currency = lines[0].currency
    apart = {(line.what, line.currency): None for line in lines if line.currency != currency}
    warnings += [Note("other_currency", {"what": w, "currency": c}) for w, c in apart]
    kept = [line for line in lines if line.currency == currency]
    left, elsewhere = _less_received(answers, law, kept, currency)
    return Claimed(left, (*warnings, *elsewhere), unknown)


def _not_counted(item: Mapping[str, Any]) -> list[Note]:
    if item["type"] == OWN_TIME:
        return [Note("own_time")]
    if item["type"] in NAMED_APART:
        return [Note("not_in_the_sum", {"what": str(item["what"])})]
    return []


def _less_received(
    answers: Answers, law: LawBook, lines: Sequence[Due], currency: str
) -> tuple[tuple[Due, ...], list[Note]]:
    """Money that came for these lines is taken off in their order; a line at zero falls away."""
    received, elsewhere = 0, []
    for money in answers.entries("money_received"):
        if money.get("for_items") is not True:
            continue
        if not known(money.get("amount")):
            elsewhere.append(Note("received_unknown"))
            continue
        sum_minor, of = minor(money["amount"], law)
        received += sum_minor if of == currency else 0
        if of != currency:
            elsewhere.append(Note("received_elsewhere", {"currency": of}))
    left: list[Due] = []
    for line in lines:
        taken = min(received, line.amount_minor)
        received -= taken
        if line.amount_minor > taken:
            left.append(Due(line.what, line.amount_minor - taken, currency))
    return tuple(left), elsewhere
