"""How the weights of the second opinion are learnt from `corpus/`: the same bytes every time.

Multinomial logistic regression by plain descent, one text at a time in a fixed order. The words of
a language are its own; the signs of the phrase lists are learnt over all five. `recourse mail
train` writes the files; no mail is ever learnt from by itself.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.reading.clauses import clauses
from app.reading.gather import gather
from app.reading.mail import ParsedMail
from app.reading.model import CORPUS, KINDS, WEIGHTS, Features, features, packed
from app.reading.own_text import OwnText
from app.reading.phrases import LANGUAGES, phrases

ROUNDS = 20
SENT = datetime(2026, 11, 16, 10, tzinfo=UTC)  # a day every text of the corpus is taken to be of
ANY_KIND = "*"  # what is said in answers of every kind: greetings, regrets, closings
BEFORE, AFTER = 0.7, 0.5  # how often such a sentence is put before and after a text
RATE = 3.0
SEEN_AT_LEAST = 2  # texts of its language: what stands in one only is chance
SHARED = ("sign:", "fact:")
Rows = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled text. `place`: its number within kind and language."""

    language: str
    kind: str
    text: str
    place: int


def corpus() -> list[Example]:
    """All labelled texts. A file is lines of texts under lines "# kind"."""
    return [e for language in LANGUAGES for e in _lines(language) if e.kind != ANY_KIND]


def _lines(language: str) -> list[Example]:
    found = []
    kind = ""
    places: Counter[str] = Counter()
    for line in (CORPUS / f"{language}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            kind = line[2:].strip()
            if kind not in (*KINDS, ANY_KIND):
                raise ValueError(f"{language}.txt: no such kind: {kind}")
        elif line.strip():
            found.append(Example(language, kind, line.strip(), places[kind]))
            places[kind] += 1
    return found


def as_whole_mails(examples: list[Example]) -> list[Example]:
    """Each text between sentences that say nothing of its kind, as answers have them around what
    they say. The same ones every time."""
    chance = random.Random(3)  # a spread, not a secret
    polite = {lang: [e.text for e in _lines(lang) if e.kind == ANY_KIND] for lang in LANGUAGES}
    out = []
    for example in examples:
        lines = polite[example.language]
        greetings, openings, closings = lines[:2], lines[2:9], lines[9:]
        parts = [chance.choice(greetings)]
        if chance.random() < BEFORE:
            parts.append(chance.choice(openings))
        parts.append(example.text)
        if chance.random() < AFTER:
            parts.append(chance.choice(closings))
        out.append(replace(example, text=" ".join(parts)))
    return out


def fingerprint() -> str:
    """sha256 of the corpus, kept in the weights. The phrase lists are not in it: the signs weigh
    the same when a list grows, and are learnt anew with the next training."""
    digest = hashlib.sha256()
    for language in LANGUAGES:
        digest.update((CORPUS / f"{language}.txt").read_bytes())
    return digest.hexdigest()


def seen_by_model(example: Example) -> Features:
    """The features of a text; those of words carry their language in front."""
    known = phrases(example.language)
    words = OwnText(example.text, "", "")
    mail = ParsedMail((), text=example.text, sent_at=SENT)
    about, _ = gather(mail, words, clauses(example.text, known), known, automatic=False)
    found = features(about)
    return {
        name if name.startswith(SHARED) else f"{example.language}/{name}": value
        for name, value in found.items()
    }


def learn(examples: Iterable[tuple[Features, str]]) -> Rows:
    """Weights of every feature that enough texts have, a row of `KINDS` each."""
    known = list(examples)
    count = Counter(name for found, _ in known for name in found)
    rows: Rows = {n: [0.0] * len(KINDS) for n in sorted(count) if count[n] >= SEEN_AT_LEAST}
    tasks = [
        ([(rows[n], v) for n, v in found.items() if n in rows], KINDS.index(kind))
        for found, kind in known
    ]
    order = random.Random(1)  # an order, not a secret
    for turn in range(ROUNDS):
        order.shuffle(tasks)
        for found, right in tasks:
            _step(found, right, RATE / (1 + turn / 5))
    return rows


def _step(found: list[tuple[list[float], float]], right: int, rate: float) -> None:
    scores = [0.0] * len(KINDS)
    for row, value in found:
        scores = [s + value * w for s, w in zip(scores, row, strict=True)]
    top = max(scores)
    likely = [math.exp(s - top) for s in scores]
    whole = sum(likely)
    push = [-rate * p / whole for p in likely]
    push[right] += rate
    for row, value in found:
        row[:] = [w + value * p for w, p in zip(row, push, strict=True)]


def rows_of(rows: Rows, language: str) -> Rows:
    """What one language needs of the whole."""
    own = f"{language}/"
    return {n.removeprefix(own): row for n, row in rows.items() if n.startswith((own, *SHARED))}


def train() -> dict[str, bytes]:
    """The weights files by language, as they are to be kept."""
    texts = corpus()
    rows = learn((seen_by_model(e), e.kind) for e in [*texts, *as_whole_mails(texts)])
    mark = fingerprint()
    return {language: packed(rows_of(rows, language), mark) for language in LANGUAGES}


def write() -> None:
    """Train and keep."""
    for language, data in train().items():
        (WEIGHTS / f"weights.{language}.z").write_bytes(data)
