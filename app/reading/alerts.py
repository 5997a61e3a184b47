"""What in a mail may not wait for its turn: distress, a complaint about us, an insolvency, a clause
that wants the consumer first, a threat against us. Phrases in data/alerts.<lang>.yaml.

All languages are tried on every text: a person in need writes in any, and a few words tell no
language for certain. Nothing here weighs: a false alarm costs a handler a minute.
"""

from __future__ import annotations

import functools
import re

import yaml

from app.reading.phrases import DATA, LANGUAGES, flat, pattern_of_any

ALERTS = ("distress", "complaint_about_us", "insolvency", "direct_first", "threat")
HEAD_CHARS, TAIL_CHARS = 3_000, 1_000  # looked at: people say it first or last


def alerts_in(text: str) -> tuple[str, ...]:
    """The alerts of ALERTS that stand in `text`, the writer's own words."""
    if len(text) > HEAD_CHARS + TAIL_CHARS:
        text = f"{text[:HEAD_CHARS]}\n{text[-TAIL_CHARS:]}"
    words = " ".join(flat(text).split())
    return tuple(name for name in ALERTS if _pattern(name).search(words) is not None)


@functools.cache
def _pattern(name: str) -> re.Pattern[str]:
    return pattern_of_any([p for language in LANGUAGES for p in _lists(language)[name]])


@functools.cache
def _lists(language: str) -> dict[str, list[str]]:
    text = (DATA / f"alerts.{language}.yaml").read_text("utf-8")
    found: dict[str, list[str]] = yaml.safe_load(text)
    return found
