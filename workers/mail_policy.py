"""How the headers of our mails are written: as the standard library's SMTP policy does, sooner.

That policy takes every header apart by the grammar when it is set, which costs more than all else
in sending a mail. A line of our own making (a Message-ID, a subject in plain letters) has nothing
to take apart; it is parsed only when it is too long for a line and must be folded. The few values
that describe content are the same in every mail and are taken apart once. Names, addresses and
anything beyond ASCII go the long way.
"""

from __future__ import annotations

from email.headerregistry import HeaderRegistry
from email.policy import SMTP, EmailPolicy
from functools import cache, lru_cache
from typing import Any, Final

ENCODED_WORD: Final = "=?"  # would be read as one


class _Registry(HeaderRegistry):
    """The same class for the same name; the library makes one for each header of each mail."""

    def __getitem__(self, name: str) -> type:
        return _class_of(name.lower())


@cache
def _class_of(name: str) -> type:
    return HeaderRegistry()[name]


_REGISTRY: Final = _Registry()


class OwnHeaders(EmailPolicy):
    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        if not _plain(value):
            return super().header_store_parse(name, value)
        return (name, _of_content(name, value)) if _describes(name) else (name, value)

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        if _describes(name) and _plain(value) and not hasattr(value, "name"):
            return _of_content(name, value)
        return super().header_fetch_parse(name, value)


def _plain(value: Any) -> bool:
    return (
        type(value) is str
        and value != ""
        and value.isascii()
        and value.isprintable()  # no line break among it: nobody smuggles in a header
        and ENCODED_WORD not in value
    )


def _describes(name: str) -> bool:
    return name.lower().startswith(("content-", "mime-"))


@lru_cache(maxsize=256)
def _of_content(name: str, value: str) -> Any:
    """A header is never changed after it was made, so that many mails may share one."""
    return _REGISTRY(name, value)


# Not every server on the way takes 8BITMIME.
SEVEN_BIT: Final = OwnHeaders(linesep=SMTP.linesep, cte_type="7bit", header_factory=_REGISTRY)
