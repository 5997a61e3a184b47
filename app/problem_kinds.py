"""Kinds of refusal and what they are over HTTP: one table for answers and for documentation."""

from __future__ import annotations

from typing import Any

MEDIA_TYPE = "application/problem+json"  # RFC 9457
STATUS_OF_KIND = {
    "invalid": 422,
    "unauthenticated": 401,
    "forbidden": 403,
    "not_found": 404,
    "conflict": 409,
    "stale": 412,
    "precondition_required": 428,
    "too_large": 413,
    "unsupported": 415,
    "limited": 429,
    "unavailable": 503,
}
DESCRIPTION_OF_KIND = {
    "invalid": "Something sent cannot be used",
    "unauthenticated": "Sign in first",
    "forbidden": "Your role does not allow this",
    "not_found": "There is nothing here for you",
    "conflict": "Not possible in the present state",
    "stale": "Changed since you read it",
    "precondition_required": "If-Match is needed",
    "too_large": "Too large",
    "unsupported": "Not a media type this takes",
    "limited": "Too many tries",
    "unavailable": "A part we depend on is down; nothing was changed",
}


def problems(*kinds: str) -> dict[int | str, dict[str, Any]]:
    """The problem answers an operation adds to the usual ones.

    401, 403, 404, 409, 412, 413, 415, 422, 428, 429 and 503 are documented from the shape of the
    route and its row in the authorisation table where they follow from those; name what the
    service itself can answer: `problems("conflict", "not_found")`.
    """
    return {STATUS_OF_KIND[kind]: {"description": DESCRIPTION_OF_KIND[kind]} for kind in kinds}
