"""What cannot be filed: each refusal points at its field, and nothing changes.

Rows name the entries of the bad-input catalogue (reliability, section 10) they stand for.
"""

from __future__ import annotations

import json
from typing import Any

import httpx

from app.db import Database
from tests.support.http import CLAIM, api_key, body_of_app, consumer, pointers, rows

DELETE = object()
Path = tuple[Any, ...]

# (catalogue, where, what, pointer that the refusal names)
FIELDS: list[tuple[str, Path, Any, str]] = [
    ("B007", ("claim", "role"), "admin", "/claim/role"),
    ("B008", ("is_admin",), True, "/is_admin"),
    ("B009", ("claim", "owner_id"), "x", "/claim/owner_id"),
    ("B010", ("claim", "status"), "paid", "/claim/status"),
    ("B013", ("claim", "items", 0, "amount", "amount"), 0.1, "/claim/items/0/amount/amount"),
    ("B014", ("claim", "items", 0, "amount", "amount"), "-1.00", "/claim/items/0/amount/amount"),
    ("B015", ("claim", "items", 0, "amount", "amount"), "0.00", "/claim/items/0/amount"),
    ("B016", ("claim", "items", 0, "amount", "amount"), str(2**63), "/claim/items/0/amount/amount"),
    ("B016", ("claim", "items", 0, "amount", "amount"), "9" * 15, "/claim/items/0/amount/amount"),
    ("B017", ("claim", "items", 0, "amount", "amount"), "1,234.56", "/claim/items/0/amount/amount"),
    ("B017", ("claim", "items", 0, "amount", "amount"), "12,30", "/claim/items/0/amount/amount"),
    ("B018", ("claim", "items", 0, "amount", "amount"), "١٢٣", "/claim/items/0/amount/amount"),
    ("B016", ("claim", "items", 0, "amount", "amount"), "1.234", "/claim/items/0/amount"),
    ("B019", ("claim", "items", 0, "amount", "currency"), "eur", "/claim/items/0/amount/currency"),
    ("B019", ("claim", "currency"), "EUR ", "/claim/currency"),
    ("B019", ("claim", "currency"), "XXX", "/claim/currency"),
    (
        "B019",
        ("claim", "items", 0, "amount"),
        {"amount": "5.50", "currency": "JPY"},
        "/claim/items/0/amount",
    ),
    (
        "B019",
        ("claim", "items", 0, "amount"),
        {"amount": "5.5555", "currency": "KWD"},
        "/claim/items/0/amount/amount",
    ),
    ("B022", ("consumer", "name"), "Anna \u202egnp.exe", "/consumer/name"),
    ("B023", ("consumer", "name"), "\u200b\u200b", "/consumer/name"),
    ("B026", ("consumer", "name"), "A" + "\u0301" * 100, "/consumer/name"),
    ("B026", ("claim", "what_happened"), "a" + "\u0301" * 9_000, "/claim/what_happened"),
    ("B027", ("claim", "what_happened"), "x" * 10_001, "/claim/what_happened"),
    ("B034", ("consumer", "name"), "Anna\r\nBcc: eve@people.test", "/consumer/name"),
    ("B034", ("consumer", "email"), "anna@people.test\r\nBcc: eve@people.test", "/consumer/email"),
    ("B025", ("consumer", "email"), "anna@pеople.test", "/consumer/email"),
    ("B036", ("claim", "first_written_complaint"), "0001-01-01", "/claim/first_written_complaint"),
    ("B036", ("claim", "first_written_complaint"), "9999-12-31", "/claim/first_written_complaint"),
    ("B036", ("claim", "first_written_complaint"), "2025-02-29", "/claim/first_written_complaint"),
    ("B036", ("claim", "first_written_complaint"), "2100-12-31", "/claim/first_written_complaint"),
    (
        "B036",
        ("claim", "first_written_complaint"),
        "2025-01-01T24:00:00Z",
        "/claim/first_written_complaint",
    ),
    ("B036", ("claim", "first_written_complaint"), 1735689600, "/claim/first_written_complaint"),
    ("B036", ("consumer", "birth_date"), "1899-12-31", "/consumer/birth_date"),
    ("B036", ("consumer", "birth_date"), "2090-01-01", "/consumer/birth_date"),
    (
        "B038",
        ("claim", "company", "company_id"),
        "{0190a6b8-0000-7000-8000-000000000001}",
        "/claim/company/company_id",
    ),
    (
        "B038",
        ("claim", "company", "company_id"),
        "00000000-0000-0000-0000-000000000000",
        "/claim/company/company_id",
    ),
    (
        "unknown company",
        ("claim", "company", "company_id"),
        "0190a6b8-0000-7000-8000-000000000001",
        "/claim/company/company_id",
    ),
    ("B039", ("submit",), "true", "/submit"),
    ("B039", ("submit",), 1, "/submit"),
    ("B039", ("claim", "items", 0, "earns_fee"), 1, "/claim/items/0/earns_fee"),
    ("B040", ("claim", "claim_kind"), "hotel ", "/claim/claim_kind"),
    ("B040", ("claim", "items", 0, "kind"), "Price", "/claim/items/0/kind"),
    ("fee", ("claim", "items", 0, "earns_fee"), False, "/claim/items/0/earns_fee"),
    ("twice", ("claim", "items"), [CLAIM["items"][0]] * 2, "/claim/items"),
    (
        "many",
        ("claim", "items"),
        [CLAIM["items"][0] | {"what": str(n)} for n in range(51)],
        "/claim/items",
    ),
    ("creditor", ("claim", "items", 0, "creditor"), 1, "/claim/items/0/creditor"),
    ("creditor", ("claim", "items", 0, "creditor"), 10**9, "/claim/items/0/creditor"),
    ("creditor", ("claim", "items", 0, "creditor"), -1, "/claim/items/0/creditor"),
    ("party", ("party",), [{"name": "Bo", "email": "ANNA@people.test"}], "/party/0/email"),
    ("party", ("party",), [{"name": f"P{n}"} for n in range(10)], "/party"),
    ("missing", ("consumer",), DELETE, "/consumer"),
    ("missing", ("claim", "items"), [], "/claim/items"),
    ("missing", ("claim", "what_happened"), DELETE, "/claim/what_happened"),
    ("missing", ("claim", "company"), {"brand": "X"}, "/claim/company"),
    ("missing", ("claim", "company"), DELETE, "/claim/company"),
    ("nothing counted", ("claim", "currency"), "SEK", "/claim/items"),
    ("post", ("consumer", "email"), DELETE, "/consumer"),
    ("address", ("consumer", "address", "lines"), ["x"] * 7, "/consumer/address/lines"),
    ("address", ("consumer", "address", "lines"), [], "/consumer/address/lines"),
    ("answers", ("claim", "answers"), {"Bad Key": 1}, "/claim/answers"),
    ("answers", ("claim", "answers"), {"_filed": {"names": []}}, "/claim/answers"),
    ("answers", ("claim", "answers"), {"a": [[[[[["deep"]]]]]]}, "/claim/answers"),
    ("answers", ("claim", "answers"), {"a": ["x"] * 501}, "/claim/answers"),
    ("answers", ("claim", "answers"), {"a": "x" * 2_001}, "/claim/answers"),
    ("answers", ("claim", "answers"), {"a": 0.5}, "/claim/answers"),
    ("answers", ("claim", "answers"), {"a": 10**13}, "/claim/answers"),
    ("jurisdiction", ("claim", "jurisdiction"), "Finland", "/claim/jurisdiction"),
    ("language", ("claim", "language"), "english", "/claim/language"),
    ("long", ("claim", "booking_reference"), "x" * 201, "/claim/booking_reference"),
]

