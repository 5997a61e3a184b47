"""Entries of camt messages and the payments inside them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Final

from app.banking.reading.amounts import iso_day, minor_units
from app.banking.reading.model import (
    ID_MAX,
    TEXT_MAX,
    Charge,
    Detail,
    Entry,
    Party,
    Reference,
    StatementInvalid,
)
from app.banking.reading.xml import Values, values

if TYPE_CHECKING:
    from lxml.etree import _Element

NOT_SAID: Final = frozenset({"NOTPROVIDED", "NONREF", "NOTAVAILABLE", "NOREF", "NONE"})
CHARGES: Final = frozenset({"CHRG", "COMM", "COME", "COMT", "FEES", "TAXE"})
BOOKED: Final = "BOOK"
_CREDIT: Final = {"CRDT": True, "DBIT": False}

_PAYMENT_DAYS: Final = tuple(
    f"RltdDts/{name}" for name in ("IntrBkSttlmDt", "TxDtTm", "AccptncDtTm", "StartDt")
)

Payment = tuple[Detail, Values]


def payment(node: _Element) -> Payment:
    """A TxDtls. Its side is filled in from its entry where it says none."""
    found = values(node)
    minor, _ = _paid(found)
    side = _CREDIT.get(_first(found, "CdtDbtInd") or "")
    detail = Detail(
        minor=minor, credit=bool(side), bank_ref=_said(_first(found, "Refs/AcctSvcrRef")),
        refs=_references(found), party=Party(), remittance=_remittance(found),
        return_reason=_return(found), charges=_charges(node),
    )  # fmt: skip
    return detail, found


def _paid(found: Values) -> tuple[int | None, str]:
    """The payment's amount and currency: its own, else what was booked of it."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"):
        amount, currency = _first(found, path), _first(found, f"{path}@Ccy")
        if amount and currency:
            return minor_units(amount, currency), currency
    return None, ""


def read_entry(
    node: _Element,
    payments: Sequence[Payment],
    *,
    kind: str,
    account: str,
    ident: str,
    fallback_day: date | None,
) -> Entry:
    """An Ntry whose payments were read before. Raises StatementInvalid."""
    found = values(node)
    text, currency = _first(found, "Amt"), _first(found, "Amt@Ccy")
    credit = _CREDIT.get(_first(found, "CdtDbtInd") or "")
    if not text or not currency:
        raise StatementInvalid("An entry has no amount.")
    if credit is None:
        raise StatementInvalid("An entry says neither credit nor debit.")
    minor = minor_units(text, currency)
    status = _first(found, "Sts/Cd", "Sts", "Sts/Prtry")
    if status is None:
        status = BOOKED if kind == "camt.053" else "INFO"
    details = tuple(_detail(p, currency, credit, account) for p in payments)
    booked_on, value_on = _days(found, payments, fallback_day)
    reversal = (_first(found, "RvslInd") or "").lower() in ("true", "1")
    bank_ref = _said(_first(found, "AcctSvcrRef"))
    if bank_ref is None and len(details) == 1:
        bank_ref = details[0].bank_ref
    key = _key(bank_ref, booked_on, credit, minor, found, payments, ident)
    alone = details[0] if len(details) == 1 else None
    refs = alone.refs if alone else Reference()
    if refs.payment_info_id is None and (batch := _said(_first(found, "NtryDtls/Btch/PmtInfId"))):
        refs = _with_batch(refs, batch)
    # What the bank says of the entry as a whole, where its payments say nothing.
    words = alone.remittance if alone else ""
    words = words or " ".join(found.get("AddtlNtryInf", ()))
    reasons = {d.return_reason for d in details if d.return_reason}
    size = _first(found, "NtryDtls/Btch/NbOfTxs")
    return Entry(
        key=key, minor=minor, currency=currency, credit=credit, booked=status == BOOKED,
        status=status[:20], booked_on=booked_on, value_on=value_on, reversal=reversal,
        bank_ref=bank_ref or _said(_first(found, "NtryRef")), code=_code(found),
        is_charge=_is_charge(found), refs=refs,
        party=alone.party if alone else Party(),
        remittance=" ".join(words.split())[:TEXT_MAX],
        return_reason=reasons.pop() if len(reasons) == 1 else None,
        instructed=_instructed(found, payments, currency),
        batch_size=int(size[:9]) if size and size.isdigit() else None,
        charges=_charges(node) or (alone.charges if alone else ()),
        details=details if len(details) > 1 else (),
    )  # fmt: skip


