"""Which case a receipt belongs to: the cascade of nine steps, pure.

``match`` reads one receipt and the facts that may concern it and gives suggestions, best first; at
most one of them ``confirms``. Tolerance is zero, currencies never mix, and whatever is said to be
in full settlement is only suggested. Source: design/money.md 2.1 and screens.md 2.3.
"""

from app.domain.matching.advice import AdviceLine, AdviceRefused, read_advice
from app.domain.matching.cascade import match
from app.domain.matching.clues import Keys, keys_of
from app.domain.matching.facts import (
    CaseFacts,
    Facts,
    Part,
    Promised,
    Reason,
    Receipt,
    Rules,
    Suggestion,
)

__all__ = [
    "AdviceLine",
    "AdviceRefused",
    "CaseFacts",
    "Facts",
    "Keys",
    "Part",
    "Promised",
    "Reason",
    "Receipt",
    "Rules",
    "Suggestion",
    "keys_of",
    "match",
    "read_advice",
]
