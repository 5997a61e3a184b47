"""The sentences of a case: its date and why, what we did, what we wait for, what then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.cases.schemas import NowAndNext, PromisedDate, SkippedDay, TimelineEntry
from app.domain.case import Case, Pause, PauseKind, Stage, WaitingOn
from app.domain.position import what_next
from app.playbooks import book
from app.texts import Words

Row = Mapping[str, Any]


def instant(value: Any) -> datetime | None:
    """A time from a column or from JSON."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(str(value))


def day(value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    return date.fromisoformat(str(value))


def zone_of(playbook: str) -> ZoneInfo:
    """The zone whose days this case counts."""
    return ZoneInfo(book.get(playbook).zone)


def pauses_of(row: Row) -> list[Pause]:
    found = []
    for p in row["pauses"] or ():
        since, until = instant(p["since"]), instant(p["until"])
        assert since is not None and until is not None, "a pause has two dates"
        found.append(Pause(PauseKind(p["kind"]), p["key"], since, until, p["reason"]))
    return found


def then_code(row: Row) -> str:
    """What follows if nothing happens until the date: the ladder's own answer."""
    waiting_on = WaitingOn(row["waiting_on"]) if row["waiting_on"] else None
    case = Case(
        id=row["id"],
        reference=row["reference"],
        claim_kind=row["claim_kind"],
        jurisdiction=row["jurisdiction"],
        currency=row["currency"],
        stage=Stage(row["stage"]),
        step=row["step"],
        opened_at=row["opened_at"],
        playbook=row["playbook"],
        waiting_on=waiting_on,
        pauses=tuple(pauses_of(row)),
    )
    return what_next(case)


def promised_date(row: Row, say: Words, zone: ZoneInfo) -> PromisedDate | None:
    """Promise 4: every date explains itself."""
    at, basis = instant(row["due_at"]), row["due_basis"]
    if at is None or not basis:
        return None
    start = instant(basis["start"])
    assert start is not None, "a basis has a start"
    skipped = [
        SkippedDay(day=date.fromisoformat(str(d)), because=say.term("closed_days", why))
        for d, why in basis.get("skipped") or ()
    ]
    law_says = day(basis.get("due"))
    explanation = say.say(
        "dates",
        "explanation",
        {
            "until": at.isoformat(),
            "start": start.isoformat(),
            "fact": say.term("facts", basis["start_event"]),
            "period": _period(basis, say),
            "whose": say.term("whose_date", basis["whose"]),
            "skipped": say.say("dates", "skipped", {"count": len(skipped)}) if skipped else "",
        },
        zone=zone,
    )
    return PromisedDate(
        at=at,
        day=say.day(at, zone),
        explanation=explanation,
        started_from=say.term("facts", basis["start_event"]),
        started_at=start,
        rule=basis["rule"],
        period=_period(basis, say),
        whose=basis["whose"],
        whose_text=say.term("whose_date", basis["whose"]),
        law_says=law_says,
        skipped_days=skipped,
    )


# One of what a playbook counts in.
ONE = {
    "days": "day",
    "working_days": "working_day",
    "clear_working_days": "clear_working_day",
    "weeks": "week",
    "months": "month",
    "years": "year",
}


def _period(basis: Mapping[str, Any], say: Words) -> str:
    """`10 working_days, resumed` in words. Of a pause it holds the code of its reason instead."""
    pieces = []
    for piece in str(basis["period"]).split(", "):
        number, _, unit = piece.partition(" ")
        unit = unit.replace(" ", "_")
        if say.knows("units", piece):
            pieces.append(say.term("units", piece))
        elif number.isdigit() and unit:
            word = say.term("units", ONE.get(unit, unit) if number == "1" else unit)
            pieces.append(f"{number} {word}")
        elif str(basis["start_event"]).startswith("pause."):
            pieces.append(say.term("units", "until a date"))
        else:
            pieces.append(say.term("units", piece))
    return ", ".join(pieces)


def now_and_next(
    row: Row, timeline: list[TimelineEntry], say: Words, zone: ZoneInfo, company: str
) -> NowAndNext:
    """Promise 1 in four sentences."""
    last = next((e for e in timeline if not e.internal), None)
    due = instant(row["due_at"])
    return NowAndNext(
        what_we_did=last.text if last else "",
        waiting_for=waiting_text(row, say, company),
        until=say.day(due, zone) if due else "",
        what_then=say.say("then", then_code(row), {"company": company}),
    )


def waiting_text(row: Row, say: Words, company: str) -> str:
    if row["waiting_on"] is None:
        return say.term("waiting_for", "nobody")
    specific = f"{row['stage']}_{row['waiting_on']}"
    code = specific if say.knows("waiting_for", specific) else row["waiting_on"]
    return say.say("waiting_for", code, {"company": company})


def entry(row: Row, say: Words, *, currency: str, zone: ZoneInfo, company: str) -> TimelineEntry:
    """One line of history in words."""
    at = instant(row["at"])
    assert at is not None, "history has times"
    params = dict(row["params"])
    internal = params.pop("internal", None) is not None
    return TimelineEntry(
        number=row["seq"],
        at=at,
        day=say.day(at, zone),
        code=row["code"],
        text=say.say(
            "history", row["code"], {"company": company, **params}, currency=currency, zone=zone
        ),
        by=say.term("actors", str(row["actor"]).partition(":")[0]),
        internal=internal,
    )
