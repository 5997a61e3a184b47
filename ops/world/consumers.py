"""The consumers: they file through the site, open their mail, sign in by its link, and act.

A consumer looks at the case whenever a mail of ours asks them to; what they then do is what the
story says. People reached by post only do nothing here: a handler does it for them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from app.texts import LANGUAGES
from ops.world.agency import token_in
from ops.world.catcher import Mail
from ops.world.door import Person
from ops.world.stories import Counter, Question, Signs, Story
from ops.world.tale import Tale, World
from workers.notices import words

DRAWN = "M60 220L180 60L260 240L360 90L430 210"  # a signature by finger

EXPENSES = {"care", "return_postage", "inspection", "unpaid_bill"}


# --- filing ----------------------------------------------------------------------------------


def claim_of(tale: Tale) -> dict[str, Any]:
    """The claim as the question form would send it."""
    case, story = tale.case, tale.story
    answers, expected = case["answers"], case["expected"]
    items = _items(case, story)
    answers = {k: v for k, v in answers.items() if k not in ("items", "persons")}
    first = case["facts"].get("first_written_complaint")
    answers.setdefault("event_date", _event_day(case))
    return {
        "claim_kind": expected["claim_kind"],
        "jurisdiction": expected["jurisdiction"],
        "currency": items[0]["amount"]["currency"],
        "company": {
            "name": case["company"]["legal_name"],
            "brand": case["company"]["brand"],
            "country": case["company"]["country"],
        },
        "booking_reference": answers.get("reference"),
        "what_happened": case["what_happened"],
        "language": case["consumer"]["language"],
        "answers": answers,
        "items": items,
        "first_written_complaint": first,
    }


def _event_day(case: dict[str, Any]) -> str:
    """When it happened: the last day the consumer names before they complained."""
    facts = case["facts"]
    until = facts.get("first_written_complaint") or "9999"
    days = [str(day)[:10] for day in facts["dates"].values() if str(day)[:10] <= until]
    return max(days, default="unknown")


def _items(case: dict[str, Any], story: Story) -> list[dict[str, Any]]:
    if story.items:
        return [
            {"what": i.what, "kind": i.kind, "amount": {"amount": i.amount, "currency": i.currency}}
            for i in story.items
        ]
    asked = [(i["type"], i["amount"]) for i in case["answers"]["items"] if i.get("amount")]
    lines = []
    for line in case["expected"]["items"]:
        amount = {
            "amount": _as_text(line["amount_minor"], line["currency"]),
            "currency": line["currency"],
        }
        kind = next((k for k, sum_ in asked if sum_["amount"] == amount["amount"]), "compensation")
        lines.append(
            {
                "what": line["what"],
                "kind": kind,
                "amount": amount,
                "creditor": _creditor(line["what"], story),
            }
        )
    if lines:
        return lines
    return [
        {"what": i["what"], "kind": i["type"], "amount": i["amount"]}
        for i in case["answers"]["items"]
    ]


def _as_text(minor: int, currency: str) -> str:
    return str(minor) if currency == "JPY" else f"{minor // 100}.{minor % 100:02d}"


def _creditor(what: str, story: Story) -> int:
    """Whose line it is: 0 the consumer, 1 and on the party's."""
    for at, member in enumerate(story.party, start=1):
        if member.of in what:
            return at
    return 0


def person_of(tale: Tale) -> dict[str, Any]:
    case, story = tale.case, tale.story
    contact = case["consumer"]["contact"]
    person = {
        "name": case["consumer"]["name"],
        "country": case["consumer"]["country"],
        "language": case["consumer"]["language"],
        "by_post": story.filed.by_post,
        "address": {"lines": list(story.address)},
    }
    if "@" in contact:
        person["email"] = contact
    return person


async def file(world: World, tale: Tale) -> None:
    """A draft first, submitted the same hour; as the consumer, the partner's app or a handler."""
    story = tale.story
    consumer = person_of(tale)
    tale.consumers = [_known(world, consumer["name"], consumer.get("email", ""))]
    tale.consumers += [_known(world, m.name, m.email) for m in story.party]
    party = [
        {"name": m.name, "email": m.email, "address": consumer["address"]} for m in story.party
    ]
    body = {"claim": claim_of(tale), "party": party, "submit": False}
    if story.filed.by in ("phone", "paper"):
        filer, path = world.staff[story.filed.handler], "/v1/staff/cases"
        body |= {"consumer": consumer, "source": story.filed.by}
    elif tale.consumers[0].token:
        filer, path = tale.consumers[0], "/v1/cases"
    else:
        filer = world.partner if story.filed.by == "partner" else world.site
        path, body = "/v1/cases", body | {"consumer": consumer}
    view = await world.door.post(filer, path, body)
    tale.case_id, tale.reference = view["id"], view["reference"]
    tale.saw(view["stage"])
    await world.door.call(
        filer, "POST", f"/v1/cases/{tale.case_id}/submit", version=view["version"]
    )


