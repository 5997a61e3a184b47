"""One worker: the relays, the sweep, the inbox, reconciliation and the bus, in one event loop."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from app.crypto import load_keyring
from app.db import Database
from app.documents.store import open_store
from app.domain.effects import COMPANY_LANE, CONSUMER_LANE, MONEY_LANE, RENDER_LANE
from app.settings import Settings
from letters.pool import RenderPool
from workers.bus import WakeBus, make_bus
from workers.deadlines import Sweeper
from workers.due import look
from workers.effects import HANDLERS
from workers.heartbeat import beat_forever
from workers.housekeeping import HOUSEKEEPING_SECONDS, Housekeeper
from workers.imap_mailbox import ImapMailbox
from workers.imap_session import ImapTrouble
from workers.inbox import Inbox
from workers.loops import Loop
from workers.mail import address_book
from workers.matching import Matcher
from workers.mime import MailReader
from workers.providers import Providers, build_providers
from workers.providers.clamd import Clamd
from workers.reconcile import Reconciler
from workers.relay import Relay
from workers.screening import SCREEN_SECONDS, Screener
from workers.sealer import build_sealer
from workers.smtp_door import Door
from workers.tools import Renderer, Sealer, Tools

log = structlog.get_logger(__name__)
SEND_SLOTS = 64  # acts at a time; each is a connection to a mail server at worst
RENDERS_PER_PROCESS = 2  # one in work, one waiting, so that no child idles
RECONCILE_SECONDS = 30.0
SENDING_LANES = (COMPANY_LANE, CONSUMER_LANE, MONEY_LANE)


def build_tools(
    settings: Settings,
    *,
    providers: Providers | None = None,
    renderer: Renderer | None = None,
    sealer: Sealer | None = None,
) -> Tools:
    """Everything built once. Tests hand in their own providers or renderer."""
    database = Database(
        settings.database_url, pool_size=settings.database_pool_size,
        statement_timeout_ms=settings.database_statement_timeout_seconds * 1000,
    )  # fmt: skip
    return Tools(
        settings=settings, database=database, store=open_store(settings),
        keyring=load_keyring(settings), providers=providers or build_providers(settings),
        renderer=renderer or RenderPool(settings.render_processes),
        worker=f"{socket.gethostname()}:{os.getpid()}",
        sealer=sealer or build_sealer(settings),
    )  # fmt: skip


@dataclass
class Worker:
    tools: Tools
    relays: list[Relay] = field(init=False)
    sweep: Loop = field(init=False)
    inbox: Loop = field(init=False)

    def __post_init__(self) -> None:
        tools, settings = self.tools, self.tools.settings
        pause = settings.sweep_seconds
        self.relays = [
            Relay(tools, HANDLERS, SENDING_LANES, SEND_SLOTS),
            Relay(tools, HANDLERS, (RENDER_LANE,), settings.render_processes * RENDERS_PER_PROCESS),
        ]
        self.sweeper = Sweeper(tools.database, moved=self._staged, slots=tools.settings.sweep_slots)
        self.sweep = Loop("sweep", self.sweeper.once, pause)
        self.matcher = Matcher(tools)
        self.match = Loop("match", self.matcher.once, pause)
        self.reader = MailReader()
        self.mailbox = Inbox(
            tools.database, address_book(settings), self.reader, settings.lease_seconds,
            tools.store, tools.keyring, listening=False, authserv_id=settings.mail_authserv_id,
            scans=settings.clamd is not None,
        )  # fmt: skip
        self.inbox = Loop("inbox", self._read_mail, pause)
        self.reconciler = Reconciler(tools, HANDLERS)
        self.reconcile = Loop("reconcile", self.reconciler.once, RECONCILE_SECONDS)
        self.housekeeping = Loop(
            "housekeeping", Housekeeper(tools.database, tools.store).once, HOUSEKEEPING_SECONDS
        )
        self.door = Door(tools.database, settings, tools.keyring, self.inbox)
        self.polled = (
            ImapMailbox(tools.database, settings, tools.keyring) if settings.imap_host else None
        )
        self.screen: Loop | None = None
        if settings.clamd:
            screener = Screener(
                tools.database, tools.store, tools.keyring, Clamd(settings.clamd)
            )  # fmt: skip
            self.screen = Loop("screen", screener.once, SCREEN_SECONDS)
        self.poll = Loop("imap", self._poll, settings.imap_seconds)

    def nudge(self, what: str = "") -> None:
        """Something was staged or stored: everybody looks. A look at nothing costs 1 ms."""
        self.inbox.nudge()
        self.sweep.nudge()
        self.match.nudge()
        self._staged()

    def _staged(self) -> None:
        for relay in self.relays:
            relay.nudge()

    async def _read_mail(self) -> bool:
        filed = self.mailbox.filed
        more = await self.mailbox.once()
        if self.mailbox.filed != filed:
            self._staged()
            self.sweep.nudge()
        return more

    async def _poll(self) -> bool:
        """Fetches what is new. The mark of what was read follows the visits of this worker; while
        another one visits, the mark is its."""
        assert self.polled is not None, "only then this loop runs"
        try:
            visit = await self.polled.visit()
        except ImapTrouble as trouble:
            log.warning("mailbox_away", error=str(trouble))
            return False
        if visit.began is not None and not visit.more:
            self.mailbox.fetched_until = visit.began
            self.mailbox.listening = True
        if visit.stored:
            self.inbox.nudge()
        return visit.more

    async def open(self) -> None:
        """Only the door for mail, for who drives the worker by `until_quiet`; then `close`."""
        await self._open_door()

    async def close(self) -> None:
        await self._close()

    async def until_quiet(self) -> int:
        """Instead of `run`, for who holds the clock (the simulated world): read, sweep and carry
        out, in that order, until nothing is due. Returns how much was done, known from our own
        counters; 0 says that nothing had been waiting."""
        done = 0
        while not (due := await look(self.tools.database)).nothing:
            before = self.mailbox.taken + self.sweeper.swept + self.matcher.matched
            # A deadline acts only when the mail was read up to now; reading also sets that mark.
            while (due.mails or due.cases) and await self.mailbox.once():
                pass
            while due.receipts and await self.matcher.once():
                pass
            while (due.mails or due.cases) and await self.sweeper.once():
                pass
            moved = sum(await asyncio.gather(*(relay.turn(due.lanes) for relay in self.relays)))
            moved += self.mailbox.taken + self.sweeper.swept + self.matcher.matched - before
            if not moved:
                break
            done += moved
        return done

    async def run(self, bus: WakeBus | None = None, *, own_bus: bool = True) -> None:
        """Until cancelled."""
        await self._open_door()
        bus = bus or (make_bus(self.tools.settings) if own_bus else None)
        try:
            async with asyncio.TaskGroup() as group:
                for relay in self.relays:
                    group.create_task(relay.run())
                for loop in (self.sweep, self.match, self.inbox, self.reconcile, self.housekeeping):
                    group.create_task(loop.run())
                if self.screen is not None:
                    group.create_task(self.screen.run())
                if self.polled is not None:
                    group.create_task(self.poll.run())
                group.create_task(beat_forever())
                if bus is not None:
                    group.create_task(bus.run(self.nudge))
        finally:
            await self._close()

    async def stop(self, seconds: float) -> None:
        """Take nothing new and finish what is under way."""
        await asyncio.gather(*(relay.drain(seconds) for relay in self.relays))

    async def _open_door(self) -> None:
        settings = self.tools.settings
        if settings.inbound_smtp_port is None:
            return
        try:
            port = await self.door.open(settings.inbound_smtp_host, settings.inbound_smtp_port)
        except OSError:
            log.info("door_is_open_elsewhere", port=settings.inbound_smtp_port)
            return
        # A mailbox that is polled beside it says itself how far it was read.
        self.mailbox.listening = self.polled is None
        log.info("door_open", port=port)

    async def _close(self) -> None:
        with suppress(Exception):  # on our way out: what counts is committed
            await self.door.close()
        await self.reader.close()
        if isinstance(self.tools.renderer, RenderPool):
            await self.tools.renderer.close()
        await self.tools.database.close()
