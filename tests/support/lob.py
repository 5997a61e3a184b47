"""A fake of Lob's letters API that keeps the rules its documentation names (docs/decisions/0030):
Basic auth, Idempotency-Key for 24 hours, what a letter must have, sheets of 8.5 x 11 inch, metadata
search, the cancellation window, tracking events. Nothing of it is Lob's. It can fail on purpose.

What Lob does not document is marked so; there the fake takes the harder of the possibilities.
"""

from __future__ import annotations

import asyncio
import base64
import io
import ssl
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pikepdf

KEY = "test_0dc8dfake"
SENDER = "adr_210a8d4b0b76d77b"
KEY_WINDOW_SECONDS = 24 * 3600
CANCEL_SECONDS = 5 * 60
SHEET = (612.0, 792.0)
Reply = tuple[int, dict[str, str], bytes]


def error(status: int, code: str, message: str, **headers: str) -> Reply:
    body = {"error": {"message": message, "status_code": status, "code": code}}
    return status, headers, orjson.dumps(body)


@dataclass
class FakeLob:
    """`now` is the printer's clock in seconds. `plan` says how the next orders go: before_500,
    after_500, silent_before, silent_after, drop_before, drop_after, busy, garbage, truncated,
    other_letter, huge, drip, or a whole Reply."""

    now: float = 0.0
    plan: deque[str | Reply] = field(default_factory=deque)
    letters: dict[str, dict[str, Any]] = field(default_factory=dict)
    taken: Counter[str] = field(default_factory=Counter)  # by effect: what would be printed
    orders: int = 0
    asked: int = 0
    keys: dict[str, tuple[str, float, Reply]] = field(default_factory=dict)
    port: int = 0
    scheme: str = "http"

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.scheme = "https" if tls else "http"

    async def stop(self) -> None:
        self._server.close()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/v1"

    def event(self, letter_id: str, name: str, at: str) -> None:
        """The post scanned it."""
        kind = "certified" if self.letters[letter_id]["extra_service"] else "normal"
        self.letters[letter_id]["tracking_events"].append(
            {"id": f"evnt_{len(name)}", "object": "tracking_event", "type": kind, "name": name,
             "time": at, "details": None, "location": "00100"}
        )  # fmt: skip

    # --- HTTP ----------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, target, _ = head[0].split(" ")
            headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            await self._answer(method, target, headers, body, writer)
        writer.close()

    async def _answer(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes,
        writer: asyncio.StreamWriter,
    ) -> None:
        fault: str | Reply = ""
        if method == "GET":
            self.asked += 1
        else:
            self.orders += 1
            fault = self.plan.popleft() if self.plan else ""
        if isinstance(fault, tuple):
            return self._write(writer, fault)
        if fault == "silent_before":
            await asyncio.sleep(30)
        if fault == "drop_before":
            return None
        if fault == "before_500":
            return self._write(writer, error(500, "internal_server_error", "an error has occured"))
        if fault == "busy":
            return self._write(writer, error(409, "conflict", "still working on this key"))
        reply = self._handle(method, target, headers, body)
        await self._spoiled(fault, reply, writer)

    async def _spoiled(self, fault: str, reply: Reply, writer: asyncio.StreamWriter) -> None:
        status, headers, body = reply
        match fault:
            case "drop_after":
                return
            case "silent_after":
                await asyncio.sleep(30)
            case "after_500":
                return self._write(writer, error(500, "internal_server_error", "an error"))
            case "garbage":
                return self._write(writer, (200, {}, b"<html>It works!</html>"))
            case "other_letter":
                letter = orjson.loads(body) | {"metadata": {"effect_id": "somebody else's"}}
                return self._write(writer, (200, {}, orjson.dumps(letter)))
            case "huge":
                return self._write(writer, (200, {}, b" " * 3_000_000 + body))
            case "truncated":
                writer.write(_head(status, headers, len(body)) + body[: len(body) // 2])
            case "drip":
                writer.write(_head(status, headers, len(body)))
                for at in range(len(body)):
                    writer.write(body[at : at + 1])
                    await writer.drain()
                    await asyncio.sleep(0.05)
            case _:
                self._write(writer, reply)

    def _write(self, writer: asyncio.StreamWriter, reply: Reply) -> None:
        status, headers, body = reply
        writer.write(_head(status, headers, len(body)) + body)

    # --- the API -------------------------------------------------------------------------------

    def _handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        wanted = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        if headers.get("authorization") != wanted:
            return error(401, "invalid_api_key", "your API key is not valid")
        url = urlsplit(target)
        parts = url.path.removeprefix("/v1/").split("/")
        if parts[0] != "letters" or len(parts) > 2:
            return error(404, "unrecognized_endpoint", "no such endpoint")
        if len(parts) == 1:
            if method == "POST":
                return self._create(headers, body)
            return self._list(parse_qs(url.query))
        letter = self.letters.get(parts[1])
        if letter is None:
            return error(404, "not_found", "letter not found")
        return self._cancel(letter) if method == "DELETE" else (200, {}, orjson.dumps(letter))

    def _create(self, headers: Mapping[str, str], body: bytes) -> Reply:
        key = headers.get("idempotency-key", "")
        if len(key) > 256:
            return error(422, "invalid", "an idempotency key has at most 256 characters")
        digest = sha256(body).hexdigest()
        known = self.keys.get(key)
        if known is not None and self.now - known[1] <= KEY_WINDOW_SECONDS:
            if known[0] != digest:  # not documented what happens: refused, the harder way
                return error(422, "conflict", "this key was used for another request")
            return known[2]
        fields, pdf = _form(headers["content-type"], body)
        problem = _problem(fields, pdf)
        if problem:
            return error(422, "invalid", problem)
        reply: Reply = (200, {}, orjson.dumps(self._made(fields)))
        if key:
            self.keys[key] = (digest, self.now, reply)
        return reply

    def _made(self, fields: dict[str, str]) -> dict[str, Any]:
        letter_id = f"ltr_{len(self.letters):016x}"
        metadata = {
            name[len("metadata[") : -1]: value
            for name, value in fields.items()
            if name.startswith("metadata[")
        }
        self.taken[metadata.get("effect_id", "")] += 1
        service = fields.get("extra_service")
        self.letters[letter_id] = {
            "id": letter_id, "object": "letter", "carrier": "USPS", "status": "processed",
            "metadata": metadata, "extra_service": service, "tracking_events": [],
            "tracking_number": "9407100000000000000000" if service == "certified" else None,
            "deleted": False, "date_created": "2026-01-01T00:00:00.000Z", "made_at": self.now,
            "to": {n: v for n, v in fields.items() if n.startswith("to[")},
        }  # fmt: skip
        return self.letters[letter_id]

    def _list(self, query: Mapping[str, list[str]]) -> Reply:
        wanted = {
            name[len("metadata[") : -1]: values[0]
            for name, values in query.items()
            if name.startswith("metadata[")
        }
        found = [one for one in self.letters.values() if wanted.items() <= one["metadata"].items()]
        data = list(reversed(found))[: int(query.get("limit", ["10"])[0])]
        body = {"data": data, "object": "list", "next_url": None, "count": len(data)}
        return 200, {}, orjson.dumps(body)

    def _cancel(self, letter: dict[str, Any]) -> Reply:
        if self.now > letter["made_at"] + CANCEL_SECONDS:
            return error(422, "not_deletable", "the letter is in production")
        letter["deleted"] = True
        self.taken[letter["metadata"]["effect_id"]] -= 1
        return 200, {}, orjson.dumps({"id": letter["id"], "deleted": True})


def _head(status: int, headers: Mapping[str, str], length: int) -> bytes:
    lines = [f"HTTP/1.1 {status} X", "content-type: application/json", "connection: close"]
    lines += [f"content-length: {length}", *(f"{n}: {v}" for n, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _form(content_type: str, body: bytes) -> tuple[dict[str, str], bytes]:
    raw = b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    message = BytesParser(policy=policy.HTTP).parsebytes(raw)
    fields, pdf = {}, b""
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        if name == "file":
            pdf = content
        else:
            fields[name] = content.decode()
    return fields, pdf


def _problem(fields: Mapping[str, str], pdf: bytes) -> str:
    """What the documentation asks of a letter and these fields lack."""
    needed = ["to[address_line1]", "from", "color", "use_type"]
    if fields.get("to[address_country]", "US") == "US":
        needed += ["to[address_city]", "to[address_state]", "to[address_zip]"]
    for name in needed:
        if not fields.get(name):
            return f"{name} is required"
    if not (fields.get("to[name]") or fields.get("to[company]")):
        return "to[name] or to[company] is required"
    if any(len(fields.get(f"to[{part}]", "")) > 40 for part in ("name", "company")):
        return "a name has at most 40 characters"
    if fields["from"] != SENDER:
        return "from does not exist"
    domestic = fields.get("to[address_country]", "US") == "US"
    service = fields.get("extra_service")
    if service not in (None, "certified", "certified_return_receipt", "registered"):
        return "extra_service is unknown"
    if service is not None and domestic == (service == "registered"):
        return "certified is for domestic, registered for other destinations"
    try:
        with pikepdf.open(io.BytesIO(pdf)) as opened:
            sizes = {tuple(map(float, page.mediabox[2:])) for page in opened.pages}
    except pikepdf.PdfError:
        return "file is no PDF"
    return "" if sizes == {SHEET} else "all pages must be 8.5x11 inch"
