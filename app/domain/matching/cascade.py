"""The nine steps, and the one rule of confirming.

A suggestion confirms only when its step may, when it is the one candidate of its step, when no
other evidence in the line points elsewhere, and when nothing says that the money is meant as the
whole of a claim it does not cover.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from difflib import SequenceMatcher

from app.domain.matching.advice import match_advice
from app.domain.matching.clues import Clue, booking_words, clues_of, says_settled
from app.domain.matching.facts import (
    STEPS,
    CaseFacts,
    Facts,
    Part,
    Reason,
    Receipt,
    Rules,
    Suggestion,
)
from app.domain.matching.subset import only_subset

SUGGESTIONS_MAX = 10


def match(receipt: Receipt, facts: Facts, rules: Rules) -> tuple[Suggestion, ...]:
    """Suggestions for a receipt, best first. The first alone may confirm."""
    cases = tuple(case for case in facts.cases if case.currency == receipt.currency)
    clues = clues_of(receipt, rules)
    found: list[Suggestion] = []
    named: set[str] = set()  # cases an earlier step has found: a later one does not repeat them
    for suggestion in (
        *_by_clues(receipt, cases, clues, facts, rules),
        *_by_booking(receipt, cases, facts, rules),
        *_by_payer(receipt, cases, facts, rules),
        *match_advice(receipt, cases, facts, rules),
        *_by_subset(receipt, cases, facts, rules),
        *_by_name(receipt, cases, facts, rules),
    ):
        if len(suggestion.parts) == 1 and suggestion.case_ids <= named:
            continue
        if len(suggestion.parts) == 1:
            named |= suggestion.case_ids
        found.append(suggestion)
    found.sort(key=lambda s: (STEPS.index(s.step), -s.score, [p.case_id for p in s.parts]))
    return _decided(found, receipt, cases, rules)[:SUGGESTIONS_MAX]


def _decided(
    found: Sequence[Suggestion], receipt: Receipt, cases: Sequence[CaseFacts], rules: Rules
) -> tuple[Suggestion, ...]:
    """Takes the right to confirm from all but one, and from that one where anything is unclear."""
    general = _never(receipt, rules)
    by_id = {case.case_id: case for case in cases}
    done: list[Suggestion] = []
    for one in found:
        against = general or one.against or _settles(one, by_id)
        if against is None:
            rivals = [o for o in found if _rivals(one, o, by_id)]
            if rivals:
                against = Reason("points_elsewhere", params={"step": rivals[0].step})
        if against is None and one.step not in rules.confirms:
            against = Reason("step_suggests")
        done.append(replace(one, against=against))
    # Several references that together are the sum are one candidate, and stand before their parts.
    done.sort(key=lambda s: not s.confirms)
    return tuple(done)


def _rivals(one: Suggestion, other: Suggestion, by_id: dict[str, CaseFacts]) -> bool:
    """Whether ``other`` is evidence for another case: an earlier step, or anything that the line
    itself says. Digits that fit by chance say nothing; a booking number of several cases only
    speaks against a case that is not one of them."""
    if one.case_ids >= other.case_ids:
        return False
    if other.against is not None and other.against.code == "digits_by_chance":
        return False
    if other.step == "booking_number":
        mine = {_folded(by_id[part.case_id].booking_ref or "") for part in one.parts}
        return other.found not in mine
    at, its = STEPS.index(one.step), STEPS.index(other.step)
    return its < at or its < STEPS.index("booking_number")


def _never(receipt: Receipt, rules: Rules) -> Reason | None:
    if receipt.return_reason is not None:
        return Reason("own_payment_returned", params={"found": receipt.return_reason})
    words = says_settled(receipt.text, rules)
    return Reason("in_full_settlement", params={"found": words}) if words else None


def _settles(one: Suggestion, by_id: dict[str, CaseFacts]) -> Reason | None:
    for part in one.parts:
        case = by_id[part.case_id]
        if not case.runs:
            return Reason("case_not_running")
        if case.asks and part.amount_minor < case.open_minor:
            return Reason("offer_waits")
    return None


# --- steps 2 to 4: references -----------------------------------------------------------------


def _by_clues(
    receipt: Receipt,
    cases: Sequence[CaseFacts],
    clues: Sequence[Clue],
    facts: Facts,
    rules: Rules,
) -> list[Suggestion]:
    seen: set[str] = set()
    found: list[Suggestion] = []
    strong: list[CaseFacts] = []
    for clue in clues:
        for case in cases:
            if clue.value not in (case.payment_ref, case.reference) or case.case_id in seen:
                continue
            seen.add(case.case_id)
            doubt = _doubt(clue, case, facts)
            if doubt is None:
                strong.append(case)
            found.append(_for_clue(receipt, case, clue, facts, rules, doubt))
    total = sum(case.open_minor for case in strong)
    if len(strong) > 1 and len(strong) == len(found) and total == receipt.amount_minor:
        return [_together(found, strong, rules)]
    return found


def _doubt(clue: Clue, case: CaseFacts, facts: Facts) -> Reason | None:
    if not clue.valid:
        return Reason("check_digit_wrong", params={"found": clue.found})
    if not clue.strong and not _payer_fits(case, facts):
        return Reason("digits_by_chance", params={"found": clue.found})
    return _pays_for_others(case, facts)


def _for_clue(
    receipt: Receipt,
    case: CaseFacts,
    clue: Clue,
    facts: Facts,
    rules: Rules,
    doubt: Reason | None,
) -> Suggestion:
    code = "reference_exact" if clue.valid else "reference_near"
    reasons = [_points(rules, code, found=clue.found), *_support(receipt, case, facts, rules)]
    return _single(receipt, case, clue.step, clue.found, clue.valid, reasons, doubt, clue.value)


def _together(found: Sequence[Suggestion], strong: Sequence[CaseFacts], rules: Rules) -> Suggestion:
    """One payment, several checked references, and their open sums are the amount."""
    return Suggestion(
        step=found[0].step,
        parts=tuple(Part(case.case_id, case.open_minor) for case in strong),
        rest_minor=0,
        found=" ".join(one.found for one in found),
        valid_check=True,
        reasons=(
            _points(rules, "reference_exact", found=found[0].found),
            _points(rules, "sum_equal", count=str(len(strong))),
        ),
        against=None,
        matches=" ".join(one.matches for one in found),
    )


def _pays_for_others(case: CaseFacts, facts: Facts) -> Reason | None:
    """The payer's account or name belongs to other companies than the one of the case."""
    if facts.payer_companies and case.company not in facts.payer_companies:
        return Reason("payer_of_another_company")
    if facts.named_companies and not _payer_fits(case, facts):
        return Reason("payer_names_another_company")
    return None


