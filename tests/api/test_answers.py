"""What the company or the body said, recorded by the person who read it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert

from app import engine
from app.clock import wall_now
from app.crypto import load_keyring
from app.db import Database
from app.domain.case import Stage
from app.domain.events import MessageArrived
from app.ids import new_id
from app.settings import Settings
from app.tables.correspondence import MessageRow
from app.vault import create_cipher
from tests.support.api import People
from tests.support.cases import Made, make_case
from tests.support.staff_work import one, post, problem, snapshot

EUR_80 = {"amount": "80.00", "currency": "EUR"}


def in_days(days: int) -> str:
    return (wall_now() + timedelta(days=days)).date().isoformat()


def instant_in(days: int) -> str:
    return (wall_now() + timedelta(days=days)).isoformat()


async def arrived(database: Database, case: Made, sender: str = "company") -> tuple[UUID, int]:
    """A human mail, filed to the case; returns its id and the version of the case after it."""
    message_id = new_id()
    async with database.transaction() as session:
        await session.execute(
            insert(MessageRow).values(
                id=message_id,
                case_id=case.id,
                direction="in",
                channel="email",
                sender=sender,
                from_address="claims@slow.example",
                to_address="case@agency.test",
                subject="Re",
                text="No.",
                automatic=False,
                state="unread",
                pen_reasons=[],
                received_at=wall_now(),
            )
        )
        await engine.advance(
            session,
            case.id,
            MessageArrived(message_id=message_id, sender=sender, automatic=False),
            actor="system",
        )
    row = await one(database, "SELECT version FROM cases WHERE id = :id", id=case.id)
    return message_id, row.version


async def test_a_denial_read_in_a_mail_leaves_the_choice_to_the_handler(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    message_id, version = await arrived(database, case)
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/answers",
        {"kind": "denied", "message_id": str(message_id), "reason": "out_of_time"},
        version=version,
    )
    assert answer.status_code == 201, answer.text
    kinds = {t["kind"] for t in answer.json()["open_tasks"]} - {"limitation"}
    assert kinds == {"choose_next_step"}
    assert answer.json()["pauses"] == []
    message = await one(database, "SELECT state FROM messages WHERE id = :id", id=message_id)
    assert message.state == "read"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"kind": "offered", "offer_kind": "voucher", "amount": EUR_80}, "voucher"),
        ({"kind": "offered", "amount": EUR_80, "answer_by": instant_in(5)}, "part"),
    ],
)
async def test_an_offer_is_on_file_before_the_claimants_are_asked(
    client: httpx.AsyncClient,
    people: People,
    database: Database,
    body: dict[str, Any],
    kind: str,
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    answer = await post(client, handler, f"/v1/cases/{case.id}/answers", body, case=case)
    assert answer.status_code == 201, answer.text
    assert answer.json()["waiting_on"] == "consumer"
    offer = await one(
        database,
        "SELECT kind, state, amount_minor, recorded_by FROM offers WHERE case_id = :id",
        id=case.id,
    )
    assert tuple(offer) == (kind, "open", 80_00, f"staff:{handler.id}")


async def test_the_company_gives_more_time_to_answer_its_offer(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    path = f"/v1/cases/{case.id}/answers"
    made = await post(
        client,
        handler,
        path,
        {"kind": "offered", "amount": EUR_80, "answer_by": instant_in(5)},
        case=case,
    )
    offer = await one(database, "SELECT id FROM offers WHERE case_id = :id", id=case.id)
    later = instant_in(12)
    more = await post(
        client,
        handler,
        path,
        {"kind": "offer_extended", "offer_id": str(offer.id), "answer_by": later},
        version=made.json()["version"],
    )
    assert more.status_code == 201, more.text
    row = await one(database, "SELECT answer_by FROM offers WHERE id = :id", id=offer.id)
    assert row.answer_by.isoformat() == later


async def test_a_recommendation_of_a_body_is_treated_as_an_offer(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(
        database, stage=Stage.COMPLAINT, letter="delivered", handler_id=handler.id
    )
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/answers",
        {"kind": "body_recommended", "amount": EUR_80, "words": "Pay two thirds."},
        case=case,
    )
    assert answer.status_code == 201, answer.text
    offer = await one(database, "SELECT kind, words FROM offers WHERE case_id = :id", id=case.id)
    assert tuple(offer) == ("recommendation", "Pay two thirds.")


@pytest.mark.parametrize(
    ("body", "stage", "waiting_on"),
    [
        (
            {
                "kind": "promised",
                "amount": {"amount": "120.00", "currency": "EUR"},
                "promised_date": in_days(20),
                "whole": True,
            },
            "settlement",
            "company",
        ),
        (
            {"kind": "promised", "amount": EUR_80, "promised_date": in_days(20), "whole": False},
            "contact",
            "company",
        ),
        ({"kind": "asked", "words": "They want the receipt."}, "contact", "handler"),
        ({"kind": "wrong_party"}, "contact", "handler"),
    ],
)
async def test_what_the_company_said_on_the_phone_moves_the_case(
    client: httpx.AsyncClient,
    people: People,
    database: Database,
    settings: Settings,
    body: dict[str, Any],
    stage: str,
    waiting_on: str,
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    async with database.transaction() as session:
        keyring = load_keyring(settings)
        await create_cipher(session, keyring, case.consumer_ids[0], at=wall_now())
    answer = await post(client, handler, f"/v1/cases/{case.id}/answers", body, case=case)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["stage"], answer.json()["waiting_on"]) == (stage, waiting_on)


@pytest.mark.parametrize(
    ("body", "waiting_on"),
    [
        ({"kind": "body_asked", "answer_by": instant_in(10)}, "handler"),
        ({"kind": "body_dismissed", "reason": "not their field"}, "handler"),
        ({"kind": "body_decided", "amount": EUR_80, "obey_by": in_days(30)}, "company"),
    ],
)
async def test_what_the_body_said_moves_the_case(
    client: httpx.AsyncClient,
    people: People,
    database: Database,
    body: dict[str, Any],
    waiting_on: str,
) -> None:
    handler = await people.staff("handler")
    case = await make_case(
        database, stage=Stage.COMPLAINT, letter="delivered", handler_id=handler.id
    )
    answer = await post(client, handler, f"/v1/cases/{case.id}/answers", body, case=case)
    assert answer.status_code == 201, answer.text
    assert answer.json()["waiting_on"] in (waiting_on, "delivery")


async def test_a_thank_you_is_set_aside_and_the_clock_runs_on(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    message_id, version = await arrived(database, case)
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/answers",
        {"kind": "set_aside", "message_id": str(message_id)},
        version=version,
    )
    assert answer.json()["waiting_on"] == "company"
    message = await one(
        database, "SELECT state, read_as FROM messages WHERE id = :id", id=message_id
    )
    assert (message.state, message.read_as) == ("set_aside", "set_aside")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount": {"amount": "80.00", "currency": "USD"}}, 422, "currency_mismatch"),
        ({"amount": {"amount": "0.00", "currency": "EUR"}}, 422, None),
        ({"amount": {"amount": "-1.00", "currency": "EUR"}}, 422, "validation_failed"),
        ({"amount": {"amount": "1.005", "currency": "EUR"}}, 422, None),
        (
            {"amount": {"amount": "9223372036854775808", "currency": "EUR"}},
            422,
            "validation_failed",
        ),
        ({"answer_by": "2020-01-01T00:00:00Z"}, 422, "date_in_past"),
        ({"answer_by": "9999-12-31T23:59:59-12:00"}, 422, "validation_failed"),
        ({"answer_by": instant_in(3000)}, 422, "date_too_far"),
        ({"message_id": str(new_id())}, 404, "message_not_found"),
        ({"kind": "paid"}, 422, "validation_failed"),
    ],
)
async def test_an_offer_that_cannot_be_right_changes_nothing(
    client: httpx.AsyncClient,
    people: People,
    database: Database,
    change: dict[str, Any],
    status: int,
    code: str | None,
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    before = await snapshot(database, case)
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/answers",
        {"kind": "offered", "amount": EUR_80} | change,
        case=case,
    )
    problem(answer, status, code or answer.json()["code"])
    assert await snapshot(database, case) == before


async def test_an_answer_the_ladder_refuses_leaves_no_offer_behind(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.ASSESSMENT, handler_id=handler.id)
    before = await snapshot(database, case)
    answer = await post(
        client, handler, f"/v1/cases/{case.id}/answers", {"kind": "denied"}, case=case
    )
    document = problem(answer, 409, "transition_refused")
    assert "no claim against the company" in document["detail"]
    assert await snapshot(database, case) == before


async def test_a_message_of_another_case_is_unknown_here(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    senior = await people.staff("senior")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered")
    other = await make_case(database, stage=Stage.CONTACT, letter="delivered")
    message_id, _ = await arrived(database, other)
    answer = await post(
        client,
        senior,
        f"/v1/cases/{case.id}/answers",
        {"kind": "denied", "message_id": str(message_id)},
        case=case,
    )
    problem(answer, 404, "message_not_found")


async def test_a_call_goes_on_file_and_moves_nothing(
    client: httpx.AsyncClient, people: People, database: Database
) -> None:
    handler = await people.staff("handler")
    case = await make_case(database, stage=Stage.CONTACT, letter="delivered", handler_id=handler.id)
    again = (wall_now() + timedelta(days=7)).strftime("%Y-%m-%dT08:00:00Z")
    answer = await post(
        client,
        handler,
        f"/v1/cases/{case.id}/calls",
        {
            "with_whom": "company",
            "notes": "They will look.",
            "outcome": "no decision",
            "promise": "a decision next week",
            "next_at": again,
        },
        case=case,
    )
    assert answer.status_code == 201, answer.text
    assert (answer.json()["stage"], answer.json()["step"]) == ("contact", case.case.step)
    call = await one(
        database, "SELECT notes, recorded_by FROM calls WHERE case_id = :id", id=case.id
    )
    assert tuple(call) == ("They will look.", f"staff:{handler.id}")
    listed = await client.get(f"/v1/cases/{case.id}/calls", headers=handler.auth)
    (shown,) = listed.json()["items"]
    assert (shown["promise"], shown["next_at"]) == ("a decision next week", again)
