"""kill -9 at the n-th step: a sample of it in every test run, all of it in `./run chaos`."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.chaos.pipelines import ALL, PAYOUT
from tests.chaos.programme import Pipeline, run_pipeline

SEED = 20261121
SAMPLE = 3  # kills per pipeline in every test run
LANES = 4
LONGEST_STEPS = 260  # where the sample's points are drawn from


@pytest.mark.parametrize("pipeline", ALL, ids=lambda p: p.name)
async def test_a_killed_worker_loses_and_doubles_nothing(pipeline: Pipeline, make_lane: Any) -> None:
    lanes = [await make_lane() for _ in range(2)]
    points = random.Random(f"{SEED}{pipeline.name}").sample(range(2, LONGEST_STEPS), SAMPLE * 6)
    tally = await run_pipeline(lanes, pipeline, sample=SAMPLE, only=points)
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
        print(f"\n{tally.line()}")
    assert tally.violations == []
    assert tally.kills > 20


@pytest.mark.chaos
@pytest.mark.parametrize("pipeline", ALL, ids=lambda p: p.name)
async def test_it_settles_with_the_real_lease_too(
    pipeline: Pipeline, make_lane: Any, capsys: Any
) -> None:
    lanes = [await make_lane(lease_seconds=20.0)]
    point = 60 if pipeline is PAYOUT else 90
    tally = await run_pipeline(lanes, pipeline, only=[point])
    with capsys.disabled():
        print(f"\nlease 20 s: {tally.line()}")
    assert tally.violations == []
