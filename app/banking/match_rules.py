"""Loads the matching rules that stand beside this file."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from app.domain.errors import InvalidInput
from app.domain.matching import Rules
from app.domain.matching.facts import STEPS

_FILE = Path(__file__).with_name("matching.yaml")


class RulesInvalid(InvalidInput):
    """A file of matching rules is incomplete or names a step that does not exist."""

    code = "matching_rules_invalid"


@cache
def load_rules() -> Rules:
    """The rules in force; read once per process."""
    return read_rules(_FILE.read_text("utf-8"))


def read_rules(text: str) -> Rules:
    """Rules of a YAML text, for a dry run too. RulesInvalid."""
    try:
        data = yaml.load(text, Loader=yaml.CSafeLoader)
        return _rules(data)
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as why:
        raise RulesInvalid(f"The rules cannot be read: {why}") from None


def _rules(data: Mapping[str, Any]) -> Rules:
    confirms = frozenset(str(step) for step in data["confirms"])
    unknown = confirms - set(STEPS)
    if unknown:
        raise RulesInvalid("The rules name a step that does not exist.", step=min(unknown))
    return Rules(
        id=str(data["id"]),
        version=int(data["version"]),
        confirms=confirms,
        score={str(code): int(points) for code, points in data["score"].items()},
        not_ids=frozenset(str(word).upper() for word in data["not_ids"]),
        reference_words=frozenset(str(word).casefold() for word in data["reference_words"]),
        settlement_words=tuple(str(words).casefold() for words in data["settlement_words"]),
        booking_length_min=int(data["booking_length_min"]),
        promise_days=int(data["promise_days"]),
        subset_items_max=int(data["subset_items_max"]),
        name_likeness_min=int(data["name_likeness_min"]),
        learned_days=int(data["learned_days"]),
    )
