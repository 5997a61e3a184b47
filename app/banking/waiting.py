"""Files that wait: what a person knows them by, and which of them hold pages of one statement."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.banking.chain import Held
from app.banking.reading.gate import WaitingPages
from app.banking.reading.model import Statement


def head_of(statement: Statement) -> dict[str, Any]:
    """What a person needs to know a statement by, without its entries."""
    return {
        "kind": statement.kind, "name": statement.ident, "account": statement.account,
        "currency": statement.currency, "number": statement.sequence, "page": statement.page,
        "last_page": statement.last_page, "opening_minor": statement.opening,
        "closing_minor": statement.closing, "lines": len(statement.entries),
        "closes_on": statement.closes_on.isoformat() if statement.closes_on else None,
    }  # fmt: skip


def pages_named(heads: Iterable[dict[str, Any]]) -> set[str]:
    """Names of the statements of which these hold single pages."""
    return {
        key
        for head in heads
        if head["page"] > 1 or not head["last_page"]
        for key in _page_keys(head)
    }


def _page_keys(head: dict[str, Any]) -> tuple[str, ...]:
    """What pages of one statement share: its name, or its number."""
    account = f"{head['account']}:{head['currency']}"
    number = (f"{account}:#{head['number']}",) if head["number"] else ()
    return (f"{account}:{head['name']}", *number)


def missing_pages(pages: WaitingPages) -> Held:
    """What a statement of which pages are here waits for."""
    numbers = ", ".join(map(str, pages.missing))
    one = pages.pages[0]
    missing = f"page {numbers} of statement {one.sequence or one.ident}"
    return Held(
        one.ident, missing,
        f"Import {missing}: the pages are kept and put together when all are here. If the bank"
        " never sends it, ask for the whole statement and undo this import.",
    )  # fmt: skip
