"""MT940 in the dialects of banks; fixtures are written here after their formats."""

from __future__ import annotations

from datetime import date

import pytest

from app.banking.importing import read_statements
from app.banking.reading.model import Entry, Statement, StatementInvalid
from app.banking.reading.reader import read_file, statements_of

GERMAN = "DE89370400440532013000"


def mt940(lines: str, *, opening: str = "C260301EUR0,00", closing: str) -> bytes:
    head = f":20:REF1\n:25:FI2112345600000785\n:28C:7/1\n:60F:{opening}\n"
    return f"{head}{lines}\n:62F:{closing}\n-\n".encode()


def one(line: str, closing: str = "C260302EUR1,00") -> Entry:
    (read,) = read_statements(mt940(line, closing=closing))
    (entry,) = read.entries
    return entry


def test_german_subfields_and_keywords() -> None:
    entry = one(
        ":61:2603020302CR1,00N166NONREF//BANK7\n"
        ":86:166?00GUTSCHR. UEBERWEISUNG?109310?20EREF+RC-2Q7K-9M4D 000001234?21567\n"
        "?22MREF+M-1?23SVWZ+Erstattung 1234561?24 Flug?30COBADEFFXXX?31DE8937040044053201\n"
        "3000?32Norrvind?33 Air GmbH?60 AB123"
    )
    assert entry.refs.end_to_end_id == "RC-2Q7K-9M4D 000001234567"
    assert entry.refs.mandate_id == "M-1"
    assert (entry.party.name, entry.party.account) == (
        "Norrvind Air GmbH",
        "DE89370400440532013000",
    )
    assert entry.remittance.startswith("Erstattung 1234561") and "AB123" in entry.remittance
    assert (entry.bank_ref, entry.code, entry.credit) == ("BANK7", "N166 166", True)
    charge = one(":61:260302D1,NCHGNONREF\n:86:808?00Entgelt", closing="D260302EUR1,00")
    assert charge.is_charge and charge.signed == -100
    back = one(
        ":61:260302C1,NRTIP123\n:86:159?00RETOURE?20EREF+P1?21SVWZ+RETURN AC04?32Aino Virtanen"
    )
    assert (back.return_reason, back.refs.end_to_end_id) == ("AC04", "P1")
    polish = one(
        ":61:260302C1,NTRFNONREF\n"
        ":86:~00VW01~20Zwrot 77~32SHOP SP~33 Z O O~38PL61109010140000071219812874"
    )
    assert polish.party.name == "SHOP SP Z O O"
    assert polish.party.account == "PL61109010140000071219812874"


def test_dutch_and_swift_slash_codes() -> None:
    abn = one(
        ":61:2603020302C1,00N944NONREF\n:86:/TRTP/SEPA OVERBOEKING/IBAN/NL91ABNA0417164300/BIC/ABN"
        "ANL2A/NAME/SHO\nP BV/REMI/Refund RC 12/EREF/NOTPROVIDED"
    )
    assert (abn.party.name, abn.party.account) == ("SHOP BV", "NL91ABNA0417164300")
    assert abn.remittance == "Refund RC 12" and abn.refs.end_to_end_id is None
    ing = one(
        ":61:2603020302C1,00NTRFEREF//00123\n/TRCD/00100/\n:86:/EREF/E2E-9//CNTP/NL91ABNA0417164300"
        "/ABNANL2A/Shop BV/Utrecht//REMI/STRD/CUR/9001123412341234/"
    )
    assert (ing.refs.end_to_end_id, ing.refs.creditor_ref) == ("E2E-9", "9001123412341234")
    assert (ing.party.name, ing.bank_ref) == ("Shop BV", "00123")
    rabo = one(
        ":61:260302C000000000001,00N102EREF            \nNL91ABNA0417164300\n"
        ":86:/EREF/E2E-8/ORDP//NAME/SHOP BV/REMI/RF18539007547034/ISDT/2026-03-02"
    )
    assert (rabo.party.account, rabo.party.name) == ("NL91ABNA0417164300", "SHOP BV")
    assert (rabo.refs.end_to_end_id, rabo.refs.instruction_id) == ("E2E-8", None)
    returned = one(":61:260302C1,NRTINONREF\n:86:/RTRN/MS03/EREF/P2/REMI//NAME/A B/")
    assert returned.return_reason == "MS03"


@pytest.mark.parametrize(
    ("line", "signed", "booked"),
    [
        ("2603020302C1,00NTRFX", 100, date(2026, 3, 2)),
        ("2603020302CR1,00NTRFX", 100, date(2026, 3, 2)),
        ("2603020302RD1,00NTRFX", 100, date(2026, 3, 2)),
        ("2603020302RDR1,00NTRFX", 100, date(2026, 3, 2)),
        ("260302C1,NTRFX", 100, date(2026, 3, 2)),
        ("260302    C1,00NTRFX", 100, date(2026, 3, 2)),
        ("260302C1.00NTRFX", 100, date(2026, 3, 2)),
        ("2512310102C1,00NTRFX", 100, date(2026, 1, 2)),  # booked after New Year
        ("2601021231C1,00NTRFX", 100, date(2025, 12, 31)),  # booked before it
        ("2602300302C1,00NTRFX", 100, date(2026, 3, 2)),  # a month of 30 days
        ("2603020302C\n1,00NTRFX", 100, date(2026, 3, 2)),
        ("2603020302C1,00S   X", 100, date(2026, 3, 2)),
    ],
)
def test_statement_lines(line: str, signed: int, booked: date) -> None:
    entry = one(f":61:{line}")
    assert (entry.signed, entry.booked_on) == (signed, booked)


