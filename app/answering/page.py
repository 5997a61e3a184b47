"""The page: one form, plain HTML, in the letter's language; no script, no picture, no cookie."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, Final

import yaml

from app.answering.answers import KINDS, NAME_MAX, WORDS_MAX, Answer, Asked

LANGUAGES: Final = ("en", "fi", "sv", "fr", "de")
FILE: Final = Path(__file__).with_name("words.yaml")
STYLE: Final = (
    "body{font:1rem/1.5 sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#111}"
    "fieldset{border:1px solid #888;margin:0 0 1rem;padding:.6rem 1rem}label{display:block;"
    "margin:.3rem 0}input[type=text],input[type=date],textarea{width:100%;box-sizing:border-box;"
    "font:inherit;padding:.3rem}button{font:inherit;padding:.5rem 1.2rem}.wrong{border-left:4px "
    "solid #b00;padding-left:.6rem}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# Only our own style, only our own form, in nobody's frame.
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; frame-ancestors 'none';"
    " base-uri 'none'"
)


@lru_cache(maxsize=1)
def _words() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text("utf-8"))
    return loaded


def words(language: str) -> dict[str, Any]:
    """The page's words; English where a letter has another language."""
    return _words()[language if language in LANGUAGES else "en"]


def form_page(asked: Asked, agency: str, *, wrong: str | None = None) -> str:
    """The form. `wrong` names the field that could not be taken."""
    w = words(asked.language)
    told = f'<p class="wrong" role="alert">{escape(w["wrong"][wrong])}</p>' if wrong else ""
    kinds = "".join(
        f'<label><input type="radio" name="kind" value="{kind}" required> '
        f"{escape(w['kinds'][kind])}</label>"
        for kind in KINDS
    )
    sent = w["about"].format(agency=agency, day=asked.sent_on)
    return _page(
        asked.language, w["title"],
        f"<p>{escape(sent)}</p>{told}"
        f'<form method="post" accept-charset="utf-8"><fieldset><legend>{escape(w["choose"])}'
        f"</legend>{kinds}</fieldset>"
        f'<label>{escape(w["on"])}<input type="date" name="on"></label>'
        f'<label>{escape(w["amount"])}<input type="text" name="amount" maxlength="40"></label>'
        f'<label>{escape(w["explain"])}<textarea name="words" rows="6" maxlength="{WORDS_MAX}">'
        f"</textarea></label>"
        f'<label>{escape(w["name"])}<input type="text" name="name" maxlength="{NAME_MAX}"></label>'
        f'<p><button type="submit">{escape(w["send"])}</button></p></form>'
        f"<p>{escape(w['note'])}</p>",
    )  # fmt: skip


def thanks_page(asked: Asked) -> str:
    """After sending: it has arrived, and a person reads it."""
    w = words(asked.language)
    return _page(asked.language, w["thanks_title"], f"<p>{escape(w['thanks'])}</p>")


def wording(answer: Answer) -> str:
    """The answer as the handler reads it: its kind in words and what was filled in."""
    w = words("en")
    lines = [w["kinds"][answer.kind]]
    filled = (
        ("Day", answer.on), ("Amount", answer.amount), ("By", answer.name), ("Words", answer.words),
    )  # fmt: skip
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in filled if value)])


def _page(language: str, title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )
