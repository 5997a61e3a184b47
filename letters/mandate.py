"""What a consumer signed, on a durable medium: the mandate, how it was signed, the page shown."""

import re
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final, Literal

from letters.errors import LetterInvalid
from letters.letter import Letter
from letters.values import Value, long_text

HASH: Final = re.compile(r"[0-9a-f]{64}")
DRAWING: Final = re.compile(r"(?:M\d{1,4} \d{1,4}(?:L\d{1,4} \d{1,4})+){1,200}")
DRAWING_CHARS_MAX: Final = 40_000  # characters: some four thousand points

Heading = Literal[
    "service", "steps", "alone", "fee", "withdrawal", "leaving", "late", "start_now", "complaint",
    "data", "public",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PagePart(Value):
    """One heading of the page before signing, with its sentences as they were shown."""

    heading: Heading
    lines: tuple[str, ...] = long_text()


@dataclass(frozen=True, kw_only=True)
class NetShown(Value):
    """One outcome as it was shown; minor units, None is nothing."""

    outcome: str
    recovered_minor: int | None
    fee_minor: int | None
    vat_minor: int | None
    yours_minor: int | None


@dataclass(frozen=True, kw_only=True)
class SignedMandate(Letter):
    """To the claimant, at once after signing. The first of `claimants` signed, `signed_name` is
    what they wrote; `acting` signed for them (guardian or proxy) and says as what. `signed_time`
    is the hour in the case's zone. `start_text`: the request to begin at once, as it was shown;
    None: we wait until `waits_until`. `drawing`: strokes of a drawn signature on a field of
    1000 by 300, as path commands."""

    kind: ClassVar[str] = "signed_mandate"
    needs: ClassVar[tuple[str, ...]] = ("claimants", "mandate_texts", "page", "nets")
    claims: ClassVar[bool] = False
    sources: ClassVar[dict[str, str]] = {
        **Letter.sources, "recipient": "consumer", "signed_name": "mandate", "page": "mandate",
        "nets": "mandate", "mandate_texts": "mandate", "text_sha256": "mandate",
        "page_sha256": "mandate",
    }  # fmt: skip

    mandate_texts: tuple[str, ...] = long_text()
    signed_name: str
    acting: str | None = None
    acting_as: Literal["guardian", "proxy"] | None = None
    relation: str | None = None
    level: Literal["typed", "drawn", "qualified", "wet_ink"]
    signed_on: date
    signed_time: str
    network_address: str | None = None
    device: str | None = long_text(default=None)
    drawing: str | None = long_text(default=None)
    text_version: str
    text_sha256: str
    page_sha256: str
    fee_rule: str
    start_text: str | None = long_text(default=None)
    waits_until: date | None = None
    valid_until: date | None = None
    page: tuple[PagePart, ...]
    nets: tuple[NetShown, ...]
    nets_currency: str

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("text_sha256", "page_sha256"):
            if not HASH.fullmatch(getattr(self, name)):
                raise LetterInvalid(name, "is not a SHA-256 in hex")
        if (self.acting is None) != (self.acting_as is None):
            raise LetterInvalid("acting_as", "who acts for somebody says as what")
        if self.drawing is not None and not is_drawing(self.drawing):
            raise LetterInvalid("drawing", "is not a drawn signature")
        if self.signed_on > self.dated:
            raise LetterInvalid("signed_on", "lies after the letter's date")


def is_drawing(path: str) -> bool:
    """Strokes and nothing else: `M x y` and `L x y` in whole units."""
    return len(path) <= DRAWING_CHARS_MAX and DRAWING.fullmatch(path) is not None
