"""The roles of staff, and what may not be held together."""

from __future__ import annotations

STAFF_ROLES = ("handler", "senior", "finance", "finance_approver", "legal", "auditor", "admin")

ROLE_MEANINGS = {
    "handler": "works own cases and the pool",
    "senior": "sees all cases, approves above the approval line, never what they prepared",
    "finance": "records money, allocates, prepares payouts",
    "finance_approver": "approves payouts another person prepared, takes out the bank file",
    "legal": "legal tasks, incidents, threats",
    "auditor": "reads everything, masked, and the history",
    "admin": "accounts, keys, companies, agency profile; no case content",
}

# An auditor who can change what is audited audits nothing.
EXCLUSIVE_ROLES = frozenset({"auditor"})


def role_conflict(roles: frozenset[str] | set[str]) -> str | None:
    """Why these roles may not be held by one account, or None."""
    unknown = set(roles) - set(STAFF_ROLES)
    if unknown:
        return "unknown role"
    if not roles:
        return "at least one role is needed"
    if roles & EXCLUSIVE_ROLES and len(roles) > 1:
        return "an auditor holds no other role"
    return None
