"""From rows to what people read. Pure: everything it needs was read before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.authorisation import Principal
from app.case_state import basis_words
from app.cases import schemas as out
from app.cases.access import is_staff
from app.cases.completeness import missing_of_row
from app.cases.net import Before, net_of_offer
from app.cases.words import (
    day,
    entry,
    instant,
    now_and_next,
    pauses_of,
    promised_date,
    waiting_text,
    zone_of,
)
from app.crypto import mask_name
from app.domain.case import OfferKind
from app.domain.settlement import STANDARD_2026
from app.playbooks.fee_caps import capped
from app.texts import Words, words

Row = Mapping[str, Any]
FILED = "_filed"  # what the filer called the people; not an answer of the question form
UNTIL_LEFT = ("rendering", "awaiting_approval", "returned", "released")


def case_view(row: Row, principal: Principal, *, language: str | None = None) -> out.CaseView:
    """The whole case for this reader, in their language or the case's."""
    say, zone = words(language or row["language"]), zone_of(row["playbook"])
    staff, company = is_staff(principal), company_name(row)
    timeline = [
        entry(h, say, currency=row["currency"], zone=zone, company=company) for h in row["history"]
    ]
    missing = missing_of_row(row) if row["stage"] == "intake" else []
    return out.CaseView(
        id=row["id"],
        reference=row["reference"],
        version=row["version"],
        stage=row["stage"],
        stage_text=say.term("stages", row["stage"]),
        step=row["step"],
        waiting_on=row["waiting_on"],
        waiting_on_text=waiting_text(row, say, company),
        next_promised_date=promised_date(row, say, zone),
        now_and_next=now_and_next(row, timeline, say, zone, company),
        outcome=row["outcome"],
        outcome_text=say.term("outcomes", row["outcome"]) if row["outcome"] else None,
        mode=row["mode"],
        mode_text=say.term("modes", row["mode"]),
        we_are_late=row["agency_late"],
        language=say.language,
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
        claim=_claim(row, principal),
        company=_company(row),
        claimants=[_claimant(c, row, principal, say) for c in row["claimants"]],
        items=[_item(i) for i in row["items"]],
        money=_money(row),
        letters=[
            letter_out(x, row["id"], principal, say)
            for x in row["letters"]
            if staff or x["sent_at"]
        ],
        offers=[_offer(o, row, say, zone) for o in row["offers_made"]],
        questions=[_question(q, row, say) for q in row["questions_asked"]],
        timeline=timeline,
        still_missing=[
            out.MissingField(pointer=m.pointer, message=say.term("missing", m.code))
            for m in missing
        ],
        staff=_staff(row) if staff else None,
    )


def company_name(row: Row) -> str:
    return str(row.get("legal_name") or row["company_text"] or "")


def _company(row: Row) -> out.CompanyOut:
    filed = (row["answers"] or {}).get(FILED, {})
    return out.CompanyOut(
        name=company_name(row),
        brand=row.get("brand") or filed.get("brand"),
        company_id=row["company_id"],
        confirmed=row["company_known"],
    )


def _claim(row: Row, principal: Principal) -> out.ClaimOut:
    """Who reads masked sees no words of a person: their story and answers name people."""
    hidden = masked(principal)
    answers = {k: v for k, v in (row["answers"] or {}).items() if k != FILED and not hidden}
    return out.ClaimOut(
        claim_kind=row["claim_kind"],
        jurisdiction=row["jurisdiction"],
        currency=row["currency"],
        booking_reference=row["booking_ref"],
        what_happened="" if hidden else row["what_happened"],
        answers=answers,
        first_written_complaint=day(row["first_written_complaint"]),
    )