def test_reversals_of_credits_are_debits_and_other_marks_are_not_booked() -> None:
    rc = one(":61:2603020302RCR1,00NTRFX", closing="D260302EUR1,00")
    assert (rc.signed, rc.reversal) == (-100, True)


def test_wrappers_pages_and_several_statements() -> None:
    first = (
        "{1:F01AXISINBBAXXX}{2:I940XXXXXXXXAXXXN}{4:\r\n:20:REF1\r\n:25:NL91ABNA0417164300EUR\r\n"
        ":28C:5/1\r\n:60F:C260301EUR10,00\r\n:61:260302C1,NTRFA\r\n:62M:C260302EUR11,00\r\n-}\r\n"
    )
    second = (
        "{1:F01AXISINBBAXXX}{2:I940XXXXXXXXAXXXN}{4:\r\n:20:REF1\r\n:25:NL91ABNA0417164300EUR\r\n"
        ":28C:5/2\r\n:60M:C260302EUR11,00\r\n:61:260302D2,NTRFB\r\n:62F:C260302EUR9,00\r\n"
        ":64:C260302EUR9,00\r\n:65:C260303EUR9,00\r\n:86:END OF DAY\r\n-}{5:{CHK:123456789ABC}}\r\n"
    )
    for raw in ((first + second).encode(), (second + first).encode("utf-16")):
        (read,) = read_statements(raw)
        assert (read.account, read.opening, read.closing) == ("NL91ABNA0417164300", 1_000, 900)
        assert sorted(e.signed for e in read.entries) == [-200, 100]
    with pytest.raises(StatementInvalid, match="one page of several"):
        read_statements(first.encode())
    third = (
        second.replace("5/2", "6/1")
        .replace("60M:C260302EUR11", "60F:C260302EUR9")
        .replace("62F:C260302EUR9", "62F:C260302EUR7")
    )
    numbers = [s.sequence for s in read_statements((third + second + first).encode())]
    assert numbers == [5, 6]


def test_pages_without_a_statement_number_belong_together_by_their_reference() -> None:
    head = ":20:MT940-2005\n:25:20041111/369300900EUR\n:28C:0/"
    first = f"{head}1\n:60F:C200512EUR0,00\n:61:2005120512CR1,00NMSCX\n:62M:C200513EUR1,00\n-\n"
    second = f"{head}2\n:60M:C200513EUR1,00\n:61:2005130513CR0,10NMSCX\n:62F:C200513EUR1,10\n-\n"
    (read,) = read_statements((first + second).encode())
    assert (read.account, read.opening, read.closing) == ("20041111/369300900", 0, 110)
    bare = (first + second).replace(":28C:0/1\n", "").replace(":28C:0/2\n", "")
    assert [s.booked for s in read_statements(bare.encode())] == [110]


def test_interim_reports_are_read_and_never_posted() -> None:
    raw = b":20:A\n:25:FI2112345600000785\n:28C:1/1\n:34F:EUR0,\n:13D:2603021200+0200\n"
    raw += b":61:260302C1,NTRFX\n:61:260302EC2,NTRFY\n:90C:1EUR1,\n-\n"
    (read,) = statements_of(read_file(raw))
    assert (read.kind, read.posts, [e.booked for e in read.entries]) == (
        "MT942",
        False,
        [False] * 2,
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("C1,00", "C1,005"), "decimals"),
        (("C1,00", "C1.000,00"), "cannot be read|plain digits"),
        (("C1,00", "X1,00"), "cannot be read"),
        (("260302", "261302"), "impossible date"),
        ((":62F:C260302EUR1,00", ":62F:C260302EUR2,00"), "does not add up"),
        ((":62F:C260302EUR1,00", ":62F:C260302USD1,00"), "two currencies"),
        ((":62F:C260302EUR1,00", ":62F:garbage"), "balance cannot be read"),
        ((":62F:C260302EUR1,00\n", ""), "lacks its closing"),
        ((":25:FI2112345600000785\n", ""), "lacks its account"),
        (("EUR", "ZZZ"), "not known"),
    ],
)
def test_what_would_change_a_sum_or_a_day_refuses_the_file(
    change: tuple[str, str], why: str
) -> None:
    text = mt940(":61:260302C1,00NTRFX", closing="C260302EUR1,00").decode()
    assert change[0] in text
    with pytest.raises(StatementInvalid, match=why):
        read_statements(text.replace(*change).encode())


def test_broken_information_harms_no_amount() -> None:
    for words in (
        "?20",
        "999?",
        "\x00\x01\xff",
        "/REMI/",
        "//////",
        "EREF+",
        "?20" * 500,
        "166?00?20",
    ):
        assert one(f":61:260302C1,00NTRFX\n:86:{words}").signed == 100


def test_each_line_has_its_own_key_and_twins_stay_two() -> None:
    twin = ":61:260302C1,00NTRFX//B1\n:86:same\n"
    read: Statement
    (read,) = read_statements(mt940(twin + twin.strip(), closing="C260302EUR2,00"))
    assert len({e.key for e in read.entries}) == 2
