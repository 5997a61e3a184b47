"""`recourse mail read`: many files, one line each, and a broken one stops nobody."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from app.correspondence.raw import MAIL_BYTES_MAX
from ops.cli import app
from tests.reading.scoring import DATA

FIELDS = {
    "file", "is_automatic", "kind", "confidence", "language", "own_text", "amount_minor",
    "currency", "promised_date", "deadline_for_us", "ticket_number", "bounce", "trust",
    "case_reference",
}  # fmt: skip


def test_each_file_is_one_line_and_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    noise, huge = tmp_path / "noise.eml", tmp_path / "huge.eml"
    noise.write_bytes(bytes(range(256)) * 40)
    with huge.open("wb") as file:
        file.truncate(MAIL_BYTES_MAX + 1)
    files = [
        noise, tmp_path / "missing.eml", huge, tmp_path,
        DATA / "bounces" / "lhost-yahoo-06.eml", DATA / "replies" / "r024.eml",
    ]  # fmt: skip
    result = CliRunner().invoke(app, ["mail", "read", *map(str, files), "--json"])
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["file"] for line in lines] == [str(f) for f in files]
    assert all(set(line) == {"file", "error"} for line in lines[:4])
    assert all(set(line) >= FIELDS for line in lines[4:])
    assert lines[4]["bounce"] == {
        "recipient": "otsu-sakaba-hunter-neko-nyaaaaaaan@ezweb.ne.jp", "status": "5.0.0",
        "permanent": True,
    }  # fmt: skip
    offer = lines[5]
    assert (offer["kind"], offer["amount_minor"], offer["currency"]) == (
        "offer_goodwill", 8900, "EUR",
    )  # fmt: skip
    assert offer["deadline_for_us"] == "2026-11-25"
    assert offer["case_reference"] == "RC-DBYQ-ZCCS"
    words = {e["sign"]: e["words"] for e in offer["evidence"]}
    assert words["amount"] == "89 €"


def test_trust_counts_what_our_own_server_found(tmp_path: Path) -> None:
    mail = tmp_path / "a.eml"
    mail.write_bytes(
        b"Authentication-Results: mx.ours.example; dmarc=pass header.from=air.example\r\n"
        b"From: Air <c@air.example>\r\nTo: us@ours.example\r\nSubject: Yes\r\n\r\nHello\r\n"
    )
    asked = ["mail", "read", str(mail), "--json", "--authserv-id", "mx.ours.example"]
    for more, level in ([], "medium"), (["--known-domain", "air.example"], "high"):
        result = CliRunner().invoke(app, [*asked, *more])
        assert json.loads(result.stdout)["trust"] == level


def test_the_readable_form_gives_its_reasons() -> None:
    result = CliRunner().invoke(app, ["mail", "read", str(DATA / "replies" / "r024.eml")])
    assert result.exit_code == 0
    assert "offer_goodwill" in result.stdout
    assert "because" in result.stdout and "25.11." in result.stdout


def test_nothing_readable_ends_with_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["mail", "read", str(tmp_path / "none.eml"), "--json"])
    assert result.exit_code == 1
    assert "error" in json.loads(result.stdout)
