"""The second opinion: a small linear model of words, learnt from `corpus/`.

It sees the words, pairs of words and parts of words of one language, the signs the phrase lists
found, and a few facts (a sum, a day to come); signs and facts are shared by all languages. It
knows no company: the corpus names none.
"""

from __future__ import annotations

import functools
import itertools
import json
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.reading.findings import Found
from app.reading.phrases import flat

WEIGHTS = Path(__file__).resolve().parent / "data"
CORPUS = Path(__file__).resolve().parent / "corpus"
KINDS = (
    "accept_full", "accept_part", "already_paid", "ask_identity_or_mandate", "ask_info",
    "auto_ack", "body_ack", "body_asks_info", "body_decision", "consumer_message", "deny_flat",
    "deny_reasoned", "legal_threat", "newsletter_or_spam", "not_us", "offer_goodwill",
    "offer_voucher", "out_of_office", "paid_consumer_directly", "portal_only", "promise_date",
    "unclear",
)  # fmt: skip
TEXT_CHARS = 2_000
PART_CHARS = (4, 5)
SIGNS_WEIGH = 0.8  # of the signs beside the words
FACT_WEIGHS = 0.3
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+|[€£$?!]")
# A feature stands for "word:refund", "pair:no longer", "part:efund", "sign:refuse" or
# "fact:coming".
Features = dict[str, float]


def features(found: Found) -> Features:
    """What the model sees of a mail; the words and the signs are each of length 1."""
    text = found.own
    words = ["0" if w[0].isdigit() else w for w in _WORD.findall(flat(text[:TEXT_CHARS]).lower())]
    seen = {f"word:{w}" for w in words}
    seen.update(f"pair:{a} {b}" for a, b in itertools.pairwise(["^", *words, "$"]))
    for word in set(words):
        edged = f"_{word}_"
        for size in PART_CHARS:
            seen.update(f"part:{edged[n : n + size]}" for n in range(len(edged) - size + 1))
    signs: set[str] = set()
    for clause in found.clauses:
        here = sorted(clause.signs)
        if clause.conditional:
            here.append("if")
        signs.update(f"sign:{name}" for name in here)
        signs.update(f"sign:{a}+{b}" for a, b in itertools.combinations(here, 2))
    out = dict.fromkeys(sorted(seen), 1 / math.sqrt(len(seen) or 1))
    out.update(dict.fromkeys(sorted(signs), SIGNS_WEIGH / math.sqrt(len(signs) or 1)))
    out.update({f"fact:{name}": FACT_WEIGHS for name in found.facts()})
    return out


@dataclass(frozen=True)
class Weights:
    """Of one language: a row of `KINDS` for each feature, in units of `step`."""

    rows: dict[str, Any]
    step: float

    def scores(self, found: Features) -> list[float]:
        total = [0.0] * len(KINDS)
        for name, value in found.items():
            row = self.rows.get(name)
            if row is not None:
                total = [t + value * w for t, w in zip(total, row, strict=True)]
        return [t * self.step for t in total]


@dataclass(frozen=True, slots=True)
class Opinion:
    """How likely each of the kinds asked for is (together 1)."""

    likely: dict[str, float]
    found: Features
    known: Weights

    def words(self, kind: str) -> tuple[str, ...]:
        """The words that weighed most for `kind`."""
        return _heaviest(self.found, self.known, KINDS.index(kind))


def opinion(found: Found, language: str, among: frozenset[str]) -> Opinion:
    """Which of the kinds `among` the words point to. Other kinds are not thought of at all."""
    seen = features(found)
    known = weights(language)
    scores = dict(zip(KINDS, known.scores(seen), strict=True))
    top = max(scores[kind] for kind in among)
    raised = {kind: math.exp(scores[kind] - top) for kind in KINDS if kind in among}
    whole = sum(raised.values())
    return Opinion({kind: value / whole for kind, value in raised.items()}, seen, known)


def _heaviest(found: Features, known: Weights, place: int) -> tuple[str, ...]:
    weighed = sorted(
        ((value * known.rows[name][place], name) for name, value in found.items()
         if name in known.rows and name.startswith(("word:", "pair:"))), reverse=True,
    )  # fmt: skip
    return tuple(name[5:].strip("^$ ") for weight, name in weighed[:4] if weight > 0)


def packed(rows: dict[str, list[float]], corpus: str) -> bytes:
    """The weights of one language as they are kept: names, then one signed byte a kind."""
    top = max((abs(w) for row in rows.values() for w in row), default=1.0)
    step = round(top / 127, 9)
    names = sorted(rows)
    head = json.dumps({"corpus": corpus, "step": step, "names": names}, ensure_ascii=False)
    body = bytes(
        min(255, max(1, round(rows[n][k] / step) + 128)) for k in range(len(KINDS)) for n in names
    )
    return zlib.compress(head.encode() + b"\n" + body, 9)


def kept(language: str) -> tuple[dict[str, Any], bytes]:
    """The head and the bytes of a language's weights file."""
    raw = zlib.decompress((WEIGHTS / f"weights.{language}.z").read_bytes())
    head, _, body = raw.partition(b"\n")
    return json.loads(head), body


@functools.cache
def weights(language: str) -> Weights:
    """As kept. One language is loaded at its first doubt."""
    head, body = kept(language)
    count = len(head["names"])
    columns = [body[n * count : (n + 1) * count] for n in range(len(KINDS))]
    rows = {
        name: tuple(b - 128 for b in row)
        for name, row in zip(head["names"], zip(*columns, strict=True), strict=True)
    }
    return Weights(rows, head["step"])
