"""How a datum reads in a table cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

VERIFIED = "verified"
OPEN = "to be confirmed"


def cell(value: Any) -> str:
    """Lists with commas, maps as `name: value`, nothing as a dash; a bar would end the cell."""
    if value is None or value == "" or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        text = "; ".join(f"{name}: {cell(found)}" for name, found in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        text = ", ".join(cell(each) for each in value)
    else:
        text = str(value)
    return text.replace("|", "\\|").replace("\n", " ").strip()


def span(value: Any) -> str:
    """`{value: 2, unit: months, ...}` as "2 months" with what else stands there."""
    if not isinstance(value, Mapping):
        return cell(value)
    if "value" not in value:
        return cell({name: span(found) for name, found in value.items()})
    unit = str(value["unit"]).replace("_", " ")
    said = f"{value['value']} {unit.removesuffix('s') if value['value'] == 1 else unit}"
    rest = {k: v for k, v in value.items() if k not in ("value", "unit")}
    return f"{said} ({cell(rest)})" if rest else said


def fee(value: Any) -> str:
    """`{amount: 25, currency: GBP, ...}` as "25 GBP" with what else stands there."""
    if not isinstance(value, Mapping) or "currency" not in value:
        return cell(value)
    rest = {k: v for k, v in value.items() if k not in ("amount", "currency")}
    said = (
        "free" if value.get("amount") == 0 else f"{cell(value.get('amount'))} {value['currency']}"
    )
    return f"{said} ({cell(rest)})" if rest else said


def link(source: str | None) -> str:
    """An address as a link named by its host; words as they are."""
    if not source or "://" not in source:
        return cell(source)
    host = source.split("://", 1)[1].split("/", 1)[0].removeprefix("www.")
    return f"[{host}](<{source}>)"


def mark(record: Mapping[str, Any]) -> str:
    """Whether its main statement was read in the source, and which fields were not."""
    if not record.get("verified", False):
        return OPEN
    unread = record.get("unverified_fields") or record.get("unverified") or []
    return f"{VERIFIED}; {OPEN}: {cell(unread)}" if unread else VERIFIED
