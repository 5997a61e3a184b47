"""An end that nobody saw is not forgotten: the order is repeated by its key, or a person asks."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from app.db import Database
from app.domain.events import MandateRevoked
from app.engine import advance
from tests.workers.conftest import relaying, until
from tests.workers.stage import effects_of, file_case, install, move_clock, signed_case
from workers.backoff import TRANSIENT_TRIES_MAX
from workers.effects import HANDLERS
from workers.effects.notify_consumer import NotifyConsumerHandler
from workers.providers.errors import KeyTaken, OutcomeUnknown, Transient
from workers.tools import Tools


async def one(database: Database, effect: UUID) -> Any:
    return next(e for e in await effects_of(database) if e.id == effect)


async def is_state(database: Database, effect: UUID, state: str) -> bool:
    return bool((await one(database, effect)).state == state)


async def change(database: Database, statement: str, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement), values)


async def paper_notice(database: Database, tools: Tools) -> tuple[UUID, UUID]:
    """(case, order): word to a consumer without e-mail goes on paper, to a printer with keys."""
    company = await install(database)
    case = await file_case(database, tools.settings, company, email=None)
    return case.case_id, (await effects_of(database, case.case_id))[0].id


async def paper_letter(database: Database, tools: Tools) -> tuple[UUID, UUID, UUID]:
    """(case, claimant, order): an approved letter that is to go by post, not yet taken."""
    company = await install(database)
    case = await signed_case(database, tools.settings, company)
    await change(database, "UPDATE installation SET outgoing_paused = true")
    async with relaying(tools):
        await until(lambda: staged(database, case.case_id, "SendLetter"))
    on_paper = """UPDATE effects SET payload = payload || '{"channel": "post"}' WHERE kind = :k"""
    await change(database, on_paper, k="SendLetter")
    await change(database, "UPDATE installation SET outgoing_paused = false")
    order = next(e for e in await effects_of(database, case.case_id) if e.kind == "SendLetter")
    return case.case_id, case.claimant_id, order.id


async def staged(database: Database, case_id: UUID, kind: str) -> bool:
    return any(e.kind == kind for e in await effects_of(database, case_id))


async def tries(database: Database, effect: UUID, count: int) -> bool:
    row = await one(database, effect)
    return bool(row.attempts >= count and row.state != "sending")


async def revoke(database: Database, case_id: UUID, claimant: UUID) -> None:
    async with database.transaction() as session:
        await advance(session, case_id, MandateRevoked(claimant), actor="consumer:x")


async def test_an_answer_never_seen_ends_unknown_not_failed(
    database: Database, tools: Tools, post: Any
) -> None:
    _, effect = await paper_notice(database, tools)
    post.plan.extend([OutcomeUnknown("no answer")] * TRANSIENT_TRIES_MAX)
    async with relaying(tools):
        for count in range(1, TRANSIENT_TRIES_MAX + 1):
            await until(partial(tries, database, effect, count))
            await move_clock(database, timedelta(days=3))
    assert (await one(database, effect)).state == "unknown"


async def test_after_an_unseen_end_a_refused_connection_does_not_make_it_failed(
    database: Database, tools: Tools, post: Any
) -> None:
    _, effect = await paper_notice(database, tools)
    post.plan.append(OutcomeUnknown("no answer"))
    post.plan.extend([Transient("no connection")] * (TRANSIENT_TRIES_MAX - 1))
    async with relaying(tools):
        for count in range(1, TRANSIENT_TRIES_MAX + 1):
            await until(partial(tries, database, effect, count))
            await move_clock(database, timedelta(days=3))
    assert (await one(database, effect)).state == "unknown"


async def test_a_key_that_means_something_else_there_goes_to_a_person_at_once(
    database: Database, tools: Tools, post: Any
) -> None:
    _, effect = await paper_notice(database, tools)
    post.plan.append(KeyTaken("this key was used for another job"))
    async with relaying(tools):
        await until(lambda: is_state(database, effect, "unknown"))
    assert (await one(database, effect)).attempts == 1


async def test_with_outgoing_paused_a_dead_workers_order_is_not_repeated(
    database: Database, tools: Tools, post: Any
) -> None:
    _, effect = await paper_notice(database, tools)
    await abandon(database, effect)
    await change(database, "UPDATE installation SET outgoing_paused = true")
    async with relaying(tools):
        await asyncio.sleep(1.5)
        assert post.delivered == {}
        assert await is_state(database, effect, "sending")
        await change(database, "UPDATE installation SET outgoing_paused = false")
        await until(lambda: is_state(database, effect, "done"))
    assert post.delivered == {str(effect): 1}


async def test_a_dead_workers_letter_is_not_repeated_once_the_mandate_is_revoked(
    database: Database, tools: Tools, post: Any
) -> None:
    case, claimant, effect = await paper_letter(database, tools)
    await abandon(database, effect)
    await revoke(database, case, claimant)
    async with relaying(tools):
        await until(lambda: is_state(database, effect, "unknown"))
    assert post.delivered == {}


async def test_a_letter_the_printer_may_hold_is_not_superseded_and_is_called_back(
    database: Database, tools: Tools, post: Any
) -> None:
    case, claimant, effect = await paper_letter(database, tools)
    post.unknown_after_delivery = True
    async with relaying(tools):
        await until(lambda: tries(database, effect, 1))
        assert (await one(database, effect)).unseen_at is not None
        post.unknown_after_delivery = False
        await revoke(database, case, claimant)
        await move_clock(database, timedelta(minutes=2))
        await until(lambda: is_state(database, effect, "unknown"))
    assert post.delivered == {str(effect): 1}


class _Away(NotifyConsumerHandler):
    """Its database is away for the first tries, as seen from `prepare`."""

    def __init__(self, times: int) -> None:
        self.times = times

    async def prepare(self, tools: Tools, session: Any, orders: Any) -> Any:
        if self.times:
            self.times -= 1
            raise asyncpg.CannotConnectNowError("the database system is starting up")
        return await super().prepare(tools, session, orders)


async def test_a_database_that_is_away_before_the_call_uses_up_no_try(
    database: Database, tools: Tools
) -> None:
    company = await install(database)
    case = await file_case(database, tools.settings, company)
    effect = (await effects_of(database, case.case_id))[0].id
    async with relaying(tools, handlers=HANDLERS | {"NotifyConsumer": _Away(3)}) as relay:
        await until(lambda: is_state(database, effect, "done"))
    row = await one(database, effect)
    assert (row.attempts, row.stumbles) == (1, 0)
    assert relay.counts["handed_back"] == 3


@pytest.mark.parametrize("crashes", [4])
async def test_an_order_that_takes_its_workers_with_it_before_the_call_is_parked(
    database: Database, tools: Tools, crashes: int
) -> None:
    company = await install(database)
    case = await file_case(database, tools.settings, company)
    effect = (await effects_of(database, case.case_id))[0].id
    await abandon(database, effect, provider=None)
    await change(database, "UPDATE effects SET stumbles = :n WHERE id = :id", n=crashes, id=effect)
    async with relaying(tools):
        await until(lambda: is_state(database, effect, "parked"))


async def abandon(database: Database, effect: UUID, provider: str | None = "fake_post") -> None:
    """As a worker leaves it that was killed in the middle of its call (None: before it)."""
    await change(
        database,
        "UPDATE effects SET state = 'sending', lease_epoch = lease_epoch + 1, not_before = now(),"
        " provider = CAST(:p AS text), lease_until = clock_timestamp() - interval '1 second',"
        " dispatched_at = CASE WHEN CAST(:p AS text) IS NOT NULL THEN clock_timestamp() END"
        " WHERE id = :id", id=effect, p=provider,
    )  # fmt: skip
