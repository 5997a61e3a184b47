"""Invented papers of account: to try, to look at."""

import dataclasses
from dataclasses import replace
from datetime import date
from typing import Any

from letters.papers import (
    AccountMove,
    Addressee,
    AnyPaper,
    BundleIndex,
    CreditNote,
    DeadlineRow,
    ExhibitRow,
    Invoice,
    InvoiceLine,
    MissingRow,
    MoveKind,
    ProofRow,
    Statement,
)
from letters.specimen import AGENCY, CLAIMANTS, COMPANY
from letters.values import Language

LINES: tuple[tuple[int, MoveKind, int, int | None], ...] = (
    (2, "received", 18_900, 18_900), (2, "fee", -4_725, 14_175), (3, "paid_out", -14_175, 0),
    (6, "payout_back", 14_175, 14_175), (7, "paid_out", -14_175, 0),
    (9, "paid_directly", 25_000, None),
)  # fmt: skip


def paper_specimen(kind: str, language: Language) -> AnyPaper:
    """A complete invented paper of this kind (a key of `papers.PAPERS`)."""
    person = CLAIMANTS[0]
    common: dict[str, Any] = {
        "language": language, "dated": date(2026, 11, 21), "reference": "RC-7K2M-9QX4",
        "agency": AGENCY, "to": Addressee(name=person.name, address_lines=person.address_lines),
        "company": COMPANY.name, "currency": "EUR",
    }  # fmt: skip
    if kind == "statement":
        return _statement(common)
    if kind == "bundle_index":
        return _index(common)
    invoice = Invoice(
        **common, number="2026-000042", vat_number="FI00000000", supplied_on=date(2026, 11, 2),
        base_minor=18_900, net_minor=3_765, vat_percent="25.5", vat_minor=960, gross_minor=4_725,
        deducted=True, national_currency="EUR",
    )  # fmt: skip
    if kind == "invoice":
        return invoice
    back = {"number": "2026-000043", "net_minor": -3_765, "vat_minor": -960, "gross_minor": -4_725}
    fields = {each.name: getattr(invoice, each.name) for each in dataclasses.fields(invoice)}
    return CreditNote(
        **fields | back | {"corrects": "2026-000042", "corrects_on": date(2026, 11, 2)}
    )


def _statement(common: dict[str, Any]) -> Statement:
    return Statement(
        **common, closing=True,
        moves=tuple(
            AccountMove(on=date(2026, 11, day), kind=kind, minor=minor, balance_minor=balance)
            for day, kind, minor, balance in LINES
        ),
        invoices=(
            InvoiceLine(
                number="2026-000042", on=date(2026, 11, 2), gross_minor=4_725, net_minor=3_765,
                vat_minor=960, vat_percent="25.5", open_minor=0,
            ),
            InvoiceLine(
                number="2026-000044", on=date(2026, 11, 9), gross_minor=6_250, net_minor=4_980,
                vat_minor=1_270, vat_percent="25.5", open_minor=6_250,
            ),
        ),
        received_minor=43_900, fee_minor=10_975, vat_minor=2_230, net_minor=32_925,
        paid_out_minor=14_175, balance_minor=0, open_fee_minor=6_250,
    )  # fmt: skip


def _index(common: dict[str, Any]) -> BundleIndex:
    titles = ("Booking confirmation", "Card statement", "First demand", "Proof of arrival")
    return BundleIndex(
        **common,
        exhibits=tuple(
            ExhibitRow(
                label=str(at), title=title, on=date(2026, 10, at), first_page=2 + at, pages=1,
                sha256=f"{at:064x}",
            )
            for at, title in enumerate(titles, start=1)
        ),
        proof=(
            ProofRow(what="That the consumer had a contract with this company", labels="1, 2"),
            ProofRow(what="Against: it could not be avoided"),
        ),
        deadlines=(
            DeadlineRow(
                letter="First demand", sent_on=date(2026, 10, 3), arrived_on=date(2026, 10, 4),
                how="the server of the recipient took it", answer_by=date(2026, 10, 18),
            ),
            DeadlineRow(letter="Reminder", sent_on=date(2026, 10, 19)),
        ),
        missing=(MissingRow(title="terms.docx", why="not_taken"),),
    )  # fmt: skip


def long_statement(language: Language, rows: int) -> Statement:
    """A statement of so many lines: what a page break does to its table."""
    paper = paper_specimen("statement", language)
    assert isinstance(paper, Statement)
    moves = [AccountMove(on=date(2026, 1, 2), kind="received", minor=1, balance_minor=n)
             for n in range(1, rows + 1)]  # fmt: skip
    received = sum(move.minor for move in moves)
    return replace(
        paper, moves=tuple(moves), balance_minor=received, received_minor=received,
        net_minor=received - paper.fee_minor,
    )  # fmt: skip
