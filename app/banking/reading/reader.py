"""One file of a bank, whatever it is: camt, MT940 or a ZIP of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO, Final

from app.banking.reading import mt940
from app.banking.reading.archive import is_zip, members
from app.banking.reading.camt import read_camt
from app.banking.reading.model import FileRead, Statement, StatementInvalid
from app.domain.errors import TooLarge

FILE_BYTES_MAX: Final = 160 * 1024 * 1024  # 100,000 entries are 70 to 100 MB of camt.053
_HEAD: Final = 64 * 1024
_KNOWN: Final = (
    (b"%PDF", "a PDF"), (b"\x1f\x8b", "a gzip archive"), (b"\x89PNG", "a picture"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"), (b"{", "JSON"), (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"), (b"OFXHEADER", "OFX"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Document:
    """One file of the bank; ``name`` is its name in the archive, if it came in one."""

    name: str
    read: FileRead


def read_file(source: bytes | BinaryIO) -> tuple[Document, ...]:
    """Every document in ``source``. StatementInvalid or TooLarge; nothing is half read.

    A file in an archive that is no statement at all (a PDF beside it) is left out; one that is a
    broken statement refuses the archive.
    """
    stream = BytesIO(source) if isinstance(source, bytes) else source
    size = stream.seek(0, 2)
    stream.seek(0)
    if size > FILE_BYTES_MAX:
        raise TooLarge("The bank file is too large.", limit_bytes=FILE_BYTES_MAX)
    head = stream.read(_HEAD)
    stream.seek(0)
    if not is_zip(head):
        return (Document("", _read_one(stream, head)),)
    done = tuple(_unpacked(stream))
    if not done:
        raise StatementInvalid("The archive holds no bank statement.")
    return done


def statements_of(documents: tuple[Document, ...]) -> list[Statement]:
    return [statement for document in documents for statement in document.read.statements]


def _unpacked(stream: BinaryIO) -> Iterator[Document]:
    for name, content in members(stream):
        head = content.read(_HEAD)
        content.seek(0)
        if not _may_be_a_statement(head):
            continue
        try:
            yield Document(name, _read_one(content, head))
        except StatementInvalid as refused:
            refused.params.setdefault("in_file", name)
            raise


def _may_be_a_statement(head: bytes) -> bool:
    return b"camt.05" in head or b"BkToCstmr" in head or _utf16_xml(head) or mt940.looks_like(head)


def _utf16_xml(head: bytes) -> bool:
    return head[:4] in (b"\xff\xfe<\x00", b"\xfe\xff\x00<", b"<\x00?\x00", b"\x00<\x00?")


def _read_one(stream: BinaryIO, head: bytes) -> FileRead:
    if not head.strip():
        raise StatementInvalid("The file is empty.")
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if bare.startswith(b"<") or _utf16_xml(head):
        return read_camt(stream)
    if mt940.looks_like(head):
        return mt940.read_mt940(stream.read(mt940.FILE_BYTES_MAX + 1))
    if is_zip(head):
        raise StatementInvalid("An archive inside an archive is not opened.")
    what = next((name for mark, name in _KNOWN if bare.startswith(mark)), None)
    raise StatementInvalid(
        "The file is neither camt (053, 052, 054) nor MT940 nor a ZIP of them.",
        **({"looks_like": what} if what else {}),
    )
