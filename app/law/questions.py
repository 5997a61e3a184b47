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


def open_questions(answers: Mapping[str, Any]) -> list[Question]:
    """Every required fact that has no answer yet, in the order of the form. Raises KeyError for a
    claim kind that is none."""
    kind = answers.get(KIND)
    if kind in (None, UNKNOWN):
        first = next(iter(vocabulary().values()))
        return [_question(first[KIND])]
    facts = vocabulary()[str(kind)]
    return [
        _question(fact)
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


def _question(fact: Mapping[str, Any]) -> Question:
    of = fact.get("of", {})
    choices = fact.get("values") or of.get("enum") or ()
    return Question(
        key=fact["key"],
        ask=fact["ask"],
        why=fact["why"],
        type=fact["type"],
        unit=fact.get("unit"),
        none_allowed=bool(fact.get("none_allowed")),
        values=tuple(str(value) for value in choices),
        fields={} if "enum" in of else {str(name): kind for name, kind in of.items()},
        picks=picks() if fact["key"] == KIND else {},
    )


@cache
def picks() -> Mapping[str, str]:
    """What each claim kind is, in a person's words."""
    file = yaml.load((DATA / "facts.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    return {kind: str(found["pick"]) for kind, found in file["kinds"].items()}
