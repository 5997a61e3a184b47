"""The end of the agency: nothing open is left out of the list, nothing unreadable passed over."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from app.crypto import load_keyring
from app.db import Database
from app.documents.store import open_store
from app.domain.case import Stage
from app.settings import Settings
from ops.winddown import hand_over, new_folder, open_cases
from tests.api.finance_office import open_office, running_case
from tests.support.cases import make_case


async def test_every_open_case_is_listed_with_its_date_and_money_and_gets_its_pack(
    client: httpx.AsyncClient, database: Database, settings: Settings, tmp_path: Path
) -> None:
    office = await open_office(client, database)
    case = await running_case(database, 100_00)
    await office.allocate(await office.received(80_00), case)
    await make_case(database, stage=Stage.CLOSED)
    held = await make_case(database, stage=Stage.CLOSED, amounts=(40_00,))
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE cases SET limitation_on = '2020-01-01' WHERE id = :id"), {"id": case.id}
        )
    lines = {line.row.reference: line async for line in open_cases(database)}
    assert set(lines) == {case.reference}, "a closed case without money is not open"
    assert lines[case.reference].next_date == ("2020-01-01", "last day of the law")
    await office.allocate(await office.received(10_00), held)

    folder = new_folder(tmp_path / "packs")
    done = await hand_over(database, open_store(settings), load_keyring(settings), folder)
    with (folder / "cases.csv").open(newline="") as read:
        listed = {row["reference"]: row for row in csv.DictReader(read)}
    assert set(listed) == {case.reference, held.reference} and done[0] == 2
    assert (listed[case.reference]["owed_minor"], listed[case.reference]["ours_minor"]) == (
        "6000", "2000",
    )  # fmt: skip
    pack = folder / case.reference
    moves = list(csv.DictReader((pack / "balance.csv").read_text().splitlines()))
    owed = sum(
        int(m["credit_minor"]) - int(m["debit_minor"]) for m in moves if m["account"] == "C.CLIENT"
    )
    assert owed == 60_00
    assert json.loads((pack / "case.json").read_text())["next_legal_date"] == "2020-01-01"
    assert (pack / "history.jsonl").read_text().count("\n") > 3
    # Letters of a made case were never rendered into the store: each is named as missing.
    letters = [json.loads(line) for line in (pack / "letters.jsonl").read_text().splitlines()]
    wanted = [letter for letter in letters if letter["sha256"]]
    missing = (pack / "MISSING.txt").read_text().splitlines() if wanted else []
    assert len(missing) == len(wanted) and all("document_missing" in one for one in missing)
    assert "C.BANK" in (folder / "balances.csv").read_text()
    for path in folder.rglob("*"):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    with pytest.raises(FileExistsError):
        new_folder(folder)
