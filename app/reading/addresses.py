"""Our own per-case address and reference in a mail, found however they were mangled on the way.

Nothing here proves anything: an address is checked against its MAC by app.reply_address, and a
reference in a subject or text only suggests a case (reliability.md 6.1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.reading.mail import ParsedMail

ADDRESS_HEADERS = (
    "to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to",
    "x-forwarded-to", "resent-to", "x-rcpt-to", "apparently-to", "x-delivered-to",
)  # fmt: skip
FOUND_MAX = 20
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SYMBOL = "[0-9A-Za-z]"
_CASE = re.compile(
    rf"(?<![0-9A-Za-z])case(?P<join>[+.=_-]|%2b)(?:rc[-_. ]?)?"
    rf"(?P<symbols>{_SYMBOL}{{4}}[-_]?{_SYMBOL}{{4}})"
    rf"(?:[._-](?P<mac>{_SYMBOL}{{1,24}}))?@(?P<domain>[0-9A-Za-z.-]{{1,190}})",
    re.IGNORECASE,
)
_REFERENCE = re.compile(
    rf"(?<![0-9A-Za-z])RC[-_ ]?({_SYMBOL}{{4}})[-_ ]?({_SYMBOL}{{4}})(?![0-9A-Za-z])", re.I
)


@dataclass(frozen=True, slots=True)
class CaseAddress:
    """An address of ours as it should have been written; `whole`: with a token of full length."""

    address: str
    reference: str
    whole: bool


def case_addresses(mail: ParsedMail, *more: str) -> list[CaseAddress]:
    """Per-case addresses in the address headers and `more` (the envelope), each once."""
    found: dict[str, CaseAddress] = {}
    for value in (*more, *(v for n in ADDRESS_HEADERS for v in mail.all(n))):
        for match in _CASE.finditer(re.sub(r"\s+", "", value)):
            symbols = re.sub(r"[-_]", "", match["symbols"]).upper()
            mac = (match["mac"] or "").lower()
            domain = match["domain"].lower().rstrip(".-")
            address = (
                f"case+{symbols.lower()}.{mac}@{domain}" if mac else f"case+{symbols}@{domain}"
            )
            found.setdefault(address, CaseAddress(address, written(symbols), len(mac) >= 16))
            if len(found) >= FOUND_MAX:
                return list(found.values())
    return list(found.values())


def references(text: str) -> list[str]:
    """`RC-....-....` in a text, each once: suggestions, whether or not the check symbol fits."""
    found = dict.fromkeys(written(a + b) for a, b in _REFERENCE.findall(text))
    return list(found)[:FOUND_MAX]


def written(symbols: str) -> str:
    """`RC-1234-5678`: O read as 0, I and L as 1, whether or not the check symbol fits."""
    plain = symbols.upper().translate(_READ_AS)
    return f"RC-{plain[:4]}-{plain[4:]}"


def case_reference(mail: ParsedMail, own: str) -> str | None:
    """The one case a mail names: by address and by the letter it answers, else its subject, else
    its text; None when two differ, for then a person decides."""
    answered = " ".join(mail.all("in-reply-to") + mail.all("references"))
    proofs = [a.reference for a in case_addresses(mail)] + references(answered)
    for named in (proofs, references(mail.header("subject")), references(own),
                  references(mail.text or mail.html_text)):  # fmt: skip
        found = list(dict.fromkeys(named))
        if found:
            return found[0] if len(found) == 1 else None
    return None
