"""What kind of answer a mail is: a list of rules in a fixed order, each with its words.

Caution before cleverness: money counts as agreed only where nothing in the mail refuses, limits it
to a voucher or makes it depend on something; where two readings stand against each other the kind
is `unclear` and a person reads.
"""

from __future__ import annotations

from app.reading.clauses import Clause
from app.reading.findings import (
    FACT_CHARS,
    FAIR,
    NEAR_CHARS,
    PROMISE_SIGNS,
    SURE,
    UNCLEAR,
    WEAK,
    Found,
    Kind,
)
from app.reading.money_kinds import money_kind


def kind_of(found: Found) -> Kind:
    """The kind of a mail that is no bounce."""
    if found.is_body:
        return _of_body(found)
    if found.automatic:
        return _of_robot(found)
    return _threat(found) or _consumer(found) or _substance(found) or _ack(found) or UNCLEAR


# --- bodies and robots -----------------------------------------------------------------------


def _of_body(found: Found) -> Kind:
    decides = [c for c in found.with_sign("body_decides") if not c.conditional]
    asks = [c for c in found.with_sign("request") if c.has("deadline_act") or not decides]
    acks = found.with_sign("body_ack", "ack")
    firm = [c for c in decides if found.sums_in(c) or c.has("pay_future") or len(decides) > 1]
    if decides and (firm or not (asks or acks)):
        return Kind("body_decision", SURE if firm else FAIR, decides, ("body_decides",))
    if asks and not (acks and len(asks) < 2 and not any(c.has("deadline_act") for c in asks)):
        return Kind("body_asks_info", SURE, asks, ("request",))
    if acks:
        return Kind("body_ack", SURE, acks, ("body_ack", "ack"))
    if decides:
        return Kind("body_decision", WEAK, decides, ("body_decides",))
    return UNCLEAR


def _of_robot(found: Found) -> Kind:
    away = found.with_sign("out_of_office")
    acks = found.with_sign("ack")
    news = found.with_sign("newsletter")
    if away and len(away) >= len(acks):
        return Kind("out_of_office", SURE, away, ("out_of_office",))
    if news and not acks:
        return Kind("newsletter_or_spam", SURE, news, ("newsletter",))
    portal = found.with_sign("portal_only")
    if portal and found.with_sign("portal"):
        return Kind("portal_only", FAIR, portal, ("portal_only",))
    if acks and not found.with_sign("refuse"):
        return Kind("auto_ack", SURE, acks, ("ack",))
    if refused := found.with_sign("refuse"):
        return _denial(found, refused)
    asked = _ask(found)
    if asked is not None:
        return asked
    money = money_kind(found)
    if money is not None and money.name in ("offer_voucher", "already_paid"):
        return money
    if acks or found.with_sign("auto_text"):
        return Kind("auto_ack", FAIR, acks, ("ack",))
    return UNCLEAR


# --- people ----------------------------------------------------------------------------------


def _threat(found: Found) -> Kind | None:
    threats = [c for c in found.with_sign("threat") if not c.has("body_decides")]
    lawyers = found.with_sign("lawyer")
    if found.from_lawyer and (threats or any(c.has("deadline_act") for c in lawyers)):
        return Kind("legal_threat", SURE, threats + lawyers, ("threat", "lawyer"))
    if len(threats) > 1 or (threats and lawyers):
        return Kind("legal_threat", SURE, threats + lawyers, ("threat", "lawyer"))
    if threats and not found.with_sign("refuse", "request", *PROMISE_SIGNS):
        return Kind("legal_threat", WEAK, threats, ("threat",))
    return None


def _consumer(found: Found) -> Kind | None:
    said = found.with_sign("consumer")
    times = len(said) + sum(c.signs["consumer"][0] > c.start for c in said if c.has("person")) // 2
    if found.private_sender and said:
        return Kind("consumer_message", SURE, said, ("consumer",))
    if found.private_sender and _of_others(found):
        return Kind("consumer_message", FAIR, found.with_sign("third_party"), ("third_party",))
    if times > 1 and not found.with_sign("accept", "offer", "refuse"):
        return Kind("consumer_message", FAIR, said, ("consumer",))
    return None


def _of_others(found: Found) -> bool:
    """Speaks of itself and of "them", never as "we": no company writes so."""
    return (
        bool(found.with_sign("first_person"))
        and bool(found.with_sign("third_party"))
        and not found.with_sign("company_we", "lawyer", "out_of_office")
    )


def _ack(found: Found) -> Kind | None:
    acks = found.with_sign("ack")
    if acks and not found.with_sign("pass_on", "person"):
        return Kind("auto_ack", WEAK, acks, ("ack",))
    return None


