"""Companies and bodies: they get our letters by mail and post, and answer as their story says.

Answers come through our own SMTP door to the address of the case, with the headers real mail
programs set. Each carries a ticket of the sender's; by it the handler who reads the mail (in
`people`) knows what it says, as a person would from its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import aiosmtplib
import orjson
import yaml

from ops.world import consumers
from ops.world.catcher import HOST, Mail
from ops.world.stories import BodyReaction, Reaction
from ops.world.tale import Tale, World
from workers.providers.folder import put_once

POST_DAYS = 3  # from the printer to the letter box
WRITTEN = ("automatic", "deny", "ask", "offer", "promise", "cancel_bill", "not_us")
# Answers of ours that ask again: to the company they are one more letter of the stage.
IN_PLACE_OF_THE_STAGE = (
    "denial_answer",
    "promise_broken",
    "offer_refused",
    "full_settlement_refused",
)
_REPLIES = Path(__file__).with_name("replies.yaml")


@lru_cache(maxsize=1)
def replies() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(_REPLIES.read_text("utf-8"))
    return loaded


# --- letters that arrive ---------------------------------------------------------------------


async def read_mail(world: World, mail: Mail) -> None:
    """A mail to a company or body: one with a letter of ours is answered."""
    names = [n for n in mail.attachments if n.startswith("RC-") and n.endswith(".pdf")]
    world.count("mails_to_companies")
    if not names:
        return  # a notice that we no longer act
    reference, _, kind = names[0].removesuffix(".pdf").rpartition("-")
    tale = world.of_reference(reference)
    assert tale is not None, f"a letter for {reference}, which nobody knows"
    world.count("letters_by_mail")
    tale.reply_to, tale.last_message_id = mail.reply_to, mail.message_id
    await letter_arrived(world, tale, kind, mail.subject)


async def read_post(world: World) -> None:
    """What the printer got since the last time: it leaves the house and arrives days later."""
    folder = world.settings.data_dir.resolve() / "post"
    for job in sorted(folder.glob("*.json")):
        printed = job.with_suffix(".printed")
        if printed.exists() or job.with_suffix(".recalled").exists():
            continue
        put_once(printed, b"")
        about = orjson.loads(job.read_bytes())
        tale = world.of_reference(about["reference"])
        assert tale is not None, "post names a case of ours"
        kind = await _kind_of(world, tale, about["sha256"])
        if kind is None:
            world.count("notices_by_post")
            continue
        world.count("letters_by_post")
        world.after(
            POST_DAYS,
            f"{tale.story.id} post arrives",
            partial(letter_arrived, world, tale, kind, kind),
        )


async def _kind_of(world: World, tale: Tale, sha256: str) -> str | None:
    """What a sheet is, which its reader sees at once: a letter of the case, or a notice."""
    view = await world.door.get(world.staff["saga"], f"/v1/cases/{tale.case_id}")
    return next((x["kind"] for x in view["letters"] if x["sha256"] == sha256), None)


async def letter_arrived(world: World, tale: Tale, kind: str, subject: str) -> None:
    """The next reaction of this company to a letter of this kind; none left is silence."""
    if kind == "complaint":
        await complaint_arrived(world, tale)
        return
    if kind in IN_PLACE_OF_THE_STAGE:
        view = await world.door.get(world.staff["saga"], f"/v1/cases/{tale.case_id}")
        kind = view["stage"]
    at = tale.letters_seen.get(kind, 0)
    tale.letters_seen[kind] = at + 1
    reactions = tale.story.company.reactions(kind)
    if at < len(reactions):
        plan(world, tale, reactions[at], subject)


async def agreed(world: World, tale: Tale) -> None:
    """The whole was agreed or ordered: what the company does about it."""
    at = tale.letters_seen.get("settlement", 0)
    reactions = tale.story.company.reactions("settlement")
    if at < len(reactions):
        tale.letters_seen["settlement"] = at + 1
        plan(world, tale, reactions[at], tale.reference)


async def complaint_arrived(world: World, tale: Tale) -> None:
    """The next of the bodies' reactions in the story."""
    at = tale.letters_seen.get("body", 0)
    tale.letters_seen["body"] = at + 1
    if at < len(tale.story.body):
        reaction = tale.story.body[at]
        world.after(
            reaction.after,
            f"{tale.story.id} body {reaction.do}s",
            lambda: body_writes(world, tale, reaction),
        )


def plan(world: World, tale: Tale, reaction: Reaction, subject: str) -> None:
    """Put what the company will do into the calendar."""
    if reaction.do == "silent":
        return
    world.after(
        reaction.after,
        f"{tale.story.id} company: {reaction.do}",
        lambda: act(world, tale, reaction, subject),
    )


