"""When to try again."""

from __future__ import annotations

from datetime import timedelta

MINUTE = 60
HOUR = 60 * MINUTE
# Greylisting passes on the second try; a server that is down for a weekend is still reached.
RETRY_SECONDS = (
    1 * MINUTE, 5 * MINUTE, 15 * MINUTE, 1 * HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR,
)  # fmt: skip
TRANSIENT_TRIES_MAX = 9  # then the provider counts as refusing: about four days in all
RETRY_AFTER_SECONDS_MAX = 1 * HOUR  # whatever a provider says
POISON_TRIES_MAX = 3  # tries of an order that makes our own code fail
POISON_RETRY = timedelta(seconds=2)


def retry_in(tries: int, retry_after: float | None = None) -> timedelta:
    """Pause after the `tries`-th failed try (1 = the first)."""
    if retry_after is not None and retry_after > 0:
        return timedelta(seconds=min(retry_after, RETRY_AFTER_SECONDS_MAX))
    return timedelta(seconds=RETRY_SECONDS[min(tries, len(RETRY_SECONDS)) - 1])
