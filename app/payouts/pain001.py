"""Makes the bank file: pain.001.001.09, one payment block, SEPA credit transfers in EUR.

Built by hand on lxml rather than by sepaxml's builder, which takes the wall clock and random ids
into the file: here equal input gives equal bytes. The schema it is checked against is the one
sepaxml carries. Sources: ISO 20022 pain.001.001.09, EPC SEPA credit transfer guidelines (letters
``a-zA-Z0-9/-?:().,'+`` and blank, SLEV, no postal address since name and IBAN are enough).
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from app.domain.errors import InvalidInput
from app.domain.money import Money, sum_money
from app.payouts.iban import check_iban

if TYPE_CHECKING:
    from lxml.etree import XMLSchema, _Element

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
NAME_MAX: Final = 70
REMITTANCE_MAX: Final = 140
ID_MAX: Final = 35
PAYMENTS_MAX: Final = 10_000
AMOUNT_MAX: Final = 99_999_999_999  # 999,999,999.99 EUR, the largest SEPA credit transfer
_OUTSIDE: Final = re.compile(r"[^a-zA-Z0-9/\-?:().,'+ ]")


class PaymentFileInvalid(InvalidInput):
    """A payment cannot be written: no name in Latin letters, wrong account, wrong currency."""

    code = "payment_file_invalid"


@dataclass(frozen=True, slots=True, repr=False)
class Payment:
    """One credit transfer. ``end_to_end_id`` comes back on the statement."""

    end_to_end_id: str
    amount: Money
    name: str
    iban: str
    remittance: str


@dataclass(frozen=True, slots=True, repr=False)
class PaymentFile:
    """Everything the bank needs. ``message_id`` names the file and its one payment block."""

    message_id: str
    created_at: datetime
    execute_on: date
    debtor_name: str
    debtor_iban: str
    debtor_bic: str | None
    payments: tuple[Payment, ...]


def build(content: PaymentFile) -> bytes:
    """The file's bytes: the same for the same content, valid by its schema, sums read back.

    PaymentFileInvalid when a payment cannot be written truthfully.
    """
    _check(content)
    # lxml costs 10 MB of memory: loaded when a file is made, not with the API.
    from lxml import etree

    # The stubs know prefixes only as text; None is the default namespace.
    namespaces: Any = {None: NAMESPACE}
    root = etree.Element(f"{{{NAMESPACE}}}Document", nsmap=namespaces)
    body = _add(root, "CstmrCdtTrfInitn")
    total = sum_money((p.amount for p in content.payments), "EUR")
    _header(body, content, total)
    _payments(body, content, total)
    raw = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    schema = _schema()
    if not schema.validate(etree.fromstring(raw)):
        raise PaymentFileInvalid(
            "The bank file is not valid by its schema.", line=str(schema.error_log)[:200]
        )
    control = read_control(raw)
    assert control == (len(content.payments), total), "the file must say what was ordered"
    return raw


def read_control(raw: bytes) -> tuple[int, Money]:
    """Count and sum of the transfers in a file, read from its transfers; asserts both headers."""
    from lxml import etree  # as in build()

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    names = {"p": NAMESPACE}
    root = etree.fromstring(raw, parser)
    amounts = root.findall(".//p:CdtTrfTxInf/p:Amt/p:InstdAmt", names)
    total = sum_money((Money.parse_bank(a.text or "", a.get("Ccy") or "") for a in amounts), "EUR")
    for block in (*root.findall(".//p:GrpHdr", names), *root.findall(".//p:PmtInf", names)):
        count = block.findtext("p:NbOfTxs", namespaces=names)
        summed = block.findtext("p:CtrlSum", namespaces=names)
        assert count == str(len(amounts)), "NbOfTxs differs from the transfers"
        assert summed == total.format(), "CtrlSum differs from the transfers"
    return len(amounts), total


def latin(text: str, limit: int) -> str:
    """``text`` in the letters every SEPA bank takes; PaymentFileInvalid when nothing is left.

    No leading or double slash, which the guidelines forbid.
    """
    # It reads its tables (4.5 MB) when loaded; the API makes no bank file in most of its days.
    from text_unidecode import unidecode  # type: ignore[import-untyped]  # it ships no types

    plain = _OUTSIDE.sub(" ", unidecode(text))
    plain = re.sub(r"/{2,}", "/", " ".join(plain.split())).strip("/ ")[:limit].strip("/ ")
    if not re.search(r"[A-Za-z0-9]", plain):
        raise PaymentFileInvalid("A name has no letters that a SEPA bank takes.")
    return plain


def _check(content: PaymentFile) -> None:
    if not 1 <= len(content.payments) <= PAYMENTS_MAX:
        raise PaymentFileInvalid("A bank file holds between one and ten thousand payments.")
    ids = [payment.end_to_end_id for payment in content.payments]
    if len(set(ids)) != len(ids):
        raise PaymentFileInvalid("A payment stands twice in the file.")
    for name in (content.message_id, *ids):
        if not re.fullmatch(r"[A-Za-z0-9-]{1,35}", name):
            raise PaymentFileInvalid("An id has letters a bank may change.")
    for payment in content.payments:
        if payment.amount.currency != "EUR" or not 0 < payment.amount.minor <= AMOUNT_MAX:
            raise PaymentFileInvalid("A SEPA transfer is from 0.01 to 999,999,999.99 EUR.")
        if not check_iban(payment.iban).in_sepa:
            raise PaymentFileInvalid("An account is outside SEPA.")


def _header(body: _Element, content: PaymentFile, total: Money) -> None:
    header = _add(body, "GrpHdr")
    _add(header, "MsgId", content.message_id)
    _add(header, "CreDtTm", content.created_at.strftime("%Y-%m-%dT%H:%M:%S"))
    _add(header, "NbOfTxs", str(len(content.payments)))
    _add(header, "CtrlSum", total.format())
    _add(_add(header, "InitgPty"), "Nm", latin(content.debtor_name, NAME_MAX))


def _payments(body: _Element, content: PaymentFile, total: Money) -> None:
    block = _add(body, "PmtInf")
    _add(block, "PmtInfId", content.message_id)
    _add(block, "PmtMtd", "TRF")
    _add(block, "BtchBookg", "false")  # one statement line per payment, so that each settles
    _add(block, "NbOfTxs", str(len(content.payments)))
    _add(block, "CtrlSum", total.format())
    _add(_add(_add(block, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _add(_add(block, "ReqdExctnDt"), "Dt", content.execute_on.isoformat())
    _add(_add(block, "Dbtr"), "Nm", latin(content.debtor_name, NAME_MAX))
    _add(_add(_add(block, "DbtrAcct"), "Id"), "IBAN", check_iban(content.debtor_iban).compact)
    bank = _add(_add(block, "DbtrAgt"), "FinInstnId")
    if content.debtor_bic:
        _add(bank, "BICFI", content.debtor_bic)
    else:
        _add(_add(bank, "Othr"), "Id", "NOTPROVIDED")
    _add(block, "ChrgBr", "SLEV")
    for payment in content.payments:
        _transfer(block, payment)


def _transfer(block: _Element, payment: Payment) -> None:
    transfer = _add(block, "CdtTrfTxInf")
    ids = _add(transfer, "PmtId")
    _add(ids, "EndToEndId", payment.end_to_end_id)
    _add(ids, "UETR", uetr(payment.end_to_end_id))
    amount = _add(_add(transfer, "Amt"), "InstdAmt", payment.amount.format())
    amount.set("Ccy", payment.amount.currency)
    _add(_add(transfer, "Cdtr"), "Nm", latin(payment.name, NAME_MAX))
    _add(_add(_add(transfer, "CdtrAcct"), "Id"), "IBAN", check_iban(payment.iban).compact)
    _add(_add(transfer, "RmtInf"), "Ustrd", latin(payment.remittance, REMITTANCE_MAX))


def uetr(end_to_end_id: str) -> str:
    """The transfer's world-wide id: version 4 by its standard, so made from a hash of ours."""
    digest = hashlib.sha256(f"uetr:{end_to_end_id}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _add(parent: _Element, name: str, value: str | None = None) -> _Element:
    from lxml import etree  # as in build()

    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = value
    return child


@cache
def _schema() -> XMLSchema:
    from lxml import etree  # as in build()

    path = files("sepaxml").joinpath("schemas", "pain.001.001.09.xsd")
    return etree.XMLSchema(etree.fromstring(path.read_bytes()))


def total_of(payments: Sequence[Payment]) -> Money:
    """Sum of payments."""
    return sum_money((payment.amount for payment in payments), "EUR")
