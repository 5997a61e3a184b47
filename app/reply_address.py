"""Addresses that name a case or one of our mails, and cannot be made up by a stranger.

`case+<8 symbols>.<16 symbols>@domain`: the case reference and an 80-bit MAC, both in Crockford's
base 32, so that an address copied by hand or changed in case by a server still works (O = 0,
I = L = 1, hyphens do not count). `bounce+<26 symbols>.<16>@domain` is the return path of one mail:
what comes back there is about that mail. Our Message-IDs carry the same proof.
"""

from __future__ import annotations

import hmac
import re
from uuid import UUID

from app.crypto import derive
from app.domain.errors import InvalidInput
from app.domain.reference import parse_reference

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MAC_SYMBOLS = 16  # five bits each: 80 bits
ID_SYMBOLS = 26  # a 128-bit id
_FOLD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None})
_ADDRESS = re.compile(r"(case|bounce)\+([^.@+]{8,40})\.([^.@+]{16,24})@([^@]+)", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<?([0-9a-z]{26})\.([0-9a-z]{16})@([^@>\s]+)>?", re.IGNORECASE)


class AddressBook:
    """Makes and reads the addresses of one installation."""

    def __init__(self, secret: str, domain: str) -> None:
        self._key = derive(secret, "reply-address")
        self.domain = domain.lower()

    def case_address(self, reference: str) -> str:
        """The address under which answers about this case (`RC-...`) reach us."""
        symbols = _fold(reference.removeprefix("RC-"))
        return f"case+{symbols.lower()}.{self._mac('case', symbols)}@{self.domain}"

    def bounce_address(self, effect_id: UUID) -> str:
        """The return path of the mail that this effect sends."""
        symbols = base32(effect_id.int, ID_SYMBOLS)
        return f"bounce+{symbols.lower()}.{self._mac('bounce', symbols)}@{self.domain}"

    def message_id(self, effect_id: UUID) -> str:
        """The Message-ID of that mail, always the same, with its proof."""
        symbols = base32(effect_id.int, ID_SYMBOLS)
        return f"<{symbols.lower()}.{self._mac('mail', symbols)}@{self.domain}>"

    def case_of(self, address: str) -> str | None:
        """The reference an address names; None when it is not ours or its MAC is wrong."""
        symbols = self._read("case", address)
        if symbols is None:
            return None
        try:
            return parse_reference(f"RC-{symbols}")
        except InvalidInput:
            return None

    def effect_of(self, address: str) -> UUID | None:
        """The effect whose return path this is."""
        return _id(self._read("bounce", address))

    def effect_of_message_id(self, message_id: str) -> UUID | None:
        """The effect whose Message-ID this is (from In-Reply-To or References)."""
        match = _MESSAGE_ID.fullmatch(message_id.strip())
        if match is None or match[3].lower() != self.domain:
            return None
        return _id(self._checked("mail", match[1], match[2]))

    def _read(self, kind: str, address: str) -> str | None:
        match = _ADDRESS.fullmatch(address.strip().strip("<>"))
        if match is None or match[1].lower() != kind or match[4].lower() != self.domain:
            return None
        return self._checked(kind, match[2], match[3])

    def _checked(self, kind: str, symbols: str, mac: str) -> str | None:
        plain = _fold(symbols)
        given = _fold(mac).lower().encode()
        right = hmac.compare_digest(given, self._mac(kind, plain).encode())
        return plain if right else None

    def _mac(self, kind: str, symbols: str) -> str:
        digest = hmac.digest(self._key, f"{kind}:{symbols}".encode(), "sha256")
        return base32(int.from_bytes(digest[:10], "big"), MAC_SYMBOLS).lower()


def base32(number: int, symbols: int) -> str:
    """`number` in Crockford's base 32, padded to `symbols`."""
    out = []
    for _ in range(symbols):
        number, digit = divmod(number, 32)
        out.append(ALPHABET[digit])
    assert number == 0, "the number does not fit"
    return "".join(reversed(out))


def _fold(text: str) -> str:
    return text.upper().translate(_FOLD)


def _id(symbols: str | None) -> UUID | None:
    if symbols is None or len(symbols) != ID_SYMBOLS:
        return None
    number = 0
    for symbol in symbols:
        if symbol not in ALPHABET:
            return None
        number = number * 32 + ALPHABET.index(symbol)
    return UUID(int=number) if number < 1 << 128 else None
