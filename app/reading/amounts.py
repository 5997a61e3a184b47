"""Sums of money in a text, in the ways five languages write them."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from app.reading.phrases import LANGUAGES, Phrases, phrases

NO_MINOR = frozenset(("JPY", "ISK", "KRW", "HUF"))
MAJOR_MAX = 10_000_000
_NUMBER = r"\d{1,3}(?:[ .,'\u2019]\d{3}){1,3}(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d{1,2})?(?![.,]?\d)"
_DASH = r"(?:\s?[:,.]\s?[-–—]{1,2})?"
_CODES = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "euroa": "EUR", "euron": "EUR",
    "e": "EUR", "eurolla": "EUR", "eur.": "EUR", "£": "GBP", "gbp": "GBP", "pound": "GBP",
    "pounds": "GBP", "quid": "GBP", "livres": "GBP", "pfund": "GBP", "pund": "GBP", "kr": "SEK",
    "kr.": "SEK", "sek": "SEK", "kronor": "SEK", "kronen": "SEK", "kruunua": "SEK",
    "couronnes": "SEK", "$": "USD", "usd": "USD", "us$": "USD", "dollar": "USD",
    "dollars": "USD", "dollaria": "USD", "chf": "CHF", "fr.": "CHF", "nok": "NOK", "dkk": "DKK",
    "pln": "PLN", "jpy": "JPY", "¥": "JPY", "yen": "JPY", "isk": "ISK",
}  # fmt: skip
_BEFORE = r"(?:us\$|[€£$¥]|(?<!\w)(?:eur|gbp|sek|usd|chf|nok|dkk|pln|jpy|isk|kr\.?|fr\.)(?=[\s\d]))"
_AFTER = (
    r"(?:[€£$¥]|(?:eur(?:o(?:s|a|n|lla)?)?|gbp|sek|usd|chf|nok|dkk|pln|jpy|isk|pounds?|quid|pund|pfund"
    r"|livres|kr(?:onor|onen)?\.?|kruunua|couronnes|dollar(?:s|ia)?|yen|e)(?!\w))"
)
_MONEY = re.compile(
    rf"(?P<before>{_BEFORE})\s?(?P<n1>{_NUMBER}){_DASH}"
    rf"|(?<![\w.,/-])(?P<n2>{_NUMBER}){_DASH}\s?-?(?P<after>{_AFTER})"
    rf"|(?<![\w.,/-])(?P<n3>{_NUMBER})(?P<dash>\s?[:,]\s?[-–—]{{1,2}})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """`minor` units of `currency`; no currency: points and the like, in whole ones times 100."""

    minor: int
    currency: str | None
    start: int
    end: int


def amounts(text: str, known: Phrases) -> list[Amount]:
    """Every sum of money in `text`, in its order."""
    found = []
    for match in _MONEY.finditer(text):
        number = match["n1"] or match["n2"] or match["n3"]
        sign = (match["before"] or match["after"] or "").lower()
        if sign == "e" and known.language != "fi":
            continue
        currency = _CODES.get(sign) or ("SEK" if known.language == "sv" else "EUR")
        minor = minor_of(number, currency)
        if minor is not None and minor > 0:
            minor *= _multiplier(text[max(0, match.start() - 8) : match.start()])
            found.append(Amount(minor, currency, match.start(), match.end()))
    return sorted(found + _points(text), key=lambda a: a.start)


def _multiplier(before: str) -> int:
    """`2 x 41,50 €`."""
    match = re.search(r"(?<![\d.,])(\d{1,2})\s?[x×*]\s?$", before)
    return int(match[1]) if match else 1


def minor_of(number: str, currency: str | None) -> int | None:
    """The minor units of a written number: `1 234,50`, `1.234,50`, `1,234.56`, `450`."""
    digits = re.sub(r"[ '\u2019]", "", number)
    tail = re.search(r"[.,](\d{1,2})$", digits)
    whole = re.sub(r"[.,]", "", digits[: tail.start()] if tail else digits)
    if not whole.isdigit() or int(whole) > MAJOR_MAX:
        return None
    cents = int(tail[1].ljust(2, "0")) if tail else 0
    return int(whole) if currency in NO_MINOR else int(whole) * 100 + cents


@functools.cache
def _points_pattern() -> re.Pattern[str]:
    words = {w for lang in LANGUAGES for w in phrases(lang).words("non_money")}
    names = "|".join(sorted(map(re.escape, words), key=len, reverse=True))
    return re.compile(rf"(?<![\w.,])({_NUMBER})\s+(?:[\w-]+\s+)?(?:{names})(?!\w)", re.IGNORECASE)


def _points(text: str) -> list[Amount]:
    found = []
    for match in _points_pattern().finditer(text):
        minor = minor_of(match[1], None)
        if minor:
            found.append(Amount(minor, None, match.start(), match.end()))
    return found


def chosen(candidates: list[Amount], text: str, known: Phrases) -> Amount | None:
    """The one sum a grant speaks of: its total; the parts added up; times the persons."""
    money = [a for a in candidates if not only_named(a, text, known, alone=len(candidates) == 1)]
    if not money:
        return None
    totals = [a for a in money if _after(known, "total", a, text)]
    if totals and len(money) > 1:
        return totals[-1]
    for last in reversed(money):
        others = [a.minor for a in money if a is not last and a.currency == last.currency]
        if len(others) > 1 and sum(others) == last.minor:
            return last
    joined = _joined(money, text, known)
    one = joined or money[0]
    return _times(one, text, known)


def only_named(amount: Amount, text: str, known: Phrases, *, alone: bool = False) -> bool:
    """A sum that is asked for, kept or priced, not given. `alone`: the only one, so that "the 45
    you claim" is what they speak of."""
    behind = text[amount.end : amount.end + 30].lstrip(" )")
    around = text[max(0, amount.start - 40) : amount.end + 40]
    claimed = known.pattern("claimed_after").match(behind) is not None
    if claimed and not alone and not known.pattern("as_claimed").search(around):
        return True
    before = text[max(0, amount.start - 40) : amount.start]
    return any(
        not before[match.end() :].strip(" :(\"'-")
        for match in known.pattern("claimed_before").finditer(before)
    )


