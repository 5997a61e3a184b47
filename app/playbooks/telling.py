"""Playbooks in words for the people who review them: one explained, or two told apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Final

from app.domain.counting import Period, Regime
from app.domain.playbook import Body, LadderStep, PaymentPeriod, Playbook

TO_BE_CONFIRMED: Final = "to be confirmed"
_WHO: Final = {
    "consumer_only": "only the consumer may file",
    "consumer_or_mandated": "the consumer or a mandated agent may file",
    "unknown": "who may file is not known: the consumer files what we prepare",
}
# A version always differs in these.
_NAMES: Final = ("id", "version")


def explain(playbook: Playbook) -> Iterator[str]:
    """Line by line: when, which ladder, which bodies, what stops it, what is to be confirmed."""
    yield f"{playbook.key}: {', '.join(playbook.claim_kinds)} in {playbook.jurisdiction}"
    yield f"  {_in_force(playbook)}; owner {playbook.owner}, reviewed {playbook.last_reviewed}"
    if playbook.extends:
        yield f"  extends {playbook.extends}"
    yield f"  days counted by {playbook.regime.id} in {playbook.zone}"
    yield "ladder"
    for step in playbook.ladder:
        yield from _step(step)
    for period in playbook.payment_periods:
        mark = "" if period.verified else f" ({TO_BE_CONFIRMED})"
        only = f" for {', '.join(period.for_items)}" if period.for_items else ""
        yield f"  {period.claim_kind}{only}: {period.wait} to pay by {period.rule}{mark}"
    yield "bodies" if playbook.bodies else "bodies: none, a person decides after the notice"
    if playbook.bodies_by_case:
        yield "  which of them decides hangs on the answers: the case names it"
    for n, body in enumerate(playbook.bodies, start=1):
        yield from _body(n, body)
    yield from _rest(playbook)
    if playbook.unverified:
        by = playbook.reviewed_by
        state = f"approved by {by}: {playbook.review_note}" if by else "not approved yet"
        yield f"{TO_BE_CONFIRMED} ({state})"
        yield from (f"  {rule}" for rule in playbook.unverified)


def _in_force(playbook: Playbook) -> str:
    if playbook.draft:
        return "a draft, cannot be used"
    until = f"to {playbook.effective_to}" if playbook.effective_to else "on"
    return f"in force from {playbook.effective_from} {until}"


def _step(step: LadderStep) -> Iterator[str]:
    letter = f", letter {step.letter_id}" if step.letter_id else ""
    yield (
        f"  {step.stage}: waits {step.wait} ({step.rule}, {step.whose}) from {step.clock_starts},"
        f" by {' then '.join(step.channels)}, approved by {step.approval}{letter}"
    )
    if step.window is not None:
        window = step.window
        opens = f" from {window.opens} after" if window.opens else " from"
        closes = f" until {window.closes} after" if window.closes else ""
        yield f"    only{opens}{closes} {window.since} ({window.rule})"


def _body(n: int, body: Body) -> Iterator[str]:
    mark = "" if body.verified else f" ({TO_BE_CONFIRMED})"
    yield f"  {n}. {body.name} [{body.id}], {body.kind}{mark}"
    files = "we file" if body.may_agency_file else f"the consumer presses send, by {body.how}"
    yield f"     {_WHO[body.who_files]}; {files}; in {', '.join(body.languages)}"
    opens = "at once" if body.opens_after is None else f"{body.opens_after} after"
    refusal = " or with a refusal" if body.opens_after and body.opens_on_refusal else ""
    closes = (
        f"; closes {body.closes_after} after the {body.closes_from}" if body.closes_after else ""
    )
    yield f"     opens {opens} the first written complaint{refusal}{closes}; takes {body.wait}"
    if body.needs_body:
        yield f"     {body.needs_body} must have been asked before"
    if body.min_amount_minor or body.max_amount_minor:
        high = f" to {body.max_amount_minor}" if body.max_amount_minor else ""
        yield f"     sums from {body.min_amount_minor}{high} {body.amount_currency} (minor units)"
    if body.fee:
        lost = ", only if lost" if body.fee.only_if_lost else ""
        yield f"     fee {body.fee.minor} {body.fee.currency} (minor units){lost}: a person decides"
    if body.alternative:
        yield f"     where the company is no member: {body.alternative}"


def _rest(playbook: Playbook) -> Iterator[str]:
    if playbook.declarations:
        yield "declarations before money may be demanded"
    for made in playbook.declarations:
        yield f"  {made.id} by the {made.by} ({', '.join(made.claim_kinds)}): {made.shown_by}"
    if playbook.limitations:
        yield "limitation"
    for kind, row in playbook.limitations:
        span = str(row.period) if row.period else "not known here, a person sets the day"
        end = ", to the end of the year" if row.to_year_end else ""
        acts = "; ".join(f"{a.id} {a.effect}, by {' or '.join(a.by)}" for a in row.acts)
        yield f"  {kind}: {span}{end} ({row.rule}){': ' + acts if acts else ''}"
    if playbook.licence:
        yield f"licence needed: {playbook.licence}"
    if playbook.stop_below_minor:
        sums = ", ".join(f"{minor} {currency}" for currency, minor in playbook.stop_below_minor)
        yield f"below these sums no body is asked without a person: {sums} (minor units)"


def differences(one: Playbook, other: Playbook) -> Iterator[str]:
    """`path: old -> new` for everything that differs, with what only one of them has."""
    for field in fields(Playbook):
        if field.name not in _NAMES:
            yield from _told(field.name, getattr(one, field.name), getattr(other, field.name))


def _told(path: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, tuple) and isinstance(new, tuple):
        yield from _listed(path, old, new)
    elif type(old) is type(new) and is_dataclass(old) and not isinstance(old, Period | Regime):
        for field in fields(old):
            name = field.name
            yield from _told(f"{path}.{name}", getattr(old, name), getattr(new, name))
    else:
        yield f"{path}: {_word(old)} -> {_word(new)}"


def _listed(path: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Iterator[str]:
    before, after = (dict(_named(n, x) for n, x in enumerate(side)) for side in (old, new))
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            yield f"{path}: no longer {name}"
        elif name not in before:
            yield f"{path}: also {name}"
        else:
            yield from _told(f"{path}.{name}", before[name], after[name])
    common = [n for n in before if n in after]
    if common != [n for n in after if n in before]:
        yield f"{path}: in another order: {', '.join(after)}"


def _named(n: int, entry: Any) -> tuple[str, Any]:
    """What tells an entry of a list apart from its neighbours, and what it holds."""
    if isinstance(entry, str):
        return entry, entry
    if isinstance(entry, tuple):
        return str(entry[0]), entry[1]
    if isinstance(entry, PaymentPeriod):
        return f"{entry.claim_kind}[{','.join(entry.for_items) or 'all'}]", entry
    return str(entry.stage if isinstance(entry, LadderStep) else getattr(entry, "id", n)), entry


def _word(value: Any) -> str:
    if value is None:
        return "none"
    return str(value.id) if isinstance(value, Regime) else str(value)
