"""In which of the five languages a text is written, by its common words."""

from __future__ import annotations

import functools
import re

from app.reading.phrases import LANGUAGES, phrases

WORDS_LOOKED_AT = 400
_WORD = re.compile(r"[^\W\d_]+")


@functools.cache
def _common() -> dict[str, frozenset[str]]:
    return {lang: frozenset(phrases(lang).words("common_words")) for lang in LANGUAGES}


def language_of(text: str, declared: str = "") -> str:
    """The language with most common words in `text`; a near tie goes to `declared`, the
    Content-Language, if it is one of the two. The empty text when nothing points anywhere."""
    words = [w.lower() for w in _WORD.findall(text)[:WORDS_LOOKED_AT]]
    if not words:
        return declared if declared in LANGUAGES else ""
    scores = {lang: float(sum(w in known for w in words)) for lang, known in _common().items()}
    for lang, letters in _LETTERS.items():
        scores[lang] += 0.3 * sum(any(sign in letters for sign in w) for w in words)
    scores["fi"] += 0.25 * sum(bool(_FINNISH.search(w)) for w in words)
    if declared in scores:
        scores[declared] += 0.5
    best = max(LANGUAGES, key=lambda lang: scores[lang])
    return best if scores[best] > 0 else ""


_LETTERS = {"de": "üß", "fr": "éèêàçùœîô", "sv": "å", "fi": "", "en": ""}
_FINNISH = re.compile(
    r"(?:aa|ää|uu|yy|oo|ii|kk|ll|tt)\w*(?:n|a|ä|i|e)$|(?:ssa|ssä|sta|stä|lla|llä|mme)$"
)
