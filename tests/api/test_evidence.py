"""Evidence: streamed, told by its content, kept under its hash, only ever downloaded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.clock import wall_now
from app.crypto import load_keyring
from app.db import Database
from app.documents.old import seal_old
from app.documents.store import open_store
from app.domain.case import Stage
from app.evidence.kinds import agrees, kind_of
from app.settings import Settings
from app.vault import destroy_key
from ops.doctor_documents import check_documents
from tests.support.cases import Made, make_case
from tests.support.clear_papers import put_in_clear
from tests.support.http import Caller, consumer, rows, session_of

PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\n%%EOF"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 17
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"
MAIL = b"From: a@shop.test\r\nTo: b@people.test\r\nSubject: no\r\n\r\nNo refund.\r\n"
TEXT = "Kävin kaupassa.\nEi auttanut.\n".encode()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"upload_bytes_max": 100_000})


async def owned(database: Database) -> tuple[Made, Caller, str]:
    made = await make_case(database, stage=Stage.ASSESSMENT)
    anna = await session_of(database, made.consumer_ids[0])
    return made, anna, f"/v1/cases/{made.id}/evidence"


def bytes_at_rest(settings: Settings) -> list[bytes]:
    folder = Path(settings.data_dir / "documents")
    return [one.read_bytes() for one in folder.rglob("*") if one.is_file()]


def left_in_quarantine(settings: Settings) -> list[str]:
    return [path.name for path in Path(settings.data_dir / "quarantine").iterdir()]


async def send(
    client: httpx.AsyncClient,
    who: Caller,
    path: str,
    content: bytes,
    kind: str,
    query: str = "what=receipt",
) -> httpx.Response:
    return await client.post(
        f"{path}?{query}", headers=who.auth | {"content-type": kind}, content=content
    )


async def test_a_file_is_kept_and_comes_back_as_a_download(
    client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    made, anna, path = await owned(database)
    name = 'Kuitti "äö"\\..\\;x.exe.pdf'
    sent = await send(
        client, anna, path, PDF, "application/pdf", f"what=receipt&file_name={quote(name)}"
    )
    assert sent.status_code == 201, sent.text
    file = sent.json()
    assert file.pop("case_version") == made.version + 1
    assert file["sha256"] == sha256(PDF).hexdigest() and file["size_bytes"] == len(PDF)
    assert file["state"] == "unscanned"
    assert file["file_name"] == ";x.exe.pdf"
    got = await client.get(file["download"], headers=anna.auth)
    assert (got.status_code, got.content) == (200, PDF)
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"] == (
        "attachment; filename=\"_x.exe.pdf\"; filename*=UTF-8''%3Bx.exe.pdf"
    )
    listed = (await client.get(path, headers=anna.auth)).json()
    assert listed["items"] == [file] and listed["next_cursor"] is None
    assert left_in_quarantine(settings) == []
    stored = [p.name for p in (settings.data_dir / "documents").rglob("*") if p.is_file()]
    assert len(stored) == 1 and stored != [sha256(PDF).hexdigest()], "no name tells what it is"
    timeline = (await client.get(f"/v1/cases/{made.id}", headers=anna.auth)).json()["timeline"]
    assert timeline[0]["text"] == "A document was added."


async def test_the_same_file_again_is_the_same_evidence(
    client: httpx.AsyncClient, database: Database
) -> None:
    _, anna, path = await owned(database)
    first = await send(client, anna, path, PNG, "image/png")
    before = await rows(database)
    again = await send(client, anna, path, PNG, "image/png")
    assert again.json() == first.json() and await rows(database) == before


async def test_an_upload_is_repeated_safely_with_its_key(
    client: httpx.AsyncClient, database: Database
) -> None:
    _, anna, path = await owned(database)
    headers = anna.auth | {"content-type": "application/pdf", "Idempotency-Key": "photo-1"}
    answers = [
        await client.post(f"{path}?what=receipt", headers=headers, content=PDF) for _ in range(2)
    ]
    assert [a.status_code for a in answers] == [201, 201]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert "uploaded-sha256" not in answers[1].headers
    other = PDF[:-1] + b"x"  # as long, and not the same
    lost = await client.post(f"{path}?what=receipt", headers=headers, content=other)
    assert (lost.status_code, lost.json()["code"]) == (422, "idempotency_key_reused")


WRONG = [
    (b"", "application/pdf", 422, "file_empty"),
    (b"%", "application/pdf", 422, "file_empty"),
    (b"MZ\x90\x00 this is a program", "application/pdf", 415, "file_type_mismatch"),
    (PNG, "image/jpeg", 415, "file_type_mismatch"),
    (b"  " + PDF, "application/pdf", 415, "file_type_mismatch"),
    (b"<html><script>alert(1)</script>", "text/plain", 415, "file_type_mismatch"),
    (b"\xef\xbb\xbf<svg onload=alert(1)>", "text/plain", 415, "file_type_mismatch"),
    (b"%!PS-Adobe-3.0 EPSF", "text/plain", 415, "file_type_mismatch"),
    (b"text with \x00 in it", "text/plain", 415, "file_type_mismatch"),
    (b"text " * 1_000 + b"\x7fELF", "text/plain", 415, "file_type_mismatch"),  # beyond the head
    (TEXT, "message/rfc822", 415, "file_type_mismatch"),
    (PDF, "text/html", 415, "unsupported_media_type"),
    (PDF, "application/x-pdf", 415, "unsupported_media_type"),
    (PDF, "", 415, "unsupported_media_type"),
    (PDF + b"x" * 100_000, "application/pdf", 413, "too_large"),
]


async def test_what_is_not_what_it_says_is_not_kept(
    client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    _, anna, path = await owned(database)
    before = await rows(database)
    for content, declared, status, code in WRONG:
        answer = await send(client, anna, path, content, declared)
        assert (answer.status_code, answer.json()["code"]) == (status, code), content[:40]
    assert await rows(database) == before
    assert left_in_quarantine(settings) == []


async def test_the_bound_holds_while_streaming_whatever_the_length_says(
    app: FastAPI, client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    """The body comes without Content-Length; it is cut off as soon as the bound is passed."""
    _, anna, path = await owned(database)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield PDF
        for _ in range(100):
            sent += 10_000
            yield b"x" * 10_000

    answer = await client.post(
        f"{path}?what=receipt",
        content=endless(),
        headers=anna.auth | {"content-type": "application/pdf"},
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert left_in_quarantine(settings) == []


async def test_evidence_of_others_does_not_exist(
    client: httpx.AsyncClient, database: Database
) -> None:
    _, anna, path = await owned(database)
    _, eve, other = await owned(database)
    stranger = await consumer(database)
    file = (await send(client, anna, path, JPEG, "image/jpeg")).json()
    before = await rows(database)
    for answer in (
        await client.get(path, headers=eve.auth),
        await client.get(file["download"], headers=eve.auth),
        await client.get(f"{other}/{file['id']}", headers=eve.auth),
        await send(client, eve, path, PDF, "application/pdf"),
        await send(client, stranger, path, PDF, "application/pdf"),
    ):
        assert answer.status_code == 404
    assert await rows(database) == before


async def test_the_name_and_the_meaning_have_bounds(
    client: httpx.AsyncClient, database: Database
) -> None:
    _, anna, path = await owned(database)
    for query in (
        "",
        "what=",
        "what=X%0d%0aX",
        "what=" + "x" * 201,
        "what=a&file_name=%E2%80%AEx",
        "what=a&file_name=" + "x" * 201,
    ):
        answer = await send(client, anna, path, PDF, "application/pdf", query)
        assert answer.status_code == 422, query
    for name, shown in (
        ("", "document.pdf"),
        ("..", "document.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("kuva.jpg", "kuva.pdf"),
    ):
        content = PDF + name.encode()
        answer = await send(
            client, anna, path, content, "application/pdf", f"what=a&file_name={quote(name)}"
        )
        assert answer.json()["file_name"] == shown


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (PDF, "application/pdf"),
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (MAIL, "message/rfc822"),
        (TEXT, "text/plain"),
        (("a" + "ä" * 3_000).encode()[:4_096], "text/plain"),
        (b"GIF89a\x01\x00\x01\x00", None),
        (b"PK\x03\x04", None),
        (b"\xff\xfeh\x00i\x00", None),
        (b"   ", None),
        (b"#!/bin/sh", None),
        (b"Subject: alone\n\nx", "text/plain"),
        (b"Subject: alone\r\n\r\nFrom: quoted\r\nTo: quoted\r\n", "text/plain"),
    ],
)
def test_kinds_are_told_by_content(head: bytes, kind: str | None) -> None:
    assert kind_of(head) == kind


def test_a_mail_may_be_called_text_and_nothing_else_is_forgiven() -> None:
    assert agrees("text/plain", "message/rfc822") and not agrees("message/rfc822", "text/plain")
    assert not agrees("image/png", "image/jpeg")


async def test_evidence_is_sealed_for_who_filed_the_case_and_gone_with_their_key(
    client: httpx.AsyncClient, database: Database, settings: Settings
) -> None:
    made, anna, path = await owned(database)
    other, ben, bens = await owned(database)
    files = [(await send(client, who, to, PDF, "application/pdf")).json()
             for who, to in ((anna, path), (ben, bens))]  # fmt: skip
    lying = bytes_at_rest(settings)
    assert len(lying) == 2, "the same paper of two people lies there twice"
    assert not any(b"%PDF" in one for one in lying)
    old_paper = await put_in_clear(open_store(settings), b"of last year")
    async with database.transaction() as session:
        await session.execute(
            text("UPDATE evidence SET sha256 = :d, size_bytes = 12 WHERE case_id = :c"),
            {"d": old_paper, "c": other.id},
        )
    assert (await client.get(files[1]["download"], headers=ben.auth)).content == b"of last year"
    assert (await check_documents(open_store(settings))).fix == "recourse documents seal"
    await put_in_clear(open_store(settings), b"nobody's")
    done = await seal_old(database, open_store(settings), load_keyring(settings))
    assert (done.sealed, done.forgotten, done.left) == (1, 0, 1)
    assert (await client.get(files[1]["download"], headers=ben.auth)).content == b"of last year"
    assert (await client.get(files[0]["download"], headers=anna.auth)).content == PDF
    async with database.transaction() as session:
        await destroy_key(session, made.consumer_ids[0], at=wall_now())
    gone = await client.get(files[0]["download"], headers=anna.auth)
    assert (gone.status_code, gone.json()["code"]) == (404, "data_erased")
    again = await send(client, anna, path, PDF + b" ", "application/pdf")
    assert again.json()["code"] == "data_erased"
