"""Where the line breaks decides: before the final dot nothing was sent, after it nobody knows."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from app.settings import Settings
from tests.support.certificate import expired_certificate
from workers.providers.errors import LeaseLost, OutcomeUnknown, ProviderError, Refused, Transient
from workers.providers.smtp import OutgoingMail, SmtpMail, on_the_wire

MAIL = OutgoingMail("<1@us>", "b@us.test", "a@b.test", b"Subject: x\r\n\r\nbody\r\n.dot\r\n")


@asynccontextmanager
async def server(
    settings: Settings,
    answers: dict[str, str | None],
    got: list[bytes] | None = None,
    heard: list[bytes] | None = None,
    late: float = 0.0,
) -> AsyncIterator[SmtpMail]:
    """A scripted SMTP server: the answer per word; None breaks the line instead of answering.

    "." stands for the end of the data, "BODY" for its middle, "RCPT2" for the second recipient.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = {
            "": "220 hi",
            "EHLO": "250 hi",
            "MAIL": "250 ok",
            "RCPT": "250 ok",
            "DATA": "354 go",
            ".": "250 queued",
            "QUIT": "221 bye",
            "RSET": "250",
        } | answers
        writer.write(script[""].encode() + b"\r\n")  # type: ignore[union-attr]  # never None here
        in_data, recipients = False, 0
        while line := await reader.readline():
            word = line[:4].decode().upper().strip()
            if heard is not None:
                heard.append(line)
            if word == "RCPT":
                recipients += 1
                word = "RCPT2" if recipients == 2 and "RCPT2" in script else word
            if in_data:
                if got is not None:
                    got.append(line)
                if script.get("BODY", "") is None:
                    break
                if line != b".\r\n":
                    continue
                word, in_data = ".", False
                await asyncio.sleep(late)
            answer = script.get(word, "500 what")
            if answer is None:
                break
            in_data = answer.startswith("354")
            writer.write(answer.encode() + b"\r\n")
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    mine = settings.model_copy(
        update={"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_timeout_seconds": 1}
    )
    try:
        yield SmtpMail(mine)
    finally:
        listening.close()


def no_guard() -> None:
    """The lease is fresh."""


async def test_a_taken_mail_arrives_byte_for_byte_with_its_dots(settings: Settings) -> None:
    got: list[bytes] = []
    async with server(settings, {}, got) as smtp:
        delivery = await smtp.send(MAIL, guard=no_guard)
    assert delivery.ref == "<1@us>"
    assert b"".join(got) == b"Subject: x\r\n\r\nbody\r\n..dot\r\n.\r\n"


@pytest.mark.parametrize(
    ("answers", "ending"),
    [
        ({"": "421 busy"}, Transient),
        ({"MAIL": "451 later"}, Transient),
        ({"": "554 not you"}, Transient),
        ({"MAIL": "550 no"}, Transient),  # our sender: the recipient has said nothing
        ({"RCPT": "450 greylisted"}, Transient),
        ({"RCPT": "550 no such person"}, Refused),
        ({"RCPT": None}, Transient),
        ({"DATA": "452 full"}, Transient),
        ({"DATA": None}, Transient),
        ({".": "451 later"}, Transient),
        ({".": "554 spam"}, Refused),
        ({".": None}, OutcomeUnknown),
    ],
)
async def test_each_answer_has_its_meaning(
    settings: Settings, answers: dict[str, str | None], ending: type[ProviderError]
) -> None:
    async with server(settings, answers) as smtp:
        with pytest.raises(ending):
            await smtp.send(MAIL, guard=no_guard)


