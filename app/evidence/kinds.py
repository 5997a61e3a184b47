"""What a file is, told by its bytes and never by its name or what the sender called it."""

from __future__ import annotations

import re

HEAD_BYTES = 4_096  # enough for every signature below and for telling text from binary

PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
TEXT, MAIL = "text/plain", "message/rfc822"
KINDS = (PDF, JPEG, PNG, TEXT, MAIL)
EXTENSIONS = {PDF: "pdf", JPEG: "jpg", PNG: "png", TEXT: "txt", MAIL: "eml"}
SIZE_MIN = 2  # bytes: nothing of these kinds is shorter

_MAIL_HEADER = re.compile(
    rb"(?im)^(from|to|subject|date|message-id|received|return-path|mime-version): ?\S"
)
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Text kinds a browser or a shell would run; they are not plain text whatever they are called.
_ACTIVE = (b"<!doctype html", b"<html", b"<script", b"<svg", b"<?xml", b"#!", b"%!ps")


def kind_of(head: bytes) -> str | None:
    """The media type of a file by its first bytes, None for anything we do not take.

    A PDF must start with its signature at byte 0: readers that search for it further in are how
    files that are two kinds at once get around.
    """
    if head.startswith(b"%PDF-"):
        return PDF
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(_PNG_SIGNATURE) and head[12:16] == b"IHDR":
        return PNG
    if not _is_text(head):
        return None
    header = head.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0]
    if len(_MAIL_HEADER.findall(header)) >= 2:
        return MAIL
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return None if start.startswith(_ACTIVE) else TEXT


def _is_text(head: bytes) -> bool:
    """UTF-8 (a character may be cut at the end of the head) without control characters."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text.strip()) and not any(
        (ord(c) < 32 and c not in "\t\n\r\f") or c == "\x7f" for c in text
    )


def agrees(declared: str, found: str) -> bool:
    """Whether the declared type may stand for what was found: a mail is also plain text."""
    return declared == found or (declared, found) == (TEXT, MAIL)
