"""One payment for several cases over HTTP."""

from __future__ import annotations

from uuid import UUID

from app.banking.service import AllocationDone
from app.deps import Caller, Held, Router, Session, problems
from app.domain.matching import Reason
from app.finance import match_words, splitting
from app.finance import matching_schemas as s
from app.finance.bank_endpoints import Reader
from app.finance.books import amount
from app.finance.desk import open_desk
from app.schemas import Id

router = Router(prefix="/v1/bank", tags=["bank"])


@router.post(
    "/movements/{movement_id}/split",
    operation_id="split_money",
    status_code=201,
    responses=problems("conflict", "not_found"),
)
async def split_money(
    movement_id: Id, body: s.SplitIn, session: Session, caller: Caller, held: Held
) -> s.SplitOut:
    """Set one payment against several cases, all of them or none. What the parts leave over stays
    unallocated."""
    parts = [(part.case_id, part.amount.money()) for part in body.parts]
    desk = await open_desk(session, caller)
    done = await splitting.split_money(desk, held.keyring, movement_id, parts)
    return s.SplitOut(movement_id=movement_id, allocations=[_part(one) for one in done])


@router.post(
    "/movements/{movement_id}/advice",
    operation_id="take_advice",
    responses=problems("conflict", "not_found"),
)
async def take_advice(
    movement_id: Id,
    body: s.AdviceIn,
    session: Session,
    caller: Caller,
    held: Held,
    language: Reader = None,
) -> s.AdviceOut:
    """The payer's list of what one payment is for, pasted or as CSV: which cases its lines name,
    and whether every line is certain. With `confirm` the split is allocated then."""
    desk = await open_desk(session, caller)
    done = await splitting.take_advice(
        desk, held.keyring, movement_id, body.text, confirm=body.confirm
    )
    split = done.split
    against = split.against if split else Reason("advice_line_unknown")
    return s.AdviceOut(
        movement_id=movement_id,
        lines=len(done.lines),
        certain=split is not None and split.confirms,
        not_certain_because=against.code if against else None,
        not_certain_text=match_words.doubt_of(match_words.said_in(language), against),
        line=against.params.get("line") if against else None,
        parts=[s.AdvisedPart(case_id=UUID(p.case_id), minor=p.amount_minor) for p in split.parts]
        if split
        else [],
        left_minor=split.rest_minor if split else None,
        allocations=[_part(one) for one in done.done],
    )


def _part(done: AllocationDone) -> s.SplitPartOut:
    return s.SplitPartOut(
        allocation_id=done.allocation_id,
        case_id=done.case_id,
        amount=amount(done.amount),
        our_fee=amount(done.fee),
    )