def _known(world: World, name: str, email: str) -> Person:
    """The same person in two stories is one person."""
    for tale in world.tales:
        for person in tale.consumers:
            if email and person.email == email:
                return person
    return world.person(name, email)


ASKING = ("please_sign", "question", "offer", "file_complaint", "write_first")


@lru_cache(maxsize=1)
def asking_subjects() -> frozenset[str]:
    """What our mails are called that want something of their reader."""
    return frozenset(
        words(language)["notices"][code]["subject"]
        for language in LANGUAGES
        for code in ASKING
        if code in words(language)["notices"]
    )


# --- mail ------------------------------------------------------------------------------------


async def read_mail(world: World, mail: Mail) -> None:
    """A mail to a consumer: a sign-in link is used at once, anything else makes them look."""
    if "#" in mail.text and "/login#" in mail.text:
        person = next(
            p for t in world.of_consumer(mail.to) for p in t.consumers if p.email == mail.to
        )
        opened = await world.door.post(person, "/v1/session", {"token": token_in(mail.text)})
        person.token = opened["token"]
        return
    world.count("notices")
    tale = world.of_reference(mail.subject.partition(":")[0])
    if tale is None:
        return
    tale.reply_to = mail.reply_to or tale.reply_to
    if mail.subject.partition(": ")[2] in asking_subjects():
        tale.look = True


async def sign_in(world: World, people: list[Person]) -> None:
    """Ask for links for those who have no session yet; the mails bring the tokens."""
    for person in people:
        if person.email and not person.token:
            await world.door.post(person, "/v1/session/link", {"email": person.email})
    await world.worker.until_quiet()
    for mail in world.catcher.take():
        if "/login#" in mail.text:
            await read_mail(world, mail)
        else:
            world.catcher.arrived.append(mail)


# --- looking at the case ---------------------------------------------------------------------


async def look(world: World, tale: Tale) -> None:
    """Open the case and do what the story says; most of it some days later."""
    tale.look = False
    if not tale.consumers[0].email or tale.closed:
        return
    await sign_in(world, tale.consumers)
    view = await world.door.get(tale.consumers[0], f"/v1/cases/{tale.case_id}")
    story = tale.story
    if view["stage"] == "agreement" and isinstance(story.signs, Signs) and tale.first("signing"):
        world.after(story.signs.after, f"{story.id} signs", lambda: sign(world, tale))
    if view["stage"] == "contact" and view["step"] == 0 and tale.first("writes_first"):
        world.after(
            1,
            f"{story.id} writes first",
            lambda: tell(world, tale, "I have written to them myself, as you advised."),
        )
    for question in view["questions"]:
        if not question["answered"] and tale.first(f"question:{question['id']}"):
            _plan_answer(world, tale, question)
    for offer in view["offers"]:
        if offer["state"] == "open" and tale.first(f"offer:{offer['id']}"):
            world.after(2, f"{story.id} answers the offer", _answering(world, tale, offer["id"]))
    waits = view["waiting_on"] == "consumer"
    if view["stage"] == "complaint" and waits and tale.first(f"complaint:{view['step']}"):
        world.after(2, f"{story.id} sends the complaint", lambda: send_complaint(world, tale))


def _plan_answer(world: World, tale: Tale, question: dict[str, Any]) -> None:
    asked: Question | None = tale.story.question
    text, days = "The paper is attached to this answer.", 1
    if asked is not None and asked.code == question["code"]:
        if asked.answers == "never":
            return
        text, days = asked.answers.text, asked.answers.after
    path = f"/v1/cases/{tale.case_id}/questions/{question['id']}/answer"

    async def answer() -> None:
        if asked is None:
            await _attach(world, tale)
        await world.door.post(tale.consumers[0], path, {"answer": text})

    world.after(days, f"{tale.story.id} answers a question", answer)


async def _attach(world: World, tale: Tale) -> None:
    """A file for the question: what they wrote down about the matter."""
    await world.door.call(
        tale.consumers[0],
        "POST",
        f"/v1/cases/{tale.case_id}/evidence",
        params={"what": "proof_of_non_delivery", "file_name": "proof.txt"},
        raw=tale.case["what_happened"].encode(),
        kind="text/plain",
    )


def _answering(world: World, tale: Tale, offer_id: str) -> Any:
    async def answer() -> None:
        await answer_offer(world, tale, offer_id)

    return answer


