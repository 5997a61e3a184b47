"""What a mail provider hears, and what hung on a mail."""

from __future__ import annotations

from uuid import UUID

from app.schemas import Flag, Out


class AttachmentOut(Out):
    """A file that came with a mail. `media_type` is told by its content; null: of no kind we take,
    so it stays in `quarantine` and has no `download`."""

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
