"""Every operation x every kind of caller x whose thing it is, derived from the authorisation table.

The operations come from the application, the expectation from the operation's row
(app/authorisation/rows) and from who may reach what, which is written here once more in words of
its own. One prepared world serves all of it: each call happens whole, and its commit is taken back
(tests/support/rehearsal.py). A cell checks the status and code, the form of the refusal, that a
refused call would have left nothing in the database, and that no answer shows anything of a person
whom the caller may not read.

An operation without a row or without a sample call, and a path parameter of which the world has
nothing, are failures.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.authorisation.table import SCOPES, Row, load_table
from app.domain.roles import STAFF_ROLES
from app.main import create_app
from app.openapi import operations
from app.settings import Settings
from tests.support.estate import World, filled, give_codes, samples
from tests.support.http import Caller, api_key, consumer, session_of, staff
from tests.support.prepared import Prepared, rehearsing
from tests.support.rehearsal import Rehearsal, fingerprint

TABLE = load_table()
PARTS = 4  # shares of the table that can run beside each other
CELLS_MIN = 2_000
ID_PARAMETERS = re.compile(r"{([a-z_]+)}")

# Path parameters whose rows belong to a case: the caller must reach the case.
OF_CASE = {
    "case_id", "claimant_id", "letter_id", "mandate_id", "question_id", "offer_id", "evidence_id",
    "report_id", "key", "link_id", "paper_id",
}  # fmt: skip
# A key is a word of ours, not an id: the same word may stand on two cases.
NESTED = OF_CASE - {"case_id", "key"}
# Whose thing does not matter, or whose row says `owns: all`.
COMMON = {
    "staff_id", "key_id", "company_id", "channel_id", "name", "message_id", "movement_id",
    "allocation_id", "batch_id", "item_id", "entry_id", "attachment_id", "client_account_id",
    "import_id", "token", "answer_token",
}  # fmt: skip
NO_IDS = {"name", "token", "answer_token"}  # words that open the same thing to everybody
CASE_IN_BODY = {"file_message", "split_message"}  # the caller must reach the case named there
READS_ALL = {"senior", "legal", "auditor", "finance", "finance_approver"}


@dataclass(frozen=True)
class Who:
    """A caller as the matrix sees them. `proven` is false for whoever must be nobody."""

    name: str
    auth: dict[str, str]
    grants: frozenset[str] = frozenset()
    proven: bool = True
    stepped_up: bool = True
    owns: str | None = None  # whose things are theirs: anna, berta

    @property
    def kind(self) -> str:
        return self.name.partition(" ")[0]


@dataclass(frozen=True)
class Cell:
    """One call: the ids of one estate (`mixed`: the case of one, the rest of the other)."""

    whose: str  # anna | berta | nobody | mixed
    ids: dict[str, str]


Method = tuple[str, str, Row]  # method, path, row


def listed(app: FastAPI) -> list[Method]:
    return [
        (method, str(route.path), TABLE[str(route.operation_id)])
        for route in operations(app)
        for method in sorted(route.methods or ())
    ]


def test_every_operation_has_a_row_and_a_sample_call(settings: Settings) -> None:
    names = {str(r.operation_id) for r in operations(create_app(settings))}
    assert names == set(TABLE)
    assert names == set(samples()), "tests/support/operations.yaml says how each is called"


def test_every_path_parameter_is_of_a_kind_the_matrix_knows(settings: Settings) -> None:
    found = {p for _, path, _ in listed(create_app(settings)) for p in ID_PARAMETERS.findall(path)}
    assert found <= OF_CASE | COMMON | {"task_id", "effect_id"}


async def everybody(world: World, database: Rehearsal) -> list[Who]:
    """Who can stand at the door: every role and scope, owners and others, and who is out."""
    found = [Who("anonymous", {}, proven=False)]
    for name, estate in (("anna", world.anna), ("berta", world.berta)):
        found += [
            Who(f"consumer {name}", estate.consumer.auth, frozenset({"consumer"}), owns=name),
            Who(
                f"app of {name}",
                estate.app.auth,
                frozenset({"app:cases.read", "app:cases.write", "app:documents.write"}),
                owns=name,
            ),
            Who(f"handler of {name}", estate.handler.auth, frozenset({"handler"}), owns=name),
        ]
    stranger = await consumer(database)
    found.append(Who("consumer stranger", stranger.auth, frozenset({"consumer"})))
    for scope in SCOPES:
        key = await api_key(database, scope)
        found.append(Who(f"app with {scope}", key.auth, frozenset({f"app:{scope}"})))
    for role, person in world.staff.items():
        found.append(Who(role, person.auth, frozenset({role})))
    late = await staff(database, "admin")
    await change(database, "login_sessions SET stepped_up_at = now() - interval '6 minutes'", late)
    found.append(Who("admin late", late.auth, frozenset({"admin"}), stepped_up=False))
    for roles in (("handler", "finance"), ("handler", "auditor"), ("finance", "admin")):
        both = await staff(database, *roles)
        found.append(Who(" and ".join(roles), both.auth, frozenset(roles)))
    return found + await nobodies(world, database)


async def nobodies(world: World, database: Rehearsal) -> list[Who]:
    """Who once was somebody, or never was."""

    async def fresh(kind: str) -> Caller:
        if kind == "staff":
            return await staff(database, *STAFF_ROLES)
        return await session_of(database, world.anna.consumer.id)

    found = []
    for kind in ("staff", "consumer"):
        for state, sets in (
            ("revoked", "revoked_at = now() - interval '1 second'"),
            ("expired", "expires_at = now() - interval '1 second'"),
            ("idle", "last_seen_at = now() - interval '25 hours'"),
        ):
            caller = await fresh(kind)
            await change(database, f"login_sessions SET {sets}", caller, token=True)
            found.append(Who(f"{state} {kind}", caller.auth, proven=False))
    gone = await staff(database, "senior", "admin")
    await change(database, "staff SET status = 'deactivated'", gone, column="id")
    found.append(Who("deactivated staff", gone.auth, proven=False))
    for state, sets in (
        ("revoked", "revoked_at = now()"),
        (
            "expired",
            "expires_at = now() - interval '1 second', created_at = now() - interval '1 day'",
        ),
    ):
        key = await api_key(database)
        await change(database, f"api_keys SET {sets}", key, column="id")
        found.append(Who(f"{state} app", key.auth, proven=False))
    token = world.anna.app.token
    for name, sent in (
        ("key of production", token.replace("rk_test_", "rk_live_")),
        ("key with another secret", token[:-4] + "AAAA"),
        ("made up session", "A" * 43),
    ):
        found.append(Who(name, {"Authorization": f"Bearer {sent}"}, proven=False))
    basic = {"Authorization": "Basic " + world.staff["admin"].token}
    return [*found, Who("basic scheme", basic, proven=False)]


async def change(
    database: Rehearsal, sets: str, who: Caller, *, column: str = "subject_id", token: bool = False
) -> None:
    """Bends a session or key into the state a test is about (time cannot be waited for)."""
    newest = (
        " AND id = (SELECT id FROM login_sessions WHERE subject_id = :id ORDER BY id DESC LIMIT 1)"
        if token
        else ""
    )
    async with database.transaction() as session:
        done = await session.execute(
            text(f"UPDATE {sets} WHERE {column} = :id{newest} RETURNING 1"), {"id": who.id}
        )
        assert len(done.all()) == 1, sets


# --- what must come out ------------------------------------------------------------------------


def reaches(who: Who, row: Row, path: str, whose: str) -> bool:
    """Whether the thing this path names exists for the caller, by the words of product.md.

    A consumer has what they filed or claim, an app what its key filed, a handler their own cases
    and the pool; senior and legal every case; auditor and finance read every case and change none.
    """
    names = set(ID_PARAMETERS.findall(path))
    if names <= COMMON and row.operation not in CASE_IN_BODY:
        return whose != "nobody" or names <= NO_IDS
    if whose in ("nobody", "mixed"):
        return False
    if who.owns == whose:
        return True
    acting = who.grants & row.allow  # of several roles, only those the operation is for count,
    if len(acting) > 1:  # and an auditor's not beside another
        acting -= {"auditor"}
    if "task_id" in names:  # tasks of the world are the handler's; seniors help, auditors look
        return not acting.isdisjoint({"senior", "auditor"})
    if "effect_id" in names or row.operation == "unpark_case":
        return not acting.isdisjoint({"senior", "admin", "auditor"})
    if row.operation == "reveal_field" and "handler" in acting:
        return False  # asks for an address, which finance has no business with
    return not acting.isdisjoint(READS_ALL)


def expected(who: Who, row: Row, path: str, whose: str) -> tuple[int, str] | None:
    """Status and code of the refusal; None when the caller gets past the door."""
    if row.public:
        return None
    if not who.proven:
        return 401, "not_authenticated"
    if row.allow.isdisjoint(who.grants):
        return (404, "not_found") if row.denied == 404 else (403, "forbidden")
    if row.step_up and not who.stepped_up:
        return 403, "step_up_required"
    if not reaches(who, row, path, whose):
        return 404, "not found, by a code of the thing"
    return None


# Refusals behind the door, which are about the thing and not about the caller.
BEHIND_THE_DOOR: dict[str, set[str]] = {
    "staff_step_up": {"login_refused"},  # six noughts are nobody's code
    "pay_invoice": {"not_found"},  # that invoice was deducted: nothing is open on it
    "get_bank_file": {"bank_file_not_found"},  # the batch is proposed, its file not made yet
}


def code_of(answer: httpx.Response) -> str:
    """The code of a problem document, or nothing."""
    problem = answer.headers.get("content-type", "") == "application/problem+json"
    return str(answer.json()["code"]) if problem else ""


def wrong(cell: Cell, who: Who, method: Method, answer: httpx.Response, wrote: int) -> str | None:
    """What is wrong with this answer, or None."""
    row, path = method[2], method[1]
    want = expected(who, row, path, cell.whose)
    code = code_of(answer)
    if answer.status_code >= 500:
        return "a 5xx"
    if answer.status_code >= 400 and not code:
        return "a refusal that is no problem document"
    if answer.status_code >= 400 and wrote and not row.public:
        return f"a refused call wrote ({wrote} transactions)"
    if row.public:
        return None  # open to all: that all are told the same is checked for the whole operation
    if want is None:
        known = BEHIND_THE_DOOR.get(row.operation, ())
        if answer.status_code in (401, 403, 404) and code not in known:
            return "refused although the row allows it"
        return None
    if answer.status_code != want[0]:
        return f"expected {want[0]}"
    if want[0] != 404 and code != want[1]:
        return f"expected the code {want[1]}"
    return None


def leaks(cell: Cell, who: Who, row: Row, answer: httpx.Response, world: World) -> list[str]:
    """Words of a person that this caller must not read. Their names and streets are masked for
    auditors and unknown to admins; accounts stand in full only in a reveal."""
    said = answer.text + str(answer.headers)
    found = []
    for name, estate in (("anna", world.anna), ("berta", world.berta)):
        if who.owns == name or not who.grants.isdisjoint({"senior", "legal"}):
            hidden = {"iban"}
        elif not who.grants.isdisjoint({"finance", "finance_approver"}):
            hidden = {"street", "birth_date", "story"} | (
                {"iban"} if row.operation != "reveal_field" else set()
            )
        elif "auditor" in who.grants:
            hidden = {"name", "email", "street", "iban", "birth_date"}
        elif "admin" in who.grants:
            hidden = set(estate.words) - {"reference"}
        else:
            hidden = set(estate.words)
        found += [f"{word} of {name}" for word in hidden if estate.words[word] in said]
    return found


# --- the matrix --------------------------------------------------------------------------------


@dataclass
class Matrix:
    app: FastAPI
    client: httpx.AsyncClient
    database: Rehearsal
    world: World
    who: list[Who]

    def cells(self, who: Who, path: str) -> list[Cell]:
        """Own, foreign, nobody's; and the case of one with the parts of the other."""
        names = set(ID_PARAMETERS.findall(path))
        anna, berta = self.world.ids(self.world.anna), self.world.ids(self.world.berta)
        found = [Cell("anna", anna)]
        if not who.proven or not names:
            return found
        nobody = self.world.ids(None) | (
            {n: anna["pool_case_id"] for n in names & COMMON if n not in NO_IDS}
        )
        found += [Cell("berta", berta), Cell("nobody", nobody)]
        if "case_id" in names and names & NESTED:
            found.append(Cell("mixed", anna | {n: berta[n] for n in names & NESTED}))
        return found

    async def call(self, who: Who, method: Method, cell: Cell) -> httpx.Response:
        """The sample call of the operation with these ids, by this caller."""
        verb, path, row = method
        sample = samples()[row.operation]
        by: dict[str, Any] = sample.get("by", {})
        body = by.get(who.kind, sample.get("body"))
        headers = {**who.auth, "If-Match": self.world.if_match(path, cell.ids)}
        extra: dict[str, Any] = {}
        if body is not None:
            extra["json"] = filled(body, cell.ids)
        elif "raw" in sample:
            extra["content"] = filled(sample["raw"], cell.ids).encode()
            headers["Content-Type"] = sample["type"]
        return await self.client.request(
            verb, filled(path, cell.ids), headers=headers, params=sample.get("query"), **extra
        )

    async def check(self, method: Method) -> tuple[int, list[str]]:
        """All cells of one operation: how many, and what was wrong."""
        checked, faults, told_all = 0, dict[str, list[str]](), set[tuple[int, str]]()
        for who in self.who:
            for cell in self.cells(who, method[1]):
                self.database.wrote = 0
                answer = await self.call(who, method, cell)
                checked += 1
                row = method[2]
                told_all.add((answer.status_code, code_of(answer)))
                fault = wrong(cell, who, method, answer, self.database.wrote)
                shown = leaks(cell, who, row, answer, self.world)
                if fault or shown:
                    told = (
                        f"{row.operation} on {cell.whose}: {fault or ''} {shown or ''}"
                        f" {answer.status_code} {code_of(answer)}"
                    )
                    faults.setdefault(told, []).append(who.name)
        if method[2].public and len(told_all) > 1:
            faults[f"{method[2].operation}: a public operation told {told_all}"] = ["all"]
        return checked, [f"{told}: {', '.join(names)}" for told, names in faults.items()]


@pytest.fixture
async def matrix(prepared: Prepared) -> AsyncIterator[Matrix]:
    async with rehearsing(prepared.settings) as desk:
        desk.database.rehearsing = False
        who = await everybody(prepared.world, desk.database)
        await give_codes(desk.database, prepared.settings)
        desk.database.rehearsing = True
        yield Matrix(desk.app, desk.client, desk.database, prepared.world, who)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
async def test_each_operation_answers_each_caller_as_its_row_and_ownership_say(
    matrix: Matrix, part: int, record_property: Callable[[str, object], None]
) -> None:
    before = await fingerprint(matrix.database)
    share, cells = listed(matrix.app)[part::PARTS], 0
    faults: list[str] = []
    for method in share:
        checked, found = await matrix.check(method)
        cells, faults = cells + checked, faults + found
    assert not faults, f"{len(faults)} of {cells}:\n" + "\n".join(faults)
    assert await fingerprint(matrix.database) == before, "something was left behind"
    assert cells * PARTS > CELLS_MIN * 0.9
    record_property("cells", cells)
    print(f"{cells} cells of {len(share)} operations")
