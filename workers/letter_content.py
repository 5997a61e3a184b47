"""What the letter of a step says: from rows to the content that the letter engine prints.

A letter that lacks something is refused by letters.content with the name of the record that should
have filled it; nothing is invented here.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Any, Final, Literal, cast
from zoneinfo import ZoneInfo

from app.domain.bank_refs import rf_reference
from app.domain.bodies import deciding_body
from app.domain.case import LADDER, Case, Letter, LetterKind, Stage
from app.domain.interest.rates import Missing
from app.domain.periods import place
from app.domain.playbook import Body, Playbook
from app.domain.waits import company_wait
from app.gates.licences import printed_licence
from app.law.reference import notices
from app.playbooks import book
from app.reply_address import AddressBook
from letters import content as words
from workers.effects.letter_rows import LetterRows
from workers.letter_interest import Claimed, came_minor, interest_of, payments_known
from workers.letter_words import country_in_words, kind_in_words
from workers.other_letter_content import MAKERS, Making, build_further

# The letter must not promise an earlier day than the ladder waits: it also travels.
TRAVEL_WORKING_DAYS = {"email": 1, "post": 3, "portal": 1}
IN_LETTERS: Final = {"portal": "web_form"}  # what letters call a way to the company
PRINTED_LINES_MAX = 7
PRINTED_PAYMENTS_MAX = 12
WITH_INTEREST = (LetterKind.FORMAL_NOTICE, LetterKind.COMPLAINT)
DEMANDS: dict[
    LetterKind, type[words.ContactLetter] | type[words.ReminderLetter] | type[words.FormalNotice]
] = {
    LetterKind.CONTACT: words.ContactLetter,
    LetterKind.REMINDER: words.ReminderLetter,
    LetterKind.FORMAL_NOTICE: words.FormalNotice,
}


def language_of(rows: LetterRows, letter: Letter) -> words.Language:
    """The channel's language, else the playbook's, else English (product.md, Languages)."""
    playbook = book.for_case(rows.case.playbook, rows.case.bodies)
    wanted = [*playbook.languages]
    if letter.recipient == "body":
        wanted = [*current_body(rows.case, playbook).languages, *wanted]
    elif letter.recipient == "consumer":
        wanted = [person.language for person, _ in rows.signed[:1]]
    elif letter.recipient == "company":
        wanted = [c["language"] for c in rows.channels if c["kind"] == letter.channel] + wanted
    found = next((one for one in wanted if one in words.LANGUAGES), "en")
    return cast(words.Language, found)


def build_content(
    rows: LetterRows, letter: Letter, addresses: AddressBook
) -> tuple[words.AnyLetter, tuple[Missing, ...]]:
    """The content of this letter, and the rates for want of which it claims interest in words.

    Raises the refusals of letters.errors."""
    playbook = book.for_case(rows.case.playbook, rows.case.bodies)
    today = rows.now.astimezone(ZoneInfo(playbook.zone)).date()
    common = _common(rows, letter, today, addresses)
    claimed = Claimed()
    if letter.kind in WITH_INTEREST:
        zone = ZoneInfo(playbook.zone)
        claimed = interest_of(rows, common["items"], today, zone, common["language"])
        common["interest"] = claimed.interest
    if letter.kind is LetterKind.COMPLAINT:
        return _complaint(rows, playbook, common), claimed.missing
    if letter.kind in MAKERS:
        common["recipient_company"] = _company(rows, None, common["language"])
        return build_further(_making(rows, letter, playbook, common)), ()
    return _demand(rows, letter, playbook, common), claimed.missing


def _making(rows: LetterRows, letter: Letter, playbook: Playbook, common: dict[str, Any]) -> Making:
    def demand() -> dict[str, Any]:
        return {
            "deadline": _deadline(rows, letter, playbook),
            "next_steps": _next_steps(rows.case, playbook), "payment": _payment(rows),
        }  # fmt: skip

    return Making(rows, letter, playbook, common, demand, lambda: _payment(rows))


def _demand(
    rows: LetterRows, letter: Letter, playbook: Playbook, common: dict[str, Any]
) -> words.AnyLetter:
    extra: dict[str, Any] = {}
    if letter.kind is LetterKind.FORMAL_NOTICE:
        body = deciding_body(rows.case, playbook)
        extra["dispute_body"] = body.name if body and body.kind != "court" else None
        extra["formula"] = formula_of(
            playbook.step_for(Stage.FORMAL_NOTICE).letter_id, common["language"]
        )
    return DEMANDS[letter.kind](
        **common, **extra, deadline=_deadline(rows, letter, playbook),
        next_steps=_next_steps(rows.case, playbook), payment=_payment(rows),
    )  # fmt: skip


def formula_of(letter_id: str, language: str) -> words.Formula | None:
    """The notice's own name, and the sentence its law wants, as its record in the law data has
    them; the sentence stays in the law's language."""
    record = notices().get(letter_id, {})
    if "heading" not in record:
        return None
    own = record.get("own_words", {})
    return words.Formula(
        name=record["heading"][language], language=own.get("language", language),
        sentence=own.get("sentence"),
    )  # fmt: skip


