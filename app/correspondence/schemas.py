"""What a mail provider hears."""

from __future__ import annotations

from app.schemas import Flag, Out


class StoredOut(Out):
    """`new`: false when this very mail was here already."""

    new: Flag
