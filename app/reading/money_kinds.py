"""Answers that give something: agreed, in part, offered, promised, paid, or only a voucher."""

from __future__ import annotations

from app.reading.clauses import Clause
from app.reading.findings import FAIR, PROMISE_SIGNS, SURE, UNCLEAR, WEAK, Found, Kind


def money_kind(found: Found) -> Kind | None:
    """An answer that gives something, or None."""
    grants = [
        c
        for c in found.with_sign("accept", *PROMISE_SIGNS, "offer", "pay_past")
        if (c.has("company_we") or not c.has("consumer")) and not c.has("owed_by_them")
    ]
    firm = [c for c in grants if not c.conditional or c.has("pay_past", "goodwill", "offer")]
    if voucher := _voucher(found, grants):
        return voucher
    if not firm:
        return _plain_gift(found)
    refused = found.with_sign("refuse")
    paid = _paid(found, firm, refused)
    if paid is not None:
        return paid
    given = [c for c in firm if found.sums_in(c) or _sum_beside(found, c)]
    if goodwill := _goodwill(found, given or firm, refused):
        return goodwill
    return _agreed(found, firm, given, refused)


def _plain_gift(found: Found) -> Kind | None:
    """ "As a gesture: 300." A sum beside the word, and nothing there refuses it."""
    gifts = [
        c
        for c in found.with_sign("goodwill")
        if found.sums_in(c) and not c.has("refuse", "not_words", "owed_by_them")
    ]
    return Kind("offer_goodwill", WEAK, gifts, ("goodwill",)) if gifts else None


def _voucher(found: Found, grants: list[Clause]) -> Kind | None:
    all_vouchers = [c for c in found.with_sign("voucher") if not c.has("other_matter")]
    vouchers = [c for c in all_vouchers if not c.has("refuse")]
    if vouchers and not any(found.sums_in(v) for v in vouchers):
        vouchers = all_vouchers
    if not vouchers:
        return None
    beside = [v for v in vouchers if any(abs(v.sentence - g.sentence) <= 1 for g in grants)]
    if beside or any(found.sums_in(v) for v in vouchers):
        return Kind("offer_voucher", SURE if beside else FAIR, beside or vouchers, ("voucher",))
    return None


def _paid(found: Found, firm: list[Clause], refused: list[Clause]) -> Kind | None:
    past = [c for c in firm if c.has("pay_past") and not found.is_coming(c) and (
        found.is_past(c) or found.sums_in(c) or found.near(c, "already"))]  # fmt: skip
    if not past:
        return None
    if any(c.has("accept") for c in firm) and not any(found.is_past(c) for c in past):
        return None
    if any(c.has("refuse") for c in past) and any(
        c.has("pay_future", "accept") and not c.has("refuse") for c in firm
    ):
        return None  # "80 we pay back; 12 we do not, for that was already used"
    mine = [c for c in past if found.near(c, "to_consumer", "settled_with_consumer")]
    if mine:
        return Kind("paid_consumer_directly", SURE, mine, ("pay_past", "to_consumer",
                                                         "settled_with_consumer"))  # fmt: skip
    if refused and not any(found.sums_in(c) for c in past):
        return None
    if refused and not any(found.is_past(c) for c in past):
        return UNCLEAR
    return Kind("already_paid", SURE if not refused else WEAK, past, ("pay_past", "already"))


def _sum_beside(found: Found, clause: Clause) -> bool:
    """A sum in the same sentence, outside what is refused or owed by the consumer."""
    return any(
        c.sentence == clause.sentence and found.sums_in(c) and not c.has("refuse", "owed_by_them")
        for c in found.clauses
    )


def _goodwill(found: Found, given: list[Clause], refused: list[Clause]) -> Kind | None:
    mild = [c for c in given if found.near(c, "goodwill", "no_liability")]
    offers = [c for c in given if c.has("offer") and not c.has("accept", "pay_future")]
    if mild and any(c.has("offer", *PROMISE_SIGNS) for c in mild):
        return Kind("offer_goodwill", SURE, mild, ("goodwill", "no_liability", "offer"))
    if offers and refused and any(found.sums_in(c) for c in offers):
        return Kind("offer_goodwill", WEAK, offers, ("offer",))
    return None


def _agreed(
    found: Found, firm: list[Clause], given: list[Clause], refused: list[Clause]
) -> Kind | None:
    agreed = [c for c in firm if c.has("accept", "pay_future", "offer") and not c.conditional]
    if refused:
        if any(found.sums_in(c) for c in agreed):
            return Kind("accept_part", FAIR, agreed, ("accept", "pay_future"))
        return None
    if _only_promise(found, firm):
        dated = [c for c in firm if c.has(*PROMISE_SIGNS)]
        return Kind("promise_date", SURE, dated, PROMISE_SIGNS)
    # "The bill is justified" says yes to nothing: some word of paying must stand somewhere.
    paying = found.with_sign("pay_future", "transfer_future", "pay_past")
    agreed = [c for c in agreed if paying or c.has("pay_future", "offer", "money_words")]
    if not agreed:
        return None
    if not given and found.amounts and not found.with_sign("request", "not_words"):
        given = agreed  # "our mistake. 68.94 is on its way": the sum stands in another sentence
    if not given and not any(
        c.has("accept") and (c.has("pay_future", "as_claimed") or found.near(c, "as_claimed"))
        for c in agreed
    ):
        return None
    if _in_part(found, agreed):
        return Kind("accept_part", FAIR, agreed, ("accept", "pay_future", "part"))
    if any(c.has("offer") and not c.has("accept", "pay_future") for c in agreed[:1]):
        return Kind("offer_goodwill", WEAK, agreed, ("offer",))
    return Kind("accept_full", SURE if given else FAIR, agreed, ("accept", "pay_future"))


def _only_promise(found: Found, firm: list[Clause]) -> bool:
    """Speaks of the payment and its day, and grants nothing anew."""
    moving = [c for c in firm if c.has(*PROMISE_SIGNS) and not c.conditional]
    # "the refund is approved and goes out on Friday" tells of a payment, not of who is right
    merit = [c for c in firm if c.has("accept") and not c.has("transfer_future")]
    if not moving or merit:
        return False
    dated = any(found.clauses.index(c) in found.dated for c in moving) or any(
        c.sentence == m.sentence and found.clauses.index(c) in found.dated
        for c in found.clauses
        for m in moving
    )
    # To refund is to agree; to pay on a day, with no word of who is right, is to promise.
    return dated and any(c.has("transfer_future") or not c.has("grant_verbs") for c in moving)


def _in_part(found: Found, agreed: list[Clause]) -> bool:
    sums = [a.minor for c in agreed for a in found.sums_in(c)]
    asked = [a.minor for a in found.claimed]
    if sums and asked:
        if any(s in asked for s in sums) or sum(sums) in asked:
            return False
        if max(sums) < max(asked):
            return True
    return any(
        (found.near(c, "part") and c.has("part")) or _part_in_sentence(found, c) for c in agreed
    )


def _part_in_sentence(found: Found, clause: Clause) -> bool:
    return any(c.has("part") and c.sentence == clause.sentence for c in found.clauses)
