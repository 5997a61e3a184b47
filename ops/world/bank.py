"""The bank of the simulated world: empties the folder of payment files, keeps the client account,
and writes a camt.053 statement for every banking morning on which somebody asks for one.

Statements follow each other without a gap: each opens where the last one closed.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET  # reads only files our own export wrote
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from app.domain.bank_refs import rf_reference
from app.domain.money import Money

if TYPE_CHECKING:
    from ops.world.tale import Tale, World

STATEMENT_AT = time(5, 30)  # UTC: after midnight everywhere west to New York, before any office
CURRENCY = "EUR"
_SPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"


@dataclass(frozen=True)
class Entry:
    """One line; `minor` below zero left the account."""

    minor: int
    bank_ref: str
    end_to_end_id: str = ""
    reference: str = ""
    text: str = ""
    name: str = ""
    account: str = ""
    reason: str = ""


class Bank:
    """One client account."""

    def __init__(
        self, folder: Path, out: Path, iban: str, returns: dict[str, tuple[str, int]]
    ) -> None:
        self.folder, self.out, self.iban = folder, out, iban
        self.returns = returns  # IBAN -> (reason, days): accounts the money comes back from
        self.waiting: list[Entry] = []
        self.balance = 0
        self.statements = 0
        self.last_at: datetime | None = None
        self._seen: set[str] = set()
        self._number = 0

    def pay(self, tale: Tale, amount: str, *, text: str, rf: bool) -> None:
        """A company orders a transfer to us; it stands on the next statement."""
        money = Money.parse(amount, CURRENCY)
        self._add(
            Entry(
                money.minor,
                self._ref(),
                reference=rf_reference(tale.payment_reference) if rf else "",
                text=text,
                name=tale.company_name,
                account=iban_of(tale.company_name),
            )
        )

    def stranger(self, amount: str, name: str, text: str) -> None:
        """Money of somebody no story knows."""
        self._add(
            Entry(
                Money.parse(amount, CURRENCY).minor,
                self._ref(),
                text=text,
                name=name,
                account=iban_of(name),
            )
        )

    def _ref(self) -> str:
        self._number += 1
        return f"WB{self._number:010d}"

    def _add(self, entry: Entry) -> None:
        self.waiting.append(entry)

    def collect(self, world: World) -> None:
        """Take the payment files from the folder and carry them out."""
        for file in sorted(self.out.glob("*.xml")):
            if file.name in self._seen:
                continue
            self._seen.add(file.name)
            world.count("payment_files")
            for payment in read_payments(file.read_bytes()):
                self._debit(world, payment)

    def _debit(self, world: World, payment: Payment) -> None:
        self._add(
            Entry(
                -payment.minor,
                self._ref(),
                end_to_end_id=payment.end_to_end_id,
                text=payment.text,
                name=payment.name,
                account=payment.iban,
            )
        )
        found = self.returns.pop(payment.iban, None)
        if found is None:
            return
        reason, days = found

        async def give_back() -> None:
            self._add(
                Entry(
                    payment.minor,
                    self._ref(),
                    end_to_end_id=payment.end_to_end_id,
                    text="RETURNED",
                    name=payment.name,
                    account=payment.iban,
                    reason=reason,
                )
            )

        world.after(days + 1, "the bank returns a payment", give_back)

    def due_by(self, until: datetime) -> datetime | None:
        """The last morning up to `until` whose statement nobody has seen yet."""
        day = until.date()
        while True:
            at = datetime.combine(day, STATEMENT_AT, until.tzinfo)
            if self.last_at is not None and at <= self.last_at:
                return None
            if at <= until and day.weekday() < 5:
                return at
            day -= timedelta(days=1)

    def next_morning(self, now: datetime) -> datetime:
        """The first morning after now that brings a statement."""
        day = now.date()
        while True:
            at = datetime.combine(day, STATEMENT_AT, now.tzinfo)
            if at > now and day.weekday() < 5:
                return at
            day += timedelta(days=1)

    def statement(self, at: datetime) -> bytes:
        """What happened since the last one."""
        self.statements += 1
        self.last_at = at
        entries, self.waiting = self.waiting, []
        opening = self.balance
        self.balance += sum(entry.minor for entry in entries)
        assert self.balance >= 0, "nobody pays out what is not there"
        raw = camt053(entries, opening, self.balance, self.statements, self.iban, at.date())
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"statement-{self.statements:04d}-{at.date()}.xml").write_bytes(raw)
        return raw


@dataclass(frozen=True)
class Payment:
    end_to_end_id: str
    minor: int
    iban: str
    name: str
    text: str


def read_payments(raw: bytes) -> list[Payment]:
    """The transfers of a pain.001 file, whatever its namespace version."""
    found = []
    for node in ET.fromstring(raw).iter():  # noqa: S314  # our own export, see above
        if not node.tag.endswith("}CdtTrfTxInf"):
            continue
        say = {
            child.tag.rpartition("}")[2]: (child.text or "").strip()
            for child in node.iter()
            if child.text and child.text.strip()
        }
        amount = next(c for c in node.iter() if c.tag.endswith("}InstdAmt"))
        money = Money.parse_bank((amount.text or "").strip(), amount.attrib["Ccy"])
        found.append(
            Payment(
                say["EndToEndId"], money.minor, say["IBAN"], say.get("Nm", ""), say.get("Ustrd", "")
            )
        )
    return found


def iban_of(name: str) -> str:
    """An account for a company: made up, with right check digits (mod 97)."""
    body = str(int.from_bytes(sha256(name.encode()).digest()[:8], "big"))[:14].zfill(14)
    check = 98 - int(body + "1518" + "00") % 97  # F = 15, I = 18
    return f"FI{check:02d}{body}"


# --- the file --------------------------------------------------------------------------------


def camt053(
    entries: list[Entry], opening: int, closing: int, number: int, iban: str, day: date
) -> bytes:
    lines = "".join(_entry(entry, day) for entry in entries)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{_SPACE}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>WORLD-{number}</MsgId><CreDtTm>{day}T05:30:00</CreDtTm></GrpHdr>"
        f"<Stmt><Id>WORLD-{number:05d}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>"
        f"<CreDtTm>{day}T05:30:00</CreDtTm><Acct><Id><IBAN>{iban}</IBAN></Id>"
        f"<Ccy>{CURRENCY}</Ccy></Acct>{_balance('OPBD', opening, day)}"
        f"{_balance('CLBD', closing, day)}{lines}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _balance(code: str, minor: int, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(minor)}"
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _amount(minor: int) -> str:
    side = "CRDT" if minor >= 0 else "DBIT"
    text = Money(abs(minor), CURRENCY).format()
    return f'<Amt Ccy="{CURRENCY}">{text}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _entry(entry: Entry, day: date) -> str:
    party = "Dbtr" if entry.minor >= 0 else "Cdtr"
    remittance = f"<Ustrd>{escape(entry.text)}</Ustrd>" if entry.text else ""
    if entry.reference:
        remittance += f"<Strd><CdtrRefInf><Ref>{entry.reference}</Ref></CdtrRefInf></Strd>"
    reason = f"<RtrInf><Rsn><Cd>{entry.reason}</Cd></Rsn></RtrInf>" if entry.reason else ""
    return (
        f"<Ntry>{_amount(entry.minor)}<Sts>BOOK</Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<AcctSvcrRef>{entry.bank_ref}</AcctSvcrRef><NtryDtls><TxDtls><Refs>"
        f"<EndToEndId>{entry.end_to_end_id or 'NOTPROVIDED'}</EndToEndId></Refs>"
        f"{_amount(entry.minor)}<RltdPties><{party}><Nm>{escape(entry.name)}</Nm></{party}>"
        f"<{party}Acct><Id><IBAN>{entry.account}</IBAN></Id></{party}Acct></RltdPties>"
        f"<RmtInf>{remittance}</RmtInf>{reason}</TxDtls></NtryDtls></Ntry>"
    )
