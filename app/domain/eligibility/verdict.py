"""The whole way from answers to a finding. What ends a claim comes first, then what must be asked,
then what a person decides; only then yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from app.domain.eligibility import limits
from app.domain.eligibility.acts import Clocks, acts_of, demands_of
from app.domain.eligibility.bodies import body_for, closes_on, opens_on
from app.domain.eligibility.facts import Answers, FactUnknown
from app.domain.eligibility.finding import Finding, Note, Test, Verdict
from app.domain.eligibility.items import NAMED_APART, Claimed, claimed, own_items
from app.domain.eligibility.kinds import TESTS
from app.domain.eligibility.lawbook import LawBook, Matter
from app.domain.eligibility.places import jurisdiction
from app.domain.eligibility.warnings import missing_papers, warnings_of

GUARDIAN_MISSING = ("none", "will_sign")


@dataclass(frozen=True, slots=True)
class Earlier:
    """What of an open case finds a claim filed twice."""

    name: str
    company: str
    reference: str
    kind: str
    event_on: date | None


def find(
    given: Mapping[str, Any],
    law: LawBook,
    today: date,
    *,
    company: str = "",
    earlier: Sequence[Earlier] = (),
    approved: frozenset[str] = frozenset(),
    place: str = "",
    carrier: tuple[Note, ...] = (),
) -> Finding:
    """The finding for one intake. `company` is the legal entity, `earlier` the open cases,
    `approved` the records that a reviewer let work although nobody read them in a source, `place`
    the jurisdiction a case was filed under, for answers that give none,
    `carrier` what is to be said of who flew."""
    answers = Answers(given)
    named, unsure = jurisdiction(answers, law)
    m = Matter(answers, law, named or place, today, unsure)
    test = _with_chargeback(_tested(m), m)
    sums = claimed(answers, law, test)
    twice = duplicate_of(m, company, earlier)
    eligible, why = _verdict(m, test, sums, twice)
    items = () if eligible == "no" else sums.items
    currency = _currency(m, test, sums)
    total = sum(item.amount_minor for item in items)
    body, body_notes = (None, ()) if eligible == "no" else body_for(m, items)
    closes = closes_on(m, body) if body else None
    warnings = (
        *test.warnings, *sums.warnings, *body_notes,
        *warnings_of(m, eligible, total, currency, body), *carrier,
        *_to_be_confirmed(law, approved, (*test.grounds, body or "")),
    )  # fmt: skip
    limitation = limits.limit(m, approved)
    reasons = (*why, *test.reasons, *_whose_rules(m), *_who_decides(body))
    said = frozenset(note.code for note in (*warnings, *reasons))
    clocks = Clocks(limitation.last_day if limitation else None, body, closes, said)
    primary, alternative = demands_of(m, items, clocks)
    return Finding(
        claim_kind=answers.kind or "unknown", jurisdiction=m.jurisdiction, eligible=eligible,
        legal_ground=test.grounds, items=items, amount_minor=total, currency=currency, body=body,
        body_opens=opens_on(m, body) if body else None, body_closes=closes,
        limitation=limitation, reasons=reasons, warnings=warnings,
        missing=(*test.missing, *missing_papers(m)),
        open_facts=tuple(dict.fromkeys((*_asked_for(why), *test.open_facts))),
        acts=acts_of(m, clocks, approved), demand_primary=primary, demand_alternative=alternative,
    )  # fmt: skip


def _whose_rules(m: Matter) -> tuple[Note, ...]:
    """Which country's rules were read, and why those."""
    if m.unsure or not m.jurisdiction:
        return ()
    how = str(m.law["place_of"].get(m.answers.kind, "home"))
    home = m.country == m.answers.text("residence")
    if how in ("home", "stay"):
        abroad = "company" if m.country == m.answers.text("company_country") else "stay"
        how = "home" if home else f"abroad_{abroad}"
    return (Note(f"rules_{how}", {"country": m.country}),)


def _who_decides(body: str | None) -> tuple[Note, ...]:
    return (Note("body_decides", {"body": body}),) if body else ()


def _to_be_confirmed(
    law: LawBook, approved: frozenset[str], used: tuple[str, ...]
) -> tuple[Note, ...]:
    """What the finding leans on that nobody read in a source, unless a reviewer approved it."""
    return tuple(
        Note("to_be_confirmed", {"rule": rule})
        for rule in used
        if rule in law.unconfirmed and rule not in approved
    )