def _claimant(claimant: Row, row: Row, principal: Principal, say: Words) -> out.ClaimantOut:
    return out.ClaimantOut(
        id=UUID(str(claimant["id"])),
        name=_name(claimant, row, principal),
        position=claimant["position"],
        is_you=principal.kind == "consumer" and str(principal.id) == str(claimant["consumer_id"]),
        mandate=out.MandateOut(
            state=claimant["mandate"],
            state_text=say.term("mandates", claimant["mandate"]),
            mandate_id=claimant["mandate_id"],
            signed_at=instant(claimant["signed_at"]),
            receives_money=claimant["receives_money"],
            waits_until=instant(claimant["waits_until"]),
            level=claimant["level"],
            valid_until=day(claimant["valid_until"]),
        ),
        account_on_file=claimant["has_account"],
    )


def _name(claimant: Row, row: Row, principal: Principal) -> str:
    """An app sees the name it gave, never the one we knew: that would say that we knew them."""
    if principal.kind == "app":
        names = (row["answers"] or {}).get(FILED, {}).get("names", [])
        at = claimant["position"]
        return str(names[at]) if at < len(names) else ""
    name = str(claimant["name"])
    return mask_name(name) if masked(principal) else name


def masked(principal: Principal) -> bool:
    """Auditors read everything, masked."""
    return is_staff(principal) and not principal.has("handler", "senior", "legal")


def _item(item: Row) -> out.ItemOut:
    return out.ItemOut(
        id=UUID(str(item["id"])),
        what=item["what"],
        kind=item["kind"],
        amount=out.Amount.of(item["amount_minor"], item["currency"]),
        earns_fee=item["earns_fee"],
        counted=item["counted"],
        claimant_id=UUID(str(item["creditor_id"])),
    )


def _money(row: Row) -> out.MoneyOnCase:
    currency, money = row["currency"], row["money"]

    def amount(minor: int) -> out.Amount:
        return out.Amount.of(minor, currency)

    others: dict[str, int] = {}
    for item in row["items"]:
        if not item["counted"]:
            others[item["currency"]] = others.get(item["currency"], 0) + item["amount_minor"]
    agreed = row["agreed_minor"]
    return out.MoneyOnCase(
        claimed=amount(row["claimed_minor"]),
        agreed=amount(agreed) if agreed is not None else None,
        received=amount(money["received"]),
        paid_to_you_directly=amount(money["direct"]),
        vouchers=amount(money["voucher"]),
        our_fee=amount(money["fee"] + money.get("fee_direct", 0)),  # deducted and invoiced
        made_good=amount(money.get("adjusted", 0)),
        on_its_way=amount(money["in_flight"]),
        paid_out=amount(money["paid_out"]),
        waits_for_you=amount(money["unallocated_in_full"]),
        not_counted=[out.Amount.of(minor, code) for code, minor in sorted(others.items())],
    )


def letter_out(letter: Row, case_id: UUID, principal: Principal, say: Words) -> out.LetterOut:
    """A letter; its PDF for staff as soon as it is rendered, for others once it has left."""
    readable = letter["sha256"] and (letter["sent_at"] or is_staff(principal))
    grade = letter["evidence_grade"]
    return out.LetterOut(
        id=UUID(str(letter["id"])),
        kind=letter["kind"],
        kind_text=say.term("letters", letter["kind"]),
        step=letter["step"],
        state=letter["state"],
        state_text=say.term("letter_states", letter["state"]),
        channel=letter["channel"],
        recipient=letter["recipient"],
        sha256=letter["sha256"],
        sent_at=instant(letter["sent_at"]),
        delivered_at=instant(letter["delivered_at"]),
        proof_of_delivery=say.term("grades", grade) if grade else None,
        pdf=f"/v1/cases/{case_id}/letters/{letter['id']}/pdf" if readable else None,
    )


