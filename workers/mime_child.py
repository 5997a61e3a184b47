"""Reads one mail after the other on standard input and answers with what it says, as JSON.

Runs in a process of its own that may be killed at any time: the standard library's parser can be
made to run for minutes or to exhaust memory by a few kilobytes of header (reliability.md 0).
Only the standard library, YAML, the HTML cleaner and the pure reading of mail are loaded; nothing
here touches the network, and of the disk only the phrase files.
"""

from __future__ import annotations

import email.policy
import json
import os
import re
import resource
import sys
from datetime import datetime
from email.header import decode_header
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any

from app.reading.addresses import case_reference
from app.reading.alerts import alerts_in
from app.reading.html import html_words
from app.reading.mail import ParsedMail, Part, Reading
from app.reading.masking import masked
from app.reading.passed_on import passed_on
from app.reading.reader import read
from app.reading.safe_html import safe_html

MEMORY_BYTES_MAX = 512 * 1024 * 1024
CPU_SECONDS_MAX = 300  # of the whole child; one mail's time is the parent's to watch
NICENESS = 5
HEADER_LINES_MAX = 200
HEADER_BYTES_MAX = 16_384
HEADER_PARAMETERS_MAX = 64
ADDRESSES_MAX = 50
ADDRESS_HEADERS = ("from", "to", "cc", "bcc", "sender", "reply-to", "resent-to", "delivered-to",
                   "return-path", "x-original-to", "subject", "date", "content-type")  # fmt: skip
PARTS_MAX = 100
DEPTH_MAX = 12
TEXT_CHARS_MAX = 100_000
NAME_CHARS_MAX, TYPE_CHARS_MAX = 200, 100
INNER_MAX, INNER_CHARS_MAX = 2, 50_000  # mails inside a mail that are read
LENGTH_BYTES = 4
CHARSETS = re.compile(r"(?i)utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|windows-125\d|koi8-r|latin-?1")
_HEADER = re.compile(rb"(?ms)^([!-9;-~]+):[ \t]?(.*?)(?=^[^ \t]|\Z)")
_ADDRESS = re.compile(r"[^\s<>\"(),:;@\[\]\\]+@[^\s<>\"(),:;@\[\]\\]+")
REPORT_PARTS = ("message/delivery-status", "message/feedback-report", "message/rfc822",
                "text/rfc822-headers")  # fmt: skip
REPORT_CHARS_MAX = 20_000


class OverLimit(Exception):
    """More than an honest mail has; the raw bytes are kept and a person looks."""


def read_mail(raw: bytes) -> dict[str, Any]:
    """Everything the filing needs to know. Raises OverLimit."""
    mail, text, attachments, headers, html = parse_whole(raw)
    sender, doubt = _sender(headers.get("from", []))
    reading = read(mail)
    report = reading.report
    return {
        "sender": sender,
        "doubt": doubt,
        "to": _addresses(headers, "to", "cc", "delivered-to", "x-original-to"),
        "subject": masked(mail.header("subject")[:500]),
        "message_id": headers.get("message-id", [""])[0].strip()[:500],
        "in_reply_to": headers.get("in-reply-to", [""])[0].split()[:5],
        "references": headers.get("references", [""])[0].split()[-20:],
        "automatic": reading.is_automatic,
        "report": None if report is None else {
            "action": report.action, "status": report.status or "", "original": report.original,
            "recipient": report.recipient or "", "permanent": report.permanent,
        },
        "text": masked(text[:TEXT_CHARS_MAX]),
        "attachments": attachments,
        "reading": _reading(reading),
        "case_reference": case_reference(mail, reading.own_text),
        "froms": headers.get("from", [])[:2],
        "results": headers.get("authentication-results", [])[:5],
        "alerts": alerts_in(f"{mail.header('subject')[:500]}\n{reading.own_text}"),
        "html": masked(safe_html(html) or "") or None,
        "inner": _inner(mail, attachments),
    }  # fmt: skip


def parse(
    raw: bytes,
) -> tuple[ParsedMail, str, list[dict[str, Any]], dict[str, list[str]]]:
    """The mail for the reading, the text to keep, its attachments, its headers as they stand.
    Raises OverLimit."""
    return parse_whole(raw)[:4]