def _tested(m: Matter) -> Test:
    """The test of the kind; a fact it needs and nobody knows makes it a question."""
    try:
        test = TESTS[m.answers.need("claim_kind")](m)
    except FactUnknown as unknown:
        asked = Note("fact_unknown", {"fact": unknown.key})
        # Where damages count depends on what happened: unknown, they still could.
        loss = m.answers.kind in m.law["loss_may_count"] and any(
            item.get("type") in NAMED_APART for item in own_items(m.answers)
        )
        computed = m.answers.kind in m.law["sum_computed"]
        return Test(
            "needs_info", _likely_grounds(m), counts=() if computed else None, reasons=(asked,),
            open_facts=(unknown.key,), open_sum=loss or computed,
        )  # fmt: skip
    if test.verdict == "yes" and not test.grounds and not test.unruled:
        # No rule in our files: a person says whether there is a claim.
        return replace(test, verdict="unclear", reasons=(*test.reasons, Note("no_rule_here")))
    return test


def _likely_grounds(m: Matter) -> tuple[str, ...]:
    """The rules of the kind, as far as they do not hang on what is not known."""
    kind = m.answers.kind
    if kind == "online_purchase" and m.answers.text("problem") == "not_as_described":
        kind = "online_purchase_described"
    if kind == "online_return" and m.answers.text("why_sent_back") in ("wrong_item", "faulty"):
        kind = "online_return_faulty"
    try:
        return m.grounds(kind) if kind in m.law["grounds"] else ()
    except FactUnknown:
        return ()


def _with_chargeback(test: Test, m: Matter) -> Test:
    running = any(
        r.get("route") == "chargeback" and r.get("state") == "running"
        for r in m.answers.entries("other_routes")
    )
    ground = m.law["chargeback_ground"]
    if not running or ground in test.grounds:
        return test
    return replace(test, grounds=(ground, *test.grounds))


def _verdict(
    m: Matter, test: Test, sums: Claimed, twice: Earlier | None
) -> tuple[Verdict, tuple[Note, ...]]:
    if refusal := _refused(m, test, sums, twice):
        return "no", (refusal,)
    if question := _asked(m, test, sums):
        return "needs_info", (question,)
    if doubt := _doubted(m, test):
        return "unclear", (doubt,)
    return "yes", ()


def _refused(m: Matter, test: Test, sums: Claimed, twice: Earlier | None) -> Note | None:
    if twice is not None:
        return Note("duplicate", {"of": twice.name})
    if limits.barred(m) and not limits.kept_talking(m):
        return Note("time_barred", {"on": str(limits.last_day(m) or "")})
    if any(o.get("state") == "accepted" for o in m.answers.entries("offers")):
        return Note("offer_accepted")
    if not sums.items and not sums.unknown and not test.open_sum:
        return Note("nothing_left")
    return Note("test_says_no") if test.verdict == "no" else None


def _asked(m: Matter, test: Test, sums: Claimed) -> Note | None:
    consent = m.answers.text("guardian_consent")
    if consent in GUARDIAN_MISSING:
        return Note("guardian_must_sign")
    if not consent:  # nobody said that the claimant is a minor
        return Note("fact_unknown", {"fact": "guardian_consent"})
    acting = m.answers.text("acting_for")
    if acting in ("living_person", "") and m.answers.text("authority") != "sent":
        asks = Note("fact_unknown", {"fact": "acting_for"})
        return Note("authority_must_be_sent") if acting else asks
    if test.verdict == "needs_info":
        return Note("question_open")
    return Note("sum_unknown") if sums.unknown and not sums.items else None


def _asked_for(why: tuple[Note, ...]) -> tuple[str, ...]:
    """The facts that the verdict itself asks for."""
    return tuple(note.params["fact"] for note in why if note.code == "fact_unknown")


def _doubted(m: Matter, test: Test) -> Note | None:
    if limits.barred(m):
        return Note("negotiated_in_time")
    if m.answers.text("insolvency") in ("opened", "closed_down"):
        return Note("insolvent")
    return Note("person_decides") if test.verdict == "unclear" else None


def duplicate_of(m: Matter, company: str, earlier: Sequence[Earlier]) -> Earlier | None:
    """The open case with the same company, reference, kind and event day, filed before."""
    reference, event = m.answers.text("reference"), limits.event_on(m)
    if m.answers.text("filed_with_us_before") == "no" or event is None:
        return None
    if reference in ("", "none") or not company:
        return None
    this = (_plain(company), _plain(reference), m.answers.kind, event)
    for case in earlier:
        if (_plain(case.company), _plain(case.reference), case.kind, case.event_on) == this:
            return case
    return None


def _plain(text: str) -> str:
    """Without what two people write differently: capitals and blanks."""
    return "".join(text.split()).casefold()


def _currency(m: Matter, test: Test, sums: Claimed) -> str | None:
    """Of the first counted line; of a no, of the rule's sum, else of the lines asked."""
    if sums.items:
        return sums.items[0].currency
    if test.currency:
        return test.currency
    asked = [i["amount"] for i in m.answers.entries("items") if isinstance(i.get("amount"), dict)]
    return str(asked[0]["currency"]) if asked else None