def _payer_fits(case: CaseFacts, facts: Facts) -> bool:
    return case.company in facts.payer_companies or case.company in facts.named_companies


# --- steps 5, 6, 8, 9: what the company wrote, and who paid ------------------------------------


def _by_booking(
    receipt: Receipt, cases: Sequence[CaseFacts], facts: Facts, rules: Rules
) -> list[Suggestion]:
    words = booking_words(receipt, rules)
    hits = [case for case in cases if case.booking_ref and _folded(case.booking_ref) in words]
    found = []
    for case in hits:
        doubt = None
        if case.company not in facts.payer_companies:
            doubt = _pays_for_others(case, facts) or Reason("payer_not_learned")
        elif len(hits) > 1:
            doubt = Reason("several_cases", params={"count": str(len(hits))})
        booking = _folded(case.booking_ref or "")
        reasons = [
            _points(rules, "booking_exact", found=booking),
            *_support(receipt, case, facts, rules),
        ]
        found.append(_single(receipt, case, "booking_number", booking, None, reasons, doubt))
    return found


def _by_payer(
    receipt: Receipt, cases: Sequence[CaseFacts], facts: Facts, rules: Rules
) -> list[Suggestion]:
    """Step 6: the learned account, and the exact sum of one case."""
    hits = [
        (case, _promised(receipt, case, rules))
        for case in cases
        if case.company in facts.payer_companies and case.open_minor > 0
    ]
    fitting = [
        (case, promised)
        for case, promised in hits
        if case.open_minor == receipt.amount_minor or promised
    ]
    found = []
    for case, promised in fitting:
        doubt = None if promised else Reason("sum_not_promised")
        if not facts.whole:
            doubt = Reason("too_many_cases")
        if len(fitting) > 1:
            doubt = Reason("several_cases", params={"count": str(len(fitting))})
        reasons = _support(receipt, case, facts, rules)
        found.append(_single(receipt, case, "known_payer_amount", "", None, reasons, doubt))
    return found