def _after(known: Phrases, name: str, amount: Amount, text: str) -> bool:
    before = text[max(0, amount.start - 30) : amount.start]
    following = text[amount.end : amount.end + 20]
    near_before = any(
        len(before[m.end() :].split()) <= 2 for m in known.pattern(name).finditer(before)
    )
    first = known.pattern(name).search(following)
    return near_before or (first is not None and not following[: first.start()].strip(" ,("))


def _joined(money: list[Amount], text: str, known: Phrases) -> Amount | None:
    """`A plus B`: both are given."""
    total, end = money[0].minor, money[0].end
    for nxt in money[1:]:
        between = text[end : nxt.start]
        plus = known.pattern("plus").search(between) or "+" in between
        if not plus or nxt.currency != money[0].currency or len(between) > 45 or "." in between:
            break
        total, end = total + nxt.minor, nxt.end
    if end == money[0].end:
        return None
    return Amount(total, money[0].currency, money[0].start, end)


def _times(amount: Amount, text: str, known: Phrases) -> Amount:
    """`250 € each for three passengers`."""
    around = text[amount.end : amount.end + 60]
    each = known.pattern("each").search(text[max(0, amount.start - 25) : amount.end + 40])
    if not each:
        return amount
    sentence = text[max(0, amount.start - 120) : amount.start] + " " + around
    for word in re.findall(r"[^\W_]+", sentence):
        count = int(word) if word.isdigit() else known.numbers().get(word.lower(), 0)
        if 2 <= count <= 12:
            return Amount(amount.minor * count, amount.currency, amount.start, amount.end)
    return amount
