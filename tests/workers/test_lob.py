"""The adapter to a real printer's API, against a fake that keeps that API's rules: every way a call
can end (reliability.md F-H1 to F-H8)."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.clock import monotonic, wall_now
from app.ids import new_id
from tests.support.lob import CANCEL_SECONDS, KEY, KEY_WINDOW_SECONDS, SENDER, FakeLob, error
from workers import backoff
from workers.effects.paper import Sheet, sheet_pdf
from workers.providers.errors import KeyTaken, OutcomeUnknown, Refused, Transient
from workers.providers.lob import LobPost
from workers.providers.post import PostJob, TrackedPost
from workers.providers.us_letter import on_us_letter
from workers.providers.web import retry_after

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LINES = ("Airline plc", "Harbour 1", "FI-00100 Helsinki")
JOB = PostJob(LINES, "RC-1", "0" * 64, country="FI")
SHEET = Sheet(LINES, "RC-1", "Subject", "Words", "Agency", "2 March 2026")
PDF = sheet_pdf(SHEET)
SECONDS = 0.5  # the whole time of a call here


@pytest.fixture
async def printer() -> AsyncIterator[FakeLob]:
    fake = FakeLob()
    await fake.start()
    yield fake
    await fake.stop()


def lob(printer: FakeLob, *, key: str = KEY, seconds: float = 10.0) -> LobPost:
    return LobPost(key, SENDER, base_url=printer.url, total_seconds=seconds)


def no_guard() -> None:
    """The lease is fresh."""


async def send(post: LobPost, key: UUID, job: PostJob = JOB, pdf: bytes = PDF) -> str:
    return (await post.send(job, pdf, key=key, guard=no_guard)).ref


async def test_a_letter_is_taken_with_its_address_and_found_by_our_id(printer: FakeLob) -> None:
    post, key = lob(printer), new_id()
    assert isinstance(post, TrackedPost)
    ref = await send(post, key)
    letter = printer.letters[ref]
    assert letter["metadata"] == {"effect_id": str(key), "sha256": "0" * 64}
    assert letter["to"] == {
        "to[name]": "Airline plc", "to[address_line1]": "Harbour 1", "to[address_city]": "Helsinki",
        "to[address_zip]": "00100", "to[address_country]": "FI",
    }  # fmt: skip
    found = await post.find(key)
    assert found is not None and found.ref == ref and found.tracked
    assert await post.find(new_id()) is None


@pytest.mark.parametrize(
    ("country", "lines", "service"),
    [
        ("FI", LINES, "registered"),
        ("US", ("Clinic", "900 Hollow Drive", "Columbus, OH 43215"), "certified"),
    ],
)
async def test_a_registered_letter_is_the_service_of_its_destination(
    printer: FakeLob, country: str, lines: tuple[str, ...], service: str
) -> None:
    job = PostJob(lines, "RC-1", "0" * 64, registered=True, country=country)
    ref = await send(lob(printer), new_id(), job)
    assert printer.letters[ref]["extra_service"] == service


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (PostJob(("Airline plc", "Helsinki"), "RC-1", "", country="FI"), "postal code"),
        (PostJob(("Airline", "Strada 1"), "RC-1", ""), "which country"),
        (PostJob(("x" * 41, *LINES[1:]), "RC-1", "", country="FI"), "name"),
    ],
)
async def test_an_address_it_cannot_print_never_leaves(
    printer: FakeLob, job: PostJob, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        await send(lob(printer), new_id(), job)
    assert printer.orders == 0


async def test_a_long_name_stands_in_two_rows(printer: FakeLob) -> None:
    name = "Scandinavian Airlines System Denmark-Norway-Sweden Consortium"
    ref = await send(lob(printer), new_id(), PostJob((name, *LINES[1:]), "R", "", country="FI"))
    rows = printer.letters[ref]["to"]
    assert f"{rows['to[name]']} {rows['to[company]']}" == name


def test_a4_pages_fit_its_sheets_and_the_bytes_are_the_same_each_time() -> None:
    assert on_us_letter(PDF) == on_us_letter(PDF)


# --- F-H1, F-H2, F-H5: what happened over there, and did it? --------------------------------------


@pytest.mark.parametrize(
    ("fault", "happened"),
    [
        ("silent_before", 0), ("silent_after", 1), ("drop_before", 0), ("drop_after", 1),
        ("before_500", 0), ("after_500", 1), ("busy", 0), ("garbage", 1), ("truncated", 1),
        ("huge", 1), ("drip", 1),
    ],
)  # fmt: skip
async def test_an_end_nobody_saw_is_unknown_and_the_same_key_makes_one_letter_of_it(
    printer: FakeLob, fault: str, happened: int
) -> None:
    slow = fault in ("silent_before", "silent_after", "drip")
    post, key = lob(printer, seconds=SECONDS if slow else 10.0), new_id()
    printer.plan.append(fault)
    started = monotonic()
    with pytest.raises(OutcomeUnknown) as unknown:
        await send(post, key)
    assert monotonic() - started < SECONDS + 2
    assert not isinstance(unknown.value, KeyTaken)
    assert printer.taken[str(key)] == happened
    seen = await post.find(key)
    assert (seen is not None) == bool(happened)
    ref = await send(post, key)
    assert printer.taken == {str(key): 1} and ref in printer.letters


async def test_a_500_saved_under_the_key_is_never_answered_with_a_new_key(
    printer: FakeLob,
) -> None:
    """F-H2: it stays unknown however often it is repeated, and the search tells whether it went."""
    post, key = lob(printer), new_id()
    printer.plan.extend(["after_500"] * 3)
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            await send(post, key)
    assert printer.taken == {str(key): 1}
    assert await post.find(key) is not None


async def test_after_its_window_the_key_is_forgotten_and_the_letter_still_found(
    printer: FakeLob,
) -> None:
    post, key = lob(printer), new_id()
    assert post.key_window_seconds is not None and post.key_window_seconds < KEY_WINDOW_SECONDS
    printer.plan.append("drop_after")
    with pytest.raises(OutcomeUnknown):
        await send(post, key)
    printer.now += KEY_WINDOW_SECONDS + 1
    assert await post.find(key) is not None
    await send(post, key)
    assert printer.taken == {str(key): 2}, "which is why nobody repeats it after the window"


async def test_another_letter_under_our_key_goes_to_a_person(printer: FakeLob) -> None:
    post, key = lob(printer), new_id()
    await send(post, key)
    with pytest.raises(KeyTaken):
        await send(post, key, pdf=sheet_pdf(replace(SHEET, text="Other")))
    assert printer.taken == {str(key): 1}


async def test_a_yes_about_somebody_elses_letter_is_no_yes(printer: FakeLob) -> None:
    printer.plan.append("other_letter")
    with pytest.raises(KeyTaken):
        await send(lob(printer), new_id())


# --- F-H3: slower ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90),
        ({"retry-after": format_datetime(NOW - timedelta(days=1), usegmt=True)}, None),
        ({"retry-after": "999999999999999999999"}, 999_999_999),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "٣"}, None),
        ({"ratelimit-reset": str(int(NOW.timestamp()) + 5)}, 5),
        ({}, None),
    ],
)
def test_how_long_it_asks_us_to_wait_is_read_and_nonsense_is_not(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, NOW) == seconds


async def test_too_many_requests_waits_as_asked_an_hour_at_most(printer: FakeLob) -> None:
    slower = error(429, "rate_limit_exceeded", "Rate limit exceeded", **{"retry-after": "86400"})
    printer.plan.append(slower)
    with pytest.raises(Transient) as later:
        await send(lob(printer), new_id())
    assert backoff.retry_in(1, later.value.retry_after) == timedelta(hours=1)


# --- refusals, and our own account ----------------------------------------------------------------


async def test_what_it_will_not_print_is_refused_for_good(printer: FakeLob) -> None:
    no = error(422, "failed_deliverability_strictness", "the `to` address is not deliverable")
    printer.plan.append(no)
    with pytest.raises(Refused, match="failed_deliverability_strictness"):
        await send(lob(printer), new_id())


async def test_a_key_it_does_not_take_is_our_trouble_and_no_letters_end(printer: FakeLob) -> None:
    with pytest.raises(Transient, match="invalid_api_key"):
        await send(lob(printer, key="test_wrong"), new_id())


# --- F-H7, F-H8: no connection --------------------------------------------------------------------


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/v1", "http://printer.invalid/v1"])
async def test_without_a_connection_nothing_has_left(url: str) -> None:
    post = LobPost(KEY, SENDER, base_url=url)
    with pytest.raises(Transient, match="no connection"):
        await send(post, new_id())


async def test_a_certificate_that_does_not_hold_is_refused_and_an_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    printer = FakeLob()
    await printer.start(own_certificate(tmp_path))
    with pytest.raises(Transient, match="certificate"):
        await send(lob(printer), new_id())
    await printer.stop()
    assert printer.orders == 0
    said = capsys.readouterr()  # which stream depends on who set the logs up in this process
    assert "provider_certificate_refused" in said.out + said.err


# --- calling back, and what became of it ----------------------------------------------------------


async def test_a_letter_is_called_back_inside_its_window_and_only_once(printer: FakeLob) -> None:
    post, key = lob(printer), new_id()
    await send(post, key)
    for _ in range(2):
        await post.recall(key, key=new_id(), guard=no_guard)
    assert printer.taken[str(key)] == 0
    assert await post.find(key) is None


async def test_a_letter_in_production_or_unknown_there_is_not_called_back(printer: FakeLob) -> None:
    post, key = lob(printer), new_id()
    await send(post, key)
    printer.now += CANCEL_SECONDS + 1
    with pytest.raises(Refused, match="not_deletable"):
        await post.recall(key, key=new_id(), guard=no_guard)
    with pytest.raises(Refused, match="does not know"):
        await post.recall(new_id(), key=new_id(), guard=no_guard)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "accepted"),
        (["Mailed"], "moving"),
        (["Mailed", "In Transit", "Processed for Delivery"], "moving"),
        (["Mailed", "Delivered"], "delivered"),
        (["Mailed", "Delivered", "Returned to Sender"], "returned"),
    ],
)
async def test_what_became_of_a_letter_is_read_from_its_events(
    printer: FakeLob, events: list[str], state: str
) -> None:
    post = lob(printer)
    ref = await send(post, new_id())
    for name in events:
        printer.event(ref, name, NOW.isoformat())
    status = await post.status(ref)
    assert (status.state, status.at) == (state, NOW if events else None)


async def test_a_letter_that_failed_in_production_or_vanished_says_so(printer: FakeLob) -> None:
    post = lob(printer)
    ref = await send(post, new_id())
    printer.letters[ref]["status"] = "failed"
    assert (await post.status(ref)).state == "failed"
    del printer.letters[ref]
    assert (await post.status(ref)).state == "gone"


def own_certificate(folder: Path) -> ssl.SSLContext:
    """A certificate nobody vouches for, valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = wall_now()
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = folder / "own.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
