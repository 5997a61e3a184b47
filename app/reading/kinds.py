"""What kind of answer a mail is: a list of rules in a fixed order, each with its words.

Caution before cleverness: money counts as agreed only where nothing in the mail refuses, limits it
to a voucher or makes it depend on something; where two readings stand against each other the kind
is `unclear` and a person reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.reading.amounts import Amount
from app.reading.clauses import Clause
from app.reading.mail import Evidence

SURE, FAIR, WEAK = 0.9, 0.75, 0.6
UNSURE = 0.3
FACT_CHARS = 45
NEAR_CHARS = 30
PROMISE_SIGNS = ("pay_future", "transfer_future")


@dataclass(slots=True)
class Found:
    """All that was found in one mail, for the rules. `claimed`: sums of the quoted letter."""

    own: str
    clauses: list[Clause]
    amounts: list[Amount]
    claimed: list[Amount]
    automatic: bool
    is_body: bool
    private_sender: bool
    from_lawyer: bool
    dated: set[int]  # numbers of the clauses that name a day
    past: set[int]  # numbers of those whose day lies before the mail
    coming: set[int]  # and of those whose day lies after it

    def with_sign(self, *names: str) -> list[Clause]:
        return [c for c in self.clauses if c.has(*names)]

    def sums_in(self, clause: Clause) -> list[Amount]:
        return [a for a in self.amounts if clause.start <= a.start < clause.end]

    def is_past(self, clause: Clause) -> bool:
        """Says that it happened: in so many words, or by naming a day that is over."""
        return clause.has("already") or any(self.clauses[n] is clause for n in self.past)

    def is_coming(self, clause: Clause) -> bool:
        """Names a day that is not there yet: nothing in it has happened."""
        return any(self.clauses[n] is clause for n in self.coming)

    def near(self, clause: Clause, *names: str) -> bool:
        """The sign stands in the clause's sentence or the one beside it."""
        return any(c.has(*names) and abs(c.sentence - clause.sentence) <= 1 for c in self.clauses)


@dataclass(slots=True)
class Kind:
    """A kind, how sure, and the clauses that made it so."""

    name: str
    confidence: float
    because: list[Clause]
    signs: tuple[str, ...] = ()

    def evidence(self, own: str) -> list[Evidence]:
        out = []
        for clause in self.because[:4]:
            for name in self.signs or tuple(clause.signs)[:2]:
                if name in clause.signs:
                    start, end = clause.signs[name]
                    out.append(Evidence(name, own[start:end], start, end))
        return out


UNCLEAR = Kind("unclear", UNSURE, [])


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
    money = _money(found)
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
    money = _money(found)
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
    refused = _refusals(found)
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


def _refusals(found: Found) -> list[Clause]:
    return found.with_sign("refuse")


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


# --- money -----------------------------------------------------------------------------------


def _money(found: Found) -> Kind | None:
    """An answer that gives something, or None."""
    grants = [c for c in found.with_sign("accept", *PROMISE_SIGNS, "offer", "pay_past")
              if not c.has("consumer") and not c.has("owed_by_them")]  # fmt: skip
    firm = [c for c in grants if not c.conditional or c.has("pay_past", "goodwill", "offer")]
    if voucher := _voucher(found, grants):
        return voucher
    if not firm:
        return _plain_gift(found)
    refused = _refusals(found)
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
