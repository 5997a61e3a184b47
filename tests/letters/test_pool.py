"""The render children: locked in, bounded, and replaced when they fall."""

import asyncio
import dataclasses
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from letters import limits
from letters.content import (
    AnyLetter,
    LetterIncomplete,
    LetterUnprintable,
    RenderFailed,
    UnknownLetter,
    to_dict,
)
from letters.pool import RenderPool
from letters.specimen import specimen

CONTACT = specimen("contact", "en")
GOOD = to_dict(CONTACT)


def heavy(letter: AnyLetter) -> dict[str, Any]:
    """The slowest letter that the limits let through: some seconds."""
    return to_dict(
        dataclasses.replace(
            letter,
            items=letter.items * 100,
            chronology=letter.chronology * 133,
            remedies=("Repair of the device",) * limits.ROWS_MAX,
        )
    )


# One loop and one pool for the tests that leave it working: a child takes 1.5 s to start.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[RenderPool]:
    async with RenderPool() as one:
        yield one


async def test_a_letter_is_rendered_in_a_child_and_equals_any_other_rendering(
    pool: RenderPool,
) -> None:
    from letters import render  # here: the tests above must not need the engine to be collected

    results = [await pool.render(GOOD) for _ in range(2)]
    assert results[0] == results[1] == render.render(CONTACT)
    assert len(pool.pids) == 1


async def test_a_refusal_arrives_as_the_same_error_and_costs_no_child(pool: RenderPool) -> None:
    await pool.warm_up()
    before = pool.pids
    with pytest.raises(UnknownLetter):
        await pool.render({**GOOD, "version": 99})
    with pytest.raises(LetterIncomplete) as incomplete:
        await pool.render({**GOOD, "service": " "})
    assert incomplete.value.field == "service"
    with pytest.raises(LetterUnprintable) as unprintable:
        await pool.render({**GOOD, "service": "日本"})
    assert unprintable.value.character == "日"
    assert pool.pids == before


async def test_a_killed_child_costs_one_letter_and_is_replaced(pool: RenderPool) -> None:
    await pool.warm_up()
    job = asyncio.create_task(pool.render(heavy(CONTACT)))
    await asyncio.sleep(0.1)
    os.kill(pool.pids[0], signal.SIGKILL)
    with pytest.raises(RenderFailed) as failure:
        await job
    assert failure.value.kind == "died"
    assert (await pool.render(GOOD)).pages == 2


async def test_a_child_killed_while_idle_costs_nothing(pool: RenderPool) -> None:
    await pool.warm_up()
    dead = pool.pids[0]
    os.kill(dead, signal.SIGKILL)
    while dead in pool.pids:  # noqa: ASYNC110  # the kernel reports a death, no event of ours
        await asyncio.sleep(0.01)
    assert (await pool.render(GOOD)).pages == 2


async def test_a_hung_child_is_killed_when_its_time_is_up() -> None:
    async with RenderPool(wall_seconds=0.5) as pool:
        await pool.warm_up()
        hung = pool.pids[0]
        os.kill(hung, signal.SIGSTOP)
        with pytest.raises(RenderFailed) as failure:
            await pool.render(GOOD)
        assert failure.value.kind == "timeout"
        with pytest.raises(ProcessLookupError):
            os.kill(hung, 0)


async def test_the_processor_budget_is_enforced_by_the_kernel() -> None:
    async with RenderPool(cpu_seconds=0) as pool:
        with pytest.raises(RenderFailed) as failure:
            await pool.render(heavy(CONTACT))
        assert failure.value.kind == "cpu"
        assert pool.pids == ()


async def test_the_memory_limit_ends_the_child_and_the_next_letter_finds_a_fresh_one() -> None:
    async with RenderPool(memory_bytes=120_000_000) as pool:
        with pytest.raises(RenderFailed) as failure:
            await pool.render(heavy(CONTACT))
        assert failure.value.kind == "memory"
        assert (await pool.render(GOOD)).pages == 2


async def test_a_cancelled_letter_does_not_answer_the_next_caller(pool: RenderPool) -> None:
    await pool.warm_up()
    job = asyncio.create_task(pool.render(heavy(CONTACT)))
    await asyncio.sleep(0.1)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert (await pool.render(GOOD)).pages == 2


async def test_closing_ends_all_children_and_refuses_work() -> None:
    pool = RenderPool()
    await pool.warm_up()
    pid = pool.pids[0]
    job = asyncio.create_task(pool.render(heavy(CONTACT)))
    await asyncio.sleep(0.1)
    await pool.close()
    for work in (job, pool.render(GOOD)):
        with pytest.raises(RenderFailed) as failure:
            await work
        assert failure.value.kind == "closed"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
