"""What asks for a person at once, and the cleaned look of a mail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from app.reading.alerts import alerts_in
from app.reading.safe_html import safe_html

DATA: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "data/reading/alerts.yaml").read_text("utf-8")
)
KINDS = ("distress", "complaint_about_us", "insolvency", "direct_first", "threat")


@pytest.mark.parametrize("kind", KINDS)
def test_what_asks_for_a_person_is_noticed_in_five_languages(kind: str) -> None:
    missed = [s for every in DATA[kind].values() for s in every if kind not in alerts_in(s)]
    assert missed == []


def test_hints_are_noticed_as_often_as_before() -> None:
    """Sentences without one plain word of distress: most of the last set are missed still."""
    seen = [s for s in DATA["later_distress"] if "distress" in alerts_in(s)]
    assert len(seen) >= 59, f"{len(seen)} of {len(DATA['later_distress'])}"


def test_everyday_trouble_rarely_alarms() -> None:
    plain = [s for every in DATA["none"].values() for s in every] + DATA["later_none"]
    false = [s for s in plain if alerts_in(s)]
    assert len(false) <= 7, false


def test_what_stands_at_the_end_of_a_long_mail_is_seen() -> None:
    assert "distress" in alerts_in("We waited. " * 2_000 + "I want to kill myself.")


@pytest.mark.parametrize(
    "attack",
    [
        '<img src="http://t.test/p.gif">', "<base href=http://e.test/>",
        '<meta http-equiv=refresh content="0;url=http://e.test">',
        "<form action=http://e.test><input name=a></form>", '<iframe srcdoc="&lt;script&gt;">',
        "<svg onload=alert(1)><a xlink:href=javascript:alert(1)>x</a></svg>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        '<p style="background:url(http://e.test/)">', "<style>@import 'http://e.test'</style>",
        "<a href=javascript:alert(1)>x</a>", "<a href=&#x6A;avascript:alert(1)>x</a>",
        "<a href=data:text/html,x>x</a>", "<a href=vbscript:x>x</a>",
        "<p onclick=alert(1) id=a class=b>x</p>", "<link rel=stylesheet href=http://e.test>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    ],
)  # fmt: skip
def test_nothing_in_a_mail_runs_loads_or_leads_away(attack: str) -> None:
    """B223."""
    clean = (safe_html(f"<p>Hello</p>{attack}") or "").lower()
    assert "hello" in clean
    for trace in ("<img", "src", "href", "script", "style", "onload", "onerror", "<form", "<a",
                  "<base", "<meta", "<link", "<svg", "<math", "iframe", "onclick"):  # fmt: skip
        assert trace not in clean, clean


def test_a_link_says_where_it_really_leads() -> None:
    html = '<p><a href="https://evil.test/a?b=1&amp;c=2">https://bank.example</a></p>'
    assert safe_html(html) == "<p>https://bank.example [https://evil.test/a?b=1&amp;c=2]</p>"
    assert (
        safe_html('<a href="mailto:a@b.test"><b>Write</b></a>') == "<b>Write</b> [mailto:a@b.test]"
    )
    assert safe_html("<a href=https://x.test/>https://x.test/</a>") == "https://x.test/"
    assert safe_html("<script>1</script> ") is None


def test_five_thousand_nested_tags_are_cleaned_in_time() -> None:
    assert "deep" in (safe_html("<div>" * 5_000 + "deep") or "")
