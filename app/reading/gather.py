"""What a mail holds, gathered from its own words for the rules and the model of kinds."""

from __future__ import annotations

import re

from app.reading.amounts import amounts, only_named
from app.reading.clauses import TEXT_CHARS_MAX, Clause
from app.reading.dates import Day, days
from app.reading.findings import Found
from app.reading.mail import ParsedMail
from app.reading.own_text import OwnText
from app.reading.phrases import Phrases, common_pattern, everywhere


def gather(
    mail: ParsedMail, words: OwnText, found: list[Clause], known: Phrases, automatic: bool
) -> tuple[Found, list[Day]]:
    """What the rules ask about, and every day the mail names."""
    text = words.text[:TEXT_CHARS_MAX]
    every = amounts(text, known)
    sums = [a for a in every if not only_named(a, text, known, alone=len(every) == 1)]
    asked = [a for a in every if a not in sums]
    sent = mail.sent_at.date() if mail.sent_at else None
    named = days(text, sent, known) if sent else []
    placed = [(n, d) for n, c in enumerate(found) for d in named if c.start <= d.start < c.end]
    lawyer = everywhere("lawyer").search(re.sub(r"[@.<>\"_-]", " ", mail.header("from")))
    about = Found(
        own=words.text,
        clauses=found,
        amounts=sums,
        claimed=amounts(words.quoted[:10_000], known) + asked,
        automatic=automatic,
        is_body=_is_body(mail, found),
        # "on Saturday" may be the last one
        coming={n for n, d in placed if sent and d.day > sent and (d.span or not d.relative)},
        private_sender=_is_private(mail),
        from_lawyer=lawyer is not None,
        dated={n for n, _ in placed},
        past={n for n, d in placed if sent and d.day <= sent and not d.relative},
    )
    return about, named


def _is_body(mail: ParsedMail, found: list[Clause]) -> bool:
    """The sender calls itself a body, or speaks as only a body does."""
    sender = re.sub(r"[@.<>\"_-]", " ", mail.header("from"))
    return everywhere("body_name").search(sender) is not None and not any(
        c.has("threat") and c.has("lawyer") for c in found
    )


def _is_private(mail: ParsedMail) -> bool:
    """An address of a person: no office in front of the @, no office in the name."""
    address = re.search(r"([^\s<>\"]+)@([^\s<>\"]+)", mail.header("from"))
    if address is None:
        return False
    local = re.sub(r"[._+-]", " ", address[1])
    return common_pattern("role_names").search(local) is None and (
        common_pattern("private_mail").search(address[2].split(".")[0]) is not None
        or re.fullmatch(r"[a-zà-ÿ]+[._][a-zà-ÿ]+\d*", address[1].lower()) is not None
    )
