"""Versions of resources over HTTP: `ETag: "7"` out, `If-Match: "7"` in on every change."""

from __future__ import annotations

import re

from app.domain.errors import InvalidInput, PreconditionRequired, StaleVersion

_ETAG = re.compile(r'"([1-9]\d{0,17})"', re.ASCII)


def etag(version: int) -> str:
    return f'"{version}"'


def expected_version(if_match: str | None) -> int:
    """The version the caller read. Raises PreconditionRequired (428) or InvalidInput (422).

    One strong tag only: `*` and lists would let a change pass that the caller never saw.
    """
    if if_match is None:
        raise PreconditionRequired("send the ETag you read as If-Match")
    found = _ETAG.fullmatch(if_match.strip())
    if found is None:
        raise InvalidInput(
            "If-Match must be exactly one ETag as we sent it", code="if_match_invalid"
        )
    return int(found[1])


def check_version(current: int, expected: int) -> None:
    """Raises StaleVersion (412) when the row moved on since the caller read it."""
    if current != expected:
        raise StaleVersion("this was changed since you read it; read it again", current=current)
