"""HTML is nested no deeper than a limit before any parser sees it; its words stay."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from app.reading.flat_html import DEPTH_MAX, VOID, flat_html
from app.reading.html import html_words
from app.reading.safe_html import safe_html


class Depth(HTMLParser):
    """How deep it gets, and whether every end fits the start before it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.deepest = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
            self.deepest = max(self.deepest, len(self.open))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


DEEP = {
    "closed": "<div>" * 3_000 + "the words" + "</div>" * 3_000,
    "left open": "<b>" * 3_000 + "the words",
    "ends that fit nothing": "<i>" * 500 + "</u>" * 3_000 + "the words",
    "cells that hide an end": "<div><table><tr><td></div>" * 500 + "the words",
    "formats without end": "<p><font color=red></p>" * 500 + "the words",
    "quoted signs": "<a title='>' href=\"x'>\">" * 500 + "the words",
    "odd signs": "<!-- <b> --><!x><?y>" * 200 + "<b>" * 500 + "the words",
}


@pytest.mark.parametrize("html", DEEP.values(), ids=DEEP)
def test_what_nests_deeply_is_flat_and_balanced_and_its_words_are_read(html: str) -> None:
    flat = flat_html(html)
    depth = Depth()
    depth.feed(flat)
    assert depth.deepest <= DEPTH_MAX and depth.open == []
    assert html_words(html) == "the words"
    assert "the words" in (safe_html(html) or "")


def test_what_people_write_keeps_its_look() -> None:
    """Lists and tables without end tags, as mail programs write them; few tags are not touched."""
    assert flat_html("<div><p>a<p>b</div>") == "<div><p>a<p>b</div>"
    rows = "<table>" + "<tr><td>one<td>two" * 200 + "</table>"
    whole = "<table>" + "<tr><td>one</td><td>two</td></tr>" * 200 + "</table>"
    assert flat_html(rows) == flat_html(whole) == whole
    assert safe_html(rows) == safe_html(whole)
    assert html_words("<ul>" + "<li>point" * 200 + "</ul>").count("point\n") == 199
    script = "<p>" * 200 + "<script>if (a<b) x = '<b>'</script>"
    assert "<script>if (a<b) x = '<b>'</script>" in flat_html(script)
    assert safe_html(script.replace("<p>", "<p>w")) == "<p>w</p>" * 200
    assert flat_html("<b>" * 200 + "never ends <a href=x") == "<b>" * 100 + " " * 100 + (
        "never ends " + "</b>" * 100
    )
