"""The camt.053 reader on written statements, on hostile files and on public samples."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from app.banking.camt import STATEMENT_BYTES_MAX, StatementInvalid, read_statements
from app.domain.errors import RecourseError, TooLarge
from app.domain.money import Money
from tests.banking.statements import IBAN, Line, camt053, statement

SAMPLES = Path(__file__).resolve().parent / "samples"


def test_a_statement_is_read_to_the_cent() -> None:
    lines = [
        Line(24_990, reference="RF52 1234567897", text="Refund", name="Norrvind Air",
             account="DE89 3704 0044 0532 0130 00", bank_ref="B1"),
        Line(-18_742, end_to_end_id="P1", name="Aino Virtanen", account="FI1410093000123458"),
        Line(-350, family="CHRG"),
        Line(999, status="PDNG"),
    ]  # fmt: skip
    (read,) = read_statements(camt053(statement(lines, opening=5_000)))
    assert (read.ident, read.account, read.sequence) == ("S1", IBAN, 1)
    assert (read.opening, read.closing) == (Money(5_000, "EUR"), Money(10_898, "EUR"))
    receipt, payout, charge = read.entries
    assert receipt.credit and receipt.amount == Money(24_990, "EUR")
    assert receipt.creditor_ref == "RF52 1234567897"
    assert (receipt.payer_name, receipt.payer_account) == ("Norrvind Air", "DE89370400440532013000")
    assert receipt.booked_on == date(2026, 3, 2)
    assert payout.end_to_end_id == "P1" and receipt.end_to_end_id is None
    assert charge.is_charge and not receipt.is_charge


def test_the_name_and_account_of_a_consumer_are_not_kept() -> None:
    line = Line(-1, end_to_end_id="P1", name="Aino Virtanen", account="FI1410093000123458")
    (read,) = read_statements(camt053(statement([line], opening=1)))
    assert "Virtanen" not in repr(read) and "FI1410093000123458" not in repr(read)


@pytest.mark.parametrize("version", ["02", "04", "08", "10"])
def test_every_version_is_read(version: str) -> None:
    raw = camt053(statement([Line(5)], opening=0), version=version)
    if version != "02":
        raw = raw.replace(b"<Sts>BOOK</Sts>", b"<Sts><Cd>BOOK</Cd></Sts>")
    assert len(read_statements(raw)[0].entries) == 1


def test_genuine_twins_stay_two_and_a_key_does_not_depend_on_the_rest() -> None:
    twin = Line(500, text="refund")
    (read,) = read_statements(camt053(statement([twin, twin], opening=0)))
    keys = [entry.key for entry in read.entries]
    assert len(set(keys)) == 2
    (more,) = read_statements(camt053(statement([twin, Line(7), twin], opening=0)))
    assert [e.key for e in more.entries if e.amount.minor == 500] == keys


def test_details_that_sum_to_the_entry_are_read_one_by_one_else_as_a_whole() -> None:
    parts = (Line(300, reference="3900"), Line(200, reference="12344"))
    (read,) = read_statements(camt053(statement([Line(500, details=parts)], opening=0)))
    assert [e.amount.minor for e in read.entries] == [300, 200]
    assert len({e.key for e in read.entries}) == 2
    (whole,) = read_statements(camt053(statement([Line(505, details=parts)], opening=0)))
    assert [e.amount.minor for e in whole.entries] == [505]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((b"<Document", b"<!DOCTYPE Document [<!ENTITY a 'x'>]><Document"), "document type"),
        ((b"<Document", b"<!DOCTYPE Document SYSTEM 'http://x.test/d'><Document"), "document type"),
        ((b"camt.053", b"camt.052"), "not a camt.053"),
        ((b"001.02", b"001.99"), "not a camt.053"),
        ((b"</Stmt>", b""), "well-formed"),
        ((b"CLBD", b"CLAV"), "opening or closing"),
        ((b"<IBAN>FI2112345600000785</IBAN>", b""), "account"),
        ((b"2.50", b"2.505"), "decimals"),
        ((b"2.50", b"-2.50"), "digits"),
        ((b"2.50", b"NaN"), "digits"),
        ((b"2.50", b"2.49"), "does not add up"),
        ((b"<Dt>2026-03-02</Dt></BookgDt>", b"<Dt>2026-02-30</Dt></BookgDt>"), "impossible date"),
        ((b"<CdtDbtInd>CRDT</CdtDbtInd><Sts>", b"<Sts>"), "neither credit nor debit"),
        ((b"<Stmt>", b"<Stmt><StmtPgntn><PgNb>1</PgNb><LastPgInd>false</LastPgInd></StmtPgntn>"),
         "one page"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_say_what_it_must_is_refused(
    change: tuple[bytes, bytes], why: str
) -> None:
    raw = camt053(statement([Line(250)], opening=0, closing=250))
    changed = raw.replace(*change, 1) if change[0] != b"2.50" else _entry_amount(raw, change[1])
    assert changed != raw
    with pytest.raises(RecourseError, match=why):
        read_statements(changed)


def _entry_amount(raw: bytes, amount: bytes) -> bytes:
    head, _, tail = raw.partition(b"<Ntry>")
    return head + b"<Ntry>" + tail.replace(b"2.50", amount, 1)


def test_entities_do_not_explode_and_a_huge_file_is_not_read() -> None:
    bomb = b"<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>" + b"".join(
        b"<!ENTITY a%d '&a%s;&a%s;&a%s;'>" % (n, p, p, p)
        for n, p in ((1, b""), (2, b"1"), (3, b"2"), (4, b"3"), (5, b"4"), (6, b"5"))
    )
    with pytest.raises(StatementInvalid):
        read_statements(bomb + b"]><x>&a6;</x>")
    with pytest.raises(TooLarge):
        read_statements(b" " * (STATEMENT_BYTES_MAX + 1))
    for junk in (b"", b"\x00", b"<a/>", b"%PDF-1.7", b"<Document/>"):
        with pytest.raises(StatementInvalid):
            read_statements(junk)


@pytest.mark.parametrize(
    ("name", "entries", "closing"),
    [
        ("fi_camt_053_sample.xml", 13, Money(2_364_483, "EUR")),
        ("nordea_example_camt.xml", 6, Money(880_050, "EUR")),
        ("abn_amro_example_camt.xml", 29, Money(10_001, "EUR")),
    ],
)
def test_public_samples_that_add_up_are_read(name: str, entries: int, closing: Money) -> None:
    (read,) = read_statements((SAMPLES / name).read_bytes())
    assert (len(read.entries), read.closing) == (entries, closing)


@pytest.mark.parametrize("name", ["camt053.v2.five.decimals.xml", "camt053.v2.minimal.xml"])
def test_public_samples_that_do_not_add_up_are_refused(name: str) -> None:
    with pytest.raises(StatementInvalid):
        read_statements((SAMPLES / name).read_bytes())