def _by_subset(
    receipt: Receipt, cases: Sequence[CaseFacts], facts: Facts, rules: Rules
) -> list[Suggestion]:
    """Step 8: the one set of the known payer's open cases that sums to the amount."""
    open_cases = [
        case for case in cases if case.company in facts.payer_companies and case.open_minor > 0
    ]
    if not facts.whole:
        return []
    chosen = only_subset(
        [case.open_minor for case in open_cases], receipt.amount_minor, rules.subset_items_max
    )
    if chosen is None:
        return []
    parts = tuple(Part(open_cases[at].case_id, open_cases[at].open_minor) for at in chosen)
    reasons = (
        _points(rules, "payer_known"),
        _points(rules, "sum_equal", count=str(len(parts))),
    )
    return [
        Suggestion("subset_sum", parts, 0, "", None, reasons, Reason("step_suggests"))
    ]  # fmt: skip


def _by_name(
    receipt: Receipt, cases: Sequence[CaseFacts], facts: Facts, rules: Rules
) -> list[Suggestion]:
    """Step 9: the payer's name is like the company's, and the sum is the claim's."""
    if not receipt.payer_name:
        return []
    found = []
    for case in cases:
        if case.open_minor != receipt.amount_minor:
            continue
        likeness = name_likeness(receipt.payer_name, case.company_name)
        if likeness >= rules.name_likeness_min:
            reasons = [
                _points(rules, "name_like", found=str(likeness)),
                *_support(receipt, case, facts, rules),
            ]
            found.append(
                _single(receipt, case, "payer_name", "", None, reasons, Reason("step_suggests"))
            )
    return found


def name_likeness(payer: str, company: str) -> int:
    """How like two names are, in percent; the order of their words does not count."""
    first, second = (" ".join(sorted(name.casefold().split())) for name in (payer, company))
    return round(100 * SequenceMatcher(None, first, second, autojunk=False).ratio())


# --- shared ----------------------------------------------------------------------------------


def _single(
    receipt: Receipt,
    case: CaseFacts,
    step: str,
    found: str,
    valid: bool | None,
    reasons: Iterable[Reason],
    doubt: Reason | None,
    matches: str = "",
) -> Suggestion:
    """One case takes what is open on it at most; the rest stays unallocated."""
    if case.open_minor <= 0:
        doubt = doubt or Reason("nothing_open")
    part = min(receipt.amount_minor, max(case.open_minor, 0))
    return Suggestion(
        step=step,
        parts=(Part(case.case_id, part),),
        rest_minor=receipt.amount_minor - part,
        found=found,
        valid_check=valid,
        reasons=tuple(reasons),
        against=doubt,
        matches=matches or found,
    )


def _support(receipt: Receipt, case: CaseFacts, facts: Facts, rules: Rules) -> list[Reason]:
    reasons = []
    if receipt.amount_minor == case.open_minor:
        reasons.append(_points(rules, "amount_equal"))
    if _promised(receipt, case, rules):
        reasons.append(_points(rules, "amount_promised"))
    if case.company in facts.payer_companies:
        reasons.append(_points(rules, "payer_known"))
    elif case.company in facts.named_companies:
        reasons.append(_points(rules, "payer_named"))
    if receipt.amount_minor > case.open_minor:
        reasons.append(_points(rules, "more_than_open"))
    return reasons


def _promised(receipt: Receipt, case: CaseFacts, rules: Rules) -> bool:
    window = timedelta(days=rules.promise_days)
    return any(
        said.amount_minor == receipt.amount_minor
        and timedelta(0) <= receipt.booked_on - said.on <= window
        for said in case.promised
    )


def _points(rules: Rules, code: str, **params: str) -> Reason:
    return Reason(code, rules.score[code], params)


def _folded(text: str) -> str:
    return "".join(symbol for symbol in text.upper() if symbol.isalnum())
