"""A bank's file as plain data, for people and programs that only look."""

from __future__ import annotations

from typing import Any, BinaryIO

from app.banking.reading.amounts import written
from app.banking.reading.gate import assemble, checked
from app.banking.reading.model import Charge, Detail, Entry, Party, Reference, Statement
from app.banking.reading.reader import read_file
from app.domain.errors import RecourseError


def show_file(source: bytes | BinaryIO) -> dict[str, Any]:
    """What the file says and whether it could be posted.

    ``ok`` is False with a reason in ``error`` when the file cannot be read, or when one of its
    statements would be refused; what could be read is shown all the same.
    """
    try:
        documents = read_file(source)
    except RecourseError as refused:
        return {"ok": False, "error": words_of(refused), "form": None, "statements": []}
    statements, reasons = [], []
    for document in documents:
        for statement in document.read.statements:
            shown, reason = _statement(statement)
            if document.name:
                shown["document"] = document.name
            statements.append(shown)
            if reason:
                reasons.append(reason)
    try:
        together = assemble([s for d in documents for s in d.read.statements])
    except RecourseError as refused:
        reasons.append(words_of(refused))
    else:
        for pages in together.waiting:
            missing = ", ".join(map(str, pages.missing))
            reasons.append(f"Page {missing} of statement {pages.pages[0].ident} is missing.")
        if len(together.complete) != sum(s.posts for d in documents for s in d.read.statements):
            reasons += _joined_reasons(together.complete)
    return {
        "ok": not reasons,
        "error": " ".join(dict.fromkeys(reasons)) or None,
        "form": documents[0].read.form,
        "warnings": [w for d in documents for w in d.read.warnings],
        "statements": statements,
    }


def _joined_reasons(complete: tuple[Statement, ...]) -> list[str]:
    reasons = []
    for statement in complete:
        try:
            checked(statement)
        except RecourseError as refused:
            reasons.append(words_of(refused))
    return reasons


def words_of(refused: RecourseError) -> str:
    """The sentence with its particulars."""
    particulars = ", ".join(f"{k.replace('_', ' ')}: {v}" for k, v in refused.params.items())
    return f"{refused.message} ({particulars})" if particulars else refused.message


def _statement(statement: Statement) -> tuple[dict[str, Any], str | None]:
    balanced: bool | None = None
    reason = None
    whole = statement.page == 1 and statement.last_page
    if statement.posts:
        try:
            statement = checked(statement)
            balanced = True
        except RecourseError as refused:
            balanced, reason = False, words_of(refused) if whole else None
    elif statement.difference is not None:
        balanced = statement.difference == 0
    return {
        "kind": statement.kind,
        "id": statement.ident,
        "number": statement.sequence,
        "page": statement.page,
        "last_page": statement.last_page,
        "account": statement.account,
        "currency": statement.currency,
        "opening_minor": statement.opening,
        "opening": _amount(statement.opening, statement.currency),
        "opening_date": _iso(statement.opens_on),
        "closing_minor": statement.closing,
        "closing": _amount(statement.closing, statement.currency),
        "closing_date": _iso(statement.closes_on),
        "booked_minor": statement.booked,
        "balanced": balanced,
        "difference_minor": statement.difference,
        "sign_rule": statement.sign_rule,
        "posts": statement.posts,
        "warnings": list(statement.warnings),
        "entries": [_entry(entry) for entry in statement.entries],
    }, reason


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "date": entry.booked_on.isoformat(),
        "value_date": _iso(entry.value_on),
        "amount_minor": entry.minor,
        "amount": written(entry.minor, entry.currency),
        "currency": entry.currency,
        "direction": "credit" if entry.credit else "debit",
        "booked": entry.booked,
        "status": entry.status,
        "references": {"bank": entry.bank_ref, **_references(entry.refs)},
        "counterparty": _party(entry.party),
        "text": entry.remittance,
        "code": entry.code,
        "reversal": entry.reversal,
        "return_reason": entry.return_reason,
        "is_charge": entry.is_charge,
        "batch_size": entry.batch_size,
        "instructed": _instructed(entry.instructed),
        "charges": [_charge(charge) for charge in entry.charges],
        "details": [_detail(detail, entry.currency) for detail in entry.details],
    }


def _detail(detail: Detail, currency: str) -> dict[str, Any]:
    return {
        "amount_minor": detail.minor,
        "currency": currency,
        "direction": "credit" if detail.credit else "debit",
        "references": {"bank": detail.bank_ref, **_references(detail.refs)},
        "counterparty": _party(detail.party),
        "text": detail.remittance,
        "return_reason": detail.return_reason,
        "charges": [_charge(charge) for charge in detail.charges],
    }


def _references(refs: Reference) -> dict[str, Any]:
    return {
        "end_to_end_id": refs.end_to_end_id,
        "payment_info_id": refs.payment_info_id,
        "instruction_id": refs.instruction_id,
        "transaction_id": refs.transaction_id,
        "mandate_id": refs.mandate_id,
        "creditor_reference": refs.creditor_ref,
        "documents": list(refs.documents),
    }


def _party(party: Party) -> dict[str, str | None]:
    return {"name": party.name, "account": party.account, "ultimate": party.ultimate}


def _charge(charge: Charge) -> dict[str, Any]:
    return {
        "amount_minor": charge.minor,
        "currency": charge.currency,
        "direction": "credit" if charge.credit else "debit",
        "included": charge.included,
    }


def _instructed(instructed: tuple[int, str] | None) -> dict[str, Any] | None:
    return {"amount_minor": instructed[0], "currency": instructed[1]} if instructed else None


def _amount(minor: int | None, currency: str) -> str | None:
    return None if minor is None else written(minor, currency)


def _iso(day: Any) -> str | None:
    return day.isoformat() if day else None
