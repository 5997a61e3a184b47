"""One mail in, what it says out: the order in which the parts of this package are asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from app.reading import bounces
from app.reading.amounts import Amount, chosen
from app.reading.automatic import is_automatic
from app.reading.clauses import TEXT_CHARS_MAX, Clause, clauses
from app.reading.dates import Day
from app.reading.doubt import settle
from app.reading.findings import Found, Kind
from app.reading.gather import gather
from app.reading.kinds import kind_of
from app.reading.language import language_of
from app.reading.mail import Evidence, ParsedMail, Reading
from app.reading.own_text import OwnText, own_text
from app.reading.phrases import LANGUAGES, Phrases, everywhere, phrases
from app.reading.recall import is_recall
from app.reading.tickets import ticket_number

MONEY_KINDS = frozenset((
    "accept_full", "accept_part", "already_paid", "paid_consumer_directly", "promise_date",
    "offer_goodwill", "offer_voucher", "body_decision",
))  # fmt: skip
PROMISE_KINDS = frozenset(("accept_full", "accept_part", "promise_date", "body_decision"))
DEADLINE_KINDS_NOT = frozenset(("newsletter_or_spam", "out_of_office", "auto_ack"))
STUB_CHARS = 30
SHORT_CHARS = 200
UNCLEAR_BELOW = 0.5


def read(mail: ParsedMail) -> Reading:
    """What `mail` says. Never raises on what a stranger wrote; the caller limits sizes."""
    words, disagree = _written_part(mail)
    language = (
        language_of(words.text, mail.header("content-language")[:2].lower())
        or language_of(words.quoted[:2_000])  # "Ok.": then the language of what it answers
    )
    language = language or _by_signs(words.text)
    known = phrases(language or "en")
    reading = Reading(language=language, own_text=words.folded, forwarded=words.forwarded)
    reading.parts_disagree = disagree
    reading.report = bounces.report_of(mail)
    reading.bounce = reading.report if bounces.is_failure(reading.report) else None
    found = clauses(words.text, known)
    machine, why = is_automatic(mail, found, words.text, reported=reading.report is not None)
    reading.is_automatic = machine
    reading.evidence = why
    if reading.bounce is not None:
        reading.kind = "bounce_hard" if reading.bounce.permanent else "bounce_soft"
        reading.confidence = 0.95
        return reading
    if reading.report is not None or is_recall(words.text):
        return reading  # a report, or another mail taken back: what it quotes is not said here
    _understand(reading, mail, words, found, known)
    return reading


def _by_signs(text: str) -> str:
    """A few words without any common one: the language whose phrases they are."""
    if not text or len(text) > SHORT_CHARS:
        return ""
    found = {lang: sum(len(c.signs) for c in clauses(text, phrases(lang))) for lang in LANGUAGES}
    best = max(LANGUAGES, key=lambda lang: found[lang])
    return best if found[best] else ""


def _written_part(mail: ParsedMail) -> tuple[OwnText, bool]:
    """The words of the part a person wrote: the text part, unless it is a stub of the other."""
    plain = own_text(mail.text)
    if not mail.html_text:
        return plain, False
    rich = own_text(mail.html_text)
    if len(plain.text) < STUB_CHARS < len(rich.text) or _is_stub(plain.text):
        return (rich if rich.text else plain), False
    same = _overlap(plain.text, rich.text)
    if same >= 0.5 or not rich.text:
        return plain, False
    return _said_by_a_person(plain, rich), True


def _is_stub(text: str) -> bool:
    return len(text) < 300 and everywhere("html_only").search(text) is not None


def _overlap(one: str, other: str) -> float:
    a, b = ({w.lower() for w in re.findall(r"\w+", t)} for t in (one, other))
    return len(a & b) / max(1, min(len(a), len(b)))


def _said_by_a_person(plain: OwnText, rich: OwnText) -> OwnText:
    """Two parts that say different things: a template in one of them gives itself away."""
    template = everywhere("ack")
    if template.search(plain.text) and not template.search(rich.text):
        return rich
    return plain


def _understand(
    reading: Reading, mail: ParsedMail, words: OwnText, found: list[Clause], known: Phrases
) -> None:
    text = words.text[:TEXT_CHARS_MAX]
    about, named = gather(mail, words, found, known, reading.is_automatic)
    kind = kind_of(about)
    if not reading.parts_disagree:
        kind = settle(kind, about, known.language)
    if reading.parts_disagree:
        kind = Kind(kind.name, min(kind.confidence, 0.55), kind.because, kind.signs)
    reading.kind = kind.name if kind.confidence >= UNCLEAR_BELOW else "unclear"
    reading.confidence = kind.confidence
    reading.evidence += kind.evidence(words.text)
    reading.ticket_number = ticket_number(mail.header("subject")[:500], text, known)
    _money(reading, kind, about, known)
    _days(reading, kind, about, named, known, mail.sent_at.date() if mail.sent_at else None)


def _money(reading: Reading, kind: Kind, about: Found, known: Phrases) -> None:
    if reading.kind not in MONEY_KINDS or reading.is_automatic:
        return
    amount = _amount(kind, about, known) or _as_claimed(kind, about)
    if amount is not None:
        reading.amount_minor, reading.currency = amount.minor, amount.currency
        words = about.own[amount.start : amount.end]
        reading.evidence.append(Evidence("amount", words, amount.start, amount.end))


def _amount(kind: Kind, about: Found, known: Phrases) -> Amount | None:
    """First in the clauses that grant, then in their sentences, then in those beside them."""
    numbers = {c.sentence for c in kind.because}
    open_to = [c for c in about.clauses if not c.has("owed_by_them", "other_matter")]
    if kind.name != "offer_voucher":
        open_to = [c for c in open_to if not c.has("refuse") or c.has("goodwill", "pay_past",
                                                                      "body_decides")]  # fmt: skip
    rings = (
        [c for c in open_to if any(c is b for b in kind.because)],
        [c for c in open_to if c.sentence in numbers],
        [c for c in open_to if any(abs(c.sentence - n) <= 1 for n in numbers)],
        open_to if kind.name in ("offer_voucher", "accept_full", "promise_date") else [],
    )
    for ring in rings:
        sums = [a for c in ring for a in about.sums_in(c)]
        if kind.name != "offer_voucher":
            sums = [a for a in sums if a.currency is not None]
        found = chosen(sums, about.own, known)
        if found is not None:
            return found
    return None


def _as_claimed(kind: Kind, about: Found) -> Amount | None:
    """ "In full", "as you asked": the sum of the letter they answer, if it names but one."""
    whole = about.with_sign("as_claimed") or kind.name == "already_paid"
    if kind.name not in ("accept_full", "promise_date", "already_paid") or not whole:
        return None
    sums = {(a.minor, a.currency) for a in about.claimed}
    own = [a for c in about.clauses if not c.has("other_matter") for a in about.sums_in(c)]
    if len(sums) != 1 or own:
        return None
    minor, currency = sums.pop()
    return Amount(minor, currency, 0, 0)


# --- days ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Placed:
    day: Day
    clause: Clause


def _days(
    reading: Reading,
    kind: Kind,
    about: Found,
    named: list[Day],
    known: Phrases,
    sent: date | None,
) -> None:
    if reading.kind in DEADLINE_KINDS_NOT:
        return
    placed = [_Placed(d, c) for d in named for c in about.clauses if c.start <= d.start < c.end]
    to_come = [one for one in placed if sent is None or one.day.day >= sent]
    promise = _promised(reading, kind, about, to_come, known)
    if promise is not None:
        reading.promised_date = promise.day
        words = about.own[promise.start : promise.end]
        reading.evidence.append(Evidence("promised_date", words, promise.start, promise.end))
    deadline = _deadline(reading, about, placed, sent)
    if deadline is not None and deadline is not promise:
        reading.deadline_for_us = deadline.day
        words = about.own[deadline.start : deadline.end]
        reading.evidence.append(Evidence("deadline", words, deadline.start, deadline.end))


def _promised(
    reading: Reading, kind: Kind, about: Found, placed: list[_Placed], known: Phrases
) -> Day | None:
    if reading.kind not in PROMISE_KINDS:
        return None
    for one in placed:
        clause = one.clause
        paying = (
            clause.has("pay_future", "transfer_future")
            or any(
                c.sentence == clause.sentence and c.has("pay_future", "transfer_future")
                for c in about.clauses
            )
            or (clause.has("payment_noun") and not clause.has("request"))
            # no phrase of paying is known there, but the words as a whole said so
            or (kind.by_words and about.is_coming(clause) and not clause.has("deadline_act"))
        )
        if not paying or clause.conditional or clause.has("other_start", "refuse"):
            continue
        if (one.day.relative and clause.has("hedge")) or _corrected(about, one.day, known):
            continue
        if _for_answer(clause) and not clause.has("transfer_future"):
            continue
        return one.day
    return _beside(about, placed, known) if reading.kind == "promise_date" else None


def _beside(about: Found, placed: list[_Placed], known: Phrases) -> Day | None:
    """ "Payment is on the run. Yours is 8 December": a day in the sentence after."""
    for one in placed:
        after_payment = any(
            c.has("transfer_future") and one.clause.sentence - c.sentence == 1
            for c in about.clauses
        )
        free = not one.clause.has("deadline_act", "request", "refuse", "pay_past")
        if after_payment and free and not _corrected(about, one.day, known):
            return one.day
    return None


def _corrected(about: Found, day: Day, known: Phrases) -> bool:
    """ "3 April - no sorry, that is the spring list": taken back in the next breath."""
    return known.pattern("correction").search(about.own[day.end : day.end + 20]) is not None


def _for_answer(clause: Clause) -> bool:
    return clause.has("deadline_act") and clause.has("request")


def _deadline(
    reading: Reading, about: Found, placed: list[_Placed], sent: date | None
) -> Day | None:
    for one in placed:
        clause = one.clause
        if sent is not None and one.day.day < sent:
            continue
        acts = clause.has("deadline_act") or (
            clause.has("request") and (one.day.span or _until(about, one.day))
        )
        acts = acts and (one.day.span or _until(about, one.day))
        acts = acts or (reading.kind == "legal_threat" and _until(about, one.day))
        beside = not acts and _continues(about, one)
        if not acts and not beside:
            continue
        if clause.has("their_time", "other_start") and not clause.has("request"):
            continue
        if clause.has("voucher") and not clause.has("request"):
            continue
        if clause.has("pay_past") or reading.promised_date == one.day.day:
            continue
        if clause.has("owed_by_them") or (one.day.relative and clause.has("hedge")):
            continue
        if clause.has("pay_future", "transfer_future") and not clause.has("deadline_act"):
            continue
        return one.day
    return None


def _until(about: Found, day: Day) -> bool:
    before = about.own[max(0, day.start - 25) : day.start]
    after = about.own[day.end : day.end + 15]
    return everywhere("until_words").search(f"{before} | {after}") is not None


def _continues(about: Found, one: _Placed) -> bool:
    """ "Skicka kvittot. Senast 4/12 tack." A short sentence that is a date after a request."""
    asked = any(
        c.has("request") and 0 <= one.clause.sentence - c.sentence <= 1 for c in about.clauses
    )
    return asked and (_until(about, one.day) or len(one.clause.text) < 40)
