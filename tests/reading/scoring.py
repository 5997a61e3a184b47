"""Labelled mails, read, and what was right: shared by the tests of the reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import yaml

from app.reading.mail import ParsedMail, Reading
from app.reading.reader import read
from workers.mime_child import parse

DATA = Path(__file__).resolve().parent.parent / "data" / "reading"
# Kinds that say the company gives money, and what must never be taken for one of them.
MONEY = {"accept_full", "accept_part", "already_paid", "paid_consumer_directly", "offer_goodwill"}
NEVER_MONEY = {"deny_flat", "deny_reasoned", "offer_voucher", "promise_date", "not_us", "unclear"}


@dataclass
class Score:
    """How many of how many were right, by field; the wrong ones; the costly mistakes."""

    right: Counter[str] = field(default_factory=Counter)
    all: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    costly: list[str] = field(default_factory=list)

    def share(self, name: str) -> float:
        return self.right[name] / self.all[name]


def own_mails(*files: str) -> Iterator[tuple[dict[str, Any], Reading]]:
    for name in files:
        for label in yaml.safe_load((DATA / name).read_text(encoding="utf-8")):
            headers = {"from": label["from"], "subject": label["subject"], "date": label["date"]}
            headers |= {k.lower(): v for k, v in label.get("headers", {}).items()}
            sent = parsedate_to_datetime(str(label["date"]))
            mail = ParsedMail(
                tuple((k, str(v)) for k, v in headers.items()), text=label["text"], sent_at=sent
            )
            yield label, read(mail)


def sample_replies(folder: Path) -> Iterator[tuple[dict[str, Any], Reading]]:
    found = yaml.safe_load((folder / "labels.yaml").read_text(encoding="utf-8"))
    for label in found if isinstance(found, list) else found["messages"]:
        mail = parse((folder / label["file"]).read_bytes())[0]
        yield label, read(mail)


def score(rows: Iterator[tuple[dict[str, Any], Reading]]) -> Score:
    result = Score()
    for label, reading in rows:
        name = str(label.get("file") or label["id"])
        for what, (got, wanted) in compared(label, reading).items():
            result.all[what] += 1
            result.right[what] += got == wanted
            if got != wanted:
                result.wrong.append(f"{name} {what}: {got!r}, not {wanted!r}")
        result.costly += [f"{name}: {mistake}" for mistake in costly(label, reading)]
    return result


def compared(label: dict[str, Any], reading: Reading) -> dict[str, tuple[Any, Any]]:
    amount = label.get("amount")
    minor = None if amount is None else int(Decimal(str(amount)) * 100)
    pairs: dict[str, tuple[Any, Any]] = {
        "kind": (reading.kind, label["kind"]),
        "is_automatic": (reading.is_automatic, label.get("is_automatic", False)),
        "language": (reading.language, label["language"]),
        "amount": (
            (reading.amount_minor, reading.currency),
            (minor, label.get("currency")),
        ),
        "promised_date": (_text(reading.promised_date), _text(label.get("promised_date"))),
        "deadline_for_us": (_text(reading.deadline_for_us), _text(label.get("deadline_for_us"))),
        "ticket_number": (reading.ticket_number, label.get("ticket_number")),
    }
    if label.get("own_text"):
        pairs["own_text"] = (reading.own_text[: len(label["own_text"])], label["own_text"])
    return pairs


def costly(label: dict[str, Any], reading: Reading) -> list[str]:
    mistakes = []
    if reading.kind in MONEY and label["kind"] in NEVER_MONEY:
        mistakes.append(f"{label['kind']} read as {reading.kind}")
    if label.get("is_automatic", False) and not reading.is_automatic:
        mistakes.append("a machine's mail read as a person's")
    if reading.is_automatic and not label.get("is_automatic", False):
        mistakes.append("a person's mail read as a machine's")
    return mistakes


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
