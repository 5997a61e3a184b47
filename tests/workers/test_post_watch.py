"""Letters that a printer took and lost, that came back, or of which nobody saw whether they went
(reliability.md F-H1, F-H9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.authorisation.principal import Principal
from app.clock import wall_now
from app.db import Database
from app.domain.events import LetterBounced
from app.engine import advance
from app.operations import service
from letters.rendered import RenderedLetter
from tests.support.lob import KEY, SENDER, FakeLob
from tests.workers.conftest import relaying, until
from tests.workers.stage import effects_of, file_case, install, move_clock, signed_case
from workers.effects import HANDLERS
from workers.effects.paper import Sheet, sheet_pdf
from workers.post_watch import PostWatch, silent_from
from workers.printing import mark_posted, print_batch
from workers.providers import Providers
from workers.providers.lob import LobPost
from workers.providers.post import PrintFolder
from workers.reconcile import Reconciler
from workers.tools import Tools


class SheetRenderer:
    """A fake of the render pool whose bytes are a PDF a printer can read."""

    async def render(self, content: dict[str, Any]) -> RenderedLetter:
        words = sha256(repr(sorted(content.items())).encode()).hexdigest()
        pdf = sheet_pdf(Sheet((), "R", "S", words, "A", "today"))
        return RenderedLetter(pdf=pdf, sha256=sha256(pdf).hexdigest(), pages=1)


@pytest.fixture
async def printer() -> AsyncIterator[FakeLob]:
    fake = FakeLob()
    await fake.start()
    yield fake
    await fake.stop()


@pytest.fixture
def printing(tools: Tools, printer: FakeLob) -> Tools:
    post = LobPost(KEY, SENDER, base_url=printer.url)
    providers = Providers(tools.providers.mail, post, tools.providers.bank)
    return replace(tools, providers=providers, renderer=SheetRenderer())


async def row(database: Database, statement: str, **values: Any) -> Any:
    async with database.read() as session:
        return (await session.execute(text(statement), values)).one_or_none()


async def change(database: Database, statement: str, **values: Any) -> None:
    async with database.transaction() as session:
        await session.execute(text(statement), values)


async def on_paper(database: Database, case_id: UUID) -> Any:
    """The order to post the letter, once there is one."""
    found = await effects_of(database, case_id)
    return next((e for e in found if e.payload.get("channel") == "post"), None)


async def posted_case(database: Database, printing: Tools) -> UUID:
    """A case whose mail bounced: its letter goes out on paper, as soon as a relay runs."""
    case = await signed_case(database, printing.settings, await install(database))

    async def mailed() -> bool:
        return await row(
            database, "SELECT 1 FROM letters WHERE case_id = :c AND state = 'handed_over'",
            c=case.case_id,
        ) is not None  # fmt: skip

    async with relaying(printing):
        await until(mailed)
    letter = await row(database, "SELECT id FROM letters WHERE case_id = :c", c=case.case_id)
    async with database.transaction() as session:
        await advance(
            session, case.case_id, LetterBounced(letter_id=letter.id, hard=True, reason="5.1.1"),
            actor="test",
        )  # fmt: skip
    return case.case_id


async def posted(database: Database, printing: Tools) -> tuple[UUID, UUID, str]:
    """(case, order, the printer's letter): taken by the printer."""
    case = await posted_case(database, printing)

    async def done() -> bool:
        order = await on_paper(database, case)
        return order is not None and order.state == "done"

    async with relaying(printing):
        await until(done)
    order = await on_paper(database, case)
    return case, order.id, order.provider_ref


async def letter_of(database: Database, case: UUID) -> Any:
    return await row(
        database, "SELECT state, evidence_grade FROM letters WHERE case_id = :c", c=case
    )


async def task(database: Database, kind: str) -> Any:
    return await row(
        database, "SELECT priority_reason FROM tasks WHERE kind = :k AND state = 'open'", k=kind
    )


async def test_a_letter_the_printer_never_posts_is_a_persons_work_once(
    database: Database, printing: Tools, printer: FakeLob
) -> None:
    case, order, _ = await posted(database, printing)
    watch = Reconciler(printing, HANDLERS)
    await watch.once()
    assert printer.asked == 0, "a letter of today is not asked about"
    await move_clock(database, timedelta(days=1, minutes=1))
    await watch.once()
    await watch.once()
    assert printer.asked == 1, "once a day"
    assert await task(database, "settle_effect") is None
    await move_clock(database, timedelta(days=8))
    await watch.once()
    assert (await task(database, "settle_effect")).priority_reason == "letter_silent"
    await move_clock(database, timedelta(days=1, minutes=1))
    await watch.once()
    assert (await row(database, "SELECT count(*) AS n FROM tasks WHERE key = :k", k=str(order))).n

    # The person learns that it never went: the step is repeated by another way, or by a person.
    async with database.transaction() as session:
        await service.settle(
            session, Principal(kind="staff", id=order, roles=frozenset({"senior"})), order,
            verdict="not_sent", reason="the printer says it has no such letter",
        )  # fmt: skip
    assert await task(database, "settle_effect") is None
    assert (await letter_of(database, case)).state == "bounced"
    assert await task(database, "fix_channel") is not None


async def test_a_letter_that_comes_back_opens_its_step_again(
    database: Database, printing: Tools, printer: FakeLob
) -> None:
    case, _, ref = await posted(database, printing)
    printer.event(ref, "Mailed", "2026-01-02T10:00:00Z")
    printer.event(ref, "Returned to Sender", "2026-01-20T10:00:00Z")
    await move_clock(database, timedelta(days=2))
    await PostWatch(printing).once()
    assert (await letter_of(database, case)).state == "bounced"
    assert await task(database, "fix_channel") is not None
    channel = await row(database, "SELECT health, last_error FROM channels WHERE kind = 'post'")
    assert (channel.health, channel.last_error) == ("dead", "returned by the post")
    await move_clock(database, timedelta(days=2))
    await PostWatch(printing).once()
    assert printer.asked == 1, "its end is known"


async def test_a_registered_letter_that_arrived_is_proof_and_its_number_is_kept(
    database: Database, printing: Tools, printer: FakeLob
) -> None:
    case, _, ref = await posted(database, printing)
    await change(database, "UPDATE post_watch SET registered = true")
    printer.letters[ref]["tracking_number"] = "RR123456785FI"
    printer.event(ref, "Delivered", wall_now().isoformat())
    await move_clock(database, timedelta(days=1, minutes=1))
    await PostWatch(printing).once()
    assert tuple(await letter_of(database, case)) == ("delivered", "registered")
    kept = await row(database, "SELECT state, tracking_number FROM post_watch")
    assert tuple(kept) == ("delivered", "RR123456785FI")


async def test_an_order_nobody_saw_the_end_of_is_settled_when_the_printer_has_it(
    database: Database, printing: Tools, printer: FakeLob
) -> None:
    printer.plan.append("drop_after")
    case = await posted_case(database, printing)

    async def tried() -> bool:
        order = await on_paper(database, case)
        return order is not None and order.unseen_at is not None

    async def unknown() -> bool:
        return bool((await on_paper(database, case)).state == "unknown")

    async with relaying(printing):
        await until(tried)
        await change(
            database,
            "UPDATE effects SET not_before = now(), dispatched_at = now() - interval '24 hours'"
            " WHERE payload->>'channel' = 'post'",
        )
        await until(unknown)
    order = await on_paper(database, case)
    assert printer.taken == {str(order.id): 1}, "it was not repeated after the window"
    await PostWatch(printing).once()
    settled = await on_paper(database, case)
    assert (settled.state, settled.provider_ref) == ("done", next(iter(printer.letters)))
    assert (await letter_of(database, case)).state == "handed_over"
    assert await task(database, "settle_effect") is None
    watched = await row(database, "SELECT effect_id, state FROM post_watch")
    assert tuple(watched) == (order.id, "accepted")


async def test_that_the_printer_does_not_know_an_order_settles_nothing(
    database: Database, printing: Tools, printer: FakeLob
) -> None:
    case, order, _ = await posted(database, printing)
    await change(database, "UPDATE effects SET state = 'unknown' WHERE id = :id", id=order)
    printer.letters.clear()
    await PostWatch(printing).once()
    assert (await on_paper(database, case)).state == "unknown"


def test_silence_is_counted_in_working_days() -> None:
    friday = datetime(2026, 3, 6, 12, tzinfo=UTC)
    assert silent_from(friday) == datetime(2026, 3, 13, 12, tzinfo=UTC)


async def test_an_address_no_postman_finds_is_a_persons_work_before_anything_is_printed(
    database: Database, printing: Tools, printer: FakeLob
) -> None:
    case = await posted_case(database, printing)
    await change(
        database,
        "UPDATE channels SET address = E'Airline plc\\nHarbour 1\\nHelsinki' WHERE kind = 'post'",
    )

    async def failed() -> bool:
        order = await on_paper(database, case)
        return order is not None and order.state == "failed"

    async with relaying(printing):
        await until(failed)
    assert (await on_paper(database, case)).cause.startswith("address: no line has a postal code")
    assert await task(database, "fix_channel") is not None
    assert printer.orders == 0


async def test_a_consumer_without_an_address_that_works_is_called(
    database: Database, printing: Tools, printer: FakeLob
) -> None:
    case = await file_case(database, printing.settings, await install(database), email=None)
    await change(database, "UPDATE consumers SET country = 'GB'")

    async def called() -> bool:
        return await task(database, "call_consumer") is not None

    async with relaying(printing):
        await until(called)
    assert (await effects_of(database, case.case_id))[0].state == "failed"
    assert printer.orders == 0


async def test_what_our_own_print_room_posted_is_written_down_and_what_it_forgot_is_asked(
    database: Database, printing: Tools, tmp_path: Path
) -> None:
    folder = PrintFolder(tmp_path / "post")
    own = replace(printing, providers=replace(printing.providers, post=folder))
    _, order, ref = await posted(database, own)
    await Reconciler(own, HANDLERS).once()
    assert await task(database, "settle_effect") is None
    await change(database, "UPDATE effects SET settled_at = now() - interval '4 days'")
    await Reconciler(own, HANDLERS).once()
    assert (await task(database, "settle_effect")).priority_reason == "letter_unprinted"

    print_batch(folder, tmp_path, now=wall_now())
    mark_posted(folder, ref, on=date(2026, 3, 2), tracking="RR123456785FI")
    for _ in range(2):
        await Reconciler(own, HANDLERS).once()
    written = await row(
        database, "SELECT detail FROM effect_attempts WHERE effect_id = :e AND what = 'posted'",
        e=order,
    )  # fmt: skip
    assert written.detail == "on 2026-03-02, number RR123456785FI"
