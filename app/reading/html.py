"""The words of an HTML body: paragraphs and lines kept, quotes marked, nothing hidden read."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from app.reading.flat_html import flat_html

HTML_CHARS_MAX = 400_000
SILENT = frozenset(("script", "style", "head", "title", "template", "noscript", "svg", "math"))
VOID = frozenset(("br", "hr", "img", "input", "meta", "link", "col", "area", "base", "wbr"))
BLOCKS = frozenset(("div", "tr", "li", "ul", "ol", "table", "section", "article", "td", "pre"))
PARAGRAPHS = frozenset(("p", "h1", "h2", "h3", "h4", "blockquote"))
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all"
    r"|(?:font-size|max-height|opacity)\s*:\s*0(?:px|pt|em|%)?\s*(?:;|$|!)"
    r"|(?<!-)color\s*:\s*(?:white|#fff(?:fff)?)\s*(?:;|$|!)",
    re.IGNORECASE,
)
_QUOTE_CLASS = re.compile(r"gmail_quote|yahoo_quoted|moz-cite|protonmail_quote|divRplyFwdMsg", re.I)
SIGNATURE_MARK = "\x02"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.open: list[tuple[str, str]] = []  # tag and what it makes its words: "", silent, quote
        self.silent = 0
        self.quote = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {k: v or "" for k, v in attrs}
        if tag in PARAGRAPHS:
            self._break(2)
        elif tag in BLOCKS or tag == "br":
            self._break(1)
        if tag in VOID:
            return
        state = self._state(tag, given)
        self.open.append((tag, state))
        self.silent += state == "silent"
        if state == "quote":
            self.quote += 1
            self.out.append("\n> ")

    def _state(self, tag: str, given: dict[str, str]) -> str:
        if tag in SILENT or "hidden" in given or _HIDDEN.search(given.get("style", "")):
            return "silent"
        marks = f"{given.get('class', '')} {given.get('id', '')}"
        if tag == "blockquote":
            return "quote"
        if "gmail_signature" in marks or re.search(r"(?<![\w-])signature(?![\w-])", marks):
            self._break(2)
            self.out.append(SIGNATURE_MARK)
        if _QUOTE_CLASS.search(marks) and "gmail_attr" not in marks and "container" not in marks:
            self._break(1)
        return ""

    def handle_endtag(self, tag: str) -> None:
        if not any(name == tag for name, _ in self.open):
            return
        while self.open:
            name, state = self.open.pop()
            self.silent -= state == "silent"
            self.quote -= state == "quote"
            if name == tag:
                break
        if tag in PARAGRAPHS:
            self._break(2)
        elif tag in BLOCKS:
            self._break(1)

    def _break(self, lines: int) -> None:
        self.out.append("\n" * lines if not self.quote else "\n" * lines + "> ")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            words = re.sub(r"\s+", " ", data)
            if words.strip() or (self.out and not self.out[-1].endswith(("\n", " "))):
                self.out.append(words)


def html_words(html: str) -> str:
    """The text of `html`; quoted blocks begin with `> `. Hidden words are left out."""
    reader = _Reader()
    reader.feed(flat_html(html[:HTML_CHARS_MAX]))
    reader.close()
    text = "".join(reader.out)
    lines = []
    for line in text.split("\n"):
        bare = line.strip()
        lines.append("> " + bare.lstrip("> ") if bare.startswith(">") else bare)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
