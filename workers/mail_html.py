"""The HTML alternative of a mail: the same words, nothing else. No picture, no style from outside,
no link but to our own address, so that nobody is followed and nothing is fetched."""

from __future__ import annotations

import re
from html import escape
from typing import Final

_PARAGRAPHS: Final = re.compile(r"\n[ \t]*\n+")
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_STYLE: Final = "font-family:sans-serif;font-size:16px;line-height:1.5;max-width:40em"


def html_of(words: str, *, language: str, our_url: str) -> str:
    """`words` as a page, line ends kept; addresses under `our_url` can be clicked."""
    paragraphs = [p.strip("\n") for p in _PARAGRAPHS.split(words.replace("\r\n", "\n"))]
    body = "\n".join(
        f"<p>{_linked(p, our_url).replace(chr(10), '<br>' + chr(10))}</p>"
        for p in paragraphs
        if p.strip()
    )
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n'
        '<head><meta charset="utf-8"></head>\n'
        f'<body style="{_STYLE}">\n{body}\n</body>\n</html>\n'
    )


def _linked(words: str, our_url: str) -> str:
    """Escaped. What others wrote into a mail (a name, a company) never becomes a link."""
    out, at = [], 0
    for match in _ADDRESS.finditer(words):
        if match[0] != our_url and not match[0].startswith((f"{our_url}/", f"{our_url}#")):
            continue
        shown = escape(match[0])
        out += [escape(words[at : match.start()]), f'<a href="{shown}">{shown}</a>']
        at = match.end()
    return "".join([*out, escape(words[at:])])
