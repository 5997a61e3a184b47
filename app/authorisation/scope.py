"""Whose cases a caller may see, as a WHERE clause that every query of cases carries."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_, select, true

from app.authorisation.principal import Principal
from app.tables.cases import CaseRow, ClaimantRow


def case_scope(principal: Principal) -> ColumnElement[bool]:
    """The cases this caller may see: what is outside answers 404, as if it did not exist.

    consumer: cases they filed or are a claimant of; app: cases filed with its own key;
    handler: own cases and the pool (no handler yet); senior, legal, auditor, finance and finance
    approver: all (the auditor's answers are masked, finance gets amounts only from its own
    operations); admin: none. Several roles add up.
    """
    if principal.kind == "consumer":
        return or_(
            CaseRow.consumer_id == principal.id,
            CaseRow.id.in_(
                select(ClaimantRow.case_id).where(ClaimantRow.consumer_id == principal.id)
            ),
        )
    if principal.kind == "app":
        return CaseRow.source == principal.actor
    if principal.has("senior", "legal", "auditor", "finance", "finance_approver"):
        return true()
    if principal.has("handler"):
        return or_(CaseRow.handler_id == principal.id, CaseRow.handler_id.is_(None))
    return false()


def may_reveal(principal: Principal) -> bool:
    """Whether the caller may see an account number in full (always with a logged reason)."""
    return principal.has("finance", "finance_approver")