def parse_whole(
    raw: bytes,
) -> tuple[ParsedMail, str, list[dict[str, Any]], dict[str, list[str]], str]:
    """As `parse`, and the HTML as it came. Raises OverLimit."""
    head = raw.partition(b"\r\n\r\n")[0] if b"\r\n\r\n" in raw else raw.partition(b"\n\n")[0]
    headers = _headers(head + b"\n")
    _check_shape(raw)
    message = BytesParser(policy=email.policy.compat32).parsebytes(raw)
    plain, html, attachments = _parts(message)
    rich = html_words(html)
    mail = ParsedMail(
        headers=tuple((n, _words(v)) for n, values in headers.items() for v in values),
        content_type=message.get_content_type(),
        text=plain[:TEXT_CHARS_MAX],
        html_text=rich[:TEXT_CHARS_MAX],
        sent_at=_sent_at(headers.get("date", [""])[0]),
        parts=_report_parts(message),
    )
    text = plain if plain.strip() else rich
    return mail, text, attachments, headers, html


def _sent_at(value: str) -> datetime | None:
    try:
        return parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _headers(head: bytes) -> dict[str, list[str]]:
    if head.count(b"\n") > HEADER_LINES_MAX * 4:
        raise OverLimit("header lines")
    found: dict[str, list[str]] = {}
    for count, match in enumerate(_HEADER.finditer(head.replace(b"\r\n", b"\n")), start=1):
        if count > HEADER_LINES_MAX:
            raise OverLimit("headers")
        value = match[2]
        if len(value) > HEADER_BYTES_MAX:
            raise OverLimit("header length")
        if value.count(b";") > HEADER_PARAMETERS_MAX:
            raise OverLimit("header parameters")
        name = match[1].decode("ascii", "replace").lower()
        crowded = value.count(b",") > ADDRESSES_MAX * 4 or value.count(b"(") > ADDRESSES_MAX
        if crowded and name in ADDRESS_HEADERS:  # spam filters write hundreds of brackets elsewhere
            raise OverLimit("addresses")
        text = value.decode("utf-8", "replace").replace("\n", " ").replace("\x00", "")
        found.setdefault(name, []).append(text.strip())
    return found


def _check_shape(raw: bytes) -> None:
    """Counts of boundaries and part headers before the parser walks into them."""
    if raw.lower().count(b"content-type:") > PARTS_MAX + DEPTH_MAX:
        raise OverLimit("parts")
    if len(re.findall(rb"(?i)boundary\s*=", raw)) > PARTS_MAX:
        raise OverLimit("nested parts")
    # A part's own header may hold what the main header may not.
    for line in re.finditer(rb"(?im)^content-(?:type|disposition):[^\n]*(?:\n[ \t][^\n]*)*", raw):
        if len(line[0]) > HEADER_BYTES_MAX or line[0].count(b";") > HEADER_PARAMETERS_MAX:
            raise OverLimit("part header")


def _parts(message: Any) -> tuple[str, str, list[dict[str, Any]]]:
    """The plain words, the HTML, and what else hangs on it; a mail inside the mail is attached."""
    plain: list[str] = []
    html: list[str] = []
    attachments: list[dict[str, Any]] = []
    walked = 0
    reported = message.get_content_type() == "multipart/report"
    stack: list[tuple[Any, int]] = [(message, 0)]
    while stack:
        part, depth = stack.pop(0)
        walked += 1
        if walked > PARTS_MAX or depth > DEPTH_MAX:
            raise OverLimit("parts")
        kind = part.get_content_type()
        if part.get_content_maintype() == "multipart" and not part.is_multipart():
            plain.append(
                _decoded(part)
            )  # its boundary is broken: what stands there is read as it is
            continue
        if part.is_multipart():
            if kind == "message/rfc822" and not reported:
                attachments.append(_inner_mail(part))
            elif kind not in REPORT_PARTS:
                stack = [(p, depth + 1) for p in part.get_payload()] + stack
            continue
        name = part.get_filename()
        if name is None and kind in ("text/plain", "text/html"):
            (plain if kind == "text/plain" else html).append(_decoded(part))
        else:
            data = part.get_payload(decode=True) or b""
            shown = _words(name or "")[:NAME_CHARS_MAX]
            attachments.append(
                {"type": kind[:TYPE_CHARS_MAX], "name": shown, "bytes": len(data), "data": data}
            )
    return "\n".join(plain).replace("\x00", ""), "\n".join(html).replace("\x00", ""), attachments


