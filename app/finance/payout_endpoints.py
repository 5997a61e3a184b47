"""Payouts over HTTP: what is payable, batches with four eyes, the bank file, what the bank said."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query, Response
from sqlalchemy import select

from app.cases.schemas import Amount
from app.deps import Caller, Held, Pages, ReadSession, Router, Session, problems
from app.domain.errors import NotFound
from app.finance import paying
from app.finance import payout_schemas as s
from app.finance.books import amount
from app.finance.desk import Desk, open_desk
from app.pagination import keyset
from app.payouts import queries
from app.payouts.payable import Payable, payables
from app.schemas import Id
from app.tables.payouts import PayoutBatch, PayoutItem

router = Router(prefix="/v1/payouts", tags=["payouts"])
CONFLICT = problems("conflict")
UNKNOWN = problems("conflict", "not_found")  # the body names something that may not exist
State = Literal["draft", "proposed", "approved", "exported", "settled", "cancelled"]


@router.get("/payable", operation_id="list_payables")
async def list_payables(session: ReadSession, caller: Caller, pages: Pages) -> s.PayableList:
    """Client money that no approved payout carries: per claimant, and what is in the way."""
    desk = await open_desk(session, caller)
    after = pages.after("payables")
    rows = await payables(
        session,
        now=desk.moment.now,
        after=(after[0], after[1]) if after else ("", ""),
        limit=pages.limit + 1,
    )
    shown = rows[: pages.limit]
    return s.PayableList(
        items=[_payable(row) for row in shown],
        ready=await _ready(desk) if after is None else [],
        next_cursor=pages.next("payables", [shown[-1].sub, shown[-1].amount.currency])
        if len(rows) > pages.limit
        else None,
    )


def _payable(row: Payable) -> s.PayableOut:
    return s.PayableOut(
        case_id=row.case_id,
        reference=row.reference,
        claimant_id=row.claimant_id,
        amount=amount(row.amount),
        account=f"****{row.last4}" if row.last4 else None,
        payable_now=row.why_not is None,
        why_not=row.why_not,
        explanation=paying.EXPLANATIONS[row.why_not] if row.why_not else "it can be paid out now",
        account_usable_from=row.usable_from,
        item_id=row.item_id,
        batch_id=row.batch_id,
    )


async def _ready(desk: Desk) -> list[s.ReadyItemOut]:
    rows = await desk.session.execute(
        select(PayoutItem)
        .where(PayoutItem.id.in_(await paying.ready_items(desk)))
        .order_by(PayoutItem.id)
    )
    return [
        s.ReadyItemOut(item_id=i.id, kind=i.kind, amount=Amount.of(i.amount_minor, i.currency))
        for i in rows.scalars()
    ]


@router.post("/sweeps", operation_id="prepare_sweep", status_code=201, responses=UNKNOWN)
async def prepare_sweep(body: s.SweepIn, session: Session, caller: Caller) -> s.PreparedOut:
    """Prepare the move of our earned commission to our own account, for the next batch."""
    item = await paying.sweep(await open_desk(session, caller), body.own_account_id)
    return s.PreparedOut(
        item_id=item.id, kind=item.kind, state=item.state, amount=amount(item.amount)
    )


@router.post("/batches", operation_id="create_batch", status_code=201, responses=UNKNOWN)
async def create_batch(
    body: s.BatchIn, session: Session, caller: Caller, response: Response
) -> s.BatchOut:
    """Prepare payments and propose them together; another person approves."""
    batch_id = await paying.create_batch(await open_desk(session, caller), body)
    response.headers["location"] = f"/v1/payouts/batches/{batch_id}"
    return await _batch(session, batch_id)


@router.get("/batches", operation_id="list_batches")
async def list_batches(
    session: ReadSession, pages: Pages, state: Annotated[State | None, Query()] = None
) -> s.BatchList:
    """The newest first."""
    filters = {"state": state}
    query = select(PayoutBatch)
    if state is not None:
        query = query.where(PayoutBatch.state == state)
    query = keyset(
        query,
        [PayoutBatch.__table__.c.id],
        pages.after("batches", filters),
        pages.limit,
        descending=True,
    )
    rows = list((await session.execute(query)).scalars())
    shown = rows[: pages.limit]
    return s.BatchList(
        items=[_line(queries.batch_view(row)) for row in shown],
        next_cursor=pages.next("batches", [shown[-1].id], filters)
        if len(rows) > pages.limit
        else None,
    )


@router.get("/batches/{batch_id}", operation_id="get_batch")
async def get_batch(batch_id: Id, session: ReadSession) -> s.BatchOut:
    return await _batch(session, batch_id)


async def _batch(session: ReadSession, batch_id: Id) -> s.BatchOut:
    view = await queries.batch(session, batch_id)
    if view is None:
        raise NotFound("there is no such batch", code="batch_not_found")
    items = await queries.items(session, batch_id=batch_id, limit=queries.ITEMS_MAX)
    return s.BatchOut(**_line(view).model_dump(), items=[_item(item) for item in items])


def _line(view: queries.BatchView) -> s.BatchLine:
    return s.BatchLine(
        id=view.id,
        state=view.state,
        execution_date=view.execute_on,
        item_count=view.item_count,
        total=amount(view.total),
        content_hash=view.content_hash,
        maker=view.maker,
        made_at=view.made_at,
        approved_by=view.checker,
        approved_at=view.approved_at,
        file_sha256=view.file_sha256,
        version=view.version,
    )


def _item(view: queries.ItemView) -> s.ItemOut:
    return s.ItemOut(
        id=view.id,
        kind=view.kind,
        state=view.state,
        case_id=view.case_id,
        claimant_id=view.claimant_id,
        amount=amount(view.amount),
        account=f"****{view.account_last4}" if view.account_last4 else None,
        account_usable_from=view.usable_from,
        end_to_end_id=view.end_to_end_id,
        reason=view.reason,
        prepared_by=view.created_by,
    )


@router.post("/batches/{batch_id}/approve", operation_id="approve_batch", responses=CONFLICT)
async def approve_batch(
    batch_id: Id, body: s.ApproveBatchIn, session: Session, caller: Caller, held: Held
) -> s.BatchOut:
    """Approve exactly what was read. Never by who prepared it, nor by who gave an account. The bank
    file is made once and ordered to be sent."""
    await paying.approve_batch(
        await open_desk(session, caller), held.keyring, batch_id, body.content_hash
    )
    return await _batch(session, batch_id)


@router.post("/batches/{batch_id}/reject", operation_id="reject_batch", responses=CONFLICT)
async def reject_batch(
    batch_id: Id, body: s.RejectBatchIn, session: Session, caller: Caller
) -> s.BatchOut:
    """Drop a batch that is not approved; its money is payable again."""
    await paying.reject_batch(await open_desk(session, caller), batch_id, body.reason)
    return await _batch(session, batch_id)


@router.post("/batches/{batch_id}/propose", operation_id="propose_batch", responses=CONFLICT)
async def propose_batch(batch_id: Id, session: Session, caller: Caller) -> s.BatchOut:
    """Propose again a batch that went back to draft because a payee changed the account."""
    await paying.propose_batch(await open_desk(session, caller), batch_id)
    return await _batch(session, batch_id)


@router.get(
    "/batches/{batch_id}/file",
    operation_id="get_bank_file",
    response_class=Response,
    responses={200: {"content": {"application/xml": {}}}},
)
async def get_bank_file(batch_id: Id, session: Session, caller: Caller, held: Held) -> Response:
    """The pain.001 file, the same bytes each time. Who takes it is written down."""
    name, raw = await paying.bank_file(await open_desk(session, caller), held.keyring, batch_id)
    return Response(
        raw,
        media_type="application/xml",
        headers={
            "content-disposition": f'attachment; filename="{name}.xml"',
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        },
    )


@router.post("/items/{item_id}/settled", operation_id="mark_settled", responses=CONFLICT)
async def mark_settled(
    item_id: Id, body: s.SettledIn, session: Session, caller: Caller
) -> s.ItemOut:
    """Say which debit of a statement was this payment. Only a statement settles."""
    desk = await open_desk(session, caller)
    await paying.mark_settled(desk, item_id, body.movement_id)
    return _item(await paying.the_item(desk, item_id))


@router.post("/items/{item_id}/refused", operation_id="mark_payout_refused", responses=CONFLICT)
async def mark_payout_refused(
    item_id: Id, body: s.RefusedIn, session: Session, caller: Caller
) -> s.ItemOut:
    """The bank refused this payment (pain.002 RJCT): the money is the claimant's again."""
    desk = await open_desk(session, caller)
    await paying.refuse_item(desk, item_id, body.reason)
    return _item(await paying.the_item(desk, item_id))
