"""Reads one mail after the other on standard input and answers with what it says, as JSON.

Runs in a process of its own that may be killed at any time: the standard library's parser can be
made to run for minutes or to exhaust memory by a few kilobytes of header (reliability.md 0).
Only the standard library is loaded; nothing here touches the network or the disk.
"""

from __future__ import annotations

import email.policy
import json
import re
import resource
import sys
from email.header import decode_header
from email.parser import BytesParser
from email.utils import getaddresses
from html.parser import HTMLParser
from typing import Any

MEMORY_BYTES_MAX = 512 * 1024 * 1024
CPU_SECONDS_MAX = 300  # of the whole child; one mail's time is the parent's to watch
HEADER_LINES_MAX = 200
HEADER_BYTES_MAX = 16_384
HEADER_PARAMETERS_MAX = 64
ADDRESSES_MAX = 50
PARTS_MAX = 100
DEPTH_MAX = 12
TEXT_CHARS_MAX = 100_000
LENGTH_BYTES = 4
CHARSETS = re.compile(r"(?i)utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|windows-125\d|koi8-r|latin-?1")
_HEADER = re.compile(rb"(?ms)^([!-9;-~]+):[ \t]?(.*?)(?=^[^ \t]|\Z)")
_ADDRESS = re.compile(r"[^\s<>\"(),:;@\[\]\\]+@[^\s<>\"(),:;@\[\]\\]+")
AUTOMATIC_PRECEDENCE = ("bulk", "junk", "list", "auto_reply")
REPORTS = ("delivery-status", "disposition-notification")


class OverLimit(Exception):
    """More than an honest mail has; the raw bytes are kept and a person looks."""


def read_mail(raw: bytes) -> dict[str, Any]:
    """Everything the filing needs to know. Raises OverLimit."""
    head = raw.partition(b"\r\n\r\n")[0] if b"\r\n\r\n" in raw else raw.partition(b"\n\n")[0]
    headers = _headers(head + b"\n")
    _check_shape(raw)
    message = BytesParser(policy=email.policy.compat32).parsebytes(raw)
    texts, attachments = _parts(message)
    sender, doubt = _sender(headers.get("from", []))
    return {
        "sender": sender,
        "doubt": doubt,
        "to": _addresses(headers, "to", "cc", "delivered-to", "x-original-to"),
        "subject": _words(headers.get("subject", [""])[0])[:500],
        "message_id": headers.get("message-id", [""])[0].strip()[:500],
        "in_reply_to": headers.get("in-reply-to", [""])[0].split()[:5],
        "references": headers.get("references", [""])[0].split()[-20:],
        "automatic": _automatic(headers, message),
        "report": _report(message),
        "text": texts[:TEXT_CHARS_MAX],
        "attachments": attachments,
    }


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
        if value.count(b",") > ADDRESSES_MAX * 4 or value.count(b"(") > ADDRESSES_MAX:
            raise OverLimit("addresses")
        name = match[1].decode("ascii", "replace").lower()
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


def _parts(message: Any) -> tuple[str, list[dict[str, Any]]]:
    plain: list[str] = []
    html: list[str] = []
    attachments: list[dict[str, Any]] = []
    walked = 0
    stack: list[tuple[Any, int]] = [(message, 0)]
    while stack:
        part, depth = stack.pop(0)
        walked += 1
        if walked > PARTS_MAX or depth > DEPTH_MAX:
            raise OverLimit("parts")
        if part.is_multipart():
            stack = [(p, depth + 1) for p in part.get_payload()] + stack
            continue
        kind = part.get_content_type()
        name = part.get_filename()
        if name is None and kind in ("text/plain", "text/html"):
            (plain if kind == "text/plain" else html).append(_decoded(part))
        else:
            data = part.get_payload(decode=True) or b""
            attachments.append({"type": kind, "bytes": len(data)})
    text = "\n".join(plain) if any(p.strip() for p in plain) else _Text.of("\n".join(html))
    return text.replace("\x00", ""), attachments


def _decoded(part: Any) -> str:
    data = part.get_payload(decode=True) or b""
    charset = str(part.get_content_charset() or "utf-8")
    if not CHARSETS.fullmatch(charset):
        charset = "utf-8"
    try:
        return str(data[: TEXT_CHARS_MAX * 4].decode(charset, "replace"))
    except LookupError:
        return str(data[: TEXT_CHARS_MAX * 4].decode("utf-8", "replace"))


class _Text(HTMLParser):
    """The words of an HTML body, without scripts, styles or anything that would run."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.silent = 0

    @classmethod
    def of(cls, html: str) -> str:
        reader = cls()
        reader.feed(html[: TEXT_CHARS_MAX * 4])
        return re.sub(r"\n{3,}", "\n\n", "".join(reader.out)).strip()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in ("script", "style", "head", "title"):
            self.silent += 1
        if tag in ("p", "br", "div", "tr", "li", "h1", "h2", "h3"):
            self.out.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head", "title"):
            self.silent = max(0, self.silent - 1)

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.out.append(data)


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


def _automatic(headers: dict[str, list[str]], message: Any) -> bool:
    """Written by a machine (RFC 3834 and what is common)."""
    submitted = headers.get("auto-submitted", ["no"])[0].split(";")[0].strip().lower()
    precedence = headers.get("precedence", [""])[0].strip().lower()
    if submitted != "no" or precedence in AUTOMATIC_PRECEDENCE:
        return True
    if any(name.startswith("list-") for name in headers):
        return True
    if headers.get("return-path", ["x"])[0].strip() == "<>":
        return True
    if any(n in headers for n in ("x-autoreply", "x-autorespond", "x-auto-response-suppress")):
        return True
    return bool(message.get_content_type() == "multipart/report")


def _report(message: Any) -> dict[str, Any] | None:
    """What a bounce says: which mail, and whether for good."""
    if message.get_content_type() != "multipart/report":
        return None
    action, status, original = "", "", ""
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            fields = "\n".join(str(p) for p in part.get_payload()) if part.is_multipart() else ""
            found = re.search(r"(?im)^action:\s*(\w+)", fields)
            action = found[1].lower() if found else action
            found = re.search(r"(?im)^status:\s*(\d\.\d{1,3}\.\d{1,3})", fields)
            status = found[1] if found else status
        elif kind in ("message/rfc822", "text/rfc822-headers"):
            found = re.search(r"(?im)^message-id:\s*(<[^>\s]{1,300}>)", str(part))
            original = found[1] if found else original
    return {"action": action, "status": status, "original": original}


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
        body = json.dumps(answer, ensure_ascii=True).encode()
        sink.write(len(body).to_bytes(LENGTH_BYTES, "big") + body)
        sink.flush()


if __name__ == "__main__":
    main()
