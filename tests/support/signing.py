"""A signature as who read the summary sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def signature_of(page: Mapping[str, Any], claimant: object, name: str) -> dict[str, Any]:
    """`page`: what get_summary answered."""
    return {
        "claimant_id": str(claimant),
        "signed_name": name,
        "level": "typed",
        "text_version": page["text_version"],
        "summary_language": page["language"],
        "summary_sha256": page["page_sha256"],
        "receives_money": True,
        "start_now": True,
    }
