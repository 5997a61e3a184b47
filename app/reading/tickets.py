"""The sender's own number for the matter, from subject and text."""

from __future__ import annotations

import re

from app.reading.phrases import LANGUAGES, Phrases, everywhere, phrases

OURS = re.compile(r"\bRC[-_ ]?[0-9A-Z]{4}[-_ ]?[0-9A-Z]{4}\b", re.IGNORECASE)
_CODE_TEXT = r"(?=[A-Z0-9/._-]*\d)[A-Z0-9]{1,12}(?:[-/_.][A-Z0-9]{1,14}){0,4}"
_LINK = (
    r"(?:\s|[:.#(\[«\"]|n[o°º]\.?|nr\.?|no\.?|number|nummer\w*|numero\w*"
    r"|is|on|är|ist|lautet|id|ref)*"
)
_BRACKET = re.compile(
    rf"[\[({{#](?:[^\W\d_]+\.?[ :]+)?#?((?:[A-Z]{{1,6}}#)?{_CODE_TEXT})[\])}}]?", re.IGNORECASE
)
_CODE = re.compile(
    r"(?<![\w/-])(?=[A-Z0-9/-]*\d{3})[A-Z]{1,5}[-/]?\d[A-Z0-9]*(?:[-/][A-Z0-9]+)*(?![\w-])"
)
_NUMBERED = re.compile(r"(?<![\w/.-])\d{2,6}[-/]\d{3,8}(?:-\d+)?(?![\w/-])")
LENGTH_MIN = 4


def ticket_number(subject: str, text: str, known: Phrases) -> str | None:
    """The number as written; numbers of orders, bookings and invoices are none."""
    subject, text = OURS.sub(" ", subject), OURS.sub(" ", text)
    return (
        _named(subject, everywhere_words())
        or _bracketed(subject)
        or _named(text, _word_pattern(known.language))
        or _coded(subject)
    )


def everywhere_words() -> re.Pattern[str]:
    return _patterns("")


def _word_pattern(language: str) -> re.Pattern[str]:
    return _patterns(language)


def _patterns(language: str) -> re.Pattern[str]:
    if language not in _CACHE:
        words = everywhere("ticket_words") if not language else phrases(language).pattern(
            "ticket_words"
        )  # fmt: skip
        _CACHE[language] = re.compile(
            rf"(?:{words.pattern}){_LINK}(?P<token>{_CODE_TEXT})(?![\w])", re.IGNORECASE
        )
    return _CACHE[language]


_CACHE: dict[str, re.Pattern[str]] = {}


def _named(text: str, pattern: re.Pattern[str]) -> str | None:
    for match in pattern.finditer(text):
        token = match["token"]
        if _fits(token) and not _other(text, match.start(), match.start("token")):
            return token
    return None


def _bracketed(subject: str) -> str | None:
    for match in _BRACKET.finditer(subject):
        if _fits(match[1]) and not _other(subject, match.start(1), match.start(1)):
            return match[1]
    return None


def _coded(subject: str) -> str | None:
    for pattern in (_CODE, _NUMBERED):
        for match in pattern.finditer(subject):
            if _fits(match[0]) and not _other(subject, match.start(), match.start()):
                return match[0]
    return None


def _fits(token: str) -> bool:
    digits = sum(c.isdigit() for c in token)
    if len(token) < LENGTH_MIN or digits < 3:
        return False
    if re.fullmatch(r"(?:19|20)\d\d", token) or re.fullmatch(
        r"\d{1,2}[./]\d{1,2}[./]\d{2,4}", token
    ):
        return False
    return not re.fullmatch(r"20\d\d-\d\d-\d\d|\d{1,3}[.]\d{2,3}", token)


def _other(text: str, start: int, end: int) -> bool:
    """Stands behind a word that makes it a number of something else."""
    around = text[max(0, start - 22) : end].lower()
    words = [w for lang in LANGUAGES for w in phrases(lang).words("not_ticket_words")]
    tail = re.sub(r"(?:[ :.#°-]|\b(?:nr|no|n|number|nummer)\b)+$", "", around)
    return any(tail.endswith(w) and not tail[: -len(w)][-1:].isalpha() for w in words)