def _substance(found: Found) -> Kind | None:
    money = money_kind(found)
    if money is not None:
        return money
    elsewhere = found.with_sign("not_us")
    wanted = [c for c in found.with_sign("request") if not c.has("not_us") and not c.conditional]
    if len(elsewhere) == 1 and wanted and any(c.has("deadline_act") for c in wanted):
        elsewhere = []  # "we find no such customer: please send the number"
    if elsewhere and not any(c.has("goodwill") for c in found.clauses):
        return Kind("not_us", SURE if len(elsewhere) > 1 else FAIR, elsewhere, ("not_us",))
    portal = found.with_sign("portal_only")
    if portal and found.with_sign("portal"):
        return Kind("portal_only", FAIR, portal, ("portal_only",))
    refused = found.with_sign("refuse")
    if refused and all(_lacks_mandate(found, c) for c in refused):
        return Kind("ask_identity_or_mandate", FAIR, refused, ("refuse", "identity"))
    asked = _ask(found)
    if asked is not None and (not refused or _needs_first(found, refused)):
        return asked
    if refused:
        return _denial(found, refused)
    return _loosely(found)


def _loosely(found: Found) -> Kind | None:
    """No phrase fits: a sum said to be paid and no "not" in the whole mail, or a "not" beside
    words of money. Never sure."""
    nots = found.with_sign("not_words")
    paid = [c for c in found.with_sign("money_words") if found.sums_in(c) and not c.conditional]
    if paid and not nots and not found.with_sign("voucher", "hypothetical", "owed_by_them"):
        if any(found.is_past(c) for c in paid):
            return Kind("already_paid", WEAK, paid, ("money_words",))
        numbers = [n for n in found.dated if found.clauses[n] in paid]
        if numbers and not found.with_sign("request", "pass_on"):
            return Kind("promise_date", WEAK, paid, ("money_words",))
        return None
    denied = [c for c in nots if _not_money(c) and not c.conditional and "?" not in c.text]
    if denied and not found.with_sign("pass_on", "ack"):
        return Kind(_denial(found, denied).name, WEAK, denied, ("not_words", "money_words"))
    return None


def _not_money(clause: Clause) -> bool:
    """The "not" stands close by a word of money."""
    if not clause.has("money_words"):
        return False
    no, money = clause.signs["not_words"], clause.signs["money_words"]
    return max(no[0], money[0]) - min(no[1], money[1]) <= NEAR_CHARS


def _needs_first(found: Found, refused: list[Clause]) -> bool:
    """ "We cannot look at it without a mandate" asks, it does not refuse."""
    asked = [c for c in found.with_sign("request") if not _if_you_disagree(c)]
    return bool(asked) and all(c.conditional or c.has("request", "identity") for c in refused)


def _lacks_mandate(found: Found, refused: Clause) -> bool:
    """Refused for want of a mandate, and no sum is refused."""
    same = [c for c in found.clauses if c.sentence == refused.sentence]
    return any(c.has("identity") for c in same) and not any(found.sums_in(c) for c in same)


def _if_you_disagree(clause: Clause) -> bool:
    return clause.conditional and clause.has("refuse")


def _denial(found: Found, refused: list[Clause]) -> Kind:
    reasons = [c for c in found.with_sign("reason") if any(
        abs(c.sentence - r.sentence) <= 2 for r in refused)]  # fmt: skip
    reasons = reasons or [c for c in found.clauses if _states_a_fact(c)]
    if reasons:
        return Kind("deny_reasoned", SURE, refused + reasons, ("refuse", "reason"))
    return Kind("deny_flat", FAIR, refused, ("refuse",))


def _states_a_fact(clause: Clause) -> bool:
    """A whole sentence beside the refusal that is neither politeness nor part of it."""
    words = clause.text.strip()
    return len(words) >= FACT_CHARS and "?" not in words and not clause.has(
        "refuse", "ack", "person_acts", "pay_future", "accept", "offer", "request",
        "other_matter", "pay_past", "pass_on", "not_words",
    )  # fmt: skip


def _ask(found: Found) -> Kind | None:
    asked = found.with_sign("request")
    if not asked:
        return None
    for clause in asked:
        if found.near(clause, "identity") and _names(found, clause):
            return Kind("ask_identity_or_mandate", SURE, asked, ("request", "identity"))
    return Kind("ask_info", FAIR, asked, ("request",))


def _names(found: Found, clause: Clause) -> bool:
    """The mandate or identity paper is what is asked, in this sentence."""
    named = [c for c in found.clauses if c.has("identity")]
    return (
        len(named) > 1
        or any(c.sentence == clause.sentence for c in named)
        or any(c.has("not_words") and abs(c.sentence - clause.sentence) == 1 for c in named)
    )
