"""What becomes of a file that somebody gave us: one rule for evidence and for what hung on a mail.

`quarantined` until the scanner has looked; `clean` when it found nothing; `unscanned` where no
scanner is configured, so that the kind told by the content is all we know; `rejected` for good: of
no kind we take (programs, archives, office files), or infected. Bytes are kept in every state and
served in two.
"""

from __future__ import annotations

from typing import Final

STATES: Final = ("quarantined", "clean", "unscanned", "rejected")
SERVED: Final = ("clean", "unscanned")


def first_state(media_type: str | None, *, scanned: bool) -> str:
    """On arrival. `media_type` by content (None: of no kind we take); `scanned`: a scanner is
    configured and will look."""
    if media_type is None:
        return "rejected"
    return "quarantined" if scanned else "unscanned"
