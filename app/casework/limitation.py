"""The last day of a claim, as it is taken over when the case is accepted: of the law's files, or of
a person who says why theirs is another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from app.authorisation.principal import Principal
from app.casework.finding import CaseFinding
from app.casework.schemas import AssessmentIn
from app.domain.case import LimitSource
from app.domain.eligibility.finding import Limit
from app.domain.errors import InvalidInput
from app.domain.legal_clocks import said_period
from app.domain.playbook import Playbook

MAY_SET_A_LATER_DAY = ("senior", "legal")  # where the day of the law has passed


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The last day of the claim and why it is that day."""

    last_day: date | None
    why: LimitSource | None = None


NO_LIMIT: Final = TakenOver(None)


def taken_over(
    body: AssessmentIn, found: CaseFinding, playbook: Playbook, caller: Principal, today: date
) -> TakenOver:
    """No day: neither the law's files nor the person know one, which is work for
    a senior. A day without its reason is the person's own. Raises InvalidInput
    (limitation_passed, limitation_reason_missing)."""
    finding, named = found.finding, body.limitation_on
    law = finding.limitation if finding else None
    if named is not None and named <= today:
        raise InvalidInput(
            "the claim is time-barred on that day: reject it as time_barred",
            code="limitation_passed",
            field="limitation_on",
        )
    if finding is None or law is None:
        return TakenOver(named)
    if law.last_day <= today:
        _refuse_unless_later(body, law, finding.claim_kind, playbook, caller)
        return TakenOver(named)
    if named is not None and named > law.last_day and body.limitation_reason is None:
        raise InvalidInput(
            f"the law's files say {law.last_day.isoformat()}: say in limitation_reason why it is"
            " later",
            code="limitation_reason_missing",
            field="limitation_reason",
        )
    if named not in (None, law.last_day):
        return TakenOver(named)
    return TakenOver(law.last_day, source_of(law))


def source_of(law: Limit) -> LimitSource:
    period = said_period(str(law.period), to_year_end=law.to_year_end)
    return LimitSource(law.fact, law.since, law.rule, period)


def _refuse_unless_later(
    body: AssessmentIn, law: Limit, kind: str, playbook: Playbook, caller: Principal
) -> None:
    """The day of the law has come: only a later one stands, with its reason, by who may know."""
    named, why = body.limitation_on, body.limitation_reason
    if named is not None and why is not None and caller.has(*MAY_SET_A_LATER_DAY):
        return
    limitation = playbook.limitation(kind)
    acts = [act.id for act in limitation.acts] if limitation else []
    rule, source = f"{law.rule}@{playbook.key}", source_of(law)
    raise InvalidInput(
        f"by the law's files the claim can be made until {law.last_day.isoformat()} at the latest"
        f" ({source.period} from {law.fact} on {law.since.isoformat()}, rule {rule}): reject it as"
        " time_barred. What would change it: a company_answer that shows they were negotiating, or"
        f" an act that interrupts or suspends ({', '.join(acts) or 'none is known here'}), from"
        " which a senior or legal gives a later limitation_on with its limitation_reason",
        code="limitation_passed",
        rule=rule,
        last_day=law.last_day.isoformat(),
        start_event=law.fact,
        start=law.since.isoformat(),
        would_change=", ".join(("negotiation", *acts, "later_day_with_reason")),
    )
