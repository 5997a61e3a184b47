"""The builder other tests rest on: every stage is reached by facts, not by writing rows."""

from __future__ import annotations

import pytest

from app.db import Database
from app.domain.case import Stage
from tests.support.cases import make_case


@pytest.mark.parametrize("stage", list(Stage))
async def test_a_case_can_be_walked_to_every_stage(database: Database, stage: Stage) -> None:
    made = await make_case(database, stage=stage, amounts=(600_00,))
    assert made.case.stage is stage
    assert (made.case.due_at is None) == (stage is Stage.CLOSED)
