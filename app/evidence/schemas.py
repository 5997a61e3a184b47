"""Evidence as people see it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from app.schemas import Out


class EvidenceOut(Out):
    """A file on the case. `state`: quarantined (the scanner has not looked yet), clean, unscanned
    (there is no scanner) or rejected; `download` is its address while it is clean or unscanned."""

    id: UUID
    file_name: str
    what: str
    media_type: str
    size_bytes: int
    sha256: str
    state: str
    uploaded_at: datetime
    uploaded_by_you: bool
    download: str | None


class EvidenceAdded(EvidenceOut):
    """The file as kept. `case_version` is the ETag of the case after it."""

    case_version: int


class EvidenceList(Out):
    items: list[EvidenceOut]
    next_cursor: str | None
