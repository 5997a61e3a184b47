"""recourse mail: what mails say, read as the worker reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from app.correspondence.raw import MAIL_BYTES_MAX
from app.reading import training
from app.reading.mail import ParsedMail
from app.reading.trust import trust_of
from workers.mime import MailReader, ReadMail, Unreadable

group = typer.Typer(help="What mails say.", no_args_is_help=True)


@group.command()
def read(
    files: Annotated[list[Path], typer.Argument(help="mails as raw bytes (RFC 5322)")],
    json: Annotated[bool, typer.Option("--json", help="one JSON line a file")] = False,
    authserv_id: Annotated[
        str, typer.Option(help="our mail server's name in Authentication-Results")
    ] = "",
    known_domain: Annotated[
        list[str] | None, typer.Option(help="a domain known to be the company's; may be repeated")
    ] = None,
) -> None:
    """Read mails: machine or person, kind of answer, money, dates, bounce, trust, case.

    Each is parsed in the same killable child with the same limits as in the worker. A file that
    cannot be read is one line with `error`; the end is 1 only when none could be read.
    """
    asyncio.run(_read_all(files, json, authserv_id, known_domain or []))


async def _read_all(
    files: list[Path], json: bool, authserv_id: str, known_domains: list[str]
) -> None:
    any_read = False
    async for path, answer in _answers(files, authserv_id, known_domains):
        any_read |= "error" not in answer
        if json:
            typer.echo(orjson.dumps({"file": str(path), **answer}).decode())
        else:
            _tell(path, answer)
    if not any_read:
        raise typer.Exit(1)


async def _answers(
    files: list[Path], authserv_id: str, known_domains: list[str]
) -> AsyncIterator[tuple[Path, dict[str, Any]]]:
    reader = MailReader()
    try:
        for path in files:
            try:
                said = await reader.read(_bytes(path))
            except (Unreadable, OSError) as why:
                cause = why.cause if isinstance(why, Unreadable) else why.strerror or str(why)
                yield path, {"error": cause}
                continue
            yield path, _answer(said, authserv_id, known_domains)
    finally:
        await reader.close()


def _bytes(path: Path) -> bytes:
    if path.stat().st_size > MAIL_BYTES_MAX:
        raise Unreadable("over the limit: size")
    return path.read_bytes()


def _answer(said: ReadMail, authserv_id: str, known_domains: list[str]) -> dict[str, Any]:
    if not (said.froms or said.subject or said.message_id or said.to):
        return {"error": "not a mail: it has no headers"}
    headers = [("from", f) for f in said.froms]
    headers += [("authentication-results", r) for r in said.results]
    trust = trust_of(
        ParsedMail(tuple(headers)), authserv_id=authserv_id, known_domains=known_domains
    )
    return {
        **{k: v for k, v in said.reading.items() if k != "evidence"},
        "trust": trust.level,
        "trust_reasons": list(trust.reasons),
        "case_reference": said.case_reference,
        "sender": trust.sender,
        "subject": said.subject,
        "evidence": said.reading["evidence"],
    }


def _tell(path: Path, answer: dict[str, Any]) -> None:
    typer.echo(f"== {path}")
    if "error" in answer:
        typer.echo(f"   cannot be read: {answer['error']}")
        return
    who = "a machine" if answer["is_automatic"] else "a person"
    typer.echo(f"   {answer['kind']} ({answer['confidence']:.0%}), {answer['language']}, by {who}")
    for line in _facts(answer):
        typer.echo(f"   {line}")
    for sign in answer["evidence"]:
        typer.echo(f"   because {sign['sign']}: {' '.join(sign['words'].split())!r}")
    typer.echo(f"   {answer['own_text'][:500]}")


def _facts(answer: dict[str, Any]) -> list[str]:
    facts = []
    if answer["amount_minor"] is not None:
        # An amount without currency is no money: points, in hundredths like all the others.
        facts.append(
            f"amount {answer['amount_minor']} minor units {answer['currency'] or 'points'}"
        )
    names = {
        "promised_date": "promised for", "deadline_for_us": "our deadline",
        "ticket_number": "their number", "case_reference": "case",
    }  # fmt: skip
    facts += [f"{words} {answer[name]}" for name, words in names.items() if answer[name]]
    if answer["bounce"]:
        bounce = answer["bounce"]
        lasting = "for good" if bounce["permanent"] else "for now"
        facts.append(f"did not reach {bounce['recipient']} {lasting} ({bounce['status']})")
    facts.append(f"trust {answer['trust']} ({', '.join(answer['trust_reasons'])})")
    return facts


@group.command()
def train() -> None:
    """Learn the second opinion on kinds from app/reading/corpus and keep its weights.

    Takes some minutes; the same corpus and phrase lists make the same bytes.
    """
    training.write()
    typer.echo(f"learnt from {len(training.corpus())} texts")
