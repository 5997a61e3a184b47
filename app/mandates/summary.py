"""The one-page summary, made from the case and the fee rule; the same bytes are kept at signing."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

from app.cases.net import items_due
from app.cases.schemas import Amount
from app.cases.views import company_name
from app.domain.gates import mandate_level
from app.domain.playbook import Body, LadderStep, Playbook
from app.domain.settlement import STANDARD_2026, FeeRule, ItemDue, Scenario, net_amounts
from app.mandates.schemas import FeeRuleOut, Level, NetAmountOut, StepOut, SummaryOut
from app.playbooks import book
from app.playbooks.fee_caps import capped
from app.texts import Words, words

# Rises when a sentence of the summary or the mandate changes its meaning, in any language.
TEXT_VERSION = "2026-2"
BODIES_SHOWN = 2  # of those that take a complaint from the consumer alone


def fee_rule() -> FeeRule:
    """The house rule for new agreements."""
    return STANDARD_2026


def summary_of(row: Mapping[str, Any], language: str | None = None) -> SummaryOut:
    """What this case's claimants agree to."""
    say, currency = words(language or row["language"]), row["currency"]
    rule = capped(
        fee_rule(), row["jurisdiction"], row["claim_kind"], currency, row["opened_at"].date()
    )
    due = items_due(row["items"])
    company = company_name(row)
    playbook = book.for_case(row["playbook"], row["bodies"])
    mandate, money = _mandate_text(say, company), say.term("summary", "mandate_money")
    start = say.term("summary", "start_now")
    page = SummaryOut(
        case_id=row["id"],
        reference=row["reference"],
        language=say.language,
        title=say.say("summary", "title", {"reference": row["reference"]}),
        service=say.say("summary", "service", {"company": company}),
        steps=[_step(say, step) for step in playbook.ladder],
        without_us=[say.term("summary", "alone"), *_bodies(say, playbook)],
        fee=_fee_rule(say, rule),
        claimed=Amount.of(sum(item.open_minor for item in due), currency),
        net_amounts=_nets(say, rule, due, currency),
        no_fee_on=say.term("summary", "no_fee_on"),
        nothing_due_if=say.term("summary", "already_agreed"),
        who_pays_whom=say.term("summary", f"mode_{row['mode']}"),
        withdrawal_right=say.term("summary", "withdrawal_right"),
        leaving=say.term("summary", "leaving"),
        if_we_are_late=say.term("summary", "late"),
        start_now_text=start,
        complaint_about_us=say.term("summary", "complaint_about_us"),
        data_use=say.term("summary", "data_use"),
        public_at_body=say.say("summary", "public_at_body", {"fee": _body_fee(say, playbook)}),
        mandate_level=needed_level(row),
        mandate_text=mandate,
        mandate_money_text=money,
        text_version=TEXT_VERSION,
        text_sha256=hash_of(f"{mandate}\n{money}"),
        start_now_sha256=hash_of(start),
        page_sha256="",
    )
    return page.model_copy(update={"page_sha256": _page_hash(page)})


def _nets(say: Words, rule: FeeRule, due: list[ItemDue], currency: str) -> list[NetAmountOut]:
    """What six outcomes leave."""
    whole = sum(item.open_minor for item in due)
    outcomes = (
        Scenario("full", whole),
        Scenario("half", whole // 2),
        Scenario("voucher", whole, voucher=True),
        Scenario("direct", whole),
        Scenario("nothing", 0),
        Scenario("left_after_offer", whole),
    )
    return [
        NetAmountOut(
            outcome=net.scenario,
            text=say.term("scenarios", net.scenario),
            recovered=Amount.of(net.recovered.minor, currency),
            our_fee=Amount.of(net.fee.minor, currency),
            vat_inside_fee=Amount.of(net.vat.minor, currency),
            you_get=Amount.of(net.consumer_gets.minor, currency),
        )
        for net in net_amounts(rule, due, currency, outcomes)
    ]


def hash_of(text: str) -> str:
    """SHA-256 of a text as shown."""
    return sha256(text.encode()).hexdigest()


def _page_hash(page: SummaryOut) -> str:
    """Of every word and figure of the page."""
    shown = page.model_dump(mode="json", exclude={"page_sha256"})
    return sha256(orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _fee_rule(say: Words, rule: FeeRule) -> FeeRuleOut:
    rate = _percent(rule.rate_bp)
    return FeeRuleOut(
        id=rule.id,
        version=rule.version,
        rate_percent=rate,
        vat_percent=_percent(rule.vat_bp),
        explanation=say.say("summary", "fee_rule", {"rate": say.decimal(rate)}),
    )


def needed_level(row: Mapping[str, Any]) -> Level:
    """Of the signature under this case's mandates (app.domain.gates.mandate_level)."""
    playbook = book.for_case(row["playbook"], row["bodies"])
    return mandate_level(playbook, playbook.bodies, row["company_mandate_level"])


def _mandate_text(say: Words, company: str) -> str:
    """Scoped to this case; it ends with it."""
    text = say.say("summary", "mandate_text", {"company": company})
    return f"{text} {say.term('summary', 'ends')}"


def _step(say: Words, step: LadderStep) -> StepOut:
    unit = step.wait.unit.removesuffix("s") if step.wait.value == 1 else step.wait.unit
    span = f"{step.wait.value} {say.term('units', unit)}"
    told = {"stage": say.term("stages", step.stage), "span": span}
    return StepOut(stage=step.stage, text=say.say("summary", "step", told))


def _bodies(say: Words, playbook: Playbook) -> list[str]:
    """What the consumer can turn to without us: the bodies of the case, in their order."""
    return [
        say.say("summary", "body_alone", {"body": body.name, "fee": _fee_of(say, body)})
        for body in playbook.bodies[:BODIES_SHOWN]
        if body.kind != "court"
    ]


def _fee_of(say: Words, body: Body) -> str:
    if body.fee is None:
        return say.term("summary", "body_unknown")
    if not body.fee.minor:
        return say.term("summary", "body_free")
    return say.money(body.fee.minor, body.fee.currency)


def _body_fee(say: Words, playbook: Playbook) -> str:
    first = next(iter(playbook.bodies), None)
    return say.term("summary", "body_unknown") if first is None else _fee_of(say, first)


def _percent(basis_points: int) -> str:
    """2500 -> "25", 2550 -> "25.5"."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".")
