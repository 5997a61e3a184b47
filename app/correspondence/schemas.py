"""What a mail provider hears, and what hung on a mail."""

from __future__ import annotations

from uuid import UUID

from app.schemas import Flag, Out


class AttachmentOut(Out):
    """A file that came with a mail. `media_type` is told by its content; null: of no kind we take.
    `state`: quarantined (the scanner has not looked yet), clean, unscanned (there is no scanner) or
    rejected; `download` is its address while it is clean or unscanned."""

    id: UUID
    name: str
    declared_type: str
    media_type: str | None
    size_bytes: int
    state: str
    download: str | None


class StoredOut(Out):
    """`new`: false when this very mail was here already."""

    new: Flag
