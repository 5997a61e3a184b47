"""A ZIP with several bank files: names are only words, sizes are what is really unpacked."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, cast

from app.banking.reading.model import StatementInvalid

MEMBERS_MAX: Final = 500
UNPACKED_MAX: Final = 400 * 1024 * 1024
RATIO_MAX: Final = 200  # XML of a bank shrinks 10 to 40 times; a bomb a thousand times
SMALL: Final = 4 * 1024 * 1024  # below this a member stays in memory
_CHUNK: Final = 256 * 1024
_ENCRYPTED: Final = 0x1
# What zipfile raises on damaged archives, found by throwing wrong bytes at it.
_BROKEN: Final = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError,
    RuntimeError, ValueError, OverflowError, KeyError,
)  # fmt: skip


def is_zip(head: bytes) -> bool:
    return head[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def members(source: BinaryIO) -> Iterator[tuple[str, BinaryIO]]:
    """Name and content of each file inside. StatementInvalid for what is broken, encrypted,
    nested, or larger than any bank's day."""
    try:
        with zipfile.ZipFile(source) as archive:
            if not all(i.filename for i in archive.infolist()):
                raise StatementInvalid("A file in the archive has no name.")
            infos = [i for i in archive.infolist() if not i.is_dir() and _counts(i.filename)]
            if len(infos) > MEMBERS_MAX:
                raise StatementInvalid("The archive holds too many files.", limit=MEMBERS_MAX)
            left = UNPACKED_MAX
            for info in infos:
                name = info.filename[-120:]
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise StatementInvalid("A file in the archive is packed unusually.", name=name)
                if info.flag_bits & _ENCRYPTED:
                    raise StatementInvalid("A file in the archive is encrypted.", name=name)
                with _unpacked(archive, info, left) as content:
                    left -= content.seek(0, 2)
                    content.seek(0)
                    yield name, content
    except _BROKEN as error:
        raise StatementInvalid("The archive is broken.") from error


def _counts(name: str) -> bool:
    """Not what computers add of themselves."""
    last = name.rpartition("/")[2]
    return "__MACOSX" not in name and not last.startswith(".") and last != "Thumbs.db"


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> BinaryIO:
    content = SpooledTemporaryFile(max_size=SMALL)  # noqa: SIM115  # the caller closes it
    size, most = 0, min(limit, max(info.compress_size, 1024) * RATIO_MAX)
    with archive.open(info) as member:
        while chunk := member.read(_CHUNK):
            size += len(chunk)
            if size > most:
                content.close()
                raise StatementInvalid(
                    "A file in the archive is too large.", name=info.filename[-120:]
                )
            content.write(chunk)
    content.seek(0)
    return cast(BinaryIO, content)
