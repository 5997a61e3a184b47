"""kill -9 at the n-th step: a sample of it in every test run, all of it in `./run chaos`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.pipelines import ALL
from tests.chaos.programme import Pipeline, run_pipeline

SEED = "2026-11-21"
SAMPLE = 3  # kills per pipeline in every test run
LANES = 4


@pytest.mark.parametrize("pipeline", ALL, ids=lambda p: p.name)
async def test_a_killed_worker_loses_and_doubles_nothing(
    pipeline: Pipeline, make_lane: Any
) -> None:
    lanes = [await make_lane() for _ in range(2)]
    tally = await run_pipeline(lanes, pipeline, sample=SAMPLE, seed=SEED)
    print(tally.line())
    assert tally.violations == []


@pytest.mark.chaos
@pytest.mark.parametrize("pipeline", ALL, ids=lambda p: p.name)
async def test_a_worker_killed_at_every_step_loses_and_doubles_nothing(
    pipeline: Pipeline, make_lane: Any, capsys: Any
) -> None:
    lanes = [await make_lane() for _ in range(LANES)]
    tally = await run_pipeline(lanes, pipeline)
    with capsys.disabled():
        print(f"\n{tally.line()}", *tally.violations, sep="\n", flush=True)
    assert tally.violations == []
    assert tally.kills > 20


@pytest.mark.chaos
@pytest.mark.parametrize("pipeline", ALL, ids=lambda p: p.name)
async def test_it_settles_with_the_real_lease_too(
    pipeline: Pipeline, make_lane: Any, capsys: Any
) -> None:
    lanes = [await make_lane(lease_seconds=20.0)]
    tally = await run_pipeline(lanes, pipeline, sample=1, seed="lease")
    with capsys.disabled():
        print(f"\nlease 20 s: {tally.line()}", *tally.violations, sep="\n", flush=True)
    assert tally.violations == []
