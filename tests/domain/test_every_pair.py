"""Every position x every event has an expected result; the table is transitions.txt.

In a cell: the stage the case moves to (shortened), `.` it stays, `!` it stays but waits for
somebody else or steps on, `x` refused, `s` stale and dropped. A missing pair fails.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from app.domain import events as e
from app.domain.case import Stage
from app.domain.effects import SendLetter
from app.domain.errors import StaleEvent, TransitionRefused
from tests.domain.life import Life
from tests.domain.positions import EVENT_TYPES, POSITIONS, sample

TABLE = Path(__file__).with_name("transitions.txt")
SHORT = {
    Stage.INTAKE: "int",
    Stage.ASSESSMENT: "ass",
    Stage.AGREEMENT: "agr",
    Stage.CONTACT: "con",
    Stage.REMINDER: "rem",
    Stage.FORMAL_NOTICE: "for",
    Stage.COMPLAINT: "com",
    Stage.SETTLEMENT: "set",
    Stage.CLOSED: "clo",
}


def read_table() -> dict[tuple[str, str], str]:
    lines = [x for x in TABLE.read_text().splitlines() if x.strip() and not x.startswith("#")]
    columns = lines[0].split()[1:]
    cells: dict[tuple[str, str], str] = {}
    for line in lines[1:]:
        name, *row = line.split()
        assert len(row) == len(columns), f"{name}: {len(row)} cells for {len(columns)} positions"
        cells |= {(position, name): cell for position, cell in zip(columns, row, strict=True)}
    return cells


CELLS = read_table()


def outcome(life: Life, event: e.Event) -> str:
    before = life.case
    try:
        life.tell(event)
    except TransitionRefused:
        return "x"
    except StaleEvent:
        return "s"
    after = life.case
    if after.stage is not before.stage:
        return SHORT[after.stage]
    same = (after.waiting_on, after.step) == (before.waiting_on, before.step)
    return "." if same else "!"


def test_no_pair_is_missing_and_none_is_left_over() -> None:
    wanted = {(p, k.__name__) for p in POSITIONS for k in EVENT_TYPES}
    assert set(CELLS) == wanted


@pytest.mark.parametrize("position", POSITIONS)
def test_every_event_at(position: str) -> None:
    found = {}
    for kind in EVENT_TYPES:
        life = POSITIONS[position]()
        if position == "intake":
            life.tell(e.CaseDrafted())
        found[kind.__name__] = outcome(life, sample(kind, life))
    expected = {name: CELLS.get((position, name), "missing") for name in found}
    assert found == expected


@pytest.mark.parametrize("kind", EVENT_TYPES, ids=lambda k: k.__name__)
def test_a_closed_case_never_writes_to_a_company(kind: type[e.Event]) -> None:
    life = POSITIONS["closed"]()
    del life.effects[:]
    outcome(life, sample(kind, life))
    assert not [x for x in life.effects if isinstance(x, SendLetter)]
