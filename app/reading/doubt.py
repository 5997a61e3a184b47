"""What the second opinion may decide where the rules are in doubt, and what it may never.

It chooses among the kinds such a sender can write; a kind that gives money stands only where the
signs and sums the rules found say the same and nothing in the mail refuses, limits or conditions.
Otherwise the mail stays `unclear`: the next best kind is no better known.
"""

from __future__ import annotations

from app.reading.findings import Found, Kind
from app.reading.mail import Evidence
from app.reading.model import KINDS, Opinion, opinion
from app.reading.phrases import LANGUAGES

BY_MODEL = 0.55  # the confidence of every kind the second opinion decided, and of no other
LIKELY = 0.5
LIKELY_GRANT = 0.7
CHARS_MIN = 12

BODY = frozenset(("body_ack", "body_asks_info", "body_decision"))
ROBOT = frozenset(("auto_ack", "out_of_office", "newsletter_or_spam", "portal_only", "unclear"))
PERSON = frozenset(KINDS) - BODY - {"auto_ack", "out_of_office", "consumer_message"}
DENIALS = frozenset(("deny_flat", "deny_reasoned"))
GRANTS = frozenset((
    "accept_full", "accept_part", "already_paid", "paid_consumer_directly", "promise_date",
    "offer_goodwill", "offer_voucher",
))  # fmt: skip
NOT_BESIDE_A_GRANT = ("refuse", "not_words", "voucher", "hypothetical", "owed_by_them", "pass_on")
# The sign of the rules without which the kind is never believed.
NEEDED = {
    "accept_full": ("accept", "pay_future", "transfer_future", "grant_verbs"),
    "accept_part": ("part",),
    "already_paid": ("pay_past", "already"),
    "paid_consumer_directly": ("to_consumer", "settled_with_consumer"),
    "promise_date": ("pay_future", "transfer_future", "payment_noun", "money_words"),
    "offer_goodwill": ("goodwill", "no_liability", "offer"),
    "offer_voucher": ("voucher",),
    "newsletter_or_spam": ("newsletter",),
}


def among(found: Found) -> frozenset[str]:
    """The kinds such a sender can write. Machine or person is not asked again."""
    if found.is_body:
        return BODY
    if found.automatic:
        return ROBOT
    return PERSON | {"consumer_message"} if found.private_sender else PERSON


def second_opinion(found: Found, language: str) -> Kind | None:
    """The kind the words point to, or None where they point nowhere or may not decide."""
    if language not in LANGUAGES or len(found.own) < CHARS_MIN:
        return None
    said = opinion(found.own, found.clauses, language, among(found))
    if said.kind == "unclear" or said.likely < LIKELY or not may_decide(said, found):
        return None
    return Kind(said.kind, BY_MODEL, [], spoken=_evidence(said, found.own))


def may_decide(said: Opinion, found: Found) -> bool:
    """Whether what the rules found allows this kind."""
    granting = found.with_sign("accept", "pay_future", "pay_past", "transfer_future")
    if said.kind in NEEDED and not found.with_sign(*NEEDED[said.kind]):
        return False
    if said.kind in DENIALS:
        return not granting and not found.with_sign("voucher", "goodwill")
    if said.kind == "body_decision":
        return said.likely >= LIKELY_GRANT
    if said.kind not in GRANTS:
        return not (said.kind == "not_us" and granting)
    if said.kind == "offer_voucher":
        return True  # the most careful of the grants: it is money to nobody
    if said.likely < LIKELY_GRANT or any(c.conditional for c in found.clauses):
        return False
    if said.kind == "promise_date":
        return bool(found.coming) and not found.with_sign("refuse", "voucher", "pass_on")
    return bool(found.amounts) and not found.with_sign(*NOT_BESIDE_A_GRANT)


def _evidence(said: Opinion, own: str) -> list[Evidence]:
    low = own.lower()
    places = [(low.find(words), words) for words in said.words]
    return [
        Evidence("model", own[start : start + len(words)], start, start + len(words))
        for start, words in places
        if start >= 0
    ]