def _common(
    rows: LetterRows, letter: Letter, today: date, addresses: AddressBook
) -> dict[str, Any]:
    case = rows.case
    claimants = tuple(_claimant(person, row) for person, row in rows.signed)
    names = {row["claimant_id"]: person.name for person, row in rows.signed}
    language = language_of(rows, letter)
    return {
        "language": language,
        "dated": today,
        "reference": case.reference,
        "booking_reference": rows.row["booking_ref"],
        "agency": agency_words(rows.profile, rows.case.jurisdiction, today),
        "reply_email": addresses.case_address(case.reference),
        "recipient": _recipient(rows, letter, language),
        "claimants": claimants,
        "service": _service(rows, language),
        "chronology": _chronology(rows, today, language),
        "items": tuple(
            words.AmountLine(
                what=item["what"], minor=item["amount_minor"], currency=item["currency"],
                creditor=names[item["creditor_id"]],
                ground=words.LegalGround(law=item["ground"]) if item["ground"] else None,
            )
            for item in rows.items
            if item["creditor_id"] in names
        ),
        "received": _received(rows, today),
        "earlier": _earlier(rows, today),
        "position": _position(rows),
        "delivery": IN_LETTERS.get(letter.channel, letter.channel),
        "undelivered": _undelivered(rows, letter),
        "came_back": _came_back(rows, letter),
        "enclosures": tuple(
            words.Exhibit(label=str(at), title=row["what"] or row["file_name"])
            for at, row in enumerate(rows.evidence, start=1)
        ),
    }  # fmt: skip


def agency_words(profile: Mapping[str, Any], jurisdiction: str, today: date) -> words.Agency:
    """From the agency profile (app.agency.schemas.AgencyIn)."""
    return words.Agency(
        name=profile.get("name", ""), address_lines=tuple(profile.get("address_lines", ())),
        register_number=profile.get("business_id") or profile.get("register_number", ""),
        signatory=profile.get("signatory") or profile.get("name", ""),
        signatory_title=profile.get("signatory_title"), phone=profile.get("phone"),
        licence=printed_licence(profile, jurisdiction, today),
    )  # fmt: skip


def _claimant(person: Any, row: Any) -> words.Claimant:
    return words.Claimant(
        name=person.name, address_lines=person.address_lines,
        mandate_reference=f"M-{row['mandate_id'].hex[-10:].upper()}",
        mandate_signed_on=row["signed_at"].date(),
    )  # fmt: skip


def _recipient(rows: LetterRows, letter: Letter, language: str) -> words.Party:
    if letter.recipient == "body":
        body = current_body(rows.case, book.for_case(rows.case.playbook, rows.case.bodies))
        lines = body.address or (country_in_words(rows.case.jurisdiction, language),)
        return words.Party(name=body.name, address_lines=lines, email=body.email)
    email = channel(rows, "email") if letter.channel == "email" else None
    if letter.recipient == "consumer" and rows.signed:
        person = rows.signed[0][0]
        lines = person.address_lines or (country_in_words(person.country, language),)
        return words.Party(name=person.name, address_lines=lines, email=person.email)
    if letter.recipient == "other":
        to = rows.details.said["recipient"] if rows.details else {}
        return words.Party(
            name=to.get("name", ""),
            address_lines=tuple(to.get("address_lines", ())),
            email=to.get("email"),
        )
    return _company(rows, email, language)


