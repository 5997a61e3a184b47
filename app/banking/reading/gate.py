"""The gate before the books: pages put together, and opening + booked = closing.

Only camt.053 and MT940 pass. A bank whose reversals state the side of the original is recognised
by the sum alone: its statement adds up with them turned round, and not as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.banking.reading.amounts import written
from app.banking.reading.model import Detail, Entry, Statement, StatementInvalid
from app.banking.reading.reader import Document

REVERSED: Final = "reversed"


@dataclass(frozen=True, slots=True)
class Assembled:
    """What can be posted, what only informs, and the pages of what is not here whole yet."""

    complete: tuple[Statement, ...]
    notices: tuple[Statement, ...]
    waiting: tuple[WaitingPages, ...]


@dataclass(frozen=True, slots=True)
class WaitingPages:
    """Pages that are here, and which are missing; ``missing`` ends with the page after the last
    one known where no last page has come."""

    pages: tuple[Statement, ...]
    missing: tuple[int, ...]


def assemble(statements: Sequence[Statement]) -> Assembled:
    """Put pages together, of one file or of several. StatementInvalid: two contents of a page."""
    complete, waiting = [], []
    notices = tuple(s for s in statements if not s.posts)
    for group in _groups([s for s in statements if s.posts]):
        missing = _missing(group)
        if missing:
            waiting.append(WaitingPages(tuple(group), missing))
        else:
            complete.append(_joined(group))
    return Assembled(tuple(complete), notices, tuple(waiting))


def _groups(statements: Sequence[Statement]) -> list[list[Statement]]:
    """Pages of one statement share its id or its number; a whole statement is its own group."""
    groups: list[list[Statement]] = []
    for statement in statements:
        if statement.page == 1 and statement.last_page:
            groups.append([statement])
            continue
        for group in groups:
            if not (group[0].page == 1 and group[0].last_page) and _together(group[0], statement):
                group.append(statement)
                break
        else:
            groups.append([statement])
    return groups


def _together(one: Statement, other: Statement) -> bool:
    if (one.account, one.currency, one.kind) != (other.account, other.currency, other.kind):
        return False
    return one.ident == other.ident or (one.sequence is not None and one.sequence == other.sequence)


def _missing(pages: list[Statement]) -> tuple[int, ...]:
    by_number: dict[int, Statement] = {}
    for page in pages:
        twin = by_number.setdefault(page.page, page)
        if twin is not page and twin.content_hash != page.content_hash:
            raise StatementInvalid("A page came twice with different contents.", page=page.page)
    pages[:] = [by_number[number] for number in sorted(by_number)]
    last = next((p.page for p in pages if p.last_page), None)
    end = last if last is not None else pages[-1].page + 1
    return tuple(n for n in range(1, end + 1) if n not in by_number)[:50]


def _joined(pages: Sequence[Statement]) -> Statement:
    if len(pages) == 1:
        return pages[0]
    seen: dict[str, int] = {}
    entries: list[Entry] = []
    for page in pages:
        for entry in page.entries:
            base, _, _ = entry.key.partition("#")
            seen[base] = seen.get(base, 0) + 1
            key = base if seen[base] == 1 else f"{base}#{seen[base]}"
            entries.append(entry if key == entry.key else replace(entry, key=key))
    first, last = pages[0], pages[-1]
    ident = first.ident
    if first.kind == "MT940":
        ident = f"{ident}:{last.closes_on}:{first.opening}>{last.closing}"
    return replace(
        first, ident=ident, last_page=True, closing=last.closing, closes_on=last.closes_on,
        entries=tuple(entries), warnings=tuple(w for p in pages for w in p.warnings),
    )  # fmt: skip


def checked(statement: Statement) -> Statement:
    """The statement as it may be posted. StatementInvalid when a balance is missing, when it does
    not add up, or names another currency."""
    if statement.opening is None or statement.closing is None:
        which = "opening" if statement.opening is None else "closing"
        raise StatementInvalid(
            f"The statement lacks its {which} balance.", statement=statement.ident
        )
    if statement.difference == 0:
        return statement
    turned = turned_round(statement)
    if turned.difference == 0:
        return turned
    raise StatementInvalid(
        "The statement does not add up: opening balance and entries do not give the closing.",
        statement=statement.ident,
        opening=written(statement.opening, statement.currency),
        booked=written(statement.booked, statement.currency),
        closing=written(statement.closing, statement.currency),
        difference=written(statement.difference or 0, statement.currency),
    )


def turned_round(statement: Statement) -> Statement:
    """With every reversal on the other side."""
    entries = tuple(_turned(e) if e.reversal and e.booked else e for e in statement.entries)
    return replace(statement, entries=entries, sign_rule=REVERSED)


def _turned(entry: Entry) -> Entry:
    details: tuple[Detail, ...] = tuple(replace(d, credit=not d.credit) for d in entry.details)
    return replace(entry, credit=not entry.credit, details=details)


def in_order(statements: Sequence[Statement]) -> list[Statement]:
    """Statements of each account in the order in which each opens where the one before closed;
    what has no predecessor here keeps its place."""
    left, done = list(statements), []
    while left:
        closings = {_at(s, s.closing) for s in left}
        first = next((s for s in left if _at(s, s.opening) not in closings), left[0])
        following: Statement | None = first
        while following is not None:
            left.remove(following)
            done.append(following)
            here = _at(following, following.closing)
            following = next((s for s in left if _at(s, s.opening) == here), None)
    return done


def _at(statement: Statement, balance: int | None) -> tuple[str, str, int | None]:
    return statement.account, statement.currency, balance


def postable(documents: Sequence[Document]) -> list[Statement]:
    """The statements of one delivery, checked and in their order. StatementInvalid when one does
    not pass, when a page is missing, or when there is nothing to post."""
    together = assemble([s for d in documents for s in d.read.statements])
    for pages in together.waiting:
        raise StatementInvalid(
            "The statement is one page of several; send the others with it.",
            statement=pages.pages[0].ident, missing=", ".join(map(str, pages.missing)),
        )  # fmt: skip
    if not together.complete:
        raise StatementInvalid("This message only informs; its statement is what is posted.")
    return in_order([checked(statement) for statement in together.complete])
