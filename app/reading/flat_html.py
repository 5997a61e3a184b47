"""HTML whose elements nest no deeper than a limit, in time linear in its length.

The cost of an HTML parser grows with the square of the nesting: each tag may look at all that are
open. Beyond a limit that no mail of people reaches, elements are taken out and their words stay.
What is left is written balanced, so that the parser after us never has more open than we do.
"""

from __future__ import annotations

import re
from typing import Final

DEPTH_MAX: Final = 100
TAGS_SURE: Final = 100  # a mail with no more start tags cannot nest deeper
VOID: Final = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "keygen", "link", "meta", "param",
    "source", "track", "wbr",
))  # fmt: skip
# Inside these nothing is a tag until their own end.
RAW: Final = frozenset((
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes",
))  # fmt: skip
_CELLS: Final = frozenset(("td", "th"))
# Elements that people leave open: the next of their kind ends them.
IMPLIED: Final = {
    "p": frozenset(("p",)), "li": frozenset(("li", "p")), "option": frozenset(("option",)),
    "dt": frozenset(("dt", "dd", "p")), "dd": frozenset(("dt", "dd", "p")),
    "td": _CELLS | {"p"}, "th": _CELLS | {"p"}, "tr": _CELLS | {"tr", "p"},
    "tbody": _CELLS | {"tr", "thead", "tbody", "p"}, "tfoot": _CELLS | {"tr", "tbody", "p"},
}  # fmt: skip
_OPENS: Final = re.compile(r"<(?:!--|[!?]|(/?)([a-zA-Z][^\s/>]*))")
# Where a tag ends: at the first > outside a quoted value. Each search goes forward only.
_TAG_END: Final = re.compile(r"""=[ \t\r\n\f]*(?:"[^"]*"|'[^']*')|>""")


def flat_html(html: str) -> str:
    """`html` as it is when it has few tags, else balanced and at most DEPTH_MAX deep."""
    if html.count("<") <= TAGS_SURE:
        return html
    return _Flat(html).made()


class _Flat:
    def __init__(self, html: str) -> None:
        self.html = html
        self.out: list[str] = []
        self.open: list[str] = []
        self.count: dict[str, int] = {}  # how many of each are open: no search through the stack
        self.left_out: dict[str, int] = {}  # start tags taken out, whose ends are taken out too

    def made(self) -> str:
        at = 0
        while (found := _OPENS.search(self.html, at)) is not None:
            self.out.append(self.html[at : found.start()])
            end = self._end_of(found)
            if end < 0:  # a tag that never ends: a parser drops the rest too
                at = len(self.html)
                break
            if found[2] is None:
                at = end  # a comment or a declaration: says nothing
                continue
            at = self._tag(found, end)
        self.out.append(self.html[at:])
        while self.open:
            self._close()
        return "".join(self.out)

    def _end_of(self, found: re.Match[str]) -> int:
        if found[0] == "<!--":
            end = self.html.find("-->", found.start() + 2)
            return end + 3 if end >= 0 else -1
        at = found.end()
        while (part := _TAG_END.search(self.html, at)) is not None:
            if part[0] == ">":
                return part.end()
            at = part.end()
        return -1

    def _tag(self, found: re.Match[str], end: int) -> int:
        """Where to go on after this tag."""
        name, whole = found[2].lower(), self.html[found.start() : end]
        if found[1]:
            self._end_tag(name)
        elif name in RAW:
            return self._raw(name, whole, end)
        elif name in VOID:
            self.out.append(whole)
        else:
            self._start_tag(name, whole)
        return end

    def _start_tag(self, name: str, whole: str) -> None:
        ended = IMPLIED.get(name, frozenset())
        while self.open and self.open[-1] in ended:
            self._close()
        if len(self.open) >= DEPTH_MAX:
            self.left_out[name] = self.left_out.get(name, 0) + 1
            self.out.append(" ")
            return
        self.open.append(name)
        self.count[name] = self.count.get(name, 0) + 1
        self.out.append(whole.replace("/>", ">") if whole.endswith("/>") else whole)

    def _end_tag(self, name: str) -> None:
        if self.left_out.get(name):
            self.left_out[name] -= 1
            return
        if not self.count.get(name):
            return
        while self._close() != name:
            pass

    def _close(self) -> str:
        name = self.open.pop()
        self.count[name] -= 1
        self.out.append(f"</{name}>")
        return name

    def _raw(self, name: str, whole: str, end: int) -> int:
        """Script, style and the like with all that is in them, as they came."""
        close = re.compile(f"</{name}[^>]*>", re.IGNORECASE).search(self.html, end)
        after = close.end() if close else len(self.html)
        self.out.append(whole + self.html[end:after])
        return after
