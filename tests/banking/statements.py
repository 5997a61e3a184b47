"""Writes camt.053 files as a bank does, for the tests of the reader and of the import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from xml.sax.saxutils import escape

from app.domain.money import Money

DAY = date(2026, 3, 2)
IBAN = "FI2112345600000785"


@dataclass(frozen=True)
class Line:
    """One entry. ``minor`` above zero is a credit, below zero a debit."""

    minor: int
    end_to_end_id: str | None = None
    reference: str | None = None
    text: str = ""
    name: str | None = None
    account: str | None = None
    bank_ref: str | None = None
    reason: str | None = None
    pmt_inf_id: str | None = None
    family: str | None = None
    status: str = "BOOK"
    details: Sequence[Line] = field(default_factory=tuple)


def statement(
    lines: Sequence[Line],
    *,
    opening: int,
    ident: str = "S1",
    sequence: int | None = 1,
    closing: int | None = None,
    iban: str = IBAN,
    currency: str = "EUR",
    day: date = DAY,
) -> str:
    """One <Stmt>; the closing balance is computed unless a wrong one is wanted."""
    booked = sum(line.minor for line in lines if line.status == "BOOK")
    closing = opening + booked if closing is None else closing
    number = f"<ElctrncSeqNb>{sequence}</ElctrncSeqNb>" if sequence is not None else ""
    entries = "".join(_entry(line, currency, day) for line in lines)
    return (
        f"<Stmt><Id>{ident}</Id>{number}<CreDtTm>{day}T20:00:00</CreDtTm>"
        f"<Acct><Id><IBAN>{iban}</IBAN></Id><Ccy>{currency}</Ccy></Acct>"
        f"{_balance('OPBD', opening, currency, day)}{_balance('CLBD', closing, currency, day)}"
        f"{entries}</Stmt>"
    )


def camt053(*statements: str, version: str = "02") -> bytes:
    """A whole file."""
    space = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{space}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>M1</MsgId></GrpHdr>{''.join(statements)}</BkToCstmrStmt></Document>"
    ).encode()


def _balance(code: str, minor: int, currency: str, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(minor, currency)}"
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _amount(minor: int, currency: str) -> str:
    side = "CRDT" if minor >= 0 else "DBIT"
    text = Money(abs(minor), currency).format()
    return f'<Amt Ccy="{currency}">{text}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _entry(line: Line, currency: str, day: date) -> str:
    ref = f"<AcctSvcrRef>{line.bank_ref}</AcctSvcrRef>" if line.bank_ref else ""
    family = (
        f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>{line.family}</SubFmlyCd>"
        "</Fmly></Domn></BkTxCd>"
        if line.family
        else ""
    )
    details = "".join(_details(d, currency) for d in (line.details or (line,)))
    return (
        f"<Ntry>{_amount(line.minor, currency)}<Sts>{line.status}</Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt>{ref}{family}<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def _details(line: Line, currency: str) -> str:
    refs = f"<EndToEndId>{line.end_to_end_id or 'NOTPROVIDED'}</EndToEndId>"
    if line.pmt_inf_id:
        refs = f"<PmtInfId>{line.pmt_inf_id}</PmtInfId>" + refs
    party = "Dbtr" if line.minor >= 0 else "Cdtr"
    parties = ""
    if line.name:
        parties += f"<{party}><Nm>{escape(line.name)}</Nm></{party}>"
    if line.account:
        parties += f"<{party}Acct><Id><IBAN>{line.account}</IBAN></Id></{party}Acct>"
    remittance = ""
    if line.text:
        remittance += f"<Ustrd>{escape(line.text)}</Ustrd>"
    if line.reference:
        remittance += f"<Strd><CdtrRefInf><Ref>{line.reference}</Ref></CdtrRefInf></Strd>"
    reason = f"<RtrInf><Rsn><Cd>{line.reason}</Cd></Rsn></RtrInf>" if line.reason else ""
    return (
        f"<TxDtls><Refs>{refs}</Refs>{_amount(line.minor, currency)}"
        f"<RltdPties>{parties}</RltdPties><RmtInf>{remittance}</RmtInf>{reason}</TxDtls>"
    )