def _company(rows: LetterRows, email: str | None, language: str) -> words.Party:
    company = rows.company
    if company is None:
        return words.Party(name=rows.row["company_text"], address_lines=())
    lines = tuple(company["address_lines"])
    if not lines and (post := channel(rows, "post")):
        lines = tuple(post.splitlines())
    return words.Party(
        name=company["legal_name"], brand=company["brand"] or None, email=email,
        register_number=company["register_number"],
        address_lines=(lines or (country_in_words(company["country"], language),))[
            :PRINTED_LINES_MAX
        ],
    )  # fmt: skip


def channel(rows: LetterRows, kind: str) -> str | None:
    """The best living address of a kind: the official complaint address first."""
    return next((c["address"] for c in rows.channels if c["kind"] == kind), None)


def _service(rows: LetterRows, language: str) -> str:
    """What was bought, in one line."""
    answers = rows.row["answers"] or {}
    named = answers.get("service")
    if isinstance(named, str) and named.strip():
        return named.strip()[:180]
    kind = kind_in_words(rows.case.claim_kind, language)
    booking = rows.row["booking_ref"]
    return f"{kind}, {booking}" if booking else kind


def _chronology(rows: LetterRows, today: date, language: str) -> tuple[words.ChronologyEntry, ...]:
    answers = rows.row["answers"] or {}
    happened = rows.case.opened_at.date()
    for name in ("happened_on", "event_date", "flight_date"):
        try:
            happened = date.fromisoformat(str(answers.get(name)))
        except ValueError:
            continue
        break
    # Words in another language than the letter's help nobody who reads it: then what it is about.
    told = rows.row["what_happened"] if rows.row["language"] == language else None
    what = told or _service(rows, language)
    return (words.ChronologyEntry(on=min(happened, today), what=what),)


def _received(rows: LetterRows, today: date) -> tuple[words.ReceivedPayment, ...]:
    """Each payment with its day; one sum as of today where the days of some are not known."""
    currency, came = rows.case.currency, came_minor(rows)
    if came <= 0:
        return ()
    if not payments_known(rows, today) or len(rows.payments) > PRINTED_PAYMENTS_MAX:
        return (words.ReceivedPayment(on=today, minor=came, currency=currency),)
    return tuple(
        words.ReceivedPayment(on=p["paid_on"], minor=p["amount_minor"], currency=currency)
        for p in rows.payments
    )


def _earlier(rows: LetterRows, today: date) -> tuple[words.EarlierLetter, ...]:
    found = []
    first = rows.case.first_written_complaint
    if first is not None and first <= today:
        found.append(words.EarlierLetter(kind="consumer_complaint", sent_on=first, channel=None))
    for row in rows.letters:
        found.append(
            words.EarlierLetter(
                kind=row["kind"],
                sent_on=min(row["sent_at"].date(), today),
                channel=IN_LETTERS.get(row["channel"], row["channel"]),  # type: ignore[arg-type]  # a way of ours
            )
        )
    return tuple(found)


def _undelivered(rows: LetterRows, letter: Letter) -> str | None:
    """The official mail address that refused us, why this letter goes another way."""
    if letter.channel == "email" or letter.recipient != "company":
        return None
    return next((c["address"] for c in rows.dead if c["kind"] == "email"), None)


def _came_back(rows: LetterRows, letter: Letter) -> Literal["post", "web_form"] | None:
    """The way besides mail that failed in this case, and why this letter goes another."""
    if letter.recipient != "company":
        return None
    failed = [c for c in rows.case.dead_channels if c not in ("email", letter.channel)]
    return (
        cast(Literal["post", "web_form"], IN_LETTERS.get(failed[0], failed[0])) if failed else None
    )


