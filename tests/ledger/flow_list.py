"""The flows of the design, one after the other, as things that happen to an agency on paper.

``FLOWS``: name -> what happens; each gets three numbers to choose by and says whether it happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from app.domain.book_entries import Plan, Step, plain
from app.domain.settlement import STANDARD_2026, set_against_items, settle, vat_inside
from tests.ledger.flows import VAT, Agency, Invoice, Payout
from tests.ledger.paper import RULES

T = TypeVar("T")
CURRENCIES = ("EUR", "EUR", "KWD")


def pick(things: Sequence[T], at: int) -> T | None:
    return things[at % len(things)] if things else None


def some(most: int, share: int) -> int:
    return max(most * (share % 100 + 1) // 100, 1) if most > 0 else 0


# --- the bank --------------------------------------------------------------------------------


def receipt(a: Agency, currency: str, minor: int) -> str:
    movement = a.name("m")
    subs = {"bank_account": currency, "movement": movement}
    a.one(f"movement:{movement}", "bank_credit_imported", currency, subs, amount=minor)
    a.receipts[movement] = currency
    a.bank[currency] += minor
    return movement


def money_comes(a: Agency, x: int, y: int, z: int) -> bool:  # rows 1, 19
    receipt(a, CURRENCIES[x % 3], y % 12_000 + 1)
    return True


def debit(a: Agency, currency: str, minor: int, kind: str) -> str | None:
    minor = min(minor, a.bank[currency])
    if minor <= 0:
        return None
    movement = a.name("d")
    subs = {"bank_account": currency, "movement": movement}
    a.one(f"movement:{movement}", kind, currency, subs, amount=minor)
    a.bank[currency] -= minor
    a.causes[movement] = currency
    if kind == "unexplained_debit":
        a.debits[movement] = currency
        a.suspense[currency] += minor
    return movement


def bank_charges(a: Agency, x: int, y: int, z: int) -> bool:  # row 22
    return debit(a, CURRENCIES[x % 3], y % 20 + 1, "bank_charge") is not None


def bank_debits(a: Agency, x: int, y: int, z: int) -> bool:  # row 22
    return debit(a, CURRENCIES[x % 3], y % 5_000 + 1, "unexplained_debit") is not None


def allocated(a: Agency, x: int, y: int, z: int) -> bool:  # rows 2, 3, 15
    movement = pick([m for m in a.receipts if a.free(m)], x)
    if movement is None:
        return False
    fitting = [c for c in a.cases if c.currency == a.receipts[movement] and any(c.open.values())]
    case = pick(fitting, z)
    return case is not None and a.allocate(movement, case, some(a.free(movement), y))


def split(a: Agency, x: int, y: int, z: int) -> bool:  # row 18
    movement = pick([m for m, c in a.receipts.items() if c == "EUR" and a.free(m) > 1], x)
    if movement is None:
        return False
    first = a.allocate(movement, a.cases[0], some(a.free(movement) - 1, y))
    return a.allocate(movement, a.cases[1], a.free(movement)) or first


def undone(a: Agency, x: int, y: int, z: int) -> bool:  # row 30
    one = pick(a.allocations, x)
    return one is not None and a.undo(one)


# --- payouts and sweeps ----------------------------------------------------------------------


def payout(a: Agency, x: int, y: int, z: int) -> bool:  # row 5
    case = a.cases[x % 3]
    who = sorted({i.claimant_id for i in case.items})[z % len({i.claimant_id for i in case.items})]
    owed = a.books.of("C.CLIENT", f"{case.name}/{who}", case.currency)
    minor = some(owed, y)
    if not minor:
        return False
    item = Payout(a.name("i"), "consumer", minor, case.currency, case, who)
    subs = {"case": case.name, "claimant": who, "item": item.name}
    a.one(f"payout:{item.name}", "payout_approved", case.currency, subs, amount=minor)
    case.flying += minor
    a.payouts.append(item)
    return True


def sweep(a: Agency, x: int, y: int, z: int) -> bool:  # row 4
    currency = CURRENCIES[x % 3]
    item = Payout(a.name("i"), "sweep", 0, currency)
    steps = []
    for (account, sub, of), minor in sorted(a.books.balance.items()):
        if account == "C.TOOWN" and of == currency and minor:
            step = Step("sweep_reserved", {"amount": minor}, {"case": sub, "item": item.name})
            steps.append((f"sweep:{item.name}:{sub}", step, currency))
            item.amount += minor
    if not steps:
        return False
    a.post(steps)
    a.payouts.append(item)
    return True


def settled(a: Agency, x: int, y: int, z: int) -> bool:  # rows 4, 6, 16
    item = pick([p for p in a.payouts if p.state == "approved"], x)
    if item is None or item.amount > a.bank[item.currency]:
        return False
    kind = "sweep_settled" if item.kind == "sweep" else "payout_settled"
    subs = {"item": item.name, "bank_account": item.currency, "own_account": "own"}
    a.one(f"settled:{item.name}", kind, item.currency, subs, amount=item.amount)
    a.bank[item.currency] -= item.amount
    item.state = "settled"
    if item.case is not None:
        item.case.flying -= item.amount
        item.case.paid += item.amount
    if item.kind == "sweep":
        a.swept[item.currency] += item.amount
    return True


def refused(a: Agency, x: int, y: int, z: int) -> bool:  # rows 7, 16
    item = pick([p for p in a.payouts if p.state == "approved" and p.kind != "sweep"], x)
    if item is None:
        return False
    kind = "payout_released" if item.case else "payer_return_released"
    a.one(f"refused:{item.name}", kind, item.currency, _subs(item), amount=item.amount)
    item.state = "rejected"
    if item.case is not None:
        item.case.flying -= item.amount
    return True


def returned(a: Agency, x: int, y: int, z: int) -> bool:  # row 8
    item = pick([p for p in a.payouts if p.state == "settled" and p.kind != "sweep"], x)
    if item is None:
        return False
    subs = {"item": item.name, "bank_account": item.currency}
    a.one(f"returned:{item.name}", "payout_returned", item.currency, subs, amount=item.amount)
    a.bank[item.currency] += item.amount
    item.state = "returned"
    if item.case is not None:
        item.case.paid -= item.amount
        item.case.back += item.amount
    return True


def given_back(a: Agency, x: int, y: int, z: int) -> bool:  # row 8
    item = pick([p for p in a.payouts if p.state == "returned"], x)
    if item is None:
        return False
    kind = "return_given_back" if item.case else "payer_return_given_back"
    a.one(f"back:{item.name}", kind, item.currency, _subs(item), amount=item.amount)
    item.state = "given_back"
    if item.case is not None:
        item.case.back -= item.amount
    return True


def _subs(item: Payout) -> dict[str, str]:
    case = item.case.name if item.case else ""
    return {"case": case, "claimant": item.who, "item": item.name, "movement": item.movement}


def back_to_payer(a: Agency, x: int, y: int, z: int) -> bool:  # row 16
    movement = pick([m for m in a.receipts if a.free(m)], x)
    if movement is None:
        return False
    currency, minor = a.receipts[movement], some(a.free(movement), y)
    item = Payout(a.name("i"), "payer", minor, currency, movement=movement)
    subs = {"movement": movement, "item": item.name}
    aside = Step("refused_money_set_aside", {"amount": minor}, subs)
    going = Step("payer_return_approved", {"amount": minor}, subs)
    a.post([(f"aside:{item.name}", aside, currency), (f"going:{item.name}", going, currency)])
    a.payouts.append(item)
    return True


# --- Stripe ----------------------------------------------------------------------------------


def card_paid(a: Agency, x: int, y: int, z: int) -> bool:  # row 9
    movement, minor = a.name("m"), y % 12_000 + 100
    subs = {"stripe": "s", "movement": movement}
    a.one(f"txn:{movement}", "stripe_charge", "EUR", subs, amount=minor)
    a.receipts[movement] = "EUR"
    a.stripe["EUR"] += minor
    return True


def stripe_fee(a: Agency, x: int, y: int, z: int) -> bool:  # rows 10, 25
    minor, cause = min(y % 60 + 1, a.books.total("C.STRIPE", "EUR")), a.name("f")
    if minor <= 0:
        return False
    a.one(f"txn:{cause}", "stripe_fee", "EUR", {"stripe": "s", "cause": cause}, amount=minor)
    a.causes[cause] = "EUR"
    a.stripe["EUR"] -= minor
    return True


def stripe_pays_out(a: Agency, x: int, y: int, z: int) -> bool:  # row 11
    minor = some(a.books.total("C.STRIPE", "EUR"), y)
    if not minor:
        return False
    po = a.name("po")
    a.one(f"txn:{po}", "stripe_payout_sent", "EUR", {"stripe": "s", "payout": po}, amount=minor)
    a.stripe["EUR"] -= minor
    a.transit.append((po, minor))
    return True


def stripe_arrives(a: Agency, x: int, y: int, z: int) -> bool:  # row 11
    if not a.transit:
        return False
    po, minor = a.transit.pop(x % len(a.transit))
    if z % 4 == 0:
        subs = {"stripe": "s", "payout": po}
        a.one(f"failed:{po}", "stripe_payout_failed", "EUR", subs, amount=minor)
        a.stripe["EUR"] += minor
        return True
    movement = receipt(a, "EUR", minor)
    subs = {"movement": movement, "payout": po}
    a.one(f"arrived:{po}", "stripe_payout_arrived", "EUR", subs, amount=minor)
    return True


# --- our own invoices ------------------------------------------------------------------------


def paid_directly(a: Agency, x: int, y: int, z: int) -> bool:  # rows 12, 14
    case = a.direct
    minor = some(sum(case.open.values()), y % 20)
    if not minor:
        return False
    shares, _ = set_against_items(minor, case.due())
    done = settle(
        case.rule, shares, reason="fee_due", basis_before=case.basis, fee_before=case.fee,
        posted=a.posted(case),
    )  # fmt: skip
    steps = []
    for part in done.shares:
        if part.fee_minor:
            one = Invoice(
                a.name("v"), case, part.claimant_id, part.fee_minor, part.vat_minor, part.fee_minor
            )
            subs = {"claimant": one.who, "invoice": one.name, "vat_rate": VAT}
            step = Step("commission_invoiced", {"fee": one.gross, "vat": one.vat}, subs)
            steps.append((f"fee:{one.name}", step, case.currency))
            a.invoices.append(one)
    if steps:
        a.post(steps)
    for part in done.shares:
        if part.fee_minor:
            a.document(case, part.claimant_id, part.fee_minor, part.vat_minor, deducted=False)
    for share in shares:
        case.open[share.item_id] -= share.amount_minor
    case.basis, case.fee = done.basis_total_minor, done.fee_total_minor
    return True


def invoice_paid(a: Agency, x: int, y: int, z: int) -> bool:  # row 13
    one = pick([v for v in a.invoices if v.open], x)
    if one is None:
        return False
    minor, currency = some(one.open, y), one.case.currency
    subs = {"claimant": one.who, "invoice": one.name, "own_account": "own", "stripe": "s",
            "case": one.case.name}  # fmt: skip
    how = ("commission_paid", "commission_paid_own", "commission_paid_stripe")[z % 3]
    if how == "commission_paid":
        subs["movement"] = receipt(a, currency, minor)
    a.one(a.name("pay"), how, currency, subs, amount=minor)
    one.open -= minor
    return True


def invoice_given_up(a: Agency, x: int, y: int, z: int) -> bool:  # row 28 and waivers
    one = pick([v for v in a.invoices if v.open], x)
    if one is None:
        return False
    minor, currency = some(one.open, y), one.case.currency
    subs = {"claimant": one.who, "invoice": one.name, "vat_rate": VAT}
    if z % 2:
        vat = vat_inside(minor, STANDARD_2026.vat_bp) if z % 4 == 1 else 0
        amounts = {"amount": minor, "vat": vat}
        a.run(plain(RULES, "commission_written_off", amounts, subs), currency)
        a.relief[currency] += vat
    else:
        was = a.posted(one.case)[one.who]
        vat = was.vat_minor - vat_inside(was.gross_minor - minor, STANDARD_2026.vat_bp)
        a.run(Plan((Step("invoice_waived", {"fee": minor, "vat": vat}, subs),)), currency)
        a.document(one.case, one.who, -minor, -vat, deducted=False)
        one.case.waived += minor
    one.open -= minor
    return True


def nothing_moves(a: Agency, x: int, y: int, z: int) -> bool:  # row 27
    """The company refunded a closed card: no money of ours moves, whoever looks for it."""
    before = len(a.books.log)
    return len(a.books.log) == before
