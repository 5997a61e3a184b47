"""Where a rule was used: every date, letter, verdict and fee, in open and closed cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.errors import InvalidInput


class RuleUnclear(InvalidInput):
    code = "rule_unclear"


@dataclass(frozen=True, slots=True)
class Use:
    """One use: `what` date | letter | verdict | fee, of which case, what exactly, and when."""

    what: str
    reference: str
    stage: str
    which: str
    at: str


@dataclass(frozen=True, slots=True)
class Version:
    """`rule@3`: of any playbook in version 3, or its own; `rule@house.fi@1`: of that playbook."""

    rule: str
    version: str

    @property
    def dates(self) -> str:
        """How a date's basis names it, as a LIKE pattern."""
        within = f"%@{self.version}" if self.version.isdigit() else self.version
        return f"{_escaped(self.rule)}@{within}"

    @property
    def playbooks(self) -> str:
        return f"%@{self.version}" if self.version.isdigit() else self.version


def parse(asked: str) -> Version:
    """Raises RuleUnclear."""
    rule, _, version = asked.strip().partition("@")
    if not rule or not version or len(asked) > 200:
        raise RuleUnclear("write the rule with its version: house.contact_wait@1, or @house.fi@1")
    return Version(rule, version)


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# Dates that stand, dates that stood (history names the rule when a period begins or moves), the
# letters whose answer time it was, those that argue with it, verdicts and fees.
_USES: Final = text("""
    SELECT 'date' AS what, c.reference, c.stage, t.kind || ' stands' AS which, t.due_at AS at
      FROM case_timers t JOIN cases c ON c.id = t.case_id WHERE t.basis->>'rule' LIKE :dates
    UNION ALL
    SELECT 'date', c.reference, c.stage, a.code || ' ' || coalesce(a.params->>'due',
           a.params->>'on', ''), a.at
      FROM audit_entries a JOIN cases c ON a.stream = 'case:' || c.id
     WHERE a.params->>'rule' LIKE :dates
    UNION ALL
    SELECT 'date', c.reference, c.stage, 'last day of the claim',
           CAST(c.limitation_on AS timestamptz)
      FROM cases c WHERE c.extra->'limitation_basis'->>'rule' LIKE :dates
    UNION ALL
    SELECT 'letter', c.reference, c.stage, l.kind || ' by ' || l.channel || ', its time to answer',
           coalesce(l.sent_at, l.created_at)
      FROM audit_entries a JOIN cases c ON a.stream = 'case:' || c.id
      JOIN letters l ON l.id::text = a.params->>'letter_id'
     WHERE a.code = 'clock_started' AND a.params->>'rule' LIKE :dates
    UNION ALL
    SELECT 'letter', c.reference, c.stage, l.kind || ' by ' || l.channel || ', its ground',
           coalesce(l.sent_at, l.created_at)
      FROM findings f JOIN cases c ON c.id = f.case_id JOIN letters l ON l.case_id = c.id
     WHERE f.grounds ? CAST(:rule AS text) AND f.playbook LIKE :playbooks AND l.state <> 'cancelled'
    UNION ALL
    SELECT 'verdict', c.reference, c.stage, f.eligible || ' by law ' || left(f.law, 12), f.at
      FROM findings f JOIN cases c ON c.id = f.case_id
     WHERE (f.grounds ? CAST(:rule AS text)
            OR f.body->'acts' @> jsonb_build_array(jsonb_build_array(CAST(:rule AS text))))
       AND f.playbook LIKE :playbooks
    UNION ALL
    SELECT 'fee', c.reference, c.stage, 'agreed in the contract', m.signed_at
      FROM mandates m JOIN cases c ON c.id = m.case_id WHERE m.fee_rule = :exact
    UNION ALL
    SELECT 'fee', c.reference, c.stage, i.kind || ' ' || i.series || ' ' || i.number,
           CAST(i.issued_on AS timestamptz)
      FROM commission_invoices i JOIN cases c ON c.id = i.case_id WHERE i.fee_rule = :exact
     ORDER BY 1, 2, 5
""")


async def uses(session: AsyncSession, asked: Version) -> list[Use]:
    """By kind and case, oldest first."""
    values = {
        "rule": asked.rule, "dates": asked.dates, "playbooks": asked.playbooks,
        "exact": f"{asked.rule}@{asked.version}",
    }  # fmt: skip
    return [
        Use(row.what, row.reference, row.stage, row.which, f"{row.at:%Y-%m-%d}")
        for row in await session.execute(_USES, values)
    ]
