"""A notice that an earlier mail is taken back: it names that mail, and promises nothing itself."""

from __future__ import annotations

import functools
import re

import yaml

from app.reading.phrases import DATA, flat, pattern_of_any

HEAD_CHARS = 300  # such a notice is one sentence


def is_recall(text: str) -> bool:
    """Whether `text`, the writer's own words, is the sentence by which programs recall a mail."""
    return _pattern().search(" ".join(flat(text[:HEAD_CHARS]).split())) is not None


@functools.cache
def _pattern() -> re.Pattern[str]:
    listed: list[str] = yaml.safe_load((DATA / "recall.yaml").read_text("utf-8"))["recall"]
    return pattern_of_any(listed)
