"""The catalogue's bad mails are read in time and mean no more than they say; every row of the
catalogue names the tests that prove it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from app.clock import monotonic
from tests.workers.bad_mails import FULL, ROWS, Check
from workers.mime import MailReader, Unreadable
from workers.mime_child import OverLimit, read_mail

TESTS = Path(__file__).parents[1]
SECONDS_MAX = 5.0
TABLE: dict[str, list[str] | str] = yaml.safe_load((TESTS / "data/mail_rows.yaml").read_text())


@pytest.mark.parametrize(
    ("row", "raw", "expected"), ROWS, ids=[f"{row}-{n}" for n, (row, _, _) in enumerate(ROWS)]
)
def test_a_bad_mail_is_read_in_time_and_as_what_it_is(
    row: str, raw: bytes, expected: Check | str
) -> None:
    began = monotonic()
    try:
        said = read_mail(raw)
    except OverLimit:
        assert expected == FULL, row
    else:
        assert not isinstance(expected, str), f"{row} was to be refused"
        assert expected(said), said
    assert monotonic() - began < SECONDS_MAX


async def test_a_mail_over_the_limit_is_not_even_handed_to_the_reader() -> None:
    """B227."""
    with pytest.raises(Unreadable, match="size"):
        await MailReader().read(bytes(30_000_000))


def test_every_row_of_the_catalogue_has_its_tests() -> None:
    """A row is a list of tests that exist, or the words why none does."""
    rows = [f"B{n}" for n in range(151, 231)]
    assert list(TABLE) == rows
    for row, proofs in TABLE.items():
        if isinstance(proofs, str):
            assert len(proofs) > 20, f"{row}: say why"
            continue
        for proof in proofs:
            path, _, name = proof.partition("::")
            assert re.search(
                rf"^(?:async )?def {re.escape(name)}\(", (TESTS / path).read_text("utf-8"), re.M
            ), f"{row}: there is no {proof}"
        if any(p.endswith("test_a_bad_mail_is_read_in_time_and_as_what_it_is") for p in proofs):
            assert row in {one for one, _, _ in ROWS}, f"{row} has no mail in bad_mails.py"