async def act(world: World, tale: Tale, reaction: Reaction, subject: str) -> None:
    """One reaction: money moves in the bank, everything else is written."""
    if reaction.do == "pay":
        text = _payment_text(tale, reaction)
        world.bank.pay(tale, reaction.amount, text=text, rf=reaction.reference == "rf")
        if reaction.then is not None:
            later = reaction.then
            world.after(
                later.after,
                f"{tale.story.id} company pays the rest",
                lambda: _pay_rest(world, tale, later.amount),
            )
        return
    if reaction.do == "pay_direct" and reaction.told_by == "consumer":
        tale.done.add("paid_directly")
        from_consumer = reaction.amount
        world.after(
            1,
            f"{tale.story.id} says they paid",
            lambda: consumers.say_paid(world, tale, from_consumer),
        )
        return
    await write(world, tale, reaction, subject)
    if reaction.do == "promise" and reaction.keeps:
        world.after(
            reaction.in_days - 1,
            f"{tale.story.id} keeps its promise",
            lambda: _pay_rest(world, tale, reaction.amount),
        )


async def _pay_rest(world: World, tale: Tale, amount: str) -> None:
    world.bank.pay(tale, amount, text="", rf=True)


def _payment_text(tale: Tale, reaction: Reaction) -> str:
    if reaction.in_full:
        return "in full and final settlement"
    return "" if reaction.reference == "rf" else f"refund {tale.case['consumer']['name']}"


async def answer_given(world: World, tale: Tale) -> None:
    """The company got what it had asked for."""
    asked = [r for r in tale.tickets.values() if isinstance(r, Reaction) and r.do == "ask"]
    then = next((r.then for r in asked if r.then is not None), None)
    if then is not None and tale.first("answer_given"):
        world.after(
            then.after,
            f"{tale.story.id} company pays after the answer",
            lambda: _pay_rest(world, tale, then.amount),
        )


# --- writing ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sender:
    name: str
    address: str
    language: str


async def write(world: World, tale: Tale, reaction: Reaction, subject: str) -> None:
    """A mail of the company about this case."""
    listed = world.book.companies[tale.company_name]
    sender = Sender(tale.company_name, listed.email, listed.language)
    if listed.email in tale.story.company.bounces:
        sender = Sender(tale.company_name, f"post@{listed.email.partition('@')[2]}", "en")
    await _send(world, tale, reaction, reaction.do, subject, sender)


async def body_writes(world: World, tale: Tale, reaction: BodyReaction) -> None:
    """A mail of the body to the case's address; in English, whatever its own language."""
    body = tale.case["expected"]["body"] or "the.board"
    domain = body.replace(".", "-").replace("_", "-")
    sender = Sender(body, f"registry@{domain}.example", "en")
    code = "body_ask" if reaction.do == "ask" else reaction.do
    await _send(world, tale, reaction, code, f"Complaint {tale.reference}", sender)


async def _send(
    world: World,
    tale: Tale,
    reaction: Reaction | BodyReaction,
    code: str,
    subject: str,
    sender: Sender,
) -> None:
    assert tale.reply_to, "every mail and letter of ours names the address of the case"
    # The simulated companies answer in English or Finnish, in whatever language we write to them.
    table = replies().get(sender.language) or replies()["en"]
    ticket = f"{tale.random.randrange(100, 999)}-{len(tale.tickets) + 1}"
    tale.tickets[ticket] = reaction
    automatic = code == "automatic"
    name = "automatic_subject" if automatic else "subject"
    message = EmailMessage()
    message["From"] = formataddr((sender.name, sender.address))
    message["To"] = tale.reply_to
    message["Subject"] = table[name].format(subject=subject, ticket=ticket)
    message["Date"] = format_datetime(world.now)
    domain = sender.address.partition("@")[2]
    message["Message-ID"] = f"<{tale.story.id}.{ticket}.{world.seed}@{domain}>"
    if tale.last_message_id:
        message["In-Reply-To"] = tale.last_message_id
        message["References"] = tale.last_message_id
    if automatic:
        message["Auto-Submitted"] = "auto-replied"
        message["Precedence"] = "bulk"
    message.set_content(_words(world, tale, reaction, table, code, ticket))
    await aiosmtplib.send(
        message,
        sender=sender.address,
        recipients=[tale.reply_to],
        hostname=HOST,
        port=world.mail_port,
        start_tls=False,
    )
    world.count("mails_in")


def _words(
    world: World,
    tale: Tale,
    reaction: Reaction | BodyReaction,
    table: dict[str, Any],
    code: str,
    ticket: str,
) -> str:
    currency = tale.case["expected"]["currency"]
    days = reaction.in_days if isinstance(reaction, Reaction) else reaction.days
    kind = reaction.kind if isinstance(reaction, Reaction) else ""
    chosen: str = tale.random.choice(table[code])
    reason = reaction.reason.replace("_", " ") or table["words"][""]
    what = reaction.what if isinstance(reaction, Reaction) else "the missing papers"
    return chosen.format(
        reference=tale.reference,
        company=tale.company_name,
        ticket=ticket,
        reason=reason,
        what=what.replace("_", " "),
        amount=f"{reaction.amount} {currency}",
        kind=table["words"].get(kind, kind),
        days=reaction.days,
        date=(world.now + timedelta(days=days)).date().isoformat(),
    )
