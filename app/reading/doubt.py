"""How the rules and the model of words settle on one kind, and what the model may never do.

Each speaks with its own weight: the model by how likely it finds a kind, a rule by how sure it is.
A kind that agrees money stands only where little speaks for anything that agrees none, and where
nothing the rules found refuses, limits or conditions it.
"""

from __future__ import annotations

import math

from app.reading.clauses import Clause
from app.reading.findings import FAIR, SURE, UNCLEAR, WEAK, Found, Kind
from app.reading.mail import Evidence
from app.reading.model import KINDS, Opinion, opinion
from app.reading.phrases import LANGUAGES

BY_MODEL = 0.55  # the confidence of every kind the model decided against the rules, no other's
CHARS_MIN = 12
# How many times likelier a rule makes its kind, by its confidence; measured on texts that neither
# the rules nor the weights had seen.
TRUST = {SURE: math.exp(2), FAIR: math.exp(1), WEAK: math.exp(0.5)}

BODY = frozenset(("body_ack", "body_asks_info", "body_decision"))
ROBOT = frozenset(("auto_ack", "out_of_office", "newsletter_or_spam", "portal_only", "unclear"))
PERSON = frozenset(KINDS) - BODY - {"auto_ack", "out_of_office", "consumer_message"}
# Money agreed or paid, and what must never be read as that.
AGREED = frozenset((
    "accept_full", "accept_part", "already_paid", "paid_consumer_directly", "offer_goodwill",
))  # fmt: skip
NO_MONEY = frozenset((
    "deny_flat", "deny_reasoned", "offer_voucher", "promise_date", "not_us", "unclear",
))  # fmt: skip
BARS = NO_MONEY - {"unclear", "promise_date"}  # found by a rule: no money is agreed beside it
GIVES = AGREED | {"promise_date", "offer_voucher", "body_decision"}
AGAINST = ("refuse", "hypothetical", "owed_by_them")
RISK = 0.15  # how likely all that agrees no money may be together beside a kind that does
RISK_BESIDE_REFUSAL = 0.05
RISK_OF_RULE = 0.4  # where a rule has found the money too
LIKELY_DECISION = 0.7  # a decision ends a complaint
CAREFUL = 0.2  # how likely the next best kind must be where money was not believed
# Kinds of which a person writes no mail without one of these signs.
SIGN_OF = {
    "portal_only": ("portal", "portal_only"),
    "newsletter_or_spam": ("newsletter",),
    "legal_threat": ("threat", "lawyer"),
}
# The sign of the rules without which the model's word for money is never believed.
NEEDED = {
    "accept_part": ("part", "accept", "pay_future", "transfer_future", "grant_verbs"),
    "offer_goodwill": ("goodwill", "no_liability", "offer", "request", "deadline_act"),
}


def among(found: Found) -> frozenset[str]:
    """The kinds such a sender can write. Machine or person is not asked again."""
    if found.is_body:
        return BODY
    if found.automatic:
        return ROBOT
    return PERSON | {"consumer_message"} if found.private_sender else PERSON


def settle(rule: Kind, found: Found, language: str) -> Kind:
    """The kind both together point to; the rule's own answer where the model cannot speak."""
    if language not in LANGUAGES or len(found.own) < CHARS_MIN or rule.name not in KINDS:
        return rule
    said = opinion(found, language, _spoken_of(among(found), found) | {rule.name})
    weighed = _weighed(said, rule)
    best = max(weighed, key=lambda kind: weighed[kind])
    if best in AGREED and not _may_agree(best, rule, found, weighed):
        best = _careful(weighed, rule)
    if best == "body_decision" and weighed[best] < LIKELY_DECISION:
        return rule
    if best == rule.name or (best == "unclear" and rule.name not in AGREED):
        return rule  # what a rule knows is not doubted for want of words
    if best == "unclear":
        return UNCLEAR
    return Kind(best, BY_MODEL, _because(best, found), spoken=_evidence(said, best, found.own))


def _spoken_of(kinds: frozenset[str], found: Found) -> frozenset[str]:
    """Without the kinds of which the rules found no sign at all, where one always stands."""
    if found.automatic:
        return kinds
    signs = {k for k, names in SIGN_OF.items() if not found.with_sign(*names)}
    if not (found.dated - found.past or found.with_sign("pay_future", "transfer_future")):
        signs.add("promise_date")
    return kinds - signs


def _weighed(said: Opinion, rule: Kind) -> dict[str, float]:
    trust = 1.0 if rule.name == "unclear" else TRUST.get(rule.confidence, 1.0)
    if rule.name == "promise_date":
        trust = TRUST[WEAK]  # it means that no word of who is right was known, not that none stood
    raised = {k: v * (trust if k == rule.name else 1) for k, v in said.likely.items()}
    whole = sum(raised.values())
    return {kind: value / whole for kind, value in raised.items()}


def _may_agree(kind: str, rule: Kind, found: Found, weighed: dict[str, float]) -> bool:
    """Whether money may be read as agreed here."""
    risk = sum(value for name, value in weighed.items() if name in NO_MONEY)
    if kind == rule.name:
        return risk <= (RISK_OF_RULE if rule.confidence >= FAIR else RISK)
    if rule.name in BARS or risk > RISK:
        return False
    against = AGAINST[1:] if kind == "accept_part" else AGAINST
    if found.with_sign(*against) and risk > RISK_BESIDE_REFUSAL:
        return False
    if found.with_sign("voucher") or any(c.conditional for c in found.clauses):
        return False
    if kind in NEEDED and not found.with_sign(*NEEDED[kind]):
        return False
    granted = [c for c in _because(kind, found) if not c.has("not_words")]
    return bool(granted or (not found.amounts and found.with_sign("as_claimed")))


def _careful(weighed: dict[str, float], rule: Kind) -> str:
    """Where money was not believed: what the rule said, else the likeliest kind that agrees none,
    if it is likely at all."""
    if rule.name not in AGREED | {"unclear"}:
        return rule.name
    rest = {k: v for k, v in weighed.items() if k not in AGREED and k != "unclear"}
    best = max(rest, key=lambda kind: rest[kind], default="unclear")
    return best if rest.get(best, 0) > CAREFUL else "unclear"


def _because(kind: str, found: Found) -> list[Clause]:
    """Where the sum of a kind that gives is looked for."""
    if kind not in GIVES:
        return []
    open_to = [c for c in found.clauses if not c.has("refuse", "owed_by_them", "other_matter")]
    return [c for c in open_to if found.sums_in(c)]


def _evidence(said: Opinion, kind: str, own: str) -> list[Evidence]:
    low = own.lower()
    places = [(low.find(words), words) for words in said.words(kind)]
    return [
        Evidence("model", own[start : start + len(words)], start, start + len(words))
        for start, words in places
        if start >= 0
    ]
