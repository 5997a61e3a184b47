"""A polled mailbox: nothing lost, nothing twice, nothing changed there (F-I1)."""

from __future__ import annotations

import imaplib
import os
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import text

from app.crypto import load_keyring
from app.db import Database
from app.settings import Settings
from ops.servers import free_port
from tests.support.imap import PASSWORD, FakeImap
from tests.support.raw_mails import raw_mails
from tests.support.waiting import wait_until
from workers.imap_mailbox import ImapMailbox
from workers.imap_session import ImapTrouble


def mail(number: int, body: str = "Where is my money?") -> bytes:
    return (
        "From: anna@person.test\r\nTo: office@agency.test\r\n"
        f"Message-ID: <m{number}@person.test>\r\nSubject: number {number}\r\n\r\n{body}\r\n"
    ).encode()


@pytest.fixture
async def server() -> AsyncIterator[FakeImap]:
    fake = FakeImap()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def mailbox(server: FakeImap, settings: Settings, database: Database) -> ImapMailbox:
    return ImapMailbox(database, of(settings, server.port), load_keyring(settings))


def of(settings: Settings, port: int, password: str = PASSWORD) -> Settings:
    return settings.model_copy(update={
        "imap_host": "127.0.0.1", "imap_port": port, "imap_tls": False,
        "imap_user": "reader", "imap_password": SecretStr(password),
    })  # fmt: skip


async def test_what_is_new_is_stored_once_and_the_mailbox_stays_as_it_is(
    server: FakeImap, mailbox: ImapMailbox, database: Database
) -> None:
    server.put(mail(1))
    server.put(mail(2))
    visit = await mailbox.visit()
    assert (visit.stored, visit.more, visit.began is not None) == (2, False, True)
    again = await mailbox.visit()
    assert (again.stored, server.fetched) == (0, [1, 2])
    server.put(mail(3))
    assert (await mailbox.visit()).stored == 1
    assert await raw_mails(database) == [mail(1), mail(2), mail(3)]
    assert server.writes == []


async def test_a_line_that_breaks_inside_a_mail_loses_and_doubles_nothing(
    server: FakeImap, mailbox: ImapMailbox, database: Database
) -> None:
    for number in range(1, 4):
        server.put(mail(number))
    server.drop_in_fetch_of = 2
    with pytest.raises(ImapTrouble):
        await mailbox.visit()
    assert await raw_mails(database) == [mail(1)]
    assert (await mailbox.visit()).stored == 2
    assert await raw_mails(database) == [mail(1), mail(2), mail(3)]


async def test_mails_numbered_anew_are_known_by_their_content(
    server: FakeImap, mailbox: ImapMailbox, database: Database
) -> None:
    server.put(mail(1))
    server.put(mail(2))
    await mailbox.visit()
    server.uid_validity, server.mails = 8, {1: mail(3), 2: mail(2), 3: mail(1)}
    assert (await mailbox.visit()).stored == 1
    assert await raw_mails(database) == [mail(1), mail(2), mail(3)]


async def test_what_another_client_took_away_stops_nothing(
    server: FakeImap, mailbox: ImapMailbox, database: Database
) -> None:
    server.put(mail(1))
    server.put(mail(2))
    server.gone = {1}
    assert (await mailbox.visit()).stored == 1
    assert await raw_mails(database) == [mail(2)]


async def test_one_message_id_over_two_bodies_is_two_mails(
    server: FakeImap, mailbox: ImapMailbox, database: Database
) -> None:
    server.put(mail(1))
    server.put(mail(1, "Another thing altogether."))
    assert (await mailbox.visit()).stored == 2


async def test_only_one_worker_visits_at_a_time(
    server: FakeImap, mailbox: ImapMailbox, database: Database
) -> None:
    async with database.transaction() as session:
        await session.execute(
            text(
                "INSERT INTO mailboxes"
                " VALUES (:name, 0, 0, clock_timestamp() + interval '1 minute')"
            ),
            {"name": mailbox.name},
        )
    server.put(mail(1))
    visit = await mailbox.visit()
    assert (visit.began, visit.stored, server.fetched) == (None, 0, [])


async def test_a_wrong_password_is_told_without_it(
    server: FakeImap, settings: Settings, database: Database
) -> None:
    with pytest.raises(ImapTrouble) as refused:
        await ImapMailbox(
            database, of(settings, server.port, "hunter2 hunter2"), load_keyring(settings)
        ).visit()
    assert "hunter2" not in str(refused.value)
    assert (
        await ImapMailbox(database, of(settings, server.port), load_keyring(settings)).visit()
    ).began is not None


async def test_an_answer_of_impossible_length_is_not_read(
    server: FakeImap, mailbox: ImapMailbox
) -> None:
    server.put(mail(1))
    server.announces = 99_999_999_999
    with pytest.raises(ImapTrouble):
        await mailbox.visit()


@pytest.mark.parametrize(
    "wrong",
    [
        {"imap_host": "mail.agency.test"},
        {"imap_host": "mail.agency.test", "imap_user": "u", "imap_password": "p",
         "imap_tls": False},
        {"inbound_smtp_host": "0.0.0.0"},  # what is refused here
        {"inbound_smtp_peers": "mailserver"},
        {"inbound_webhook_secret": "whsec_c2hvcnQ="},
    ],
)  # fmt: skip
def test_half_a_mailbox_is_refused_at_start(settings: Settings, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(settings.model_dump() | wrong)


NOBODY = 65_534  # it delivers mail to no root
DOVECOT = """
base_dir = {folder}/run
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
log_path = {folder}/log
mail_location = maildir:{folder}/mail
first_valid_uid = 1
mail_uid = {nobody}
mail_gid = {nobody}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = home={folder}/mail
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
}}
"""


@pytest.fixture
def dovecot() -> Iterator[tuple[int, Path]]:
    """The real server, where it is installed and may be started: its port and its mail folder."""
    program = Path("/usr/sbin/dovecot")
    if not program.exists() or os.geteuid() != 0:
        pytest.skip("dovecot is not installed, or only root may start it")
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)  # its helpers run as other users
        (folder / "mail").mkdir()
        os.chown(folder / "mail", NOBODY, NOBODY)
        config = folder / "dovecot.conf"
        words = {"folder": folder, "port": port, "password": PASSWORD, "nobody": NOBODY}
        config.write_text(DOVECOT.format_map(words))
        server = subprocess.Popen([program, "-F", "-c", config])  # found above
        try:
            wait_until(lambda: _opens(port))
            yield port, folder / "mail"
        finally:
            server.terminate()
            server.wait(10)


async def test_a_real_server_is_read_the_same_way(
    dovecot: tuple[int, Path], settings: Settings, database: Database
) -> None:
    port, folder = dovecot

    def put(raw: bytes) -> None:
        client = imaplib.IMAP4("127.0.0.1", port)
        client.login("reader", PASSWORD)
        client.append("INBOX", "", "", raw)
        client.logout()

    put(mail(1))
    mailbox = ImapMailbox(database, of(settings, port), load_keyring(settings))
    assert (await mailbox.visit()).stored == 1
    put(mail(2, "x" * 200_000))
    assert (await mailbox.visit()).stored == 1
    assert (await mailbox.visit()).stored == 0
    assert await raw_mails(database) == [mail(1), mail(2, "x" * 200_000)]
    assert not [p.name for p in folder.rglob("*:2,*S*")], "nothing is marked as seen"


def _opens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(4).startswith(b"* OK")
    except OSError:
        return False
