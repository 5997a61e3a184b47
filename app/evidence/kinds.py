"""What a file is, told by its bytes and never by its name or what the sender called it."""

from __future__ import annotations

import codecs
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
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
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


class TextCheck:
    """Whether all of a file is text, piece by piece: its head alone may hide what comes after."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.holds = True

    def feed(self, piece: bytes, *, last: bool = False) -> None:
        try:
            text = self._decoder.decode(piece, last) if self.holds else ""
        except UnicodeDecodeError:
            self.holds = False
            return
        self.holds = self.holds and not _controls(text)


def kind_of_whole(data: bytes) -> str | None:
    """The media type of bytes in hand; text must be text to its end."""
    found, whole = kind_of(data[:HEAD_BYTES]), TextCheck()
    if found in (TEXT, MAIL):
        whole.feed(data, last=True)
    return found if whole.holds else None


def _controls(text: str) -> bool:
    return _CONTROL.search(text) is not None


def _is_text(head: bytes) -> bool:
    """UTF-8 (a character may be cut at the end of the head) without control characters."""
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return bool(text.strip()) and not _controls(text)


def agrees(declared: str, found: str) -> bool:
    """Whether the declared type may stand for what was found: a mail is also plain text."""
    return declared == found or (declared, found) == (TEXT, MAIL)
