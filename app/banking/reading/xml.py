"""XML of a bank, a piece at a time and without danger.

No document type, no entity, no network; one statement's head, entry or payment at most
``PIECE_MAX`` bytes, so that no file makes a large tree whatever stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from app.banking.reading.model import StatementInvalid

if TYPE_CHECKING:
    from lxml.etree import _Element

CHUNK: Final = 64 * 1024
PIECE_MAX: Final = 2 * 1024 * 1024
# Empty elements cost far more in memory than in the file: that many may stand in one piece.
PIECE_TAGS_MAX: Final = 60_000
STATEMENTS: Final = ("Stmt", "Rpt", "Ntfctn")
TAGS: Final = tuple(f"{{*}}{name}" for name in (*STATEMENTS, "Ntry", "TxDtls"))
_ENCODING: Final = re.compile(rb"^<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
UTF8_BOM: Final = b"\xef\xbb\xbf"


class NotUtf8(StatementInvalid):
    """The file says it is UTF-8 and is not."""


def pieces(source: BinaryIO, *, encoding: str | None = None) -> Iterator[tuple[str, _Element]]:
    """Statements as they open (``start``) and statements, entries and payments as they close
    (``end``), in the order of the file; the ``root`` alone where there is nothing of the kind.
    The consumer removes what it has read.

    Raises StatementInvalid; NotUtf8 when reading again as Latin-1 may help.
    """
    # lxml costs 10 MB of memory: loaded when the first statement comes, not with the API.
    from lxml import etree

    parser = etree.XMLPullParser(
        events=("start", "end"), tag=TAGS, encoding=encoding, resolve_entities=False,
        no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    since, tags, seen = 0, 0, False
    chunk = _first(source)
    try:
        while chunk:
            parser.feed(chunk)
            since, tags = since + len(chunk), tags + chunk.count(b"<")
            for event, node in cast("Iterator[tuple[str, _Element]]", parser.read_events()):
                if not seen:
                    seen = True
                    _without_doctype(node)
                since = tags = 0
                yield event, node
            if since > PIECE_MAX or tags > PIECE_TAGS_MAX + CHUNK // 8:
                raise StatementInvalid("One entry of the file is too large.")
            chunk = source.read(CHUNK)
        root = parser.close()
    except etree.XMLSyntaxError as error:
        raise _readable(error) from error
    except (ValueError, LookupError) as error:
        raise StatementInvalid("The file is not well-formed XML.") from error
    if not seen:
        _without_doctype(root)
        yield "root", root


def _first(source: BinaryIO) -> bytes:
    """The first chunk, without the blanks that some banks put before the declaration."""
    chunk = source.read(CHUNK)
    return chunk.removeprefix(UTF8_BOM).lstrip(b" \t\r\n") if chunk[:1] != b"<" else chunk


def _without_doctype(node: _Element) -> None:
    if node.getroottree().docinfo.internalDTD is not None:
        raise StatementInvalid("The file declares a document type; statements have none.")


def _readable(error: Exception) -> StatementInvalid:
    words = str(error)
    if "not proper UTF-8" in words or "Invalid bytes" in words or "invalid byte" in words.lower():
        return NotUtf8("The file says it is UTF-8 and is not.")
    if "ntity" in words or "DOCTYPE" in words or "oop" in words:
        return StatementInvalid("The file declares a document type; statements have none.")
    return StatementInvalid("The file is not well-formed XML.", parser=words[:160])


def local(tag: object) -> str:
    """The name without its namespace."""
    return str(tag).rpartition("}")[2]


def space(tag: object) -> str:
    """The namespace without the name."""
    return str(tag).rpartition("}")[0].removeprefix("{")


Values = dict[str, list[str]]
_PRUNED: Final = frozenset({"Ntry", "TxDtls"})


class _Place:
    """A path of local names with what was seen below it: names are put together once."""

    __slots__ = ("below", "currency", "path", "pruned")

    def __init__(self, path: str, *, pruned: bool = False) -> None:
        self.path, self.currency, self.pruned = path, f"{path}@Ccy", pruned
        self.below: dict[object, _Place] = {}


_ROOT: Final = _Place("")
PLACES_MAX: Final = 5_000
_places = 0


def _place(above: _Place, tag: object) -> _Place:
    global _places  # a hostile file invents names: only so many are kept
    name = local(tag)
    place = _Place(f"{above.path}/{name}" if above.path else name, pruned=name in _PRUNED)
    if _places < PLACES_MAX:
        _places += 1
        above.below[tag] = place
    return place


def values(node: _Element) -> Values:
    """Every text below ``node`` by its path of local names (``Refs/EndToEndId``), an attribute
    as ``Amt@Ccy``, in the order of the file. Payments and entries are read on their own."""
    found: Values = {}
    _collect(node, _ROOT, found)
    return found


def _collect(node: _Element, above: _Place, found: Values) -> None:
    for child in node:
        tag = child.tag
        here = above.below.get(tag) or _place(above, tag)
        if here.pruned:
            continue
        if len(child):
            _collect(child, here, found)
        else:
            text = child.text
            if text and (text := text.strip()):
                if here.path in found:
                    found[here.path].append(text)
                else:
                    found[here.path] = [text]
        currency = child.get("Ccy")
        if currency is not None:
            found.setdefault(here.currency, []).append(currency.strip())
