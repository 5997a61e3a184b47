"""The journal is carried out: once, in order, within its lease, and never lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app import outbox
from app.clock import monotonic
from app.db import Database
from app.domain.effects import SECOND_CHANNEL, NotifyConsumer, SendStaffInvite
from app.ids import new_id
from app.moment import read_moment
from tests.workers.conftest import relaying, until
from tests.workers.stage import Staged, effects_of, file_case, install, move_clock, signed_case
from workers.effects import HANDLERS
from workers.effects.notify_consumer import NotifyConsumerHandler
from workers.providers.delivery import Delivery, Guard
from workers.providers.errors import OutcomeUnknown, Refused, Transient
from workers.providers.fakes import FakeMail, FakePost
from workers.providers.smtp import OutgoingMail
from workers.reconcile import Reconciler
from workers.tools import Tools


async def one(database: Database, effect_id: UUID) -> Any:
    return next(e for e in await effects_of(database) if e.id == effect_id)


async def filed(database: Database, tools: Tools, **values: Any) -> tuple[Staged, UUID]:
    """A filed case and the order to tell its consumer so."""
    company = await install(database)
    case = await file_case(database, tools.settings, company, **values)
    return case, (await effects_of(database, case.case_id))[0].id


async def stage_notice(database: Database, case_id: UUID, *, key: str) -> UUID:
    async with database.transaction() as session:
        order = NotifyConsumer(new_id(), case_id, "heartbeat", key)
        now = (await read_moment(session)).now
        await outbox.stage(session, [order], stream=f"case:{case_id}", now=now)
    return order.id


async def is_state(database: Database, effect_id: UUID, state: str) -> bool:
    return bool((await one(database, effect_id)).state == state)


async def tasks(database: Database, kind: str = "settle_effect") -> list[Any]:
    async with database.read() as session:
        return list(
            await session.execute(
                text("SELECT * FROM tasks WHERE kind = :k AND state = 'open'"), {"k": kind}
            )
        )


async def log_of(database: Database, effect_id: UUID) -> list[str]:
    async with database.read() as session:
        rows = await session.execute(
            text("SELECT what FROM effect_attempts WHERE effect_id = :i ORDER BY id"),
            {"i": effect_id},
        )
        return [r.what for r in rows]


async def test_a_first_letter_is_rendered_released_and_mailed_once(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    company = await install(database)
    case = await signed_case(database, tools.settings, company)
    async with relaying(tools):
        await until(lambda: _all_done(database, case.case_id))
    sent = [e for e in await effects_of(database, case.case_id) if e.kind == "SendLetter"]
    assert len(sent) == 1
    to_company = [m for m in mail.mails.values() if m.to == "claims@airline.test"]
    assert len(to_company) == 1
    assert b"application/pdf" in to_company[0].data
    assert set(mail.delivered.values()) == {1}
    async with database.read() as session:
        kept = (
            await session.execute(
                text(
                    "SELECT m.channel, l.state FROM messages m JOIN letters l ON l.id = m.letter_id"
                )
            )
        ).one()
    assert tuple(kept) == ("email", "handed_over")


async def test_what_a_second_worker_finds_done_it_does_not_do_again(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    _, effect = await filed(database, tools)
    async with relaying(tools), relaying(tools), relaying(tools):
        await until(lambda: is_state(database, effect, "done"))
    assert list(mail.delivered.values()) == [1]


async def test_a_refusal_is_final_and_the_case_is_told(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    case, effect = await filed(database, tools)
    mail.plan.append(Refused("550 no such person"))
    async with relaying(tools):
        await until(lambda: is_state(database, effect, "failed"))
    assert (await one(database, effect)).cause == "550 no such person"
    called = await tasks(database, "call_consumer")
    assert [t.case_id for t in called] == [case.case_id]


async def test_a_passing_refusal_is_tried_again_after_a_minute_of_business_time(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    _, effect = await filed(database, tools)
    mail.plan.append(Transient("451 greylisted"))
    async with relaying(tools):
        await until(lambda: _has_attempts(database, effect, 1, "planned"))
        row = await one(database, effect)
        assert mail.delivered == {}
        ahead = row.not_before - row.settled_at
        assert timedelta(seconds=55) < ahead < timedelta(seconds=65)
        await move_clock(database, timedelta(seconds=70))
        await until(lambda: is_state(database, effect, "done"))
    assert list(mail.delivered.values()) == [1]


async def test_an_unseen_end_without_keys_is_unknown_and_blocks_its_lane(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    case, effect = await filed(database, tools)
    behind = await stage_notice(database, case.case_id, key="later")
    mail.plan.append(OutcomeUnknown("lost after the final dot"))
    async with relaying(tools):
        await until(lambda: is_state(database, effect, "unknown"))
        await asyncio.sleep(0.3)
    assert await is_state(database, behind, "planned")
    assert [t.key for t in await tasks(database)] == [str(effect)]
    assert mail.delivered == {}


async def test_a_second_channel_is_the_one_a_person_is_not_usually_reached_by(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    case, _ = await filed(database, tools)
    async with database.transaction() as session:
        said = (("channel", SECOND_CHANNEL),)
        order = NotifyConsumer(new_id(), case.case_id, "offer_lapsing", "x", said)
        now = (await read_moment(session)).now
        await outbox.stage(session, [order], stream=f"case:{case.case_id}", now=now)
    async with relaying(tools):
        await until(lambda: is_state(database, order.id, "done"))
    post = tools.providers.post
    assert isinstance(post, FakePost)
    assert [job.address_lines[1] for job, _ in post.jobs.values()] == ["Koivukuja 4"]
    assert sum(mail.delivered.values()) == 1  # that the case was filed


async def test_an_order_nobody_wants_any_more_is_superseded(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    case, _ = await filed(database, tools)
    async with database.transaction() as session:
        stray = NotifyConsumer(new_id(), case.case_id, "update", "x", claimant_id=new_id())
        now = (await read_moment(session)).now
        await outbox.stage(session, [stray], stream=f"case:{case.case_id}", now=now)
    async with relaying(tools):
        await until(lambda: is_state(database, stray.id, "superseded"))
    assert sum(mail.delivered.values()) == 1


class _Poison(NotifyConsumerHandler):
    """Fails on one case as a bug of ours would."""

    def __init__(self, case_id: UUID) -> None:
        self.case_id = case_id

    async def act(self, tools: Tools, order: Any, prepared: Any, guard: Guard) -> Any:
        if order.effect.case_id == self.case_id:
            raise ZeroDivisionError("a bug")
        return await super().act(tools, order, prepared, guard)


async def test_a_poison_order_is_parked_with_its_cause_and_stops_nobody(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    bad, effect = await filed(database, tools)
    company = await _value(database, "SELECT id FROM companies")
    others = [await file_case(database, tools.settings, company) for _ in range(3)]
    handlers = HANDLERS | {"NotifyConsumer": _Poison(bad.case_id)}
    async with relaying(tools, handlers=handlers):
        for _ in range(3):
            await until(lambda: _resting(database, effect))
            await move_clock(database, timedelta(seconds=5))
        await until(lambda: is_state(database, effect, "parked"))
    row = await one(database, effect)
    assert (row.attempts, row.cause) == (3, "builtins.ZeroDivisionError")
    assert [t.key for t in await tasks(database)] == [str(effect)]
    for other in others:
        assert [e.state for e in await effects_of(database, other.case_id)] == ["done"]


async def test_an_unknown_kind_waits_under_old_code_and_is_parked_in_the_end(
    database: Database, tools: Tools
) -> None:
    _, effect = await filed(database, tools)
    await _change(database, "UPDATE effects SET version = 99 WHERE id = :id", id=effect)
    reconciler = Reconciler(tools, HANDLERS)
    async with relaying(tools):
        await asyncio.sleep(0.3)
        await reconciler.once()
        assert await is_state(database, effect, "planned")
    await _change(database, "UPDATE effects SET staged_at = staged_at - interval '2 hours'")
    await reconciler.once()
    assert await is_state(database, effect, "parked")
    assert [t.key for t in await tasks(database)] == [str(effect)]


async def test_an_unreadable_payload_is_parked_not_dropped(
    database: Database, tools: Tools
) -> None:
    _, effect = await filed(database, tools)
    await _change(database, "UPDATE effects SET payload = '{}' WHERE id = :id", id=effect)
    async with relaying(tools):
        await until(lambda: is_state(database, effect, "parked"))
    assert [t.key for t in await tasks(database)] == [str(effect)]


async def test_with_outgoing_paused_only_renders_go_on(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    company = await install(database)
    case = await signed_case(database, tools.settings, company)
    await _change(database, "UPDATE installation SET outgoing_paused = true")
    async with relaying(tools):
        await until(lambda: _any(database, case.case_id, "RenderLetter", "done"))
        await asyncio.sleep(0.2)
        assert mail.delivered == {}
        await _change(database, "UPDATE installation SET outgoing_paused = false")
        await until(lambda: _all_done(database, case.case_id))
    assert set(mail.delivered.values()) == {1}


async def test_a_long_call_keeps_its_lease_by_heartbeat(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    _, effect = await filed(database, tools)
    mail.seconds = 1.5
    quick = _with_lease(tools, 0.5)
    async with relaying(quick), relaying(quick):
        await until(lambda: is_state(database, effect, "done"))
    assert list(mail.delivered.values()) == [1]
    assert await log_of(database, effect) == ["done"]


async def test_a_worker_whose_lease_was_taken_writes_only_to_the_log(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    _, effect = await filed(database, tools)

    class Overtaken(FakeMail):
        async def send(self, outgoing: OutgoingMail, *, guard: Guard) -> Delivery:
            delivery = await super().send(outgoing, guard=guard)
            await _steal(database, effect)
            return delivery

    late = replace(tools, providers=replace(tools.providers, mail=Overtaken()))
    async with relaying(late):
        await until(lambda: _logged(database, effect))
    assert (await log_of(database, effect))[0] == "stale:done"
    assert (await one(database, effect)).state != "done"


async def test_a_dead_workers_order_without_keys_becomes_unknown_and_is_never_repeated(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    _, effect = await filed(database, tools)
    await _abandon(database, effect)
    async with relaying(tools):
        await until(lambda: is_state(database, effect, "unknown"))
    assert mail.delivered == {}
    assert [t.key for t in await tasks(database)] == [str(effect)]


async def test_a_dead_workers_order_with_keys_is_repeated_under_the_same_key(
    database: Database, tools: Tools, post: Any
) -> None:
    _, effect = await filed(database, tools, email=None)
    await _abandon(database, effect, "fake_post")
    async with relaying(tools):
        await until(lambda: is_state(database, effect, "done"))
    assert post.delivered == {str(effect): 1}
    assert (await one(database, effect)).lease_epoch == 2


async def test_a_worker_that_died_before_the_call_leaves_nothing_unknown(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    _, effect = await filed(database, tools)
    await _abandon(database, effect, None)
    async with relaying(tools):
        await until(lambda: is_state(database, effect, "done"))
    assert list(mail.delivered.values()) == [1]


async def test_a_worker_that_notices_that_it_slept_too_long_sends_nothing(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    _, effect = await filed(database, tools)
    mail.seconds = 1.7  # longer than heartbeats: the guard before the last byte stops it
    async with relaying(tools) as relay:
        await until(lambda: _dispatched(database, effect))
        await _steal(database, effect)
        await until(lambda: _lost(relay))
    assert mail.delivered == {}


async def _steal(database: Database, effect: UUID) -> None:
    """As another worker takes over an order whose lease ran out."""
    await _change(
        database,
        "UPDATE effects SET lease_epoch = lease_epoch + 1, lease_until = clock_timestamp()"
        " + interval '1 minute' WHERE id = :id",
        id=effect,
    )


async def _lost(relay: Any) -> bool:
    return bool(relay.counts["lease_lost"])


async def test_after_the_keys_window_nothing_is_repeated(
    database: Database, tools: Tools, post: Any
) -> None:
    _, effect = await filed(database, tools, email=None)
    await _abandon(database, effect, "fake_post")
    await _change(
        database, "UPDATE effects SET dispatched_at = dispatched_at - interval '25 hours'"
    )
    async with relaying(tools):
        await until(lambda: is_state(database, effect, "unknown"))
    assert post.delivered == {}


async def test_an_answer_that_got_lost_is_asked_for_again_where_there_are_keys(
    database: Database, tools: Tools, post: Any
) -> None:
    _, effect = await filed(database, tools, email=None)
    post.unknown_after_delivery = True
    async with relaying(tools):
        await until(lambda: _has_attempts(database, effect, 1, "planned"))
        post.unknown_after_delivery = False
        await move_clock(database, timedelta(minutes=2))
        await until(lambda: is_state(database, effect, "done"))
    assert post.delivered == {str(effect): 1}


async def test_orders_of_one_lane_leave_in_order_and_of_other_cases_beside_them(
    database: Database, tools: Tools, mail: FakeMail
) -> None:
    case, first = await filed(database, tools)
    later = [await stage_notice(database, case.case_id, key=str(i)) for i in range(4)]
    async with relaying(tools):
        await until(lambda: is_state(database, later[-1], "done"))
    rows = {e.id: e for e in await effects_of(database, case.case_id)}
    ends = [rows[i].settled_at for i in (first, *later)]
    assert ends == sorted(ends)


async def test_a_nudge_shortens_the_wait_and_the_poll_needs_none(
    database: Database, tools: Tools
) -> None:
    slow = _with(tools, sweep_seconds=15)
    case, effect = await filed(database, tools)
    async with relaying(slow) as relay:
        await until(lambda: is_state(database, effect, "done"))
        await asyncio.sleep(0.2)
        started = monotonic()
        second = await stage_notice(database, case.case_id, key="n")
        relay.nudge()
        await until(lambda: is_state(database, second, "done"))
    assert monotonic() - started < 1.0


async def test_a_system_order_without_a_case_gets_its_task_when_unknown(
    database: Database, tools: Tools
) -> None:
    await install(database)
    staff, order = new_id(), new_id()
    async with database.transaction() as session:
        now = (await read_moment(session)).now
        await outbox.stage(
            session, [SendStaffInvite(order, staff)], stream=f"staff:{staff}", now=now
        )
    await _abandon(database, order)
    async with relaying(tools):
        await until(lambda: is_state(database, order, "unknown"))
    assert [(t.key, t.case_id) for t in await tasks(database)] == [(str(order), None)]


# --- helpers ----------------------------------------------------------------------------------


def _with(tools: Tools, **settings: Any) -> Tools:
    return replace(tools, settings=tools.settings.model_copy(update=settings))


def _with_lease(tools: Tools, seconds: float) -> Tools:
    return _with(tools, lease_seconds=seconds)


async def _abandon(database: Database, effect: UUID, provider: str | None = "fake_mail") -> None:
    """As a worker leaves it that was killed in the middle of its call (None: before it)."""
    await _change(
        database,
        "UPDATE effects SET state = 'sending', lease_epoch = 1, attempts = 1,"
        " provider = CAST(:p AS text), lease_until = clock_timestamp() - interval '1 second',"
        " dispatched_at = CASE WHEN CAST(:p AS text) IS NOT NULL THEN clock_timestamp() END"
        " WHERE id = :id", id=effect, p=provider,
    )  # fmt: skip


async def _change(database: Database, statement: str, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement), values)


async def _value(database: Database, statement: str) -> Any:
    async with database.read() as session:
        return (await session.execute(text(statement))).scalar_one()


async def _all_done(database: Database, case_id: UUID) -> bool:
    """Everything the case ordered so far was carried out, the letter among it."""
    found = await effects_of(database, case_id)
    done = all(e.state in ("done", "superseded") for e in found)
    return done and any(e.kind == "SendLetter" for e in found)


async def _any(database: Database, case_id: UUID, kind: str, state: str) -> bool:
    found: Sequence[Any] = await effects_of(database, case_id)
    return any((e.kind, e.state) == (kind, state) for e in found)


async def _dispatched(database: Database, effect: UUID) -> bool:
    row = await one(database, effect)
    return bool(row.state == "sending" and row.provider is not None)


async def _has_attempts(database: Database, effect: UUID, count: int, state: str) -> bool:
    row = await one(database, effect)
    return bool(row.attempts == count and row.state == state)


async def _resting(database: Database, effect: UUID) -> bool:
    """Tried since the clock moved last, and waiting for it again (or parked)."""
    row = await one(database, effect)
    return bool(row.state == "parked" or (row.state == "planned" and row.attempts > 0))


async def _logged(database: Database, effect: UUID) -> bool:
    return bool(await log_of(database, effect))
