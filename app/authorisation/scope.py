"""Whose cases a caller may see, as a WHERE clause that every query of cases carries."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, false, or_, select, true
from sqlalchemy.dialects.postgresql import UUID

from app.authorisation.principal import Principal
from app.tables.cases import CaseRow, ClaimantRow


def case_scope(principal: Principal) -> ColumnElement[bool]:
    """The cases this caller may see: what is outside answers 404, as if it did not exist.

    consumer: cases they filed or are a claimant of; app: cases it filed, by any of its keys;
    handler: own cases and the pool (no handler yet); senior, legal, auditor, finance and finance
    approver: all (the auditor's answers are masked, finance gets amounts only from its own
    operations); admin: none. Several roles add up.
    """
    return _scope(principal, principal.id, principal.actor)


def case_scope_of_kind(principal: Principal) -> ColumnElement[bool]:
    """The same for every caller of this kind with these roles, for a statement that is kept.

    Who it is comes with each execution: `scope_values`.
    """
    return _scope(
        principal,
        bindparam("caller_id", type_=UUID(as_uuid=True)),
        bindparam("caller_actor", type_=Text),
    )


def scope_values(principal: Principal) -> dict[str, Any]:
    return {"caller_id": principal.id, "caller_actor": principal.actor}


def _scope(principal: Principal, me: Any, actor: Any) -> ColumnElement[bool]:
    if principal.kind == "consumer":
        return or_(
            CaseRow.consumer_id == me,
            CaseRow.id.in_(select(ClaimantRow.case_id).where(ClaimantRow.consumer_id == me)),
        )
    if principal.kind == "app":
        filed_by_it: ColumnElement[bool] = CaseRow.source == actor
        return filed_by_it
    if principal.has("senior", "legal", "auditor", "finance", "finance_approver"):
        return true()
    if principal.has("handler"):
        return or_(CaseRow.handler_id == me, CaseRow.handler_id.is_(None))
    return false()


def may_reveal(principal: Principal) -> bool:
    """Whether the caller may see an account number in full (always with a logged reason)."""
    return principal.has("finance", "finance_approver")
