"""Sentences and clauses of a text, and which signs (phrase lists) stand in each."""

from __future__ import annotations

import functools
import itertools
import re
from dataclasses import dataclass, field

from app.reading.phrases import LANGUAGES, Phrases, common, phrases

CLAUSES_MAX = 300
TEXT_CHARS_MAX = 5_000  # looked at for signs: an answer longer than this has said what it says
CLAUSE_CHARS_MAX = 1_500
_END = re.compile(r"[.!?…]+[\"')\]»]*[ ]+|\n|;\s")
_TOKEN_BEFORE = re.compile(r"([^\s.(]+)$")

SIGNS = (
    "accept", "pay_future", "transfer_future", "pay_past", "already", "to_consumer",
    "settled_with_consumer", "refuse", "reason", "part", "goodwill", "no_liability", "offer",
    "voucher", "request", "identity", "not_us", "portal", "portal_only", "ack", "auto_text",
    "out_of_office", "newsletter", "body_decides", "body_ack", "threat", "lawyer", "consumer",
    "pass_on", "owed_by_them", "hedge", "deadline_act", "their_time", "person", "other_start",
    "payment_noun", "hypothetical", "as_claimed", "other_matter", "person_acts", "grant_verbs",
    "no_action",
    "not_words", "first_person", "third_party", "company_we", "money_words",
)  # fmt: skip
GRANTS = ("accept", "pay_future", "transfer_future", "pay_past", "offer")


@dataclass(slots=True)
class Clause:
    """A part of a sentence. `signs`: name of the list, and where in the whole text."""

    start: int
    end: int
    text: str
    sentence: int
    conditional: bool = False
    signs: dict[str, tuple[int, int]] = field(default_factory=dict)

    def has(self, *names: str) -> bool:
        return any(name in self.signs for name in names)


def sentences(text: str) -> list[tuple[int, int]]:
    """Start and end of each sentence; a stop in a date or an abbreviation ends none."""
    found: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        if match[0][0] == "." and not _ends(text, match):
            continue
        if text[start : match.start()].strip():
            found.append((start, match.end()))
        start = match.end()
    if text[start:].strip():
        found.append((start, len(text)))
    return found[:CLAUSES_MAX]


def _ends(text: str, stop: re.Match[str]) -> bool:
    before = _TOKEN_BEFORE.search(text[max(0, stop.start() - 30) : stop.start()])
    after = text[stop.end() : stop.end() + 25]
    word = before[1].lower() if before else ""
    if word in _abbreviations() or (len(word) == 1 and word.isalpha()):
        return False
    following = re.match(r"[^\W\d_]+", after)
    if word.isdigit() or re.fullmatch(r"[\d./-]+", word):
        # "25. November", "25.11. mennessä": the stop belongs to the number
        if following and (following[0].lower() in _month_words() or following[0].islower()):
            return False
        return not re.match(r"\d", after)
    return True


@functools.cache
def _abbreviations() -> frozenset[str]:
    return frozenset(common()["abbreviations"])


@functools.cache
def _month_words() -> frozenset[str]:
    months = (m for lang in LANGUAGES for m in phrases(lang).words("months"))
    return frozenset(word for names in months for word in names.split("|"))


def clauses(text: str, known: Phrases) -> list[Clause]:
    """The clauses of `text` with their signs, refusals already taken into account."""
    found: list[Clause] = []
    for number, (start, end) in enumerate(sentences(text[:TEXT_CHARS_MAX])):
        whole = text[start:end]
        conditional = _conditional(whole, known)
        cuts = [0, *_cuts(whole, known), len(whole)]
        for first, last in itertools.pairwise(cuts):
            words = whole[first:last][:CLAUSE_CHARS_MAX]
            clause = Clause(start + first, start + last, words, number, conditional)
            _mark(clause, known)
            found.append(clause)
    return found[:CLAUSES_MAX]


def _conditional(sentence: str, known: Phrases) -> bool:
    return bool(known.pattern("if_words").search(sentence)) and not known.pattern(
        "if_polite"
    ).search(sentence)


def _cuts(sentence: str, known: Phrases) -> list[int]:
    cuts = []
    last = 0
    for match in known.pattern("break_before").finditer(sentence):
        left = sentence[last : match.start()].split()
        if len(left) >= 2 and len(sentence[match.end() :].split()) >= 1:
            cuts.append(match.start())
            last = match.start()
    return cuts


def _mark(clause: Clause, known: Phrases) -> None:
    refused = [m.span() for m in known.pattern("refuse").finditer(clause.text)]
    for name in SIGNS:
        if name in GRANTS:
            continue
        match = known.pattern(name).search(clause.text)
        if match:
            clause.signs[name] = (clause.start + match.start(), clause.start + match.end())
    if clause.has("auto_text", "no_action"):
        clause.signs.pop("request", None)  # "you cannot reply to this" asks for nothing
    if clause.has("hypothetical"):
        return
    mild = clause.has("goodwill", "no_liability")
    for name in GRANTS:
        for match in known.pattern(name).finditer(clause.text):
            overlaps = any(s < match.end() and match.start() < e for s, e in refused)
            if overlaps or (refused and not mild and name != "pay_past"):
                continue
            clause.signs[name] = (clause.start + match.start(), clause.start + match.end())
            break
