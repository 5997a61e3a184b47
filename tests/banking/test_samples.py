"""Every public sample is read to the sums that were counted apart, or refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.banking.reading.gate import postable
from app.banking.reading.lines import lines_of
from app.banking.reading.reader import read_file, statements_of
from app.domain.errors import RecourseError

SAMPLES = Path(__file__).resolve().parent / "samples"
ADDS_UP = None

# file: entries, credits and debits in minor units (over all statements and currencies, whatever
# their status), and the words of the refusal where the file may not be posted.
INDEX: dict[str, tuple[int, int, int, str | None]] = {
    "cmxl__mt940.sta": (16, 72_436_74, 60_109_44, ADDS_UP),
    "jejik__abnamro.sta": (10, 0, 345_93, "one page of several"),
    "jejik__postfinance.sta": (4, 239_30, 79_90, "does not add up"),
    "jejik__rabobank-iban.sta": (4, 0, 70_00, ADDS_UP),
    "self-provided__february_30.sta": (1, 0, 6_00, ADDS_UP),
    "self-provided__malformed_details.sta": (1, 0, 233_15, "does not add up"),
    "self-provided__wrapped_timestamp.sta": (1, 0, 6_00, ADDS_UP),
    "Business_Sample_camt.053.001.04.xml": (3, 135_678_50, 200_000_00, ADDS_UP),
    "camt.053_P_CH0309000000250090342_380000000_0_2016053100163801.xml":
        (13, 1_810_56, 1_272_95, ADDS_UP),
    "camt_054_Beispiel_NoCrdtBookedNotReversed.xml": (3, 113_00, 3_00, "only informs"),
    "camt053.v2.all-balance-types.xml": (1, 8_85, 0, "does not add up"),
    "camt053.v2.five.decimals.xml": (1, 8_85, 0, "does not add up"),
    "camt053.v2.minimal.xml": (1, 8_85, 0, "lacks its closing"),
    "camt053.v2.multi.statement.xml": (2, 8_85, 7_00, ADDS_UP),
    "camt053.v4.xml": (1, 8_85, 0, "one page of several"),
    "camt053.v8.xml": (1, 8_85, 0, "one page of several"),
    "camt054.v8.xml": (1, 0, 200_000_00, "only informs"),
    "200519_camt054-ESR-ASR_P_CH2909000000250094239_1110092704_0_2019042500372179.xml":
        (2, 1_537_00, 147_00, "only informs"),
    "200924_camt.054_P_CH2909000000250094239_1110092703_0_2019042423412214.xml":
        (1, 1_500_00, 0, "only informs"),
    "FI_camt_052_sample.xml.xml": (2, 2_220_00, 0, "only informs"),
    "FI_camt_053_sample.xml.xml": (10, 23_075_00, 9_430_17, ADDS_UP),
    "FI_camt_054_sample.xml.xml": (6, 5_600_00, 5_230_05, "only informs"),
    "camt.053_P_CH2909000000250094239_1110092698_0_2020112503071366.xml":
        (5, 4_733_72, 77_70, "does not add up"),
    "camt054-returns_p_ch5109000000250092291_1110097606_0_2020112500512470.xml":
        (1, 500_00, 0, "only informs"),
    "statement_1.xml": (4, 0, 2_768_08, ADDS_UP),
    "abn_amro__example_camt.xml": (13, 28_00, 928_00, ADDS_UP),
    "nordea__example_camt.xml": (6, 10_100_50, 1_500_50, ADDS_UP),
}  # fmt: skip
NO_STATEMENT = {
    "camt053.v2.wrong.xml": "holds no camt",
    "pain002-epo_p_0_0_0_2018031510491259.xml": "holds no camt",
    "self-provided__sparkassen.sta": "holds no MT940",
}


def test_no_sample_is_left_out() -> None:
    kept = {path.name for path in SAMPLES.iterdir()} - {"README.md"}
    assert kept == INDEX.keys() | NO_STATEMENT.keys()


@pytest.mark.parametrize("name", INDEX)
def test_a_sample_is_read_to_the_sums_of_the_index(name: str) -> None:
    documents = read_file((SAMPLES / name).read_bytes())
    entries = [e for s in statements_of(documents) for e in s.entries]
    credits = sum(e.minor for e in entries if e.credit)
    debits = sum(e.minor for e in entries if not e.credit)
    count, credits_wanted, debits_wanted, refused = INDEX[name]
    assert (len(entries), credits, debits) == (count, credits_wanted, debits_wanted)
    if refused:
        with pytest.raises(RecourseError, match=refused):
            postable(documents)
        return
    for statement in postable(documents):
        assert statement.difference == 0 and statement.sign_rule == "stated"
        if statement.currency not in ("DEM",):  # nobody has an account in it any more
            lines = list(lines_of(statement.entries))
            signed = sum(x.amount.minor if x.credit else -x.amount.minor for x in lines)
            assert signed == statement.booked
            assert len({line.key for line in lines}) == len(lines)


@pytest.mark.parametrize("name", NO_STATEMENT)
def test_what_is_no_statement_is_refused(name: str) -> None:
    with pytest.raises(RecourseError, match=NO_STATEMENT[name]):
        read_file((SAMPLES / name).read_bytes())
