"""The flows that people of finance enter, and the list of them all."""

from __future__ import annotations

from collections import Counter

from app.domain.book_entries import Plan, Step, plain
from app.domain.settlement import STANDARD_2026, vat_inside
from tests.ledger import flow_list as f
from tests.ledger.flow_list import CURRENCIES, pick, receipt, some
from tests.ledger.flows import VAT, Agency, Case, Flow
from tests.ledger.paper import RULES, Missing, Reused


def enter(
    a: Agency, kind: str, currency: str, minor: int, case: Case | None = None, **subs: str
) -> bool:
    """A plain entry; what the books refuse does not happen, and changes nothing."""
    if minor <= 0:
        return False
    before = Counter(a.books.balance)
    own = {"entry": a.name("n"), "vat_rate": VAT, "own_account": "own", **subs}
    if case is not None:
        own = {"case": case.name, **own}
    plan = plain(RULES, kind, {"amount": minor, "vat": 0}, own)
    try:
        name = a.run(plan, currency)
    except Missing:
        assert a.books.balance == before, "a refusal leaves nothing behind"
        return False
    told(a, case, plan, currency)
    if kind != "costs_awarded":
        a.entries.append((name, plan, case, currency))
    return True


EXPLAINS = {"debit_came_back", "debit_was_charge", "fx_sold", "cheque_bounced"}


def told(a: Agency, case: Case | None, plan: Plan, currency: str, sign: int = 1) -> None:
    moves = plan.tells if sign > 0 else -plan.tells
    for step in plan.steps:
        if step.kind in EXPLAINS:
            a.suspense[currency] -= sign * step.amounts["amount"]
    if case is not None:
        case.adjusted += moves.adjusted
        case.charged += moves.fee


