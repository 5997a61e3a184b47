"""The camt reader on written statements, in the dialects of banks, and on hostile files."""

from __future__ import annotations

from datetime import date
from io import BytesIO

import pytest

from app.banking.importing import read_statements
from app.banking.reading.lines import EntryRead, lines_of
from app.banking.reading.model import Statement, StatementInvalid
from app.banking.reading.reader import FILE_BYTES_MAX, read_file, statements_of
from app.domain.errors import RecourseError, TooLarge
from app.domain.money import Money
from tests.banking.statements import IBAN, Line, camt053, statement


def lines(read: Statement) -> list[EntryRead]:
    return list(lines_of(read.entries))


def test_a_statement_is_read_to_the_cent() -> None:
    written = [
        Line(24_990, reference="RF52 1234567897", text="Refund", name="Norrvind Air",
             account="DE89 3704 0044 0532 0130 00", bank_ref="B1"),
        Line(-18_742, end_to_end_id="P1", name="Aino Virtanen", account="FI1410093000123458"),
        Line(-350, family="CHRG"),
        Line(999, status="PDNG"),
    ]  # fmt: skip
    (read,) = read_statements(camt053(statement(written, opening=5_000)))
    assert (read.ident, read.account, read.sequence) == ("S1", IBAN, 1)
    assert (read.opening, read.closing) == (5_000, 10_898)
    assert [e.booked for e in read.entries] == [True, True, True, False]
    receipt, payout, charge = lines(read)
    assert receipt.credit and receipt.amount == Money(24_990, "EUR")
    assert receipt.creditor_ref == "RF52 1234567897"
    assert (receipt.payer_name, receipt.payer_account) == ("Norrvind Air", "DE89370400440532013000")
    assert receipt.booked_on == date(2026, 3, 2)
    assert payout.end_to_end_id == "P1" and receipt.end_to_end_id is None
    assert charge.is_charge and not receipt.is_charge


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
    assert [e.key for e in more.entries if e.minor == 500] == keys


