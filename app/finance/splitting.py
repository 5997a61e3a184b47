"""One payment for several cases: the split of a person, or the payer's own list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.banking.case_money import load_case_money
from app.banking.match_rules import load_rules
from app.banking.matching import evidence_of, learn_payer, suggestions
from app.banking.service import AllocationDone, MovementUndone, receipt_of
from app.crypto import Keyring
from app.domain.errors import Conflict, NotFound
from app.domain.matching import AdviceLine, Suggestion, read_advice
from app.domain.matching.clues import says_settled
from app.domain.money import Money
from app.fields import FieldError, FieldsRefused
from app.finance.allocating import BY_PERSON, allocate_part, unallocated_of
from app.finance.desk import Desk
from app.tables.banking import Movement, MovementHold


class SplitTooLarge(Conflict):
    """The parts are more than what is unallocated of the money."""

    code = "split_too_large"


class AdviceUnsure(Conflict):
    """The list does not decide every line: confirm the split by hand instead."""

    code = "advice_unsure"


@dataclass(frozen=True, slots=True)
class Advised:
    """What a list says: its lines, the split it asks for (None: no line names a case of ours)."""

    lines: tuple[AdviceLine, ...]
    split: Suggestion | None
    done: tuple[AllocationDone, ...]


async def split_money(
    desk: Desk, keyring: Keyring, movement_id: UUID, parts: Sequence[tuple[UUID, Money]]
) -> list[AllocationDone]:
    """Set one movement against several cases in one step, all or none; what the parts leave stays
    unallocated. Raises SplitTooLarge, FieldsRefused (a case twice), and what allocating raises."""
    if len({case_id for case_id, _ in parts}) != len(parts):
        raise FieldsRefused(FieldError("/parts", "a case stands here twice", "case_repeated"))
    why = (BY_PERSON, {"step": BY_PERSON, "by": desk.actor})
    return await _allocate(desk, keyring, movement_id, parts, why)


async def take_advice(
    desk: Desk, keyring: Keyring, movement_id: UUID, text: str, *, confirm: bool
) -> Advised:
    """Read the payer's list against the open cases. With ``confirm`` the split is allocated when
    every line is certain, else AdviceUnsure. Raises AdviceRefused, NotFound."""
    movement = await desk.session.get(Movement, movement_id)
    if movement is None:
        raise NotFound("there is no such movement", code="movement_not_found")
    if movement.undone_at is not None:
        raise MovementUndone("the import that brought this money was taken back")
    lines = read_advice(text, movement.currency)
    found = await suggestions(
        desk.session, movement, load_rules(), keyring=keyring, advice=lines
    )  # fmt: skip
    split = next((one for one in found if one.step == "remittance_advice"), None)
    if not confirm:
        return Advised(lines, split, ())
    if split is None or split.against is not None:
        raise AdviceUnsure(
            "not every line of the list is certain",
            why=split.against.code if split and split.against else "advice_line_unknown",
        )
    parts = [(UUID(p.case_id), Money(p.amount_minor, movement.currency)) for p in split.parts]
    evidence = evidence_of(split, load_rules()) | {"by": desk.actor}
    done = await _allocate(desk, keyring, movement_id, parts, (split.step, evidence))
    return Advised(lines, split, tuple(done))


async def _allocate(
    desk: Desk,
    keyring: Keyring,
    movement_id: UUID,
    parts: Sequence[tuple[UUID, Money]],
    why: tuple[str, Mapping[str, str]],
) -> list[AllocationDone]:
    await desk.lock(case_id for case_id, _ in parts)
    ordered = sorted(parts, key=lambda part: part[0])
    cases = [await load_case_money(desk.session, one, zone=desk.zone) for one, _ in ordered]
    movement = await receipt_of(desk.session, movement_id)
    left = await unallocated_of(desk, movement)
    total = sum(amount.minor for _, amount in ordered)
    if total > left.minor:
        raise SplitTooLarge("the parts are more than what is unallocated", left=left.format())
    await _not_settled(desk, movement)
    done = []
    for case, (case_id, amount) in zip(cases, ordered, strict=True):
        one = await allocate_part(desk, movement.id, case, amount, why)
        await learn_payer(
            desk.session, keyring, movement, case_id, allocation_id=one.allocation_id,
            rules=load_rules(), actor=desk.actor, at=desk.at,
        )  # fmt: skip
        done.append(one)
    return done


async def _not_settled(desk: Desk, movement: Movement) -> None:
    """Money called the whole of a claim is held for one case and never split."""
    if await desk.session.get(MovementHold, movement.id) is not None:
        raise Conflict("this money is held for a case", code="movement_held")
    if says_settled(movement.remittance, load_rules()):
        raise Conflict(
            "the payer calls this money the whole: allocate it case by case", code="movement_held"
        )
