"""The self-filing pack as files: pure words from what is known of a case.

The consumer writes in their own name; nothing speaks of us as their agent. The same case on the
same day gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from app.law.ics import calendar
from app.selfhelp.texts import Texts

PAY_DAYS: Final = 14  # the consumer's own wish, no statutory period
LINE_ENDS: Final = "\r\n"  # a text for any machine


@dataclass(frozen=True, slots=True)
class BodyTold:
    """Who decides if the company does not pay, as its record says."""

    name: str
    url: str | None
    address: tuple[str, ...]
    languages: tuple[str, ...]
    fee: tuple[int, str] | None  # minor units and currency; None: not known
    opens: date | None
    closes: date | None
    first: str | None  # the body that must have been asked before


@dataclass(frozen=True, slots=True)
class Known:
    """What the pack is made of. Amounts are minor units of `currency`; `grounds` are laws by name;
    `papers` and `letters` are (day, name)."""

    language: str
    on: date
    reference: str
    people: tuple[tuple[str, tuple[str, ...]], ...]  # name, lines of the address
    company: str
    company_address: tuple[str, ...]
    booking: str | None
    story: str
    currency: str
    items: tuple[tuple[str, int], ...]
    grounds: tuple[str, ...]
    reasons: tuple[str, ...]
    body: BodyTold | None
    limitation: date | None
    acts: tuple[Mapping[str, Any], ...]
    papers: tuple[tuple[date, str], ...]
    letters: tuple[tuple[date, str], ...]


def make(known: Known) -> bytes:
    """The ZIP: what to do, the letter, the complaint (where a body decides), papers, dates."""
    texts = Texts(known.language)
    files = {
        texts.line("name_readme"): _readme(known, texts),
        texts.line("name_letter"): _letter(known, texts),
        texts.line("name_papers"): _papers(known, texts),
    }
    if known.body is not None:
        files[texts.line("name_complaint")] = _complaint(known, texts, known.body)
    packed = {f"{name}.txt": f"\ufeff{text}".encode() for name, text in files.items()}
    if dates := _dates(known, texts):
        packed[f"{texts.line('name_dates')}.ics"] = calendar(
            {"acts": dates}, of=known.reference, on=known.on
        ).encode()
    return _zipped(packed, known.on)


def _zipped(files: Mapping[str, bytes], on: date) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (on.year, on.month, on.day, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, files[name])
    return held.getvalue()


def _text(*blocks: Sequence[str]) -> str:
    return (2 * LINE_ENDS).join(LINE_ENDS.join(block) for block in blocks if block) + LINE_ENDS


def _readme(known: Known, texts: Texts) -> str:
    body, lines = known.body, []
    if body is not None:
        lines = _about(body, texts)
    limit = []
    if known.limitation is not None:
        limit = [texts.line("too_late_after", day=texts.day(known.limitation))]
    steps = [texts.line("step_letter", days=PAY_DAYS), texts.line("step_proof")]
    if body is not None:
        steps.append(texts.line("step_body", body=body.name))
    steps.append(texts.line("step_dates"))
    return _text(
        [texts.line("readme_title", reference=known.reference)],
        [texts.line("readme_intro", company=known.company)],
        [f"{n}. {step}" for n, step in enumerate(steps, 1)],
        lines,
        limit,
        [texts.line("not_advice", day=texts.day(known.on))],
    )


def _about(body: BodyTold, texts: Texts) -> list[str]:
    lines = [texts.line("body_head", body=body.name)]
    lines += [body.url] if body.url else []
    lines += list(body.address)
    if body.first is not None:
        lines.append(texts.line("body_first", body=body.first))
    if body.fee is not None:
        minor, currency = body.fee
        lines.append(
            texts.line("body_fee", fee=texts.money(minor, currency))
            if minor
            else texts.line("body_free")
        )
    lines.append(texts.line("body_languages", languages=", ".join(body.languages)))
    if body.opens is not None:
        lines.append(texts.line("body_opens", day=texts.day(body.opens)))
    if body.closes is not None:
        lines.append(texts.line("body_closes", day=texts.day(body.closes)))
    return lines


def _letter(known: Known, texts: Texts) -> str:
    asked = texts.line("letter_asks", sum=_total(known, texts), days=PAY_DAYS)
    then = (
        texts.line("letter_then", body=known.body.name) if known.body else texts.line("letter_next")
    )
    return _text(
        *_heads(known, texts),
        [known.company, *known.company_address],
        [texts.line("letter_subject", booking=known.booking or known.company)],
        [texts.line("greeting")],
        [texts.line("letter_opens")],
        known.story.splitlines(),
        _list(texts.line("why"), [*known.reasons]),
        _list(texts.line("law"), [*known.grounds]),
        _list(texts.line("claim"), _sums(known, texts)),
        [asked, texts.line("letter_account")],
        [then],
        [texts.line("farewell")],
        [name for name, _ in known.people],
        _list(texts.line("enclosed"), [name for _, name in known.papers]),
    )


def _complaint(known: Known, texts: Texts, body: BodyTold) -> str:
    sent = [f"{texts.day(day)}: {what}" for day, what in known.letters]
    return _text(
        *_heads(known, texts),
        [body.name, *body.address],
        [texts.line("complaint_subject", company=known.company)],
        _list(texts.line("other_side"), [known.company, *known.company_address]),
        [texts.line("what_happened")],
        known.story.splitlines(),
        _list(texts.line("tried"), [*sent, texts.line("tried_own")]),
        _list(texts.line("why"), [*known.reasons]),
        _list(texts.line("law"), [*known.grounds]),
        _list(texts.line("claim"), _sums(known, texts)),
        [texts.line("complaint_asks", sum=_total(known, texts))],
        [name for name, _ in known.people],
        _list(texts.line("enclosed"), [name for _, name in known.papers]),
    )


def _papers(known: Known, texts: Texts) -> str:
    papers = [f"{texts.day(day)}: {name}" for day, name in known.papers]
    sent = [f"{texts.day(day)}: {what}" for day, what in known.letters]
    return _text(
        [texts.line("papers_title", reference=known.reference)],
        _list(texts.line("papers_yours"), papers) or [texts.line("papers_none")],
        _list(texts.line("papers_ours"), sent),
        [texts.line("papers_where")],
    )


def _heads(known: Known, texts: Texts) -> list[list[str]]:
    return [*([name, *lines] for name, lines in known.people), [texts.day(known.on)]]


def _list(head: str, lines: Sequence[str]) -> list[str]:
    return [head, *(f"- {line}" for line in lines)] if lines else []


def _sums(known: Known, texts: Texts) -> list[str]:
    return [f"{what}: {texts.money(minor, known.currency)}" for what, minor in known.items]


def _total(known: Known, texts: Texts) -> str:
    return texts.money(sum(minor for _, minor in known.items), known.currency)


def _dates(known: Known, texts: Texts) -> list[dict[str, Any]]:
    """The free acts, the body's last day and the claim's, as far as they lie ahead."""
    dates = [dict(act) for act in known.acts]
    ends = {"limitation": known.limitation, "body": known.body.closes if known.body else None}
    for code, day in ends.items():
        if day is not None and day >= known.on:
            dates.append({
                "code": code, "last_day": day.isoformat(), "act": texts.line(f"date_{code}"),
                "why": texts.line(f"date_{code}_why"),
            })  # fmt: skip
    return dates
