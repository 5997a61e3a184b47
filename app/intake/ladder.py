"""Which playbook a new claim starts with."""

from __future__ import annotations

from datetime import date

from app.domain.errors import NotFound
from app.fields import FieldError, FieldsRefused
from app.playbooks import book


def playbook_for(claim_kind: str, jurisdiction: str, on: date) -> str:
    """`id@version` of the playbook in force; pinned anew when the case is accepted."""
    try:
        return book.choose(claim_kind=claim_kind, jurisdiction=jurisdiction, on=on).key
    except NotFound:
        raise FieldsRefused(
            FieldError("/claim/jurisdiction", "we do not act there yet", "jurisdiction_not_served")
        ) from None
