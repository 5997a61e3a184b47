"""Checks an IBAN before it is encrypted: form, check digits, length of the country, SEPA or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.domain.errors import InvalidInput

INPUT_MAX: Final = 50  # 34 characters and the blanks of groups of four

# Countries and territories of the SEPA schemes by IBAN prefix (European Payments Council list;
# Albania, Moldova, Montenegro, North Macedonia and Serbia joined in 2025 and 2026).
_SEPA: Final = (
    "AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK "
    "MT NL NO PL PT RO RS SE SI SK SM VA"
)
SEPA_PREFIXES: Final = frozenset(_SEPA.split())


class IbanInvalid(InvalidInput):
    """The text is not an IBAN: wrong letters, length or check digits."""

    code = "iban_invalid"


@dataclass(frozen=True, slots=True, repr=False)
class CheckedIban:
    """A valid IBAN in compact form. It has no repr, so that no log shows the number."""

    compact: str

    @property
    def country(self) -> str:
        """ISO 3166 code of the country the account is in."""
        return self.compact[:2]

    @property
    def last4(self) -> str:
        """What may be shown."""
        return self.compact[-4:]

    @property
    def in_sepa(self) -> bool:
        """True when a SEPA credit transfer reaches it."""
        return self.country in SEPA_PREFIXES


def check_iban(text: str) -> CheckedIban:
    """The IBAN in ``text``; blanks and case do not count, other signs are refused.

    IbanInvalid never quotes the text: what a person mistypes is still personal data.
    """
    compact = re.sub(r"[ \u00a0]", "", text).upper()
    if len(text) > INPUT_MAX or not re.fullmatch(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}", compact):
        raise IbanInvalid("This is not an IBAN.")
    # schwifty reads its bank registry (some 20 MB) when it is loaded, so only once one is needed.
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException

    try:
        IBAN(compact)
    except SchwiftyException:
        raise IbanInvalid("The IBAN has a typing mistake.") from None
    return CheckedIban(compact)