def _detail(paid: Payment, currency: str, credit: bool, account: str) -> Detail:
    """The payment with its side, its amount in the account's currency, and who is on the other
    side of it."""
    detail, found = paid
    side = _CREDIT.get(_first(found, "CdtDbtInd") or "", credit)
    minor = detail.minor
    if minor is not None and _paid(found)[1] != currency:
        minor = None
        for path in ("AmtDtls/TxAmt/Amt", "AmtDtls/CntrValAmt/Amt", "AmtDtls/AnncdPstngAmt/Amt"):
            if _first(found, f"{path}@Ccy") == currency and (text := _first(found, path)):
                minor = minor_units(text, currency)
                break
    return Detail(
        minor, side, detail.bank_ref, detail.refs, _party(found, side, account),
        detail.remittance, detail.return_reason, detail.charges,
    )  # fmt: skip


def _days(
    found: Values, payments: Sequence[Payment], fallback: date | None
) -> tuple[date, date | None]:
    value_on = iso_day(_first(found, "ValDt/Dt", "ValDt/DtTm", "ValDt"))
    booked_on = iso_day(_first(found, "BookgDt/Dt", "BookgDt/DtTm", "BookgDt")) or value_on
    for _, payment_found in payments[:1]:
        booked_on = booked_on or iso_day(_first(payment_found, *_PAYMENT_DAYS))
    booked_on = booked_on or fallback
    if booked_on is None:
        raise StatementInvalid("An entry has neither a booking date nor a value date.")
    return booked_on, value_on


def _key(
    bank_ref: str | None,
    day: date,
    credit: bool,
    minor: int,
    found: Values,
    payments: Sequence[Payment],
    ident: str,
) -> str:
    side = "C" if credit else "D"
    if bank_ref:
        return f"ref:{bank_ref}:{day.isoformat()}:{side}:{minor}"
    digest = hashlib.sha256(f"{ident}|{day}|{side}|{minor}".encode())
    for part in (found, *(p[1] for p in payments)):
        for path, texts in part.items():
            digest.update(f"|{path}={' '.join(texts)}".encode("utf-8", "surrogatepass"))
    return f"sum:{digest.hexdigest()}"


def _references(found: Values) -> Reference:
    structured = [
        ref for path in ("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/CdtrRefInf/CdtrRef")
        for text in found.get(path, ()) if (ref := _said(text))
    ]  # fmt: skip
    documents = [
        text[:ID_MAX] for path in ("RmtInf/Strd/RfrdDocInf/Nb", "RmtInf/Strd/RfrdDocInf/RfrdDocNb")
        for text in found.get(path, ())
    ]  # fmt: skip
    return Reference(
        end_to_end_id=_said(_first(found, "Refs/EndToEndId")),
        payment_info_id=_said(_first(found, "Refs/PmtInfId")),
        instruction_id=_said(_first(found, "Refs/InstrId")),
        transaction_id=_said(_first(found, "Refs/TxId", "Refs/UETR", "Refs/ClrSysRef",
                                    "Refs/Prtry/Ref", "Refs/ChqNb")),
        mandate_id=_said(_first(found, "Refs/MndtId")),
        creditor_ref=structured[0] if structured else None,
        documents=tuple([*structured[1:], *documents][:100]),
    )  # fmt: skip


def _with_batch(refs: Reference, batch: str) -> Reference:
    return Reference(
        refs.end_to_end_id, batch, refs.instruction_id, refs.transaction_id, refs.mandate_id,
        refs.creditor_ref, refs.documents,
    )  # fmt: skip


def _remittance(found: Values) -> str:
    lines = [
        *found.get("RmtInf/Ustrd", ()), *found.get("RmtInf/Strd/AddtlRmtInf", ()),
        *found.get("AddtlTxInf", ()), *found.get("RtrInf/AddtlInf", ()),
    ]  # fmt: skip
    return " ".join(" ".join(lines).split())[:TEXT_MAX]


