"""What other programs read of the journal, parsed back by the published descriptions."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import uuid
import zipfile
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

from lxml import etree

from app.domain.posting_rules import compose
from app.finance.formats import datev, flat, sie
from app.finance.formats.rows import LegRow, TxnRow
from app.finance.formats.workbook import Workbook
from app.playbooks.account_mapping import account_numbers
from app.playbooks.chart import load_chart
from app.playbooks.posting_rules import load_posting_rules

DAY = date(2026, 11, 3)
NOW = datetime(2026, 11, 28, 12, 0, 0, 123_000, tzinfo=UTC)


def journal(book: str) -> list[TxnRow]:
    """The worked example of every posting rule, as if all had been posted."""
    rules = load_posting_rules()
    found: list[TxnRow] = []
    for kind, rule in rules.rules.items():
        example = rule.example
        for draft in compose(rules, kind, "EUR", example["amounts"], example["subs"]):
            if draft.book == book:
                legs = tuple(
                    LegRow(at, leg.account, leg.sub, leg.debit, leg.credit)
                    for at, leg in enumerate(draft.legs, 1)
                )
                found.append(
                    TxnRow(
                        uuid.UUID(int=len(found) + 1), book, DAY, NOW, kind, "EUR", None, None,
                        "staff:x", rules.version, None, legs,
                    )
                )  # fmt: skip
    return found


def sums(book: str, system: str) -> Counter[str]:
    """Debits less credits of every account, by its number in another chart, in cents."""
    numbers = account_numbers("sie" if system == "sie" else "datev")
    totals: Counter[str] = Counter()
    for txn in journal(book):
        for leg in txn.legs:
            totals[numbers[leg.account]] += leg.debit - leg.credit
    return totals


def test_every_account_has_its_own_number_in_every_chart() -> None:
    chart = {account.name for account in load_chart()}
    for system in ("sie", "datev"):
        numbers = account_numbers(system)
        assert set(numbers) == chart
        assert len(set(numbers.values())) == len(numbers)
        assert all(re.fullmatch(r"\d{4}", number) for number in numbers.values())


def test_sie_is_read_back_by_its_description() -> None:
    for book in ("own", "client"):
        totals = sums(book, "sie")
        numbers = account_numbers("sie")
        accounts = [a for a in load_chart() if a.book == book]
        closing = {a.name: totals[numbers[a.name]] for a in accounts}
        about = sie.SieHead(
            'Åsa & "Co" Oy', "1234567-8", NOW.date(), date(2026, 1, 1), DAY, "EUR", accounts,
            numbers, {}, closing,
        )  # fmt: skip
        raw = sie.head(about) + b"".join(sie.vouchers(journal(book), numbers, 1))
        labels, vouchers = parse_sie(raw)
        assert [labels[name][0] for name in ("FLAGGA", "FORMAT", "SIETYP", "FNAMN")] == [
            ["0"], ["PC8"], ["4"], ['Åsa & "Co" Oy'],
        ]  # fmt: skip
        assert labels["RAR"] == [["0", "20260101", "20261231"]]
        known = {row[0] for row in labels["KONTO"]}
        assert {row[0]: row[1] for row in labels["KTYP"]}.keys() == known
        found: Counter[str] = Counter()
        for series, number, day, lines in vouchers:
            assert series == ("A" if book == "own" else "B") and day == "20261103"
            assert sum(amount for _, amount in lines) == 0, number
            for account, amount in lines:
                assert account in known
                found[account] += int(amount * 100)
        assert [int(number) for _, number, _, _ in vouchers] == list(range(1, len(vouchers) + 1))
        assert found == totals
        stated = labels["UB"] + labels.get("RES", [])
        assert {row[1]: int(Decimal(row[2]) * 100) for row in stated} == {
            number: totals[number] for number in known
        }


Voucher = tuple[str, str, str, list[tuple[str, Decimal]]]


def parse_sie(raw: bytes) -> tuple[dict[str, list[list[str]]], list[Voucher]]:
    """A reader of its own: labels, quoted fields, object lists in braces, code page 437."""
    labels: dict[str, list[list[str]]] = {}
    vouchers: list[Voucher] = []
    open_block = False
    for line in raw.decode("cp437").split("\r\n")[:-1]:
        assert "\n" not in line
        if line in ("{", "}"):
            assert open_block is (line == "}")
            open_block = line == "{"
            continue
        label, *fields = shlex.split(line)
        if label == "#VER":
            vouchers.append((fields[0], fields[1], fields[2], []))
        elif label == "#TRANS":
            assert open_block and fields[1] == "{}"
            vouchers[-1][3].append((fields[0], Decimal(fields[2])))
        else:
            assert label.startswith("#") and not vouchers
            labels.setdefault(label[1:], []).append(fields)
    assert not open_block
    return labels, vouchers


def test_datev_is_read_back_by_its_description() -> None:
    numbers = account_numbers("datev")
    for book in ("own", "client"):
        about = datev.DatevHead(
            NOW, 1001, 7, date(2026, 1, 1), date(2026, 11, 1), date(2026, 11, 30),
            "November", "EUR", locked=True,
        )  # fmt: skip
        raw = datev.head(about) + b"".join(datev.bookings(journal(book), numbers))
        assert raw.endswith(b"\r\n")
        head, columns, *lines = csv.reader(io.StringIO(raw.decode("cp1252")), delimiter=";")
        assert len(head) == 31
        assert head[:6] == ["EXTF", "700", "21", "Buchungsstapel", "13", "20261128120000123"]
        assert head[10:16] == ["1001", "7", "20260101", "4", "20261101", "20261130"]
        assert (head[20], head[21]) == ("1", "EUR")
        assert len(columns) == 125 and columns[113] == "Festschreibung"
        assert columns[9] == "Belegdatum" and columns[13] == "Buchungstext"
        found: Counter[str] = Counter()
        for line in lines:
            assert len(line) == len(columns)
            assert re.fullmatch(r"\d{1,10},\d{2}", line[0]) and line[1] == "S"
            assert line[2] == "EUR" and line[9] == "0311" and len(line[10]) <= 36
            assert len(line[13]) <= 60 and not line[8]
            cents = int(line[0].replace(",", ""))
            assert cents > 0 and line[6] != line[7]
            found[line[6]] += cents
            found[line[7]] -= cents
        assert {k: v for k, v in found.items() if v} == {
            k: v for k, v in sums(book, "datev").items() if v
        }


def test_lines_and_workbook_hold_every_leg() -> None:
    txns = journal("own")
    read = list(csv.DictReader(io.StringIO(flat.csv_page(txns).decode()), flat.COLUMNS))
    legs = [leg for txn in txns for leg in txn.legs]
    assert [(r["account"], int(r["debit_minor"])) for r in read] == [
        (leg.account, leg.debit) for leg in legs
    ]
    parsed = [json.loads(line) for line in flat.json_lines(txns)]
    assert [len(t["legs"]) for t in parsed] == [len(t.legs) for t in txns]
    target = io.BytesIO()
    with Workbook(target) as book:
        book.add(txns)
    with zipfile.ZipFile(target) as archive:
        sheet = etree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    rows = [
        {re.sub(r"\d", "", c.get("r") or ""): "".join(map(str, c.itertext())) for c in row}
        for row in sheet.iter("{*}row")
    ]
    assert [rows[0][c] for c in "ABM"] == ["transaction", "book", "account"]
    assert len(rows) == len(legs) + 1
    assert sum(int(row["O"]) for row in rows[1:]) == sum(leg.debit for leg in legs)
    assert sum(round(float(row.get("Q", 0)) * 100) for row in rows[1:]) == sum(
        leg.debit for leg in legs
    )
