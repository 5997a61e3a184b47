"""The JSON Schema of an intake, made from the vocabulary: what `recourse law check` and POST
/v1/check take. docs/check.schema.json is its printed form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.law.answers import ENTRIES_MAX, NONE, NUMBER_MAX, TEXT_MAX, UNKNOWN, vocabulary

_SIMPLE: Final[Mapping[str, dict[str, Any]]] = {
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2} [A-Za-z_/+-]+$"},
    "integer": {"type": "integer", "minimum": 0, "maximum": NUMBER_MAX},
    "iata": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
    "region": {"type": "string", "pattern": "^[A-Z]{2}(-[A-Z0-9]{1,3})?$"},
    "text": {"type": "string", "minLength": 1, "maxLength": TEXT_MAX},
    "money": {
        "type": "object",
        "properties": {
            "amount": {"type": "string", "pattern": r"^\d{1,15}(\.\d{1,6})?$"},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        },
        "required": ["amount", "currency"],
        "additionalProperties": False,
    },
}


def intake_schema() -> dict[str, Any]:
    """One intake; which answers it may hold follows from its claim kind."""
    definitions: dict[str, Any] = {}
    kinds = [_of_kind(kind, facts, definitions) for kind, facts in vocabulary().items()]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Intake of a claim",
        "type": "object",
        "required": ["answers"],
        "properties": {
            "id": {"type": "string", "maxLength": 100},
            "company": {
                "type": ["object", "null"],
                "properties": {
                    "legal_name": _name(),
                    "brand": _name(),
                    "country": _country(),
                    "code": {"type": ["string", "null"], "maxLength": 10},
                },
            },
            "consumer": {"type": ["object", "null"], "properties": {"country": _country()}},
            "answers": {
                "type": "object",
                "required": ["claim_kind"],
                "properties": {"claim_kind": {"enum": [*vocabulary(), UNKNOWN]}},
                "allOf": kinds,
            },
        },
        "$defs": definitions,
    }


def _country() -> dict[str, Any]:
    """Stands in for an answer that is left out."""
    return {"type": ["string", "null"], "maxLength": 100}


def _name() -> dict[str, Any]:
    return {"type": ["string", "null"], "maxLength": 300}


def _of_kind(
    kind: str, facts: Mapping[str, Mapping[str, Any]], definitions: dict[str, Any]
) -> dict[str, Any]:
    """The answers of one kind; facts that kinds share stand once, under `$defs`."""
    properties = {}
    for key, fact in facts.items():
        made = _fact(fact)
        name = key if definitions.setdefault(key, made) == made else f"{kind}.{key}"
        definitions[name] = made
        properties[key] = {"$ref": f"#/$defs/{name}"}
    return {
        "if": {"properties": {"claim_kind": {"const": kind}}},
        "then": {"properties": properties, "additionalProperties": False},
    }


def _fact(fact: Mapping[str, Any]) -> dict[str, Any]:
    """The type of an answer, or the words for not knowing and for not having happened."""
    words = [UNKNOWN, NONE] if fact.get("none_allowed") else [UNKNOWN]
    shape = {"anyOf": [_shape(fact), {"enum": words}]}
    return shape | {"title": str(fact["ask"]), "description": str(fact["why"])}


def _shape(fact: Mapping[str, Any]) -> dict[str, Any]:
    if fact["type"] == "enum":
        return {"enum": [str(value) for value in fact["values"]]}
    if fact["type"] != "list":
        return _SIMPLE[fact["type"]]
    of = fact["of"]
    if "enum" in of:
        entry: dict[str, Any] = {"enum": [str(value) for value in of["enum"]]}
    else:
        optional = fact.get("optional_fields", ())
        entry = {
            "type": "object",
            "properties": {str(name): _field(kind) for name, kind in of.items()},
            "required": [str(name) for name in of if name not in optional],
            "additionalProperties": False,
        }
    entry = {"anyOf": [entry, {"const": UNKNOWN}]}
    return {"type": "array", "maxItems": ENTRIES_MAX, "items": entry}


def _field(kind: Any) -> dict[str, Any]:
    if isinstance(kind, Mapping):
        return {"enum": [*(str(value) for value in kind["enum"]), UNKNOWN]}
    return {"anyOf": [_SIMPLE[str(kind)], {"const": UNKNOWN}]}
