"""Files with wrong bytes in them: refused, or read to a statement that adds up; nothing between."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from app.banking.reading.gate import postable
from app.banking.reading.lines import lines_of
from app.banking.reading.reader import read_file
from app.domain.errors import RecourseError
from tests.banking.statements import Line, camt053, statement

SAMPLES = Path(__file__).resolve().parent / "samples"


def packed(raw: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", raw)
    return out.getvalue()


WHOLE = camt053(
    statement([Line(500, details=(Line(300), Line(200))), Line(-7, reason="AC04")], opening=0)
)
SEEDS = [
    WHOLE,
    packed(WHOLE),
    (SAMPLES / "cmxl__mt940.sta").read_bytes(),
    (SAMPLES / "jejik__rabobank-iban.sta").read_bytes(),
    (SAMPLES / "self-provided__wrapped_timestamp.sta").read_bytes(),
]
CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 12), st.binary(max_size=6)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), CHANGES)
def test_a_damaged_file_is_refused_or_adds_up(
    seed: bytes, changes: list[tuple[float, int, bytes]]
) -> None:
    raw = seed
    for where, removed, added in changes:
        at = int(where * len(raw))
        raw = raw[:at] + added + raw[at + removed :]
    try:
        statements = postable(read_file(raw))
    except RecourseError:
        return
    for read in statements:
        assert read.difference == 0
        if read.currency == "DEM":  # nobody has an account in it any more
            continue
        lines = [x.amount.minor if x.credit else -x.amount.minor for x in lines_of(read.entries)]
        assert (read.opening or 0) + sum(lines) == read.closing


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_with_a_reason(raw: bytes) -> None:
    for prefix in (b"", b"<", b"PK\x03\x04", b":20:A\n:60F:", b"\xff\xfe<\x00"):
        try:
            postable(read_file(prefix + raw))
        except RecourseError as refused:
            assert refused.message
