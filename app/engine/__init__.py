"""The one writer of cases: lock, load, decide, write; for one case or for many at once.

    facts come in -> lock the rows -> build Case values -> decide() -> one writing statement

`advance` is for a caller who holds a transaction (an API call, a worker recording a result);
`sweep_due` moves whatever is due. Nobody else updates `cases`; `decide` is the only author of a
stage. The caller commits (app.db), so a change and the orders it causes are one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app import audit
from app.domain.case import Case
from app.domain.errors import NotFound, StaleEvent, StaleVersion, TransitionRefused
from app.domain.escalation import decide
from app.domain.events import CaseAccepted, CaseDrafted, CaseSubmitted, Event, TimerFired
from app.domain.playbook import Reach, Rules
from app.engine import codec
from app.engine.changes import Outcome, collect
from app.engine.load import Loaded, decoded, lock_cases, lock_due, read_case
from app.engine.write import Beside, Rows, new_rows, write_rows
from app.ids import new_id
from app.moment import Moment, read_moment
from app.playbooks import book
from app.tables.cases import CaseRow

__all__ = [
    "Beside",
    "Fact",
    "NewCase",
    "Outcome",
    "Result",
    "advance",
    "advance_many",
    "amend",
    "create",
    "peek",
    "rules_for",
    "sweep_due",
]

log = structlog.get_logger(__name__)
SWEEP_BATCH = 500  # cases per transaction: a statement of a few hundred kilobytes, locks under 1 s
TIMERS_PER_WAKE_MAX = 50  # a case that fires more in one instant is poisoned, not busy


@dataclass(frozen=True, slots=True)
class Fact:
    case_id: uuid.UUID
    event: Event
    actor: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one fact or one wake-up. `why` is set when nothing changed."""

    case_id: uuid.UUID
    case: Case | None
    why: str | None = None
    refused: TransitionRefused | None = None


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case to be: its value and the columns the ladder does not know, ready for insertion.

    `consumers` are rows of people seen for the first time; `claimants` and `items` carry what the
    value does not (names of lines).
    """

    case: Case
    columns: dict[str, Any]
    claimants: list[dict[str, Any]]
    items: list[dict[str, Any]]
    consumers: list[dict[str, Any]]


def rules_for(
    case: Case,
    moment: Moment,
    *,
    accepted: CaseAccepted | None = None,
    reach: Reach | None = None,
) -> Rules:
    """The pinned playbook with the case's own bodies, its calendar, the agency's profile and what
    no longer reaches the company: all that decide() may consult. Accepting pins a playbook, and
    decides by it already."""
    key, bodies = (accepted or case).playbook, (accepted or case).bodies
    playbook = book.for_case(key, bodies)
    return Rules(
        playbook=playbook,
        calendar=book.calendar(playbook),
        agency=moment.agency,
        new_id=new_id,
        mail_read_until=moment.mail_read_until,
        bank_read_until=moment.bank_read_until,
        reach=reach or Reach(),
    )


async def create(
    session: AsyncSession,
    new: NewCase,
    event: CaseDrafted | CaseSubmitted,
    *,
    actor: str,
    moment: Moment,
    beside: Callable[[Outcome], Sequence[Beside]] | None = None,
) -> Case:
    """File a case: every row of it, its history and its first orders in one statement.

    `beside` is asked, once the case is decided, for writes of other parts that belong into it.
    """
    decision = decide(new.case, event, rules_for(new.case, moment), moment.now)
    outcome = Outcome(before=None, case=new.case, actor=actor, now=moment.now)
    outcome.add(decision)
    rows = new_rows()
    head = collect(rows, outcome, head=audit.Head(0, b""))
    plain = outcome.plain()
    position = codec.record(outcome.case, plain)
    fixed = {f: plain[f] for f in codec.FIXED}
    rows["new_cases"] = [
        {
            **new.columns,
            **fixed,
            **position,
            "version": 1,
            "parked_reason": None,
            "audit_seq": head.seq,
            "audit_head": head.hash.hex(),
        }
    ]
    rows["consumers"] = new.consumers
    rows["new_claimants"] = new.claimants
    rows["new_items"] = new.items
    await write_rows(session, rows, beside(outcome) if beside else ())
    return outcome.case


async def advance(
    session: AsyncSession,
    case_id: uuid.UUID,
    event: Event,
    *,
    actor: str,
    moment: Moment | None = None,
    expected_version: int | None = None,
) -> Case:
    """One fact about one case. Raises NotFound, TransitionRefused, StaleEvent, StaleVersion."""
    moment = moment or await read_moment(session)
    loaded = (await lock_cases(session, [case_id])).get(case_id)
    if loaded is None:
        raise NotFound("there is no such case", code="case_not_found")
    if expected_version is not None and loaded.version != expected_version:
        raise StaleVersion("the case has changed since you read it; read it again")
    outcome = _begun(loaded, actor, moment)
    _decide(outcome, event, moment)
    await _write(session, [(loaded, outcome)])
    return outcome.case


async def advance_many(
    session: AsyncSession, facts: Sequence[Fact], *, moment: Moment | None = None
) -> list[Result]:
    """Facts about many cases, all written at once; one result per fact, in their order.

    Facts of one case are decided in a row, each on the case as the one before left it. One that is
    stale or refused changes nothing and comes back with its reason; the others stand.
    """
    moment = moment or await read_moment(session)
    found = await lock_cases(session, sorted({f.case_id for f in facts}))
    outcomes: dict[uuid.UUID, tuple[Loaded, Outcome]] = {}
    results: list[Result] = []
    for fact in facts:
        loaded = found.get(fact.case_id)
        if loaded is None:
            results.append(Result(fact.case_id, None, why="no such case"))
            continue
        _, outcome = outcomes.get(fact.case_id) or (loaded, _begun(loaded, fact.actor, moment))
        outcome.actor = fact.actor
        results.append(_result(outcome, fact, moment))
        if results[-1].why is None:
            outcomes[fact.case_id] = (loaded, outcome)
    await _write(session, list(outcomes.values()))
    return results


def _result(outcome: Outcome, fact: Fact, moment: Moment) -> Result:
    """Decide one fact on top of what `outcome` holds; a fact not taken leaves it as it was."""
    try:
        _decide(outcome, fact.event, moment)
    except StaleEvent as stale:
        return Result(fact.case_id, outcome.case, why=str(stale))
    except TransitionRefused as refused:
        return Result(fact.case_id, outcome.case, why=refused.why, refused=refused)
    return Result(fact.case_id, outcome.case)


async def sweep_due(
    session: AsyncSession,
    *,
    limit: int = SWEEP_BATCH,
    actor: str = "system",
    moment: Moment | None = None,
) -> list[Result]:
    """Move every case that has something due, up to `limit`. Whoever else sweeps takes others.

    A case that cannot be decided or written is parked with its cause and a task; it never stops
    the rest.
    """
    moment = moment or await read_moment(session)
    due = await lock_due(session, moment.now, limit)
    outcomes: list[tuple[Loaded, Outcome]] = []
    results: list[Result] = []
    for case_id, row in due.items():
        try:
            loaded = decoded(row)
            outcome = _fire_due(loaded, actor, moment)
        # Anything may be wrong with one row after years of versions; the others must go on.
        except Exception as poison:
            log.exception("case_poisoned", case_id=str(case_id))
            await _park(session, case_id, repr(poison), moment.now)
            results.append(Result(case_id, None, why="parked"))
        else:
            outcomes.append((loaded, outcome))
            results.append(Result(case_id, outcome.case))
    await _write_bisecting(session, outcomes, moment.now)
    return results


async def amend(
    session: AsyncSession,
    case_id: uuid.UUID,
    columns: dict[str, Any],
    *,
    code: str,
    actor: str,
    params: dict[str, Any],
    moment: Moment,
    expected_version: int | None = None,
) -> None:
    """Change what the ladder does not decide (a draft's words, the company), with history."""
    loaded = (await lock_cases(session, [case_id])).get(case_id)
    if loaded is None:
        raise NotFound("there is no such case", code="case_not_found")
    if expected_version is not None and loaded.version != expected_version:
        raise StaleVersion("the case has changed since you read it; read it again")
    head = audit.Head(loaded.row["audit_seq"], bytes(loaded.row["audit_head"]))
    entry = audit.Entry(code, params, actor, moment.now)
    rows, after = audit.rows_for(f"case:{case_id}", head, [entry])
    await audit.insert_rows(session, rows)
    await session.execute(
        update(CaseRow)
        .where(CaseRow.id == case_id)
        .values(**columns, version=CaseRow.version + 1, audit_seq=after.seq, audit_head=after.hash)
    )


async def peek(session: AsyncSession, case_id: uuid.UUID) -> Loaded | None:
    """The case as it stands, unlocked: for reading and explaining."""
    return await read_case(session, case_id)


def _begun(loaded: Loaded, actor: str, moment: Moment) -> Outcome:
    return Outcome(
        before=loaded.case, case=loaded.case, actor=actor, now=moment.now,
        reach=loaded.reach,
    )  # fmt: skip


def _decide(outcome: Outcome, event: Event, moment: Moment) -> None:
    accepted = event if isinstance(event, CaseAccepted) else None
    rules = rules_for(outcome.case, moment, accepted=accepted, reach=outcome.reach)
    outcome.add(decide(outcome.case, event, rules, moment.now))


def _fire_due(loaded: Loaded, actor: str, moment: Moment) -> Outcome:
    """Every timer that is due, in order of time, on the case as each leaves it."""
    rules = rules_for(loaded.case, moment, reach=loaded.reach)
    outcome = _begun(loaded, actor, moment)
    fired = 0
    while True:
        due = [t for t in outcome.case.timers if t.due_at <= moment.now]
        if not due:
            return outcome
        fired += 1
        assert fired <= TIMERS_PER_WAKE_MAX, "timers of this case fire without end"
        timer = min(due, key=lambda t: (t.due_at, t.kind.value, t.key))
        event = TimerFired(kind=timer.kind, key=timer.key, step=timer.step, due_at=timer.due_at)
        outcome.add(decide(outcome.case, event, rules, moment.now))


def _rows(outcomes: Sequence[tuple[Loaded, Outcome]]) -> Rows:
    rows = new_rows()
    for loaded, outcome in outcomes:
        head = audit.Head(loaded.row["audit_seq"], bytes(loaded.row["audit_head"]))
        collect(rows, outcome, head=head, version=loaded.version)
    return rows


async def _write(session: AsyncSession, outcomes: Sequence[tuple[Loaded, Outcome]]) -> None:
    if outcomes:
        await write_rows(session, _rows(outcomes))


async def _write_bisecting(
    session: AsyncSession, outcomes: Sequence[tuple[Loaded, Outcome]], now: datetime
) -> None:
    """Write all; if the database refuses, halve until the poison case stands alone, and park it."""
    if not outcomes:
        return
    try:
        async with session.begin_nested():
            await _write(session, outcomes)
    except DBAPIError as refused:
        if refused.connection_invalidated:
            raise
        if len(outcomes) == 1:
            await _park(session, outcomes[0][0].case.id, repr(refused.orig), now)
            return
        half = len(outcomes) // 2
        await _write_bisecting(session, outcomes[:half], now)
        await _write_bisecting(session, outcomes[half:], now)


async def _park(session: AsyncSession, case_id: uuid.UUID, cause: str, now: datetime) -> None:
    await session.execute(
        text("UPDATE cases SET parked_reason = :cause, version = version + 1 WHERE id = :id"),
        {"id": case_id, "cause": cause[:500]},
    )
    await session.execute(
        text(
            "INSERT INTO tasks (id, case_id, kind, key, role, state, due_at, priority,"
            " priority_reason, opened_at) VALUES (:id, :case_id, 'poisoned_case', '', 'admin',"
            " 'open', :now, 0, 'case_parked', :now) ON CONFLICT DO NOTHING"
        ),
        {"id": new_id(), "case_id": case_id, "now": now},
    )