def test_details_that_sum_to_the_entry_are_read_one_by_one_else_as_a_whole() -> None:
    parts = (Line(300, reference="3900"), Line(200, reference="12344"))
    (read,) = read_statements(camt053(statement([Line(500, details=parts)], opening=0)))
    assert [e.amount.minor for e in lines(read)] == [300, 200]
    assert len({e.key for e in lines(read)}) == 2
    (whole,) = read_statements(camt053(statement([Line(505, details=parts)], opening=0)))
    assert [e.amount.minor for e in lines(whole)] == [505]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((b"<Document", b"<!DOCTYPE Document [<!ENTITY a 'x'>]><Document"), "document type"),
        ((b"<Document", b"<!DOCTYPE Document SYSTEM 'http://x.test/d'><Document"), "document type"),
        ((b"camt.053", b"camt.052"), "says camt.052"),
        ((b"001.02", b"001.99"), "version is not known"),
        ((b"</Stmt>", b""), "well-formed"),
        ((b"CLBD", b"XPCD"), "closing balance"),
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
    whole = camt053(statement([Line(5)], opening=0))
    outside = b'<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    stolen = whole.replace(b"<Document", outside + b"<Document").replace(b">S1<", b">&x;<")
    with pytest.raises(StatementInvalid, match="document type"):
        read_statements(stolen)
    for filler in (b"<a/>" * 400_000, b"x" * 12_000_000, b"<a>" * 300):
        with pytest.raises(StatementInvalid):
            read_statements(whole.replace(b"<Ntry>", b"<Ntry>" + filler))

    class Endless(BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            return FILE_BYTES_MAX + 1 if whence == 2 else super().seek(offset, whence)

    with pytest.raises(TooLarge):
        read_file(Endless(whole))
    for junk in (b"", b"\x00", b"<a/>", b"%PDF-1.7", b"<Document/>"):
        with pytest.raises(StatementInvalid):
            read_statements(junk)


def test_encodings_prefixes_and_envelopes_of_banks() -> None:
    text = camt053(statement([Line(5, name="Äiti Öy", text="maksu")], opening=0)).decode()
    prefixed = text.replace("<", "<ns2:").replace("<ns2:/", "</ns2:").replace("<ns2:?", "<?")
    prefixed = prefixed.replace("xmlns=", "xmlns:ns2=")
    austrian = text.replace("urn:iso:std:iso:20022:tech:xsd:camt.053.001.02",
                            "ISO:camt.053.001.02:APC:STUZZA:payments:003")  # fmt: skip
    enveloped = text.replace("?>", "?><Envelope><AppHdr/>") + "</Envelope>"
    files = [
        text.encode(), b"\xef\xbb\xbf" + text.encode(), b"\r\n " + text.encode(),
        text.replace("UTF-8", "UTF-16").encode("utf-16"),
        text.replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        text.encode("latin-1"),  # says UTF-8 and is not
        prefixed.encode(), austrian.encode(), enveloped.encode(),
        text.replace("><", ">\r\n<").encode(),
    ]  # fmt: skip
    for raw in files:
        (read,) = read_statements(raw)
        assert (read.booked, read.entries[0].party.name) == (5, "Äiti Öy"), raw[:90]


def test_details_say_who_what_and_why_in_every_version() -> None:
    old = """<Ntry><Amt Ccy="EUR">7</Amt><CdtDbtInd>DBIT</CdtDbtInd><RvslInd>1</RvslInd>
      <Sts>BOOK</Sts><BookgDt><DtTm>2026-03-02T23:59:59+02:00</DtTm></BookgDt><BkTxCd><Prtry>
      <Cd>NTRF+166</Cd></Prtry></BkTxCd><NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId>
      <MndtId>M9</MndtId><InstrId>I9</InstrId></Refs><AmtDtls><InstdAmt><Amt Ccy="JPY">900</Amt>
      </InstdAmt></AmtDtls><RltdPties><CdtrAcct><Id><Othr><Id>12 34</Id></Othr></Id></CdtrAcct>
      <UltmtCdtr><Nm>For Her</Nm></UltmtCdtr></RltdPties><RmtInf><Strd><RfrdDocInf><Nb>INV7</Nb>
      </RfrdDocInf><CdtrRefInf><Ref>3900</Ref></CdtrRefInf><AddtlRmtInf>extra</AddtlRmtInf></Strd>
      </RmtInf><RtrInf><Rsn><Prtry>116</Prtry></Rsn></RtrInf></TxDtls></NtryDtls></Ntry>"""
    new = old.replace("<Nm>For Her</Nm>", "<Pty><Nm>For Her</Nm></Pty>").replace(
        "<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>"
    )
    for version, entry in (("02", old), ("08", new)):
        whole = camt053(statement([], opening=700, closing=0), version=version)
        (read,) = read_statements(whole.replace(b"</Stmt>", entry.encode() + b"</Stmt>"))
        (one,) = read.entries
        assert (one.signed, one.booked_on, one.reversal) == (-700, date(2026, 3, 2), True)
        assert one.refs.end_to_end_id is None and one.refs.mandate_id == "M9"
        assert (one.refs.creditor_ref, one.refs.documents) == ("3900", ("INV7",))
        assert (one.party.name, one.party.account, one.party.ultimate) == (
            "For Her",
            "1234",
            "For Her",
        )
        assert (one.return_reason, one.instructed, one.code) == ("116", (900, "JPY"), "NTRF+166")
        assert lines(read)[0].remittance == "extra INV7"


def test_what_the_bank_took_of_a_batch_is_a_line_of_its_own() -> None:
    parts = (Line(1_000), Line(500))
    raw = camt053(statement([Line(1_474, details=parts)], opening=0))
    charge = b'<Chrgs><Rcrd><Amt Ccy="EUR">0.26</Amt><CdtDbtInd>DBIT</CdtDbtInd></Rcrd></Chrgs>'
    (read,) = read_statements(raw.replace(b"<NtryDtls>", charge + b"<NtryDtls>"))
    got = [(x.credit, x.amount.minor, x.is_charge) for x in lines(read)]
    assert got == [(True, 1_000, False), (True, 500, False), (False, 26, True)]
    (unsaid,) = read_statements(raw)  # nobody says what the 26 cents are: the entry stays whole
    assert [x.amount.minor for x in lines(unsaid)] == [1_474]


def test_minor_units_are_those_of_the_currency_and_several_currencies_stay_apart() -> None:
    yen = statement([Line(900)], opening=0, currency="JPY", ident="A")
    dinar = statement([Line(1_234)], opening=5, currency="KWD", ident="B")
    assert [s.booked for s in read_statements(camt053(yen, dinar))] == [900, 1_234]
    both = statement([Line(3)], opening=0).replace("<Ccy>EUR</Ccy>", "")
    other = statement([Line(-4)], opening=9, currency="SEK")
    inside = other[other.index("<Bal>") : other.index("<Ntry>")]
    raw = camt053(both.replace("<Ntry>", inside + "<Ntry>", 1)
                  .replace("</Stmt>", other[other.index("<Ntry>"):]))  # fmt: skip
    euro, krona = read_statements(raw)
    assert [(s.currency, s.opening, s.closing) for s in (euro, krona)] == [
        ("EUR", 0, 3), ("SEK", 9, 5),
    ]  # fmt: skip


def test_a_bank_whose_reversals_state_the_original_side_is_known_by_the_sum() -> None:
    raw = camt053(statement([Line(-250), Line(-250)], opening=0, closing=0))
    second = raw.rindex(b"</CdtDbtInd><Sts>") + len(b"</CdtDbtInd>")
    (read,) = read_statements(raw[:second] + b"<RvslInd>true</RvslInd>" + raw[second:])
    assert read.sign_rule == "reversed" and [e.signed for e in read.entries] == [-250, 250]


def test_pages_are_put_together_in_any_order_and_a_missing_one_is_named() -> None:
    def page(number: int, last: bool, minors: list[int], opening: int, closing: int) -> str:
        which = f"<PgNb>{number}</PgNb><LastPgInd>{str(last).lower()}</LastPgInd>"
        one = statement([Line(m) for m in minors], opening=opening, closing=closing)
        return one.replace("<Stmt>", f"<Stmt><StmtPgntn>{which}</StmtPgntn>")

    pages = [page(1, False, [5, 7], 0, 0), page(2, False, [7], 0, 0), page(3, True, [1], 0, 20)]
    (read,) = read_statements(camt053(pages[2], pages[0], pages[1]))
    assert (read.opening, read.closing, len(read.entries)) == (0, 20, 4)
    assert len({e.key for e in read.entries}) == 4  # twins on two pages stay two
    with pytest.raises(StatementInvalid, match="one page of several") as refused:
        read_statements(camt053(pages[0], pages[2]))
    assert refused.value.params["missing"] == "2"


def test_early_notices_are_read_and_never_posted() -> None:
    for kind, root, name in (
        ("camt.052", "BkToCstmrAcctRpt", "Rpt"), ("camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn"),
    ):  # fmt: skip
        raw = camt053(statement([Line(5), Line(6, status="PDNG")], opening=0))
        for old, new in (("camt.053", kind), ("BkToCstmrStmt", root), ("Stmt>", f"{name}>")):
            raw = raw.replace(old.encode(), new.encode())
        (read,) = statements_of(read_file(raw))
        assert [e.booked for e in read.entries] == [True, False] and not read.posts
        with pytest.raises(StatementInvalid, match="only informs"):
            read_statements(raw)