# (catalogue, raw body, status)
BODIES: list[tuple[str, bytes, int]] = [
    ("B001", b"", 422),
    ("B002", b"null", 422),
    ("B003", b"[]", 422),
    ("B004", b"[" * 200_000, 422),
    ("B005", b'{"claim": "' + b"x" * 1_100_000 + b'"}', 413),
    ("B006", b'{"submit": true, "submit": false}', 422),
    ("B011", b'{"submit": NaN}', 422),
    ("B012", b'{"submit": 1e400}', 422),
    ("B020", b'{"submit": "\\ud800"}', 422),
    ("B021", b'{"submit": "\\u0000"}', 422),
    ("B053", '{"submit": true}'.encode("utf-16"), 422),
]

HARMLESS = [
    '"><script>alert(1)</script>',
    "{{7*7}} {% raw %} ${7*7} <%= 7 %>",
    "'; DROP TABLE cases; --",
    '=HYPERLINK("http://evil.test")',
    "👩‍👩‍👧‍👦 Family Road",
    "../../etc/passwd",
    "%252e%252e%252f",
]


def changed(body: dict[str, Any], where: Path, what: Any) -> dict[str, Any]:
    at: Any = body
    for step in where[:-1]:
        at = at[step]
    if what is DELETE:
        del at[where[-1]]
    else:
        at[where[-1]] = what
    return body