def _position(rows: LetterRows) -> words.CompanyPosition:
    """What the company said last; its automatic replies count only where nobody wrote."""
    case = rows.case
    answer = next((r for r in rows.said if r["code"] != "automatic_message_filed"), None)
    if answer is not None and answer["code"] == "company_denied":
        return words.CompanyPosition(kind="refused", on=answer["at"].date())
    if case.money.received > 0:
        return words.CompanyPosition(kind="paid_part", on=rows.now.date())
    if answer is not None:
        on, said = answer["at"].date(), answer["params"]
        minor, currency = int(said["amount"]), case.currency
        if answer["code"] == "offered":
            return words.CompanyPosition(kind="offered", on=on, minor=minor, currency=currency)
        day = date.fromisoformat(said["on"])
        return words.CompanyPosition(
            kind="promised", on=on, promised_for=day, minor=minor, currency=currency
        )
    if rows.said:
        return words.CompanyPosition(kind="automatic_only", on=rows.said[0]["at"].date())
    return _before_us(rows.row["answers"] or {})


def _before_us(answers: Mapping[str, Any]) -> words.CompanyPosition:
    """What the company had told the consumer: nobody is called silent who has answered."""
    said = answers.get("company_answer")
    on = None
    with suppress(ValueError):
        on = date.fromisoformat(str(answers.get("company_answer_on")))
    if said == "refused" and on is not None:
        return words.CompanyPosition(kind="refused", on=on)
    if said == "automatic_only" and on is not None:
        return words.CompanyPosition(kind="automatic_only", on=on)
    if said in (None, "none", "unknown", "automatic_only"):
        return words.CompanyPosition(kind="silent")
    return words.CompanyPosition(kind="answered", on=on)


def _deadline(rows: LetterRows, letter: Letter, playbook: Playbook) -> date:
    """The last day to pay: the step's period from the day the letter should arrive."""
    where = place(playbook.zone, book.calendar(playbook), playbook.regime)
    arrives = where.working_days_later(rows.now, TRAVEL_WORKING_DAYS.get(letter.channel, 3))
    due, _ = where.last_day(where.local_day(arrives), company_wait(rows.case, playbook).period)
    return due


def _next_steps(case: Case, playbook: Playbook) -> tuple[words.NextStep, ...]:
    at = LADDER.index(case.stage) if case.stage in LADDER else 0
    steps = []
    for stage in LADDER[at + 1 :]:
        if stage is Stage.COMPLAINT:
            body = deciding_body(case, playbook)
            if body is not None and body.kind != "court":
                steps.append(words.NextStep(kind="complaint", body=body.name))
            elif body is not None:
                steps.append(words.NextStep(kind="court"))
        else:
            kind = cast(Literal["reminder", "formal_notice"], stage.value)
            steps.append(words.NextStep(kind=kind))
    return tuple(steps) or (words.NextStep(kind="court"),)


def _payment(rows: LetterRows) -> words.ClientAccountPayment | words.DirectPayment | None:
    """Mode A: to the client account, with the case's reference in both forms. Mode B: to the
    consumer, by the means they paid with."""
    if rows.case.mode == "B":
        payee = rows.signed[0][0].name if rows.signed else ""
        return words.DirectPayment(payee=payee, method="original_means")
    if rows.account is None:
        return None  # the letter is refused: "payment" is missing from the agency's accounts
    national = rows.row["payment_ref"]
    return words.ClientAccountPayment(
        account_holder=rows.account["holder"], iban=rows.account["number"],
        bic=rows.account["bic"], rf_reference=rf_reference(national), payment_reference=national,
    )  # fmt: skip


def _complaint(
    rows: LetterRows, playbook: Playbook, common: dict[str, Any]
) -> words.ComplaintLetter:
    first = rows.case.first_written_complaint
    sent = [row["sent_at"].date() for row in rows.letters]
    return words.ComplaintLetter(
        **common, respondent=_company(rows, None, common["language"]), requested="recommendation",
        first_complaint_on=min(first or common["dated"], *sent, common["dated"]),
    )  # fmt: skip


def current_body(case: Case, playbook: Playbook) -> Body:
    assert playbook.bodies, f"{playbook.key} has no body"
    return playbook.bodies[min(case.body_index, len(playbook.bodies) - 1)]