def _offer(offer: Row, row: Row, say: Words, zone: ZoneInfo) -> out.OfferOut:
    voucher = offer["kind"] == OfferKind.VOUCHER
    money = row["money"]
    before = Before(
        recovered=money["received"] + money["direct"] + money["voucher"],
        fee=money["fee"] + money["fee_direct"],
        we_are_late=row["agency_late"],
    )
    net = net_of_offer(
        offer["amount_minor"], voucher=voucher, items=row["items"], before=before,
        rule=capped(
            STANDARD_2026, row["jurisdiction"], row["claim_kind"], row["currency"],
            row["opened_at"].date(),
        ),
    )  # fmt: skip
    currency = offer["currency"]
    answer_by = instant(offer["answer_by"])
    assert answer_by is not None, "an offer has a date"
    after = (
        "accept_voucher"
        if voucher
        else ("accept_whole" if offer["in_full_settlement"] else "accept_part")
    )
    return out.OfferOut(
        id=UUID(str(offer["id"])),
        kind=offer["kind"],
        kind_text=say.term("offers", offer["kind"]),
        state=offer["state"],
        state_text=say.term("offer_states", offer["state"]),
        amount=out.Amount.of(offer["amount_minor"], currency),
        in_full_settlement=offer["in_full_settlement"],
        answer_by=answer_by,
        answer_by_text=say.day(answer_by, zone),
        words_of_the_company=offer["words"],
        our_fee_if_accepted=out.Amount.of(net.fee, currency),
        would_be_paid_out=out.Amount.of(net.paid_out, currency),
        each_would_get=[
            out.NetOut(claimant_id=UUID(c), would_get=out.Amount.of(m, currency))
            for c, m in net.by_claimant.items()
        ],
        if_you_accept=say.term("consequences", after),
        if_you_refuse=say.term("consequences", "refuse"),
        answers=[_offer_answer(c, a, currency) for c, a in offer["answers"].items()],
    )


def _offer_answer(claimant: str, answer: Any, currency: str) -> out.OfferAnswerOut:
    counter = answer.get("counter_minor")
    return out.OfferAnswerOut(
        claimant_id=UUID(claimant),
        answer=answer["answer"],
        counter=out.Amount.of(counter, currency) if counter else None,
    )


def _question(question: Row, row: Row, say: Words) -> out.QuestionOut:
    clocks = {str(q["id"]): q for q in row["questions"] or ()}
    clock = clocks.get(str(question["id"]))
    asked_at = instant(question["asked_at"])
    assert asked_at is not None, "a question has a date"
    return out.QuestionOut(
        id=UUID(str(question["id"])),
        code=question["code"],
        question=question["words"],
        asked_at=asked_at,
        answer_by=instant(clock["due_at"]) if clock else None,
        if_you_do_not_answer=say.term("defaults", question["default_action"]),
        answered=question["answered_at"] is not None,
        answer=question["answer"],
    )


def _staff(row: Row) -> out.StaffPart:
    limit = (row.get("extra") or {}).get("limitation_basis")  # a new case has neither yet
    return out.StaffPart(
        source=row["source"],
        handler_id=row["handler_id"],
        prepared_by=row["prepared_by"],
        entry_stage=row["entry_stage"],
        entry_reason=row["entry_reason"],
        limitation_on=day(row["limitation_on"]),
        limitation_rule=limit["rule"] if limit else None,
        limitation_because=basis_words(limit) if limit else None,
        duplicate_of=row["duplicate_of"],
        possible_duplicates=[out.Duplicate(**d) for d in row["twins"]],
        pauses=[
            out.PauseOut(kind=p.kind, reason=p.reason, since=p.since, until=p.until)
            for p in pauses_of(row)
        ],
        open_tasks=[out.OpenTaskOut(**t) for t in row["open_tasks"]],
        distress=row["distress"],
        parked_reason=row["parked_reason"],
        payment_reference=row["payment_ref"],
        playbook=row["playbook"],
    )


def case_line(row: Row) -> out.CaseLine:
    say = words(row["language"])
    company = str(row["company"] or "")
    return out.CaseLine(
        id=row["id"],
        reference=row["reference"],
        version=row["version"],
        stage=row["stage"],
        stage_text=say.term("stages", row["stage"]),
        waiting_on=row["waiting_on"],
        waiting_on_text=waiting_text(row, say, company),
        next_promised_date=row["due_at"],
        outcome=row["outcome"],
        company=company,
        claimed=out.Amount.of(row["claimed_minor"], row["currency"]),
        opened_at=row["opened_at"],
    )
