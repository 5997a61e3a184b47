"""The whole way from answers to a finding. What ends a claim comes first, then what must be asked,
then what a person decides; only then yes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.domain.eligibility import limits
from app.domain.eligibility.bodies import body_for, closes_on, opens_on
from app.domain.eligibility.facts import Answers, FactUnknown
from app.domain.eligibility.finding import Finding, Note, Test, Verdict
from app.domain.eligibility.items import Claimed, claimed
from app.domain.eligibility.kinds import TESTS
from app.domain.eligibility.lawbook import LawBook, Matter
from app.domain.eligibility.places import air_law, jurisdiction
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
) -> Finding:
    """The finding for one intake. `company` is the legal entity, `earlier` the open cases."""
    answers = Answers(given)
    m = Matter(answers, law, jurisdiction(answers, law), today)
    test = _with_chargeback(_tested(m), m)
    sums = claimed(answers, law, test)
    twice = duplicate_of(m, company, earlier)
    eligible, why = _verdict(m, test, sums, twice)
    said_no = eligible == "no"
    items = () if said_no else sums.items
    currency = items[0].currency if items else _currency(test, answers)
    total = sum(item.amount_minor for item in items)
    body = None if said_no else body_for(m, total, currency)
    return Finding(
        claim_kind=answers.kind, jurisdiction=m.jurisdiction, eligible=eligible,
        legal_ground=test.grounds, items=items, amount_minor=total, currency=currency, body=body,
        body_opens=opens_on(m, body) if body else None,
        body_closes=closes_on(m, body) if body else None,
        limitation_on=limits.last_day(m), reasons=(*why, *test.reasons),
        warnings=(*test.warnings, *sums.warnings, *warnings_of(m, eligible, total, currency, body)),
        missing=(*test.missing, *missing_papers(m)), open_facts=test.open_facts,
    )  # fmt: skip


def _tested(m: Matter) -> Test:
    """The test of the kind; a fact it needs and nobody knows makes it a question."""
    try:
        test = TESTS[m.answers.need("claim_kind")](m)
    except FactUnknown as unknown:
        asked = Note("fact_unknown", {"fact": unknown.key})
        return Test("needs_info", _likely_grounds(m), reasons=(asked,), open_facts=(unknown.key,))
    if test.verdict == "yes" and not test.grounds:
        # No rule in our files: a person says whether there is a claim.
        return Test(
            "unclear", (), computed=test.computed, counts=test.counts, currency=test.currency,
            reasons=(*test.reasons, Note("no_rule_here")), warnings=test.warnings,
            missing=test.missing,
        )  # fmt: skip
    return test


def _likely_grounds(m: Matter) -> tuple[str, ...]:
    kind = m.answers.kind
    if kind == "air":
        try:
            law = air_law(m.answers, m.law)
        except FactUnknown:
            return ()
        return (str(m.law["air"][law]["rule"]),) if law else ()
    if kind == "online_purchase" and m.answers.text("problem") == "not_as_described":
        kind = "online_purchase_described"
    return m.grounds(kind) if kind in m.law["grounds"] else ()


def _with_chargeback(test: Test, m: Matter) -> Test:
    running = any(
        r.get("route") == "chargeback" and r.get("state") == "running"
        for r in m.answers.entries("other_routes")
    )
    ground = m.law["chargeback_ground"]
    if not running or ground in test.grounds:
        return test
    return Test(
        test.verdict, (*test.grounds, ground), test.computed, test.counts, test.currency,
        test.reasons, test.warnings, test.missing, test.open_facts,
    )  # fmt: skip


def _verdict(
    m: Matter, test: Test, sums: Claimed, twice: Earlier | None
) -> tuple[Verdict, tuple[Note, ...]]:
    if refusal := _refused(m, test, sums, twice):
        return "no", (refusal,)
    if question := _asked(m, test):
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
    if not sums.items and not _could_count(m, test):
        return Note("nothing_left")
    return Note("test_says_no") if test.verdict == "no" else None


def _could_count(m: Matter, test: Test) -> bool:
    """Whether an unknown fact could still make a line count."""
    unknown_sum = any(i.get("amount") == "unknown" for i in m.answers.entries("items"))
    return bool(test.open_facts) or unknown_sum or m.answers.get("items") is None


def _asked(m: Matter, test: Test) -> Note | None:
    consent = m.answers.text("guardian_consent")
    if consent in GUARDIAN_MISSING or m.answers.get("guardian_consent") is None:
        return Note("guardian_must_sign")
    acting = m.answers.text("acting_for")
    if acting in ("living_person", "") and m.answers.text("authority") != "sent":
        return Note("authority_must_be_sent")
    if test.verdict == "needs_info":
        return Note("question_open")
    return None


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
    this = (company.casefold(), reference, m.answers.kind, event)
    for case in earlier:
        if (case.company.casefold(), case.reference, case.kind, case.event_on) == this:
            return case
    return None


def _currency(test: Test, answers: Answers) -> str | None:
    """Of the rule's sum, else of the lines asked."""
    if test.currency:
        return test.currency
    for item in answers.entries("items"):
        if isinstance(item.get("amount"), dict):
            return str(item["amount"]["currency"])
    return None
