"""Is what was signed strong enough for whom a letter goes to? Pure.

What a company and a body take as authority is data (`mandate_level` of playbooks, bodies and
companies). It can rise after the signature: a body joins the chain, a company starts to insist.
"""

from __future__ import annotations

from app.domain import position
from app.domain.case import Case, Claimant
from app.domain.errors import TransitionRefused
from app.domain.gates import LEVELS
from app.domain.playbook import Body, Rules


class SignatureTooWeak(TransitionRefused):
    """The company or the body of this letter takes no signature of the level that is held."""

    code = "signature_too_weak"


def needed_level(rules: Rules, body: Body | None) -> str:
    """The weakest signature under a letter to this body, or to the company."""
    if body is not None:
        return body.mandate_level
    wanted = (rules.playbook.mandate_level, rules.reach.mandate_level or LEVELS[0])
    return max(wanted, key=rank)


def rank(level: str) -> int:
    """0 is the weakest."""
    return [str(one) for one in LEVELS].index(level)


def too_weak(case: Case, level: str) -> tuple[Claimant, ...]:
    """Those a letter would list whose signature is below `level`."""
    return tuple(c for c in position.acted_for(case) if rank(c.level) < rank(level))