async def test_every_bad_field_is_refused_by_its_pointer_and_changes_nothing(
    client: httpx.AsyncClient, database: Database
) -> None:
    shop = await api_key(database)
    before, wrong = await rows(database), []
    for name, where, what, pointer in FIELDS:
        answer = await client.post(
            "/v1/cases", headers=shop.auth, json=changed(body_of_app(), where, what)
        )
        seen = pointers(answer) if answer.status_code == 422 else set()
        if answer.status_code != 422 or pointer not in seen:
            wrong.append((name, where, str(what)[:40], answer.status_code, sorted(seen)))
        assert answer.headers["content-type"] == "application/problem+json"
    assert wrong == []
    assert await rows(database) == before


async def test_a_body_that_is_no_filing_is_refused(
    client: httpx.AsyncClient, database: Database
) -> None:
    shop = await api_key(database)
    for name, body, status in BODIES:
        answer = await client.post(
            "/v1/cases", content=body, headers=shop.auth | {"content-type": "application/json"}
        )
        assert answer.status_code == status, (name, answer.text[:300])
        assert answer.headers["content-type"] == "application/problem+json"
    plain = await client.post(
        "/v1/cases",
        content=json.dumps(body_of_app()),
        headers=shop.auth | {"content-type": "text/plain"},
    )  # B052
    assert plain.status_code == 415
    assert (await rows(database))["cases"] == 0


async def test_odd_but_honest_texts_come_back_as_they_were_given(
    client: httpx.AsyncClient, database: Database
) -> None:
    """B028, B029, B030, B031, B033, B035: text is text."""
    shop = await api_key(database)
    for at, text in enumerate(HARMLESS):
        body = body_of_app(what_happened=f"{text} happened to me at noon.")
        body["consumer"] |= {"name": text, "email": f"p{at}@people.test"}
        answer = await client.post("/v1/cases", headers=shop.auth, json=body)
        assert answer.status_code == 201, answer.text
        assert answer.json()["claimants"][0]["name"] == text
        assert answer.json()["claim"]["what_happened"].startswith(text)


async def test_two_spellings_of_one_address_are_one_person(
    client: httpx.AsyncClient, database: Database
) -> None:
    """B024."""
    shop = await api_key(database)
    for email in ("Anna@People.Test", " anna@people.test"):
        body = body_of_app()
        body["consumer"]["email"] = email
        assert (await client.post("/v1/cases", headers=shop.auth, json=body)).status_code == 201
    found = await rows(database)
    assert (found["cases"], found["consumers"]) == (2, 1)


async def test_a_consumer_files_only_as_themself(
    client: httpx.AsyncClient, database: Database
) -> None:
    anna = await consumer(database)
    body = body_of_app()
    answer = await client.post("/v1/cases", headers=anna.auth, json=body)
    assert (answer.status_code, pointers(answer)) == (422, {"/consumer"})
    body = {"claim": body_of_app()["claim"], "party": [{"name": "Me", "email": anna.email}]}
    answer = await client.post("/v1/cases", headers=anna.auth, json=body)
    assert (answer.status_code, pointers(answer)) == (422, {"/party/0/email"})


async def test_a_refused_filing_leaves_its_key_free(
    client: httpx.AsyncClient, database: Database
) -> None:
    shop = await api_key(database)
    headers = shop.auth | {"Idempotency-Key": "k"}
    bad = changed(body_of_app(), ("claim", "items"), [])
    assert (await client.post("/v1/cases", headers=headers, json=bad)).status_code == 422
    good = await client.post("/v1/cases", headers=headers, json=body_of_app())
    assert good.status_code == 201


async def test_lists_refuse_bad_pages_and_foreign_cursors(
    client: httpx.AsyncClient, database: Database
) -> None:
    """B061, B062."""
    anna, eve = await consumer(database), await consumer(database)
    for _ in range(3):
        await client.post("/v1/cases", headers=anna.auth, json={"claim": CLAIM})
    first = (await client.get("/v1/cases?limit=2", headers=anna.auth)).json()
    assert len(first["items"]) == 2 and first["next_cursor"]
    rest = await client.get(f"/v1/cases?limit=2&cursor={first['next_cursor']}", headers=anna.auth)
    assert len(rest.json()["items"]) == 1 and rest.json()["next_cursor"] is None
    for query, who in (
        ("limit=0", anna),
        ("limit=1000000000", anna),
        ("cursor=forged", anna),
        (f"cursor={first['next_cursor']}", eve),
        (f"stage=closed&cursor={first['next_cursor']}", anna),
        ("stage=password", anna),
    ):
        answer = await client.get(f"/v1/cases?{query}", headers=who.auth)
        assert answer.status_code == 422, query
    assert json.loads((await client.get("/v1/cases", headers=eve.auth)).text)["items"] == []