def _return(found: Values) -> str | None:
    """The reason of a payment that came back; NARR where the bank gives no code."""
    reason = _first(found, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", "RtrInf/RtrRsn/Cd",
                    "RtrInf/RtrRsn/Prtry")  # fmt: skip
    if reason is None and any(path.startswith("RtrInf/") for path in found):
        reason = "NARR"
    return reason[:35] if reason else None


def _party(found: Values, credit: bool, own: str) -> Party:
    """The other side: who paid what came, who was paid what went. A payment that came back names
    the original parties, so the one whose account is ours is never the other side."""
    roles = ("Dbtr", "Cdtr") if credit else ("Cdtr", "Dbtr")
    for role in roles:
        name = _first(found, f"RltdPties/{role}/Nm", f"RltdPties/{role}/Pty/Nm",
                      f"RltdPties/{role}/Agt/FinInstnId/Nm")  # fmt: skip
        number = _first(found, f"RltdPties/{role}Acct/Id/IBAN", f"RltdPties/{role}Acct/Id/Othr/Id",
                        f"RltdPties/{role}Acct/Id/BBAN", f"RltdPties/{role}Acct/Id/PrtryAcct/Id",
                        f"RltdPties/{role}Acct/Prxy/Id")  # fmt: skip
        compact = "".join(number.split()).upper()[:34] if number else None
        if compact == own:
            continue
        ultimate = _first(found, f"RltdPties/Ultmt{role}/Nm", f"RltdPties/Ultmt{role}/Pty/Nm")
        if name or compact or ultimate:
            return Party(
                (name or ultimate or "")[:ID_MAX] or None, compact,
                ultimate[:ID_MAX] if ultimate else None,
            )  # fmt: skip
    name = _first(found, "RltdPties/TradgPty/Nm", "RltdPties/InitgPty/Nm", "RltdPties/Prtry/Pty/Nm")
    return Party(name[:ID_MAX]) if name else Party()


def _charges(node: _Element) -> tuple[Charge, ...]:
    """Records of Chrgs, here or below: v02 has one amount in each, later versions Rcrd lists."""
    done = []
    for child in node.iterchildren("{*}Chrgs"):
        records = list(child.iterchildren("{*}Rcrd")) or [child]
        for record in records:
            found = values(record)
            amount, currency = _first(found, "Amt"), _first(found, "Amt@Ccy")
            if not amount or not currency:
                continue
            credit = _first(found, "CdtDbtInd") == "CRDT"
            included = _first(found, "ChrgInclInd")
            minor = minor_units(amount, currency)
            done.append(Charge(minor, currency, credit, included == "true" if included else None))
    return tuple(done)


def _instructed(
    found: Values, payments: Sequence[Payment], currency: str
) -> tuple[int, str] | None:
    """What was paid before the bank exchanged it, when that was another currency."""
    places = [found, payments[0][1]] if len(payments) == 1 else [found]
    for place in places:
        for path in ("AmtDtls/InstdAmt/Amt", "AmtDtls/TxAmt/Amt"):
            other, text = _first(place, f"{path}@Ccy"), _first(place, path)
            if other and text and other != currency:
                return minor_units(text, other), other
    return None


def _code(found: Values) -> str | None:
    domain = [_first(found, f"BkTxCd/Domn/{p}") for p in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")]
    own = _first(found, "BkTxCd/Prtry/Cd")
    said = "-".join(part for part in domain if part)
    return (f"{said} {own}".strip() if own else said)[:60] or None


def _is_charge(found: Values) -> bool:
    own = (_first(found, "BkTxCd/Prtry/Cd") or "").upper()
    return (
        _first(found, "BkTxCd/Domn/Fmly/SubFmlyCd") in CHARGES
        or re.match("NCHG|NCOM", own) is not None
    )


def _said(text: str | None) -> str | None:
    if text is None or text.upper().replace(" ", "").replace("_", "") in NOT_SAID:
        return None
    return text[:ID_MAX]


def _first(found: Values, *paths: str) -> str | None:
    for path in paths:
        if path in found:
            return found[path][0]
    return None
