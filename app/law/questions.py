"""The intake as questions: which one comes next for these answers. Order and conditions are those
of data/facts.yaml; what is known is not asked again, and `unknown` is an answer like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from app.law.answers import UNKNOWN, vocabulary
from app.law.records import DATA

KIND = "claim_kind"


@dataclass(frozen=True, slots=True)
class Question:
    """One fact to ask for. `values` where it is a choice, `fields` where it is a list of entries:
    name -> type or choices. `picks` says in words what each claim kind is."""

    key: str
    ask: str
    why: str
    type: str
    unit: str | None
    none_allowed: bool
    values: tuple[str, ...]
    fields: Mapping[str, Any]
    picks: Mapping[str, str]


def open_questions(answers: Mapping[str, Any], language: str = "en") -> list[Question]:
    """Every required fact that has no answer yet, in the order of the form, in words of the
    language. Raises KeyError for a claim kind that is none."""
    kind = answers.get(KIND)
    if kind in (None, UNKNOWN):
        first = next(iter(vocabulary().values()))
        return [_question(first[KIND], language)]
    facts = vocabulary()[str(kind)]
    return [
        _question(fact, language)
        for key, fact in facts.items()
        if key not in answers and _required(fact["required"], answers)
    ]


def _required(rule: Any, answers: Mapping[str, Any]) -> bool:
    """`always`, `never`, or conditions: the keys of one are joined by and, a list of them by or."""
    if isinstance(rule, str):
        return rule == "always"
    conditions = rule["when"]
    several = conditions if isinstance(conditions, list) else [conditions]
    return any(all(_met(answers, k, wanted) for k, wanted in c.items()) for c in several)


def _met(answers: Mapping[str, Any], key: str, wanted: Any) -> bool:
    """An unknown fact meets no condition but `not`."""
    value = answers.get(key)
    known = value not in (None, UNKNOWN)
    if isinstance(wanted, Mapping):
        if "not" in wanted:
            return not known or value not in _several(wanted["not"])
        return known and value != answers.get(wanted["differs_from"])
    return known and value in _several(wanted)


def _several(wanted: Any) -> list[Any]:
    return wanted if isinstance(wanted, list) else [wanted]


def ask_of(kind: str, key: str, language: str = "en") -> str:
    """The question for a fact as this kind asks it; its key where no question asks for it."""
    kinds = vocabulary()
    facts = kinds.get(kind) or next(iter(kinds.values()))
    return said(str(facts[key]["ask"]), language) if key in facts else key


def said(english: str, language: str) -> str:
    """A sentence of facts.yaml in another language."""
    return english if language == "en" else _translated(language)[english]


@cache
def _translated(language: str) -> Mapping[str, str]:
    path = DATA / "questions" / f"{language}.yaml"
    return dict(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))


def _question(fact: Mapping[str, Any], language: str) -> Question:
    of = fact.get("of", {})
    choices = fact.get("values") or of.get("enum") or ()
    return Question(
        key=fact["key"],
        ask=said(fact["ask"], language),
        why=said(fact["why"], language),
        type=fact["type"],
        unit=fact.get("unit"),
        none_allowed=bool(fact.get("none_allowed")),
        values=tuple(str(value) for value in choices),
        fields={} if "enum" in of else {str(name): kind for name, kind in of.items()},
        picks=picks(language) if fact["key"] == KIND else {},
    )


@cache
def picks(language: str = "en") -> Mapping[str, str]:
    """What each claim kind is, in a person's words."""
    file = yaml.load((DATA / "facts.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    return {kind: said(str(found["pick"]), language) for kind, found in file["kinds"].items()}
