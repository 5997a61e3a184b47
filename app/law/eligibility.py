"""The public check: answers of an intake in, a finding with its words out. Stores nothing.

The input is a file of the shape of the sample cases: `consumer.country`, `company`, `party` and
`answers` in the vocabulary of data/facts.yaml; the consumer's own story is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from app.domain.eligibility import limits
from app.domain.eligibility.facts import Answers
from app.domain.eligibility.finding import Finding, Note
from app.domain.eligibility.lawbook import LawBook
from app.domain.eligibility.verdict import Earlier, find
from app.law.airports import PackagedAirports
from app.law.answers import checked
from app.law.records import DATA, LawDataInvalid


class CompanyIn(BaseModel):
    model_config = ConfigDict(extra="ignore")

    legal_name: Annotated[str, Field(max_length=300)] | None = None
    brand: Annotated[str, Field(max_length=300)] | None = None

    @property
    def name(self) -> str:
        return (self.legal_name or self.brand or "").strip()


class FactsIn(BaseModel):
    """One intake to check."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(max_length=100)] | None = None
    company: CompanyIn = CompanyIn()
    answers: dict[str, Any]


@cache
def law_book() -> LawBook:
    """Tables and airports; read and checked once per process."""
    tables = _load("routing.yaml")
    kinds = set(_load("facts.yaml")["kinds"])
    if unknown := (set(tables["event_of"]) ^ kinds):
        raise LawDataInvalid(f"routing.yaml: event_of: kinds differ from facts.yaml: {unknown}")
    bodies = {b["id"]: b for b in _load("adr_bodies.yaml")["bodies"]}
    rules = {r["id"] for r in _load("claim_kinds.yaml")["rules"]}
    _names_exist(tables, bodies, rules)
    return LawBook(
        tables=tables,
        airports=PackagedAirports(),
        body_days={i: span for i, b in bodies.items() if (span := _days_after(b))},
        body_waits={i: span for i, b in bodies.items() if (span := _wait(b))},
    )


@cache
def _load(name: str) -> Any:
    return yaml.load((DATA / name).read_text("utf-8"), Loader=yaml.CSafeLoader)


def _names_exist(tables: Mapping[str, Any], bodies: Mapping[str, Any], rules: set[str]) -> None:
    """Every body and rule that the routing names has its record with its source."""
    for group, named in tables["bodies"].items():
        for body in [named] if isinstance(named, str) else named.values():
            if body is not None and body not in bodies:
                raise LawDataInvalid(f"routing.yaml: bodies.{group}: there is no body {body}")
    for kind, places in tables["grounds"].items():
        for place, grounds in places.items():
            if missing := set(grounds) - rules:
                raise LawDataInvalid(f"routing.yaml: grounds.{kind}.{place}: no rule {missing}")


def _days_after(body: Mapping[str, Any]) -> tuple[int, str] | None:
    """The last day, where it runs from the first written complaint (or the bill)."""
    span = body.get("deadline_after")
    if not isinstance(span, Mapping):
        return None
    start = str(span.get("from", "complaint"))
    from_complaint = "complaint" in start or "original bill" in start
    return (int(span["value"]), str(span["unit"])) if from_complaint else None


def _wait(body: Mapping[str, Any]) -> tuple[int, str] | None:
    span = (body.get("requires") or {}).get("wait")
    return (int(span["value"]), str(span["unit"])) if isinstance(span, Mapping) else None


class Checker:
    """Checks a batch: earlier intakes count as open cases."""

    def __init__(self, today: date) -> None:
        self.today = today
        self.earlier: list[Earlier] = []

    def check(self, asked: FactsIn) -> Finding:
        """Raises AnswersInvalid with every answer that cannot be."""
        answers = checked(asked.answers, self.today)
        company = asked.company.name
        finding = find(answers, law_book(), self.today, company=company, earlier=self.earlier)
        read = Answers(answers)
        event = limits.event_of(read, law_book()["event_of"].get(read.kind))
        name = asked.id or f"case {len(self.earlier) + 1}"
        reference = read.text("reference")
        self.earlier.append(Earlier(name, company, reference, read.kind, event))
        return finding


def as_json(finding: Finding, language: str = "en") -> dict[str, Any]:
    """Sums in minor units, days as YYYY-MM-DD, notes as sentences with their code beside."""
    return {
        "claim_kind": finding.claim_kind,
        "jurisdiction": finding.jurisdiction,
        "eligible": finding.eligible,
        "legal_ground": list(finding.legal_ground),
        "items": [
            {"what": i.what, "amount_minor": i.amount_minor, "currency": i.currency}
            for i in finding.items
        ],
        "amount_minor": finding.amount_minor,
        "currency": finding.currency,
        "missing_evidence": [sentence(n, language) for n in finding.missing],
        "warnings": [sentence(n, language) for n in finding.warnings],
        "body": finding.body,
        "body_opens": _day(finding.body_opens),
        "body_closes": _day(finding.body_closes),
        "limitation_on": _day(finding.limitation_on),
        "steps": [sentence(n, language) for n in finding.reasons],
        "open_facts": list(finding.open_facts),
        "codes": {
            "steps": [n.code for n in finding.reasons],
            "warnings": [n.code for n in finding.warnings],
            "missing_evidence": [n.code for n in finding.missing],
        },
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def sentence(note: Note, language: str) -> str:
    """The words of a note, filled; English where a language has none yet."""
    words = _words(language).get(note.code) or _words("en")[note.code]
    return words.format_map(note.params)


@cache
def _words(language: str) -> dict[str, str]:
    path = DATA / "words" / f"{language}.yaml"
    if not path.exists():
        return {}
    return dict(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))
