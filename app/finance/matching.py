"""Receipts set against cases without a person: a stage of the worker after the import.

Import and match are two things (design/money.md 0.3): a statement is posted whole whatever the
cases say, and a receipt that no case takes stays unallocated with the reason. Each receipt has a
transaction of its own, so that one poison receipt stops nobody (docs/decisions/0037).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Literal

import structlog
from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app import ledger
from app.authorisation.principal import ANONYMOUS
from app.banking.case_money import agency_zone, load_case_money
from app.banking.match_rules import load_rules
from app.banking.matching import evidence_of, suggestions
from app.crypto import Keyring
from app.db import Database
from app.domain.errors import RecourseError
from app.domain.matching import Rules, Suggestion
from app.domain.money import Money
from app.finance.allocating import allocate_part
from app.finance.desk import Desk
from app.moment import read_moment
from app.tables.banking import Movement, MovementHold
from app.tables.matching import MatchOutcome, MatchQueue

Switch = Literal["suggest", "confirm"]
ACTOR: Final = "system"

log = structlog.get_logger(__name__)
_QUEUE = text(
    "INSERT INTO match_queue (movement_id) SELECT unnest(CAST(:ids AS uuid[]))"
    " ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Machine(Desk):
    """The desk at which nobody sits."""

    @property
    def actor(self) -> str:
        return ACTOR


async def queue_receipts(session: AsyncSession, receipts: Collection[uuid.UUID]) -> None:
    """These receipts came with a statement and wait for the cascade."""
    if receipts:
        await session.execute(_QUEUE, {"ids": list(receipts)})


async def match_next(
    database: Database,
    keyring: Keyring,
    switch: Switch,
    passes: Callable[[BaseException], bool],
) -> bool:
    """Look at the receipt that waits longest; False when none waits. Several workers take turns.

    What a case refuses is noted and left to a person. A failure that ``passes`` (a database that is
    away) raises, and the receipt waits.
    """
    taken: list[uuid.UUID] = []
    try:
        async with database.transaction() as session:
            movement_id = await session.scalar(
                select(MatchQueue.movement_id)
                .order_by(MatchQueue.movement_id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if movement_id is None:
                return False
            taken.append(movement_id)
            await _decide(session, keyring, movement_id, switch)
    except RecourseError as refused:
        log.warning("match_not_taken", movement=str(taken[0]), code=refused.code)
        await _not_taken(database, taken[0], refused.code)
    except Exception as failure:
        if not taken or passes(failure):
            raise
        # A receipt we cannot read must not stand before all that come after it.
        log.exception("match_failed", movement=str(taken[0]))
        await _not_taken(database, taken[0], "internal_error")
    return True


async def _decide(
    session: AsyncSession, keyring: Keyring, movement_id: uuid.UUID, switch: Switch
) -> None:
    rules = load_rules()
    moment = await read_moment(session)
    desk = Machine(session, ANONYMOUS, moment, agency_zone(moment.profile))
    movement = await session.get_one(Movement, movement_id)
    if movement.undone_at is not None:  # its import was taken back while it waited
        await session.execute(delete(MatchQueue).where(MatchQueue.movement_id == movement_id))
        return
    found = await suggestions(session, movement, rules, keyring=keyring)
    if switch == "confirm" and found and found[0].confirms:
        # What was decided on must still be so when nobody else can change it any more.
        await desk.lock(uuid.UUID(part.case_id) for part in found[0].parts)
        found = await suggestions(session, movement, rules, keyring=keyring)
        if found and found[0].confirms and await _untouched(session, movement):
            await _confirm(desk, movement, found[0], rules)
            await _note(desk, movement_id, rules, "confirmed", found[0])
            return
    await _note(desk, movement_id, rules, "suggested" if found else "nothing", *found[:1])


async def _untouched(session: AsyncSession, movement: Movement) -> bool:
    """Nobody has allocated, held or set aside anything of it."""
    left = await ledger.balance_of(session, "C.UNALLOC", str(movement.id), movement.currency)
    hold = await session.get(MovementHold, movement.id)
    return hold is None and left.minor == movement.amount_minor


async def _confirm(desk: Desk, movement: Movement, one: Suggestion, rules: Rules) -> None:
    for part in sorted(one.parts, key=lambda p: p.case_id):
        case = await load_case_money(desk.session, uuid.UUID(part.case_id), zone=desk.zone)
        amount = Money(part.amount_minor, movement.currency)
        await allocate_part(desk, movement.id, case, amount, (one.step, evidence_of(one, rules)))


async def _note(
    desk: Desk, movement_id: uuid.UUID, rules: Rules, outcome: str, one: Suggestion | None = None
) -> None:
    confirmed = one is not None and outcome == "confirmed"
    reason = one.against.code if one is not None and one.against is not None else None
    if confirmed and one is not None and one.rest_minor:
        reason = "more_than_open"
    minor = sum(p.amount_minor for p in one.parts) if one is not None and confirmed else 0
    await desk.session.execute(
        insert(MatchOutcome)
        .values(
            movement_id=movement_id, rules=rules.name, outcome=outcome,
            step=one.step if one else None, reason=reason, score=one.score if one else 0,
            minor=minor, decided_at=desk.moment.now,
        )
        .on_conflict_do_nothing()
    )  # fmt: skip
    await desk.session.execute(delete(MatchQueue).where(MatchQueue.movement_id == movement_id))


async def _not_taken(database: Database, movement_id: uuid.UUID, code: str) -> None:
    async with database.transaction() as session:
        moment = await read_moment(session)
        await session.execute(
            insert(MatchOutcome)
            .values(
                movement_id=movement_id, rules=load_rules().name, outcome="not_taken", step=None,
                reason=code, score=0, minor=0, decided_at=moment.now,
            )
            .on_conflict_do_nothing()
        )  # fmt: skip
        await session.execute(delete(MatchQueue).where(MatchQueue.movement_id == movement_id))
