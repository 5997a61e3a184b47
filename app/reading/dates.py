"""Days named in a text, relative words counted from the day the mail was sent."""

from __future__ import annotations

import calendar
import functools
import re
from dataclasses import dataclass
from datetime import date, timedelta

from app.reading.phrases import LANGUAGES, Phrases, pattern_of, phrases

PAST_DAYS = 180  # a day without a year lies at most so long before the mail
DAYS_MAX = 800


@dataclass(frozen=True, slots=True)
class Day:
    """`relative`: counted from the mail ("next week"), not named; `span`: a time allowed from the
    mail on ("within 14 days"), so its end is a last day."""

    day: date
    start: int
    end: int
    relative: bool = False
    span: bool = False


def days(text: str, sent: date, known: Phrases) -> list[Day]:
    """Every day that `text` names, in its order; overlapping readings once, the longest."""
    found = [*_numeric(text, sent), *_worded(text, sent), *_spans(text, sent, known),
             *_relative(text, sent, known)]  # fmt: skip
    found.sort(key=lambda d: (d.start, d.start - d.end))
    kept: list[Day] = []
    for day in found:
        if not kept or day.start >= kept[-1].end:
            kept.append(day)
    return kept


_ISO = re.compile(r"(?<![\d-])(20\d\d)-(\d{1,2})-(\d{1,2})(?![\d-])")
_FULL = re.compile(r"(?<![\d./-])(\d{1,2})[./-] ?(\d{1,2})[./-] ?(20\d\d|\d\d)(?![\d])")
_RANGE = re.compile(
    r"(?<![\d./-])\d{1,2}\.?(?:\d{1,2}\.)?\s?[-–]\s?(\d{1,2})\.(\d{1,2})\.(20\d\d|\d\d)?(?!\d)"
)
_SHORT = re.compile(r"(?<![\d./-])(\d{1,2})(?:\.(\d{1,2})\.|/(\d{1,2}))(?![\d/-])(?!\.\d)")


def _numeric(text: str, sent: date) -> list[Day]:
    found = []
    for match in _RANGE.finditer(text):
        year = _year(match[3]) if match[3] else None
        found.append(_made(match, match[1], match[2], year, sent))
    for match in _ISO.finditer(text):
        found.append(_made(match, match[3], match[2], int(match[1]), sent))
    for match in _FULL.finditer(text):
        first, second = int(match[1]), int(match[2])
        if second > 12 >= first:
            first, second = second, first
        found.append(_made(match, first, second, _year(match[3]), sent))
    for match in _SHORT.finditer(text):
        found.append(_made(match, match[1], match[2] or match[3], None, sent))
    return [f for f in found if f]


def _year(digits: str) -> int:
    return int(digits) + (2000 if len(digits) == 2 else 0)


def _made(
    match: re.Match[str], day: str | int, month: str | int, year: int | None, sent: date
) -> Day | None:
    made = _date(int(day), int(month), year, sent)
    return Day(made, match.start(), match.end()) if made else None


def _date(day: int, month: int, year: int | None, sent: date) -> date | None:
    try:
        if year is not None:
            return date(year, month, day)
        near = date(sent.year, month, day)
        if near < sent - timedelta(days=PAST_DAYS):
            near = date(sent.year + 1, month, day)
        return near
    except ValueError:
        return None


@functools.cache
def _month_numbers() -> dict[str, int]:
    return {
        name: number
        for lang in LANGUAGES
        for number, names in enumerate(phrases(lang).words("months"), start=1)
        for name in names.split("|")
    }


@functools.cache
def _worded_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    names = "|".join(sorted(map(re.escape, _month_numbers()), key=len, reverse=True))
    day_first = (
        rf"(?<![\d.,])(\d{{1,2}})(?:\.|st|nd|rd|th|er|:?(?:a|e|s)n?)?\s?(?:of\s|de\s)?({names})\.?"
        rf"(?:,?\s(20\d\d))?(?!\w)"
    )
    month_first = rf"(?<!\w)({names})\.?\s(\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s(20\d\d))?(?![\d\w])"
    return re.compile(day_first, re.IGNORECASE), re.compile(month_first, re.IGNORECASE)


def _worded(text: str, sent: date) -> list[Day]:
    day_first, month_first = _worded_patterns()
    numbers = _month_numbers()
    found = []
    for match in day_first.finditer(text):
        year = int(match[3]) if match[3] else None
        found.append(_made(match, match[1], numbers[match[2].lower()], year, sent))
    for match in month_first.finditer(text):
        year = int(match[3]) if match[3] else None
        found.append(_made(match, match[2], numbers[match[1].lower()], year, sent))
    return [f for f in found if f]


@functools.cache
def _span_pattern(language: str) -> re.Pattern[str]:
    known = phrases(language)
    numbers = "|".join(sorted(map(re.escape, known.numbers()), key=len, reverse=True))
    units = "|".join(
        sorted((re.escape(u) for us in known.lists["units"].values() for u in us), key=len,
               reverse=True)
    )  # fmt: skip
    within = "|".join(pattern_of(w) for w in known.words("within"))
    after = "|".join(pattern_of(w) for w in known.words("within_after"))
    count = rf"(?P<n>\d{{1,3}}|{numbers})(?:\s?[-–]\s?(?P<m>\d{{1,3}}))?(?:\s\(\w+\))?"
    span = rf"{count}\s(?P<unit>{units})(?!\w)"
    if after:
        return re.compile(rf"(?<!\w){span}\s(?:{after})", re.IGNORECASE)
    starts = "|".join(pattern_of(w) for w in known.words("span_starts"))
    from_mail = "|".join(pattern_of(w) for w in known.words("from_mail"))
    return re.compile(
        rf"(?<!\w)(?:(?:{within})|(?P<have>{starts}))\s(?:the\s|de\s|another\s)?{span}"
        rf"(?P<from>\s(?:{from_mail}))?", re.IGNORECASE,
    )  # fmt: skip


