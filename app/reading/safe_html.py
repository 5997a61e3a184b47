"""The HTML of a mail, made fit to be looked at: nothing in it runs, loads anything or leads away.

Scripts, styles, forms, frames, images and every attribute but those of table cells go. A link stays
as its text, followed by where it really leads, so that a text that names another address than the
target is seen to lie (reliability.md 6.1, 6).
"""

from __future__ import annotations

import re

import nh3

from app.reading.flat_html import flat_html

HTML_CHARS_MAX = 400_000  # of what came
SAFE_CHARS_MAX = 300_000  # of what is kept; a longer one is offered as a download only
TARGET_CHARS_MAX = 500
TAGS = frozenset((
    "a", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "div", "dl",
    "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "s",
    "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr",
    "u", "ul",
))  # fmt: skip
DROPPED_WHOLE = frozenset((
    "script", "style", "title", "template", "noscript", "svg", "math", "iframe", "object", "embed",
    "select", "textarea", "button", "audio", "video", "canvas",
))  # fmt: skip
CELLS = {"colspan", "rowspan"}
_CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags=set(DROPPED_WHOLE),
    attributes={"a": {"href"}, "td": CELLS, "th": CELLS},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel=None,
    strip_comments=True,
)
_LINK = re.compile(r'<a(?: href="([^"]*)")?>(.*?)</a>', re.DOTALL)


def safe_html(html: str) -> str | None:
    """`html` cleaned, its links told; None when nothing is left of it or it is too long to show."""
    clean = _CLEANER.clean(flat_html(html[:HTML_CHARS_MAX].replace("\x00", "")))
    told = _LINK.sub(_tell, clean).strip()
    return told if told and len(told) <= SAFE_CHARS_MAX else None


def _tell(link: re.Match[str]) -> str:
    """The text, and behind it the target; the cleaner has escaped both."""
    target = (link[1] or "")[:TARGET_CHARS_MAX]
    if not target or re.sub(r"<[^>]*>", "", link[2]).strip() == target:
        return link[2]
    return f"{link[2]} [{target}]"
