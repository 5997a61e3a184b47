"""A parsed mail, as the parser hands it to the reading, and what the reading answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

KINDS = (
    "accept_full", "accept_part", "already_paid", "ask_identity_or_mandate", "ask_info",
    "auto_ack", "body_ack", "body_asks_info", "body_decision", "bounce_hard", "bounce_soft",
    "consumer_message", "deny_flat", "deny_reasoned", "legal_threat", "newsletter_or_spam",
    "not_us", "offer_goodwill", "offer_voucher", "out_of_office", "paid_consumer_directly",
    "portal_only", "promise_date", "unclear",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is neither text: its type and, of reports, its content."""

    type: str
    text: str


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """`headers` in their order, names in small letters, encoded words read. `text` is the plain
    part, `html_text` what the HTML part reads as (quotes marked with `> `); either may be empty.
    `sent_at` is the Date header with its own offset. `parts` are those of reports and bounces."""

    headers: tuple[tuple[str, str], ...]
    content_type: str = "text/plain"
    text: str = ""
    html_text: str = ""
    sent_at: datetime | None = None
    parts: tuple[Part, ...] = ()

    def header(self, name: str) -> str:
        """The first header of that name, or the empty text."""
        return next((v for n, v in self.headers if n == name), "")

    def all(self, name: str) -> list[str]:
        return [v for n, v in self.headers if n == name]

    def has(self, name: str) -> bool:
        return any(n == name for n, _ in self.headers)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why: what was found (`sign`), and the words (`start`-`end` of `own_text`; -1: a header)."""

    sign: str
    words: str
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Bounce:
    """A report that a mail of ours did not arrive. `recipient`: the address we wrote to.
    `action` as reported; `status` by RFC 3463, None where the report names none; `permanent` by
    its first digit.
    `original`: the Message-ID of the mail that came back."""

    recipient: str | None
    status: str | None
    permanent: bool
    action: str = ""
    original: str = ""


@dataclass(slots=True)
class Reading:
    """What one mail says. Money in minor units of `currency`; an amount without currency is no
    money (points). `confidence` 0-1 in `kind`; below 0.5 the kind is `unclear`."""

    is_automatic: bool = False
    kind: str = "unclear"
    confidence: float = 0.0
    language: str = ""
    own_text: str = ""
    amount_minor: int | None = None
    currency: str | None = None
    promised_date: date | None = None
    deadline_for_us: date | None = None
    ticket_number: str | None = None
    bounce: Bounce | None = None
    report: Bounce | None = None  # the bounce, or what else was reported about a mail of ours
    forwarded: str = ""
    parts_disagree: bool = False
    evidence: list[Evidence] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """As `recourse mail read --json` prints it, without trust and address."""
        bounce = self.bounce
        return {
            "is_automatic": self.is_automatic,
            "kind": self.kind,
            "confidence": round(self.confidence, 2),
            "language": self.language,
            "own_text": self.own_text,
            "amount_minor": self.amount_minor,
            "currency": self.currency,
            "promised_date": self.promised_date.isoformat() if self.promised_date else None,
            "deadline_for_us": self.deadline_for_us.isoformat() if self.deadline_for_us else None,
            "ticket_number": self.ticket_number,
            "bounce": None if bounce is None else {
                "recipient": bounce.recipient, "status": bounce.status,
                "permanent": bounce.permanent,
            },
            "parts_disagree": self.parts_disagree,
            "evidence": [
                {"sign": e.sign, "words": e.words, "start": e.start, "end": e.end}
                for e in self.evidence
            ],
        }  # fmt: skip