async def test_nobody_listening_is_passing(settings: Settings) -> None:
    away = SmtpMail(settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": 1}))
    with pytest.raises(Transient):
        await away.send(MAIL, guard=no_guard)


async def test_a_worker_that_slept_stops_before_the_final_dot(settings: Settings) -> None:
    def lost() -> None:
        raise LeaseLost

    got: list[bytes] = []
    async with server(settings, {}, got) as smtp:
        with pytest.raises(LeaseLost):
            await smtp.send(MAIL, guard=lost)
        await asyncio.sleep(0.05)
    assert b".\r\n" not in got


def test_line_ends_and_dots_are_as_the_protocol_wants_them() -> None:
    make: Callable[[bytes], bytes] = on_the_wire
    assert make(b"a\nb\r.c") == b"a\r\nb\r\n..c\r\n"


async def test_the_address_a_server_quotes_is_not_kept(settings: Settings) -> None:
    async with server(settings, {"RCPT": "550 <anna@person.test> unknown"}) as smtp:
        with pytest.raises(Refused) as refused:
            await smtp.send(MAIL, guard=no_guard)
    assert "anna" not in refused.value.cause


async def test_reports_are_asked_for_where_they_are_offered_and_a_copy_goes_to_the_archive(
    settings: Settings,
) -> None:
    mail = OutgoingMail("<1@us>", "b@us.test", "a=b@c.test", b"x", "k1", "archive@us.test")
    got: list[bytes] = []
    async with server(settings, {"EHLO": "250-hi\r\n250 DSN"}, heard=got) as smtp:
        await smtp.send(mail, guard=no_guard)
    assert b"MAIL FROM:<b@us.test> RET=HDRS ENVID=k1\r\n" in got
    asked = b"NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a+3Db@c.test"
    assert b"RCPT TO:<a=b@c.test> " + asked + b"\r\n" in got
    assert b"RCPT TO:<archive@us.test> NOTIFY=NEVER\r\n" in got


async def test_without_the_extension_nothing_is_asked_and_a_refusing_archive_stops_no_mail(
    settings: Settings,
) -> None:
    mail = OutgoingMail("<1@us>", "b@us.test", "a@c.test", b"x", "k1", "archive@us.test")
    got: list[bytes] = []
    async with server(settings, {"RCPT2": "550 no such box"}, heard=got) as smtp:
        delivery = await smtp.send(mail, guard=no_guard)
    assert delivery.ref == "<1@us>"
    assert b"MAIL FROM:<b@us.test>\r\n" in got and b"RCPT TO:<a@c.test>\r\n" in got


async def test_a_line_broken_inside_the_body_is_tried_again(settings: Settings) -> None:
    async with server(settings, {"BODY": None}) as smtp:
        with pytest.raises(Transient):
            await smtp.send(replace(MAIL, data=b"x\r\n" * 2_000_000), guard=no_guard)


async def test_a_late_yes_is_waited_for_and_one_too_late_is_unknown(settings: Settings) -> None:
    async with server(settings, {}, late=0.4) as smtp:
        assert (await smtp.send(MAIL, guard=no_guard)).ref == "<1@us>"
    async with server(settings, {}, late=1.5) as smtp:
        with pytest.raises(OutcomeUnknown):
            await smtp.send(MAIL, guard=no_guard)


async def test_without_the_tls_that_is_asked_for_nothing_is_sent(settings: Settings) -> None:
    """STARTTLS taken out of the answer, or refused: no word of the mail leaves in the clear."""
    strict = settings.model_copy(update={"smtp_starttls": True})
    for hello in ("250 hi", "250-hi\r\n250 STARTTLS"):
        got: list[bytes] = []
        async with server(strict, {"EHLO": hello, "STAR": "454 not now"}, heard=got) as smtp:
            with pytest.raises(Transient):
                await smtp.send(MAIL, guard=no_guard)
        assert not [line for line in got if line.startswith((b"MAIL", b"RCPT", b"DATA"))]


async def test_a_server_with_an_expired_certificate_hears_nothing_of_the_mail(
    settings: Settings, tmp_path: Path
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*expired_certificate(tmp_path))
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.read(100))
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = listening.sockets[0].getsockname()[1]
    update = {"smtp_host": "127.0.0.1", "smtp_port": port, "smtp_tls": True}
    with pytest.raises(Transient):
        await SmtpMail(settings.model_copy(update=update)).send(MAIL, guard=no_guard)
    listening.close()
    assert not any(got)


async def test_a_name_nobody_knows_is_passing_and_the_second_address_is_tried(
    settings: Settings,
) -> None:
    lost = SmtpMail(settings.model_copy(update={"smtp_host": "no-such-host.invalid"}))
    with pytest.raises(Transient):
        await lost.send(MAIL, guard=no_guard)
    async with server(settings, {}) as smtp:  # it listens on IPv4 alone
        named = smtp._settings.model_copy(update={"smtp_host": "localhost"})
        assert (await SmtpMail(named).send(MAIL, guard=no_guard)).ref == "<1@us>"


async def test_a_server_that_swallows_packets_is_given_up_and_nothing_has_left(
    settings: Settings,
) -> None:
    """F-H7: a socket whose queue is full drops what comes, as a firewall does; a host that takes
    the connection and never says a word is no better."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        here = {"smtp_host": "127.0.0.1", "smtp_port": deaf.getsockname()[1]}
        crowd = [socket.socket() for _ in range(3)]
        for one in crowd:
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(deaf.getsockname())
        smtp = SmtpMail(settings.model_copy(update=here), connect_seconds=0.3)
        for _ in range(2):
            with pytest.raises(Transient):
                await asyncio.wait_for(smtp.send(MAIL, guard=no_guard), 5)
            for one in crowd:
                one.close()
            crowd = []
