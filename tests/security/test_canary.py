"""Canaries: one unique value of each private kind goes through every door and every worker; then
everything that was written is searched for it.

Searched: the logs of API and workers, standard output and error, every problem document, the
metrics, every table (as text, with the columns where a value may stand in clear named here), Redis,
and the files of the installation. Secrets (password, one-time secret, tokens, keys) and what is
encrypted at rest (account, address, birth date) stand in clear nowhere at all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import redis as redis_client
from sqlalchemy import text

from app.clock import wall_now
from app.consumers.login import link_token
from app.correspondence.filing import store_raw
from app.crypto import DataErased, Keyring, derive
from app.db import Database
from app.deps import LINK_KEY
from app.ids import new_id
from app.logs import configure_logs
from app.settings import Settings
from app.vault import destroy_key, open_cipher
from tests.banking.statements import Line
from tests.support.api import PASSWORD, People, Person
from tests.support.cases import ANSWERS
from tests.support.estate import filled, moments, samples
from tests.support.estate_money import file_of, money
from tests.support.http import Caller, body_of_app
from tests.support.raw_mails import KEYRING
from tests.support.signing import signature_of
from tests.workers.stage import PlainRenderer, install
from workers.effects.letter_seal import open_content
from workers.providers import Providers
from workers.providers.errors import Refused
from workers.providers.fakes import FakeBank, FakeMail, FakePost
from workers.worker import Worker, build_tools

NAME = "Zyxkanaria Vuorenpeikko"
STREET = "Kanarialinnunpolku 9731"
BIRTH_DATE = "1963-07-29"
EMAIL = "zyxkanaria.9731@canary.example"
IBAN = "FI7944052020036082"
STORY = "Zyxkanaria waited and the quetzal-coloured kettle never came."
ENCRYPTED = {"street": STREET, "birth date": BIRTH_DATE, "account": IBAN}

# Where people's names, addresses of mail and words live in clear, because work is done with them.
CLEAR: dict[str, set[str]] = {
    "name": {
        "consumers.name",
        "mandates.signed_name",
        "mandates.shown",
        "idempotency_keys.body",
        "messages.text",
        "messages.reading",
        "messages.subject",
        "inbound.raw",
        "cases.answers",
        # Who paid, and what the payer wrote: by it finance finds the case.
        "movements.payer_name",
        "movements.remittance",
    },  # the names as they were filed, to compare with those on file
    "email": {
        "consumers.email",
        "inbound.raw",
        "messages.from_address",
        "idempotency_keys.body",
        "inbound.envelope_from",
    },
    "story": {
        "cases.what_happened",
        "messages.text",
        "messages.reading",
        "inbound.raw",
        "idempotency_keys.body",
    },
}


@dataclass
class Trail:
    """What was pushed in, and the answers that came out."""

    secrets: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    calls: int = 0


class Listening(httpx.AsyncBaseTransport):
    """Passes calls on and keeps every refusal."""

    def __init__(self, inner: httpx.AsyncBaseTransport, trail: Trail) -> None:
        self.inner, self.trail = inner, trail

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self.inner.handle_async_request(request)
        self.trail.calls += 1
        if answer.status_code >= 400:
            await answer.aread()
            self.trail.problems.append(f"{answer.text} {dict(answer.headers)}")
        return answer


@dataclass
class Scene:
    """The pieces a step of the story needs."""

    client: httpx.AsyncClient
    database: Database
    settings: Settings
    people: People
    worker: Worker
    mail: FakeMail
    bank: FakeBank
    trail: Trail
    case: str = ""
    claimant: str = ""

    async def do(
        self, who: Person | Caller, method: str, path: str, body: Any = None, **headers: str
    ) -> Any:
        """A call that works, with the version that stands."""
        async with self.database.read() as session:
            version = await session.scalar(text("SELECT max(version) FROM cases"))
        sent = who.auth | {"If-Match": f'"{version or 1}"'} | headers
        answer = await self.client.request(method, path, json=body, headers=sent)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None


async def staff_comes_in(scene: Scene) -> dict[str, Person]:
    """Invitation, password, one-time codes, recovery codes, sessions, an API key."""
    people = scene.people
    found = {"admin": await people.admin()}
    for role in ("senior", "finance", "finance_approver"):
        found[role] = await people.staff(role)
    found["app"] = await people.app("cases.read", "cases.write")
    scene.trail.secrets |= {"password": PASSWORD}
    for name, person in found.items():
        scene.trail.secrets[f"token of {name}"] = person.token
        if person.secret:
            scene.trail.secrets[f"one-time secret of {name}"] = person.secret
        for at, code in enumerate(person.recovery_codes):
            scene.trail.secrets[f"recovery code {at} of {name}"] = code
    return found


async def consumer_files_and_signs(scene: Scene, staff: dict[str, Person], company: UUID) -> Person:
    """By an app with everything on them, then themself by a link; a key repeats the calls."""
    body = body_of_app(
        company={"company_id": str(company)}, what_happened=STORY, answers=dict(ANSWERS)
    )
    body["consumer"] = {
        "name": NAME,
        "email": EMAIL,
        "country": "FI",
        "language": "en",
        "birth_date": BIRTH_DATE,
        "address": {"lines": [STREET, "00100 Helsinki"]},
    }
    for _ in range(2):
        filed = await scene.do(
            staff["app"], "POST", "/v1/cases", body, **{"Idempotency-Key": "canary-1"}
        )
    scene.case, scene.claimant = f"/v1/cases/{filed['id']}", filed["claimants"][0]["id"]
    asked = await scene.client.post("/v1/session/link", json={"email": EMAIL})
    assert asked.status_code == 202
    async with scene.database.read() as session:
        row = (
            await session.execute(
                text(
                    "SELECT e.id, c.id AS consumer FROM effects e, consumers c"
                    " WHERE e.kind = 'SendMagicLink' AND c.email = :email"
                ),
                {"email": EMAIL},
            )
        ).one()
    key = derive(scene.settings.secret_key.get_secret_value(), LINK_KEY)
    token = link_token(key, row.id)
    used = await scene.client.post("/v1/session", json={"token": token})
    consumer = Person(row.consumer, EMAIL, used.json()["token"])
    scene.trail.secrets |= {"login link": token, "token of the consumer": consumer.token}
    await scene.do(
        staff["senior"], "POST", f"{scene.case}/assessment", samples()["assess_case"]["body"]
    )
    await scene.do(
        consumer,
        "PUT",
        f"{scene.case}/claimants/{scene.claimant}/payout-account",
        {"rail": "sepa", "holder": NAME, "iban": IBAN},
    )
    summary = await scene.client.get(f"{scene.case}/fee-summary", headers=consumer.auth)
    await scene.do(
        consumer,
        "POST",
        f"{scene.case}/mandates",
        signature_of(summary.json(), scene.claimant, NAME),
        **{"Idempotency-Key": "canary-2"},
    )
    return consumer


async def workers_carry_out(scene: Scene) -> None:
    """Letters, notices and links leave; one mail is refused by a server; one comes in."""
    scene.mail.plan.append(Refused("550 5.1.1 user unknown"))
    await scene.worker.until_quiet()
    raw = (
        f"From: {NAME} <{EMAIL}>\r\nTo: nobody@mail.agency.test\r\nSubject: {NAME}\r\n"
        f"Message-ID: <1@canary.example>\r\n\r\n{STORY}\r\n"
    ).encode()
    async with scene.database.transaction() as session:
        await store_raw(
            session,
            KEYRING,
            row_id=new_id(),
            provider="smtp",
            external_id="1",
            raw=raw,
            digest="0" * 64,
            envelope_to="nobody@mail.agency.test",
            envelope_from=EMAIL,
        )
    await scene.worker.until_quiet()


async def money_goes_out(scene: Scene, staff: dict[str, Person]) -> None:
    """Received, allocated, approved by another person, put into a bank file and submitted. From
    now on the consumer hears by post."""
    async with scene.database.transaction() as session:
        await session.execute(text("DELETE FROM bank_accounts"))  # finance opens them itself
        await session.execute(text("UPDATE consumers SET by_post = true"))
    finance, approver = (
        Caller(staff[r].id, staff[r].token) for r in ("finance", "finance_approver")
    )
    ids = await money(scene.client, finance, approver, [scene.case.rpartition("/")[2]])
    await scene.do(
        approver,
        "POST",
        f"/v1/payouts/batches/{ids['batch_id']}/approve",
        {"content_hash": ids["batch_hash"]},
    )
    await scene.worker.until_quiet()
    await the_bank_tells_who(scene, finance)
    await scene.worker.until_quiet()
    revealed = await scene.do(
        finance,
        "POST",
        f"{scene.case}/reveal",
        {"what": "iban", "claimant_id": scene.claimant, "reason": "the bank asks"},
    )
    assert revealed["value"] == IBAN
    assert any(IBAN.encode() in data for data in scene.bank.files.values()), "it reached the bank"


async def the_bank_tells_who(scene: Scene, finance: Caller) -> None:
    """A statement with the consumer on every side: as payee, as payer, and by hand as payer."""
    async with scene.database.read() as session:
        paid = (
            await session.execute(text("SELECT amount_minor, end_to_end_id FROM payout_items"))
        ).one()
        closing = await session.scalar(text("SELECT max(closing_minor) FROM bank_statements"))
    of_her = partial(Line, name=NAME, account=IBAN)
    out = of_her(-paid.amount_minor, end_to_end_id=paid.end_to_end_id)
    home = of_her(paid.amount_minor, end_to_end_id=paid.end_to_end_id, reason="AC04")
    back = of_her(5_00, text=f"back from {NAME}", bank_ref="BACK")
    counted = []
    for number, lines in ((2, [out]), (3, [home, back])):
        sent = await scene.client.post(
            "/v1/bank/statements",
            headers=finance.auth | {"Content-Type": "application/xml"},
            content=file_of(lines, closing, number),
        )
        assert sent.status_code == 200, sent.text
        closing += sum(line.minor for line in lines)
        counted.append((sent.json()["payouts_settled"], sent.json()["payouts_returned"]))
    assert counted == [(1, 0), (0, 1)]
    async with scene.database.read() as session:
        account = await session.scalar(text("SELECT bank_account_id FROM bank_statements LIMIT 1"))
    by_hand: dict[str, Any] = filled(
        samples()["record_receipt"]["body"], moments() | {"bank_account_id": str(account)}
    )
    by_hand |= {"payer_name": NAME, "payer_account": IBAN}
    await scene.do(finance, "POST", "/v1/bank/receipts", by_hand)


async def callers_err(scene: Scene, consumer: Person, staff: dict[str, Person]) -> None:
    """Refusals of every kind, each with canaries in it; and one bug, with canaries in its SQL."""
    canaries = {
        "name": NAME,
        "email": EMAIL,
        "street": STREET,
        "birth_date": BIRTH_DATE,
        "iban": IBAN,
        STREET: NAME,
    }
    for op, sample in samples().items():
        if sample.get("body"):
            path = {
                "create_case": "/v1/cases",
                "send_message": f"{scene.case}/messages",
                "staff_login": "/v1/staff/session",
                "use_login_link": "/v1/session",
                "request_login_link": "/v1/session/link",
            }.get(op)
            if path:
                body: dict[str, Any] = filled(sample["body"], moments())
                body |= canaries
                answer = await scene.client.post(path, json=body, headers=consumer.auth)
                assert answer.status_code in (401, 422), answer.text
    calls: list[tuple[str, str, dict[str, Any]]] = [
        (
            "POST",
            "/v1/staff/session",
            {"json": {"email": EMAIL, "password": PASSWORD, "code": "000000"}},
        ),
        ("POST", "/v1/session", {"json": {"token": scene.trail.secrets["login link"]}}),
        ("GET", f"/v1/search?q={IBAN}&token={consumer.token}", {}),
        ("GET", f"/v1/cases/{NAME}", {}),
        ("GET", f"{scene.case}/letters?cursor={EMAIL}", {}),
        ("GET", "/v1/cases", {"headers": {"Authorization": f"Basic {consumer.token}"}}),
        ("GET", "/v1/cases", {"headers": {"Authorization": f"Bearer {consumer.token}x"}}),
        (
            "POST",
            f"{scene.case}/messages",
            {
                "content": f'{{"text": "{STREET}'.encode(),
                "headers": {"Content-Type": "application/json"},
            },
        ),
    ]
    for method, path, more in calls:
        headers = consumer.auth | more.pop("headers", {})
        answer = await scene.client.request(method, path, headers=headers, **more)
        assert answer.status_code >= 400, (path, answer.text)
    await a_bug_happens(scene, consumer)


async def a_bug_happens(scene: Scene, consumer: Person) -> None:
    """A column is missing: the statement that fails carries the canaries as parameters."""
    async with scene.database.transaction() as session:
        await session.execute(text("ALTER TABLE messages RENAME COLUMN text TO texte"))
        await session.execute(text("ALTER TABLE consumers RENAME COLUMN name TO nom"))
    claim: dict[str, Any] = samples()["create_case"]["body"]["claim"]
    calls: list[tuple[str, dict[str, Any]]] = [
        (f"{scene.case}/messages", {"text": f"{STREET} {IBAN} {STORY}"}),
        ("/v1/cases", {"claim": {**claim, "what_happened": STORY}}),
    ]
    for path, body in calls:
        answer = await scene.client.post(path, json=body, headers=consumer.auth)
        assert answer.status_code == 500, (path, answer.text)
    async with scene.database.transaction() as session:
        await session.execute(text("ALTER TABLE messages RENAME COLUMN texte TO text"))
        await session.execute(text("ALTER TABLE consumers RENAME COLUMN nom TO name"))


# --- looking -----------------------------------------------------------------------------------


def forms(value: str) -> set[str]:
    """A value as it may have been written: with blanks, in bytes, escaped, in the form of a URL."""
    found = {
        value,
        value.lower(),
        value.replace(" ", "%20"),
        value.replace(" ", "+"),
        value.encode().hex(),
        json.dumps(value)[1:-1],
        value.replace("@", "%40"),
    }
    if value == IBAN:
        found.add(" ".join(IBAN[at : at + 4] for at in range(0, len(IBAN), 4)))
    return found


def holds(said: str, value: str) -> bool:
    lowered = said.lower()
    return any(form.lower() in lowered for form in forms(value))


async def columns(database: Database) -> dict[str, str]:
    """All that stands in each column of each table, as one text (bytes as hex)."""
    found = {}
    async with database.read() as session:
        names = await session.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = 'public' ORDER BY 1, 2"
            )
        )
        for table, column in names.all():
            found[f"{table}.{column}"] = str(
                await session.scalar(text(f"SELECT string_agg({column}::text, ' ') FROM {table}"))
                or ""
            )
    return found


def redis_content(url: str) -> str:
    with redis_client.Redis.from_url(url) as client:
        return " ".join(f"{key!r} {client.dump(key)!r}" for key in client.scan_iter())


def files_content(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


async def searched(scene: Scene, written: str) -> list[str]:
    """Every place where a canary stands that must not stand there."""
    trail, faults = scene.trail, []
    admin = await scene.people.admin()
    metrics = await scene.client.get("/metrics", headers=admin.auth)
    assert metrics.status_code == 200 and len(metrics.text) > 1_000
    private = {"name": NAME, "email": EMAIL, "story": STORY, **ENCRYPTED, **trail.secrets}
    places = {
        "the logs and outputs": written,
        "a problem": "\n".join(trail.problems),
        "the metrics": metrics.text,
        "Redis": redis_content(str(scene.settings.redis_url)),
    }
    for place, said in places.items():
        faults += [f"{kind} in {place}" for kind, value in private.items() if holds(said, value)]
    for column, said in (await columns(scene.database)).items():
        faults += [
            f"{kind} in {column}"
            for kind, value in private.items()
            if holds(said, value) and column not in CLEAR.get(kind, set())
        ]
    for file, content in files_content(scene.settings.data_dir).items():
        never = {"account": IBAN, "birth date": BIRTH_DATE, **trail.secrets}
        faults += [
            f"{kind} in {file}" for kind, value in never.items() if value.encode() in content
        ]
    return faults


@pytest.mark.slow
async def test_no_private_value_is_written_where_it_must_not_be(
    client: httpx.AsyncClient,
    database: Database,
    settings: Settings,
    capfd: pytest.CaptureFixture[str],
) -> None:
    trail = Trail()
    client._transport = Listening(client._transport, trail)
    configure_logs(level="debug", release="canary")
    mail, post, bank = FakeMail(), FakePost(), FakeBank()
    tools = build_tools(settings, providers=Providers(mail, post, bank), renderer=PlainRenderer())
    scene = Scene(
        client,
        database,
        settings,
        People(client, database, settings),
        Worker(tools),
        mail,
        bank,
        trail,
    )
    try:
        company = await install(database)
        staff = await staff_comes_in(scene)
        consumer = await consumer_files_and_signs(scene, staff, company)
        await workers_carry_out(scene)
        await money_goes_out(scene, staff)
        await callers_err(scene, consumer, staff)
    finally:
        await tools.database.close()
    captured = capfd.readouterr()
    written = captured.out + captured.err
    assert "unhandled_error" in written, "the logs were on, and the bug is in them"
    assert any(NAME.split()[0].encode() in m.data for m in mail.mails.values()), "mails went out"
    assert any(STREET in job.address_lines for job, _ in post.jobs.values()), "paper went out"
    async with database.read() as session:
        cipher = await open_cipher(session, tools.keyring, consumer.id)
        stored = await session.scalar(
            text("SELECT birth_date_cipher FROM consumers WHERE id = :id"), {"id": consumer.id}
        )
    assert (
        stored is not None
        and cipher.decrypt(stored, column="consumers.birth_date_cipher", row_id=consumer.id)
        == BIRTH_DATE
    )
    assert trail.problems and trail.calls > 40
    assert not await searched(scene, written)
    await a_letter_opens_until_its_person_is_erased(database, tools.keyring, consumer)


async def a_letter_opens_until_its_person_is_erased(
    database: Database, keyring: Keyring, consumer: Person
) -> None:
    async with database.transaction() as session:
        made = (await session.execute(text("SELECT letter_id, n FROM letter_versions"))).first()
        assert made is not None, "a letter was made"
        content = await open_content(session, keyring, made.letter_id, made.n)
        assert content["claimants"][0]["address_lines"][0] == STREET
        assert await destroy_key(session, consumer.id, at=wall_now())
        with pytest.raises(DataErased):
            await open_content(session, keyring, made.letter_id, made.n)


def test_the_search_finds_what_it_looks_for() -> None:
    assert holds(f"x {IBAN[:4]} {IBAN[4:8]} {IBAN[8:12]} {IBAN[12:16]} {IBAN[16:]}", IBAN)
    assert holds(f'{{"to": "{EMAIL.upper()}"}}', EMAIL)
    assert holds(NAME.encode().hex(), NAME) and holds("q=" + STREET.replace(" ", "+"), STREET)
    assert not holds(NAME[:-1], NAME)