def _inner(mail: ParsedMail, attachments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The mails inside this one: passed on below its words, or hanging on it."""
    found: list[dict[str, Any]] = []
    told = passed_on(mail.text or mail.html_text)
    if told is not None:
        headers = (("from", told.sender), ("subject", told.subject))
        inner = ParsedMail(headers=headers, text=told.text, sent_at=mail.sent_at)
        found.append(_as_inner(told.sender, told.subject, told.text, inner))
    files = [one["data"] for one in attachments if one["type"] == "message/rfc822"]
    for data in files[: INNER_MAX - len(found)]:
        try:
            inner, text, _, headers_of = parse(data)
        except (OverLimit, ValueError, LookupError, RecursionError):
            continue  # it stays a file, for a person
        sender, _ = _sender(headers_of.get("from", []))
        found.append(_as_inner(sender or "", inner.header("subject")[:500], text, inner))
    return found


def _as_inner(sender: str, subject: str, text: str, mail: ParsedMail) -> dict[str, Any]:
    reading = read(mail)
    return {
        "sender": sender, "subject": masked(subject), "text": masked(text[:INNER_CHARS_MAX]),
        "automatic": reading.is_automatic, "reading": _reading(reading),
    }  # fmt: skip


def _reading(reading: Reading) -> dict[str, Any]:
    said = reading.as_json()
    return said | {"own_text": masked(said["own_text"])}


def _inner_mail(part: Any) -> dict[str, Any]:
    """A mail that hangs on this one: a file like any other."""
    inner = part.get_payload(0)
    data = inner.as_bytes()
    name = part.get_filename() or f"{inner.get('subject') or 'mail'}.eml"
    shown = _words(str(name))[:NAME_CHARS_MAX]
    return {"type": "message/rfc822", "name": shown, "bytes": len(data), "data": data}


def _report_parts(message: Any) -> tuple[Part, ...]:
    """The parts that say which mail came back and why."""
    found: list[Part] = []
    for part in message.walk():
        kind = part.get_content_type()
        if kind in REPORT_PARTS and len(found) < PARTS_MAX:
            payload = part.get_payload()
            inner = "\n\n".join(map(str, payload)) if isinstance(payload, list) else str(payload)
            found.append(Part(kind, inner[:REPORT_CHARS_MAX].replace("\x00", "")))
    return tuple(found)


def _decoded(part: Any) -> str:
    data = part.get_payload(decode=True) or b""
    charset = str(part.get_content_charset() or "utf-8")
    if not CHARSETS.fullmatch(charset):
        charset = "utf-8"
    try:
        return str(data[: TEXT_CHARS_MAX * 4].decode(charset, "replace"))
    except LookupError:
        return str(data[: TEXT_CHARS_MAX * 4].decode("utf-8", "replace"))


def _sender(froms: list[str]) -> tuple[str | None, str | None]:
    """Exactly one From with exactly one address, on which parser and plain reading agree."""
    if len(froms) != 1:
        return None, "no_from" if not froms else "several_from"
    raw = froms[0]
    parsed = [a for _, a in getaddresses([raw]) if a]
    seen = _ADDRESS.findall(raw)
    if len(parsed) != 1 or len(seen) != 1 or parsed[0].lower() != seen[0].lower():
        return None, "doubtful_from"
    return parsed[0].lower(), None


def _addresses(headers: dict[str, list[str]], *names: str) -> list[str]:
    found: dict[str, None] = {}
    for name in names:
        for value in headers.get(name, []):
            for address in _ADDRESS.findall(value)[:ADDRESSES_MAX]:
                found[address.lower()] = None
    return list(found)[:ADDRESSES_MAX]


def _words(value: str) -> str:
    """A header with its encoded words read; left as it is when they are broken."""
    try:
        pieces = decode_header(value)
        text = "".join(
            p.decode(c if c and CHARSETS.fullmatch(c) else "utf-8", "replace")
            if isinstance(p, bytes) else p
            for p, c in pieces
        )  # fmt: skip
    except (ValueError, LookupError):
        text = value
    return re.sub(r"[\x00-\x1f]+", " ", text).strip()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)  # who waits for the API goes first
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(LENGTH_BYTES):
        raw = source.read(int.from_bytes(head, "big"))
        try:
            answer = read_mail(raw)
        except OverLimit as limit:
            answer = {"refused": f"over the limit: {limit}"}
        # A mail may make the parser fail in any way; the parent keeps the raw bytes for a person.
        except Exception as failure:
            answer = {"refused": type(failure).__name__}
        # The files follow the words, each as long as was said of it.
        files = [one.pop("data") for one in answer.get("attachments", ())]
        body = json.dumps(answer, ensure_ascii=True).encode()
        sink.write(len(body).to_bytes(LENGTH_BYTES, "big") + body)
        for data in files:
            sink.write(data)
        sink.flush()