async def answer_offer(world: World, tale: Tale, offer_id: str) -> None:
    """Each claimant answers for themself, all the same way; the first "no" ends it for all."""
    tale.offers_met.append(offer_id)
    answers = tale.story.consumer.offers
    at = len(tale.offers_met) - 1
    answer = answers[at] if at < len(answers) else "refuse"
    for person in tale.consumers:
        view = await world.door.get(person, f"/v1/cases/{tale.case_id}")
        me = next(c["id"] for c in view["claimants"] if c["is_you"])
        base = f"/v1/cases/{tale.case_id}/offers/{offer_id}"
        currency = view["claim"]["currency"]
        if isinstance(answer, Counter):
            await world.door.post(
                person,
                f"{base}/counter",
                {"claimant_id": me, "amount": {"amount": answer.counter, "currency": currency}},
            )
            return
        await world.door.post(person, f"{base}/{answer}", {"claimant_id": me})
        if answer == "refuse":
            return


async def sign(world: World, tale: Tale) -> None:
    """Read the summary, sign, and say where the money should go: every claimant."""
    story = tale.story
    for at, person in enumerate(tale.consumers):
        case = f"/v1/cases/{tale.case_id}"
        summary = await world.door.get(person, f"{case}/fee-summary")
        view = await world.door.get(person, case)
        me = next(c["id"] for c in view["claimants"] if c["is_you"])
        account = story.account if at == 0 else story.party_account
        if account is not None:
            await world.door.call(
                person,
                "PUT",
                f"{case}/claimants/{me}/payout-account",
                {"rail": account.rail, "holder": person.name, "iban": account.iban},
            )
        await world.door.post(
            person,
            f"{case}/mandates",
            {
                "claimant_id": me,
                "signed_name": person.name,
                "level": summary["mandate_level"],
                "text_version": summary["text_version"],
                "summary_language": summary["language"],
                "summary_sha256": summary["page_sha256"],
                "receives_money": account is not None,
                "start_now": True,
                "drawing": DRAWN if summary["mandate_level"] == "drawn" else None,
            },
        )


async def tell(world: World, tale: Tale, text: str) -> None:
    """A message to us, read by a handler."""
    await world.door.post(tale.consumers[0], f"/v1/cases/{tale.case_id}/messages", {"text": text})


async def send_complaint(world: World, tale: Tale) -> None:
    """Only the consumer can press send at this body; they tell us that they did."""
    tale.done.add("complaint_sent")
    await tell(world, tale, "I have sent the complaint to the body today, with your file.")


async def say_paid(world: World, tale: Tale, amount: str) -> None:
    """ "They paid me." """
    person = tale.consumers[0]
    view = await world.door.get(person, f"/v1/cases/{tale.case_id}")
    await world.door.post(
        person,
        f"/v1/cases/{tale.case_id}/direct-payments",
        {
            "amount": {"amount": amount, "currency": view["claim"]["currency"]},
            "paid_on": world.now.date().isoformat(),
        },
    )


async def give_account(world: World, tale: Tale, iban: str) -> None:
    """Another account, after the bank sent the money back."""
    person = tale.consumers[0]
    view = await world.door.get(person, f"/v1/cases/{tale.case_id}")
    me = next(c["id"] for c in view["claimants"] if c["is_you"])
    await world.door.call(
        person,
        "PUT",
        f"/v1/cases/{tale.case_id}/claimants/{me}/payout-account",
        {"rail": "sepa", "holder": person.name, "iban": iban},
    )


# --- leaving ---------------------------------------------------------------------------------


async def reached(world: World, tale: Tale, stage: str) -> None:
    """The case came to a stage at which this consumer leaves, some days later."""
    leaves, revokes = tale.story.consumer.withdraws, tale.story.consumer.revokes
    if leaves is not None and leaves.at == stage and tale.first("withdraws"):
        world.after(leaves.after, f"{tale.story.id} withdraws", lambda: withdraw(world, tale))
    if revokes is not None and revokes.at == stage and tale.first("revokes"):
        world.after(revokes.after, f"{tale.story.id} revokes", lambda: revoke(world, tale))


async def withdraw(world: World, tale: Tale) -> None:
    await sign_in(world, tale.consumers)
    await world.door.post(tale.consumers[0], f"/v1/cases/{tale.case_id}/withdraw")


async def revoke(world: World, tale: Tale) -> None:
    person = tale.consumers[0]
    view = await world.door.get(person, f"/v1/cases/{tale.case_id}")
    mandate = next(c["mandate"]["mandate_id"] for c in view["claimants"] if c["is_you"])
    await world.door.post(person, f"/v1/cases/{tale.case_id}/mandates/{mandate}/revoke")
