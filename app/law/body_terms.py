"""A record of adr_bodies.yaml -> from when until when the body may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from app.domain.counting import Period
from app.domain.playbook import BodyTerms

Record = Mapping[str, Any]
# What a body's last day runs from, by a word of its record; no word: the first complaint.
CLOSES_FROM: Final = {
    "complaint": "complaint", "original bill": "bill", "end of the two months": "opening",
    "final response": "answer", "deadlock letter": "answer",
}  # fmt: skip


def terms_of(record: Record) -> BodyTerms:
    """Raises ValueError where the record's last day runs from something we do not know. Without a
    wait a refusal opens the body."""
    wait = (record.get("requires") or {}).get("wait")
    span = wait if isinstance(wait, Mapping) else {}
    last = record.get("deadline_after")
    return BodyTerms(
        opens_after=period_of(span) if span else None,
        opens_on_refusal="or" in span or not span,
        earlier_wait=_earlier(span),
        closes_after=period_of(last) if isinstance(last, Mapping) else None,
        closes_from=_closes_from(last),
    )


def period_of(span: Record) -> Period:
    unit = str(span["unit"])
    return Period(int(span["value"]), "working_days" if unit == "business_days" else unit)


def _earlier(span: Record) -> tuple[date, Period] | None:
    """`before: 8 weeks` with `from_date`: what complaints made earlier have to wait."""
    if "from_date" not in span:
        return None
    value, _, unit = str(span["before"]).partition(" ")
    return date.fromisoformat(str(span["from_date"])), Period(int(value), unit)


def _closes_from(last: Any) -> str:
    said = str(last.get("from", "complaint")) if isinstance(last, Mapping) else "complaint"
    for word, start in CLOSES_FROM.items():
        if word in said:
            return start
    raise ValueError(f"deadline_after.from: {said!r} is no start we know")
