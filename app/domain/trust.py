"""What a mail may do to its case before a person has read it: next to nothing (reliability.md 6.1).

`high` means that our own mail server found the From line proven and aligned, and that its domain is
one of the company's own. Everything else only ever asks a person.
"""

from __future__ import annotations

from typing import Final

LEVELS: Final = ("quarantine", "low", "medium", "high")
# Closed list: an automatic receipt proves that our letter arrived, and answers nothing. No kind
# that speaks of money, a withdrawal or a waiver may ever stand here, whatever the trust.
MOVING_KINDS: Final = frozenset({"auto_ack", "body_ack"})


def moves_by_itself(trust: str, kind: str | None) -> bool:
    """Whether a mail of this trust and kind may move its case without a person."""
    return trust == "high" and kind in MOVING_KINDS


def is_believed(trust: str, reasons: tuple[str, ...]) -> bool:
    """Whether the From line may name who seems to write. A sender whose own domain disowns the
    mail is nobody."""
    return trust != "quarantine" and "dmarc_fail" not in reasons