def whom(a: Agency, x: int) -> tuple[Case, str]:
    case = a.cases[x % 3]
    names = sorted({item.claimant_id for item in case.items})
    return case, names[x // 3 % len(names)]


def made_good(kind: str) -> Flow:  # row 20, errors, compensation
    def flow(a: Agency, x: int, y: int, z: int) -> bool:
        case, who = whom(a, x)
        return enter(a, kind, case.currency, y % 3_000 + 1, case, claimant=who, wrong="w")

    return flow


def from_a_receipt(kind: str) -> Flow:  # rows 17, 22, 23, 25, outlays, interest, errors
    def flow(a: Agency, x: int, y: int, z: int) -> bool:
        case, who = whom(a, x)
        currency = case.currency
        movement = receipt(a, currency, y % 2_000 + 1)
        cause = pick([c for c, of in a.causes.items() if of == currency], z) or "none"
        debit = pick([d for d, of in a.debits.items() if of == currency], z) or "none"
        minor = a.free(movement)
        for of, account, sub in (
            ("clawback_repaid", "O.CLAWBACK", case.name), ("debit_came_back", "O.SUSPENSE", debit),
            ("outlay_awarded", "O.OUTLAY", case.name), ("client_made_whole", "C.FROMOWN", cause),
            ("error_repaid", "C.FROMOWN", cause), ("error_repaid", "O.ERRORREC", "w"),
        ):  # fmt: skip
            if kind == of:
                minor = min(minor, a.books.of(account, sub, currency))
        return enter(
            a, kind, currency, minor, case, claimant=who, movement=movement, cause=cause,
            debit=debit, wrong="w",
        )  # fmt: skip

    return flow


def costs(a: Agency, x: int, y: int, z: int) -> bool:  # row 17
    case, _ = whom(a, x)
    movement = receipt(a, case.currency, y % 2_000 + 1)
    minor = a.free(movement)
    vat = vat_inside(minor, STANDARD_2026.vat_bp)
    subs = {"movement": movement, "case": case.name, "vat_rate": VAT}
    a.run(Plan((Step("costs_awarded", {"amount": minor, "vat": vat}, subs),)), case.currency)
    a.document(a.costs, case.currency, minor, vat)
    return True


def explained(a: Agency, x: int, y: int, z: int) -> bool:  # row 22
    debit = pick(list(a.debits), x)
    if debit is None:
        return False
    currency = a.debits[debit]
    left = a.books.of("O.SUSPENSE", debit, currency)
    return enter(a, "debit_was_charge", currency, some(left, y), debit=debit)


def covered(a: Agency, x: int, y: int, z: int) -> bool:  # row 23
    case, _ = whom(a, x)
    cause = pick([c for c, of in a.causes.items() if of == case.currency], z)
    if cause is None:
        return False
    lent = a.books.of("C.FROMOWN", cause, case.currency)
    return enter(a, "covered_from_commission", case.currency, some(lent, y), case, cause=cause)


def taken_back(a: Agency, x: int, y: int, z: int) -> bool:  # rows 24, 25
    one = pick([o for o in a.allocations if not o.gone and o.left], x)
    if one is None:
        return False
    minor = min(some(one.left, y), a.bank[one.case.currency])
    movement = f.debit(a, one.case.currency, minor, "unexplained_debit") if minor else None
    return movement is not None and a.taken_back(one, minor, movement)


def disputed(a: Agency, x: int, y: int, z: int) -> bool:  # rows 25, 26: taken and given back
    minor = some(a.books.total("C.STRIPE", "EUR"), y)
    if not minor:
        return False
    case, cause = a.cases[0], a.name("dp")
    subs = {"case": case.name, "claimant": "p", "cause": cause, "stripe": "s"}
    a.causes[cause] = "EUR"
    step = Step("stripe_reversal_taken", {"held": 0, "short": minor}, subs)
    a.post([(f"txn:{cause}", step, "EUR")])
    a.stripe["EUR"] -= minor
    if z % 2:
        a.one(f"won:{cause}", "stripe_dispute_won", "EUR", subs, amount=minor)
        a.stripe["EUR"] += minor
    return True


def set_off(a: Agency, x: int, y: int, z: int) -> bool:  # row 26
    case, who = whom(a, x)
    cause = pick([c for c, of in a.causes.items() if of == case.currency], z)
    return cause is not None and a.set_off(case, who, cause, y % 5_000 + 1)


def clawback_lost(a: Agency, x: int, y: int, z: int) -> bool:  # row 25
    case, _ = whom(a, x)
    left = a.books.of("O.CLAWBACK", case.name, case.currency)
    return enter(a, "clawback_written_off", case.currency, some(left, y), case)


def from_the_client(kind: str) -> Flow:  # row 29, outlays charged
    def flow(a: Agency, x: int, y: int, z: int) -> bool:
        case, who = whom(a, x)
        sub = f"{case.name}/{who}"
        room = {
            "unclaimed_set_apart": a.books.of("C.CLIENT", sub, case.currency),
            "unclaimed_given_back": a.books.of("C.UNCLAIMED", sub, case.currency),
            "outlay_charged": a.books.of("O.OUTLAY", case.name, case.currency),
            "outlay_refunded": a.books.of("O.OUTLAY", case.name, case.currency),
            "outlay_written_off": a.books.of("O.OUTLAY", case.name, case.currency),
            "error_written_off": a.books.of("O.ERRORREC", "w", case.currency),
            "partner_paid": a.books.of("O.PARTNER", "x", case.currency),
        }.get(kind, 4_000)
        minor = some(room, y) + (z % 8 == 0)  # now and then one too many
        return enter(a, kind, case.currency, minor, case, claimant=who, wrong="w", partner="x")

    return flow


def cheque(a: Agency, x: int, y: int, z: int) -> bool:
    movement = receipt(a, "EUR", y % 5_000 + 1)
    a.cheques.append(movement)
    return enter(a, "cheque_credited", "EUR", a.free(movement), movement=movement)


def cheque_ends(a: Agency, x: int, y: int, z: int) -> bool:
    movement = pick(a.cheques, x)
    minor = a.books.of("C.UNCLEARED", movement, "EUR") if movement else 0
    if movement is None or not minor:
        return False
    assert not a.free(movement), "nothing of a cheque is allocable before it is cleared"
    if z % 2:
        return enter(a, "cheque_cleared", "EUR", minor, movement=movement)
    debit = f.debit(a, "EUR", minor, "unexplained_debit")
    left = a.books.of("O.SUSPENSE", debit, "EUR") if debit else 0
    return enter(a, "cheque_bounced", "EUR", left, movement=movement, debit=debit or "none")


def waived(a: Agency, x: int, y: int, z: int) -> bool:
    case, who = whom(a, x)
    return a.waive_fee(case, who, y % 3_000 + 1)


def corrected(a: Agency, x: int, y: int, z: int) -> bool:  # row 30: a mirror, and its own mirror
    if not a.entries:
        return False
    name, plan, case, currency = a.entries[x % len(a.entries)]
    keys = [f"{name}:{at}" for at in range(len(plan.steps))]
    before = Counter(a.books.balance)
    try:
        a.books.reverse([(key, f"mirror:{key}") for key in keys])
    except Missing:
        assert a.books.balance == before
        return False
    a.entries.remove((name, plan, case, currency))
    told(a, case, plan, currency, -1)
    if z % 3 == 0:
        a.books.reverse([(f"mirror:{key}", f"again:{key}") for key in keys])
        assert +a.books.balance == +before, "a reversal of a reversal restores every balance"
        told(a, case, plan, currency)
    try:
        a.books.reverse([(key, f"twice:{key}") for key in keys])
        raise AssertionError("a posting was taken back twice")
    except Reused:
        return True


def converted(a: Agency, x: int, y: int, z: int) -> bool:  # row 21
    movement = pick([m for m, c in a.receipts.items() if c == "KWD" and a.free(m)], x)
    if movement is None:
        return False
    debit = f.debit(a, "KWD", some(a.free(movement), y), "unexplained_debit")
    if debit is None:
        return False
    sold = a.books.of("O.SUSPENSE", debit, "KWD")
    receipt(a, "EUR", y % 7_000 + 1)
    return enter(a, "fx_sold", "KWD", sold, movement=movement, debit=debit)


FLOWS: dict[str, Flow] = {
    "1, 19 money comes": f.money_comes, "2, 3, 15 allocated": f.allocated,
    "18 split": f.split, "4 sweep": f.sweep, "5 payout": f.payout, "4, 6, 16 settled": f.settled,
    "7 refused": f.refused, "8 returned": f.returned, "8 given back": f.given_back,
    "9 card": f.card_paid, "10 stripe fee": f.stripe_fee, "11 stripe payout": f.stripe_pays_out,
    "11 stripe arrives": f.stripe_arrives, "12, 14 direct": f.paid_directly,
    "13 invoice paid": f.invoice_paid, "16 back to payer": f.back_to_payer, "17 costs": costs,
    "20 fx made good": made_good("fx_made_good"), "21 converted": converted,
    "22 charge": f.bank_charges, "22 debit": f.bank_debits, "22 explained": explained,
    "22 debit back": from_a_receipt("debit_came_back"),
    "23 made whole": from_a_receipt("client_made_whole"), "23 covered": covered,
    "24, 25 taken back": taken_back, "25, 26 disputed": disputed, "26 set off": set_off,
    "25 repaid": from_a_receipt("clawback_repaid"), "25 lost": clawback_lost,
    "27 dead account": f.nothing_moves, "28 given up": f.invoice_given_up,
    "29 unclaimed": from_the_client("unclaimed_set_apart"),
    "29 claimed": from_the_client("unclaimed_given_back"), "30 undone": f.undone,
    "30 corrected": corrected, "outlay": from_the_client("outlay_paid"),
    "outlay awarded": from_a_receipt("outlay_awarded"),
    "outlay charged": from_the_client("outlay_charged"),
    "outlay refunded": from_the_client("outlay_refunded"),
    "outlay lost": from_the_client("outlay_written_off"), "cheque": cheque,
    "cheque ends": cheque_ends, "interest": from_a_receipt("bank_interest_ours"),
    "interest to client": from_a_receipt("bank_interest_to_client"),
    "error": made_good("error_made_good"), "error repaid": from_a_receipt("error_repaid"),
    "error lost": from_the_client("error_written_off"), "compensated": made_good("compensated"),
    "fee waived": waived, "partner": from_the_client("partner_share"),
    "partner paid": from_the_client("partner_paid"),
}  # fmt: skip
__all__ = ["CURRENCIES", "FLOWS"]
