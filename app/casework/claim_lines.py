"""The lines of a running claim as corrected answers would have them: proposed, then written.

A line follows the finding only while the claim stands line by line as the finding before the
correction did. Where somebody asked for something else, or a line of a new kind comes, no machine
says what the claim is: the handler writes the lines, and the same approval holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert, select, update

from app.banking.case_money import recovered_by_item
from app.case_change import CaseChange
from app.casework.correction_schemas import LineIn
from app.domain.eligibility.finding import Due
from app.domain.errors import Conflict, InvalidInput
from app.domain.money import Money
from app.ids import new_id
from app.tables.cases import ClaimantRow, ClaimItemRow

_COLUMNS: Final = ("id", "position", "kind", "what", "amount_minor", "currency", "earns_fee",
                   "counted", "creditor_id")  # fmt: skip


class LineBelowReceived(Conflict):
    """More has come in for a line than would be asked for it."""

    code = "line_below_received"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the claim; `counted` false: it stands in the file and nobody is asked for it."""

    id: UUID
    position: int
    kind: str
    what: str
    amount_minor: int
    currency: str
    earns_fee: bool
    counted: bool
    creditor_id: UUID

    @property
    def said(self) -> str:
        sum_ = f"{self.what}: {Money(self.amount_minor, self.currency)}"
        return sum_ if self.counted else f"{self.what}: not claimed"


async def read_lines(change: CaseChange) -> list[Line]:
    found = await change.session.execute(
        select(*(getattr(ClaimItemRow, name) for name in _COLUMNS))
        .where(ClaimItemRow.case_id == change.case.id)
        .order_by(ClaimItemRow.position)
    )
    return [Line(**row) for row in found.mappings()]


def following(
    lines: Sequence[Line], old: Sequence[Due], new: Sequence[Due], currency: str
) -> list[Line] | None:
    """The lines after the correction, or None where only a person can say."""
    counted = [one for one in lines if one.counted]
    if [(o.amount_minor, o.currency) for o in counted] != [
        (d.amount_minor, d.currency) for d in old
    ]:
        return None
    if not new or any(due.currency != currency for due in new):
        return None
    paired = _paired(old, new)
    if paired is None:
        return None
    now = {line.id: due for line, due in zip(counted, paired, strict=True)}
    return [
        line if line.id not in now
        else replace(line, amount_minor=due.amount_minor) if (due := now[line.id])
        else replace(line, counted=False)
        for line in lines
    ]  # fmt: skip


def _sum(one: Line | Due) -> tuple[int, str]:
    return one.amount_minor, one.currency


def _paired(old: Sequence[Due], new: Sequence[Due]) -> list[Due | None] | None:
    """For each old line its new one, None where it fell away; None for all where a line is new."""
    if len(old) == len(new):
        return list(new)
    left = list(new)
    found: list[Due | None] = []
    for due in old:
        same = next((one for one in left if one.what == due.what), None)
        if same is not None:
            left.remove(same)
        found.append(same)
    return None if left else found


async def written(change: CaseChange, lines: Sequence[Line], given: Sequence[LineIn]) -> list[Line]:
    """The lines as a handler writes them: those he names by their number change, those he leaves
    out are asked for no longer, the rest is new. Raises InvalidInput (line_unknown)."""
    people = await _people(change)
    by_number = {line.position: line for line in lines}
    top = max(by_number, default=-1) + 1  # a new line comes after all that ever stood
    found: dict[int, Line] = {
        number: replace(line, counted=False) for number, line in by_number.items()
    }
    for at, one in enumerate(given):
        number = top + at if one.line is None else one.line
        before = by_number.get(number)
        if (one.line is not None and before is None) or one.creditor >= len(people):
            raise InvalidInput(
                "there is no such line or person on the case", code="line_unknown",
                field=f"/lines/{at}",
            )  # fmt: skip
        money = Money.parse(one.amount.amount, one.amount.currency)
        found[number] = Line(
            id=before.id if before else new_id(), position=number, kind=one.kind, what=one.what,
            amount_minor=money.minor, currency=money.currency,
            earns_fee=one.fee_by_kind if one.earns_fee is None else one.earns_fee,
            counted=money.currency == change.case.currency, creditor_id=people[one.creditor],
        )  # fmt: skip
    return [found[number] for number in sorted(found)]


async def _people(change: CaseChange) -> list[UUID]:
    found = await change.session.scalars(
        select(ClaimantRow.id)
        .where(ClaimantRow.case_id == change.case.id)
        .order_by(ClaimantRow.position)
    )
    return list(found)


def changed(before: Sequence[Line], after: Sequence[Line]) -> Iterator[tuple[Line | None, Line]]:
    """(as it stands, as it would): those that differ."""
    was = {line.id: line for line in before}
    yield from ((was.get(line.id), line) for line in after if was.get(line.id) != line)


async def write(change: CaseChange, before: Sequence[Line], after: Sequence[Line]) -> None:
    """Raises LineBelowReceived; what came in for a line stays set against it."""
    received = await recovered_by_item(change.session, change.case.id)
    for was, line in changed(before, after):
        least = received.get(line.id, 0)
        if least > (line.amount_minor if line.counted else 0):
            raise LineBelowReceived("more has come in for a line than would be asked for it")
        if was is None:
            await change.session.execute(
                insert(ClaimItemRow).values(case_id=change.case.id, ground=None, **_row(line))
            )
        else:
            await change.session.execute(
                update(ClaimItemRow).where(ClaimItemRow.id == line.id).values(**_row(line))
            )


def _row(line: Line) -> Mapping[str, Any]:
    return {name: getattr(line, name) for name in _COLUMNS}