def _spans(text: str, sent: date, known: Phrases) -> list[Day]:
    """`within 14 days`: counted from the day of the mail."""
    unit_of = {u: name for name, us in known.lists["units"].items() for u in us}
    found = []
    for match in _span_pattern(known.language).finditer(text):
        word = (match["m"] or match["n"]).lower()
        count = int(word) if word.isdigit() else known.numbers()[word]
        day = after(sent, count, unit_of[match["unit"].lower()])
        if day is not None:
            found.append(Day(day, match.start(), match.end(), relative=True, span=True))
    return found


def after(sent: date, count: int, unit: str) -> date | None:
    """The day `count` units after `sent`; working days are Monday to Friday."""
    if unit == "working_days":
        day = sent
        for _ in range(min(count, 200)):
            day += timedelta(days=1)
            while day.weekday() > 4:
                day += timedelta(days=1)
        return day
    if unit == "months":
        month = sent.month - 1 + count
        year, month = sent.year + month // 12, month % 12 + 1
        return date(year, month, min(sent.day, calendar.monthrange(year, month)[1]))
    size = {"days": 1.0, "weeks": 7.0, "fortnights": 14.0, "hours": 1 / 24}[unit]
    number = int(count * size)
    return sent + timedelta(days=number) if number <= DAYS_MAX else None


def _relative(text: str, sent: date, known: Phrases) -> list[Day]:
    friday = sent + timedelta(days=4 - sent.weekday())
    month_end = sent.replace(day=calendar.monthrange(sent.year, sent.month)[1])
    next_end = after(month_end.replace(day=1), 1, "months") or month_end
    next_end = next_end.replace(day=calendar.monthrange(next_end.year, next_end.month)[1])
    fixed = {
        "next_month": next_end,
        "next_week": friday + timedelta(days=7),
        "this_month": month_end,
        "this_week": friday if friday >= sent else friday + timedelta(days=7),
        "tomorrow": sent + timedelta(days=1),
        "today": sent,
    }
    found = []
    for name, day in fixed.items():
        for match in known.pattern(name).finditer(text):
            found.append(Day(day, match.start(), match.end(), relative=True))
    for match in known.pattern("week_number").finditer(text):
        number = re.search(r"\d+", match[0])
        week = _week(sent, int(number[0])) if number else None
        if week:
            found.append(Day(week, match.start(), match.end(), relative=True))
    return found + _weekdays(text, sent, known) + _month_ends(text, sent, known)


def _month_ends(text: str, sent: date, known: Phrases) -> list[Day]:
    """`end of November`: its last day, this year's or next."""
    names = "|".join(sorted(map(re.escape, _month_numbers()), key=len, reverse=True))
    before = "|".join(pattern_of(w) for w in known.words("month_end_words"))
    behind = "|".join(pattern_of(w) for w in known.words("month_end_after"))
    shape = (
        rf"(?<!\w)(?P<month>{names})\s(?:{behind})"
        if behind
        else rf"(?<!\w)(?:{before})\s?(?P<month>{names})(?!\w)"
    )
    found = []
    for match in re.finditer(shape, text, re.IGNORECASE):
        month = _month_numbers()[match["month"].lower()]
        year = sent.year + (month < sent.month)
        day = date(year, month, calendar.monthrange(year, month)[1])
        found.append(Day(day, match.start(), match.end(), relative=True))
    return found


def _week(sent: date, number: int) -> date | None:
    """The Friday of the ISO week of that number, this year or next."""
    if not 1 <= number <= 53:
        return None
    try:
        day = date.fromisocalendar(sent.isocalendar().year, number, 5)
        if day < sent:
            day = date.fromisocalendar(sent.isocalendar().year + 1, number, 5)
    except ValueError:
        return None
    return day


def _in_next_week(text: str, match: re.Match[str], known: Phrases) -> bool:
    """`Friday next week`, `Friday of next week`."""
    following = known.pattern("next_week").search(text[match.end() : match.end() + 30])
    return following is not None and following.start() <= 5


def _weekdays(text: str, sent: date, known: Phrases) -> list[Day]:
    """`on Friday`: the next one after the mail; short names only before a date, so not here."""
    found = []
    for number, names in enumerate(known.words("weekdays")):
        longer = [re.escape(n) for n in names.split("|") if len(n) > 4]
        if not longer:
            continue
        for match in re.finditer(rf"(?<!\w)(?:{'|'.join(longer)})(?!\w)", text, re.IGNORECASE):
            ahead = (number - sent.weekday()) % 7 or 7
            if _in_next_week(text, match, known):
                day = sent + timedelta(days=7 - sent.weekday() + number)
                found.append(Day(day, match.start(), match.end(), True))
                continue
            if known.pattern("next_word").search(text[max(0, match.start() - 12) : match.start()]):
                # "next Friday" said on a Monday is the one of next week
                ahead = ahead if ahead + sent.weekday() >= 7 else ahead + 7
            found.append(Day(sent + timedelta(days=ahead), match.start(), match.end(), True))
    return found
