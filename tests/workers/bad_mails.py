"""The catalogue's bad mails (B151-B230), as bytes: what can be said of them by reading alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Check = Callable[[dict[str, Any]], bool]
HEAD = "From: claims@airline.test\r\nTo: x@agency.test\r\nSubject: Re\r\n"
DATE = "Date: Mon, 2 Nov 2026 10:00:00 +0200\r\n"


def mail(body: str | bytes = "Hello", more: str = "", head: str = HEAD) -> bytes:
    data = body if isinstance(body, bytes) else body.encode()
    return f"{head}{more}\r\n".encode() + data + b"\r\n"


def multi(parts: list[str], kind: str = "mixed", boundary: str = "b") -> bytes:
    lines = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    more = f'MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary="{boundary}"\r\n'
    return mail(f"{lines}--{boundary}--", more)


def part(kind: str, body: str, more: str = "") -> str:
    return f"Content-Type: {kind}\r\n{more}\r\n{body}"


def sender_is(sender: str | None) -> Check:
    return lambda r: r["sender"] == sender


def doubt(why: str) -> Check:
    return lambda r: (r["sender"], r["doubt"]) == (None, why)


def says(words: str) -> Check:
    return lambda r: words in r["text"]


def machine(r: dict[str, Any]) -> bool:
    return bool(r["automatic"])


def for_a_person(r: dict[str, Any]) -> bool:
    """Nothing is read into it, and it does not pass for a machine's."""
    return r["reading"]["kind"] == "unclear" and not r["automatic"]


def attached(kind: str) -> Check:
    return lambda r: kind in [one["type"] for one in r["attachments"]]


def frm(line: str) -> bytes:
    return mail(head=f"From: {line}\r\nTo: x@agency.test\r\nSubject: Re\r\n")


def charset(name: str) -> bytes:
    return mail("café money", f"Content-Type: text/plain; charset={name}\r\n")


def encoded(how: str, body: str) -> bytes:
    return mail(body, f"Content-Transfer-Encoding: {how}\r\n")


OOO = {  # as mail programs name them, without any mark in the header
    "Automatic reply: Your claim": "I am out of the office until 20 November.",
    "Abwesenheitsnotiz: Ihr Anliegen": "Ich bin bis zum 20. November nicht im Büro.",
    "Réponse automatique : votre demande": "Je suis absente du bureau jusqu'au 20 novembre.",
}
FULL = "over"  # the reader refuses it: raw bytes stay, a person looks

ROWS: list[tuple[str, bytes, Check | str]] = [
    ("B151", b"\r\nhello", doubt("no_from")),
    ("B152", b"From: a@b.test\r\nSubject: x\r\n\r\n", sender_is("a@b.test")),
    ("B153", b"From: a@b.test\nSubject: x\n\none\rtwo\x00three\n", lambda r: "\0" not in r["text"]),
    ("B154", b"X: " + b"y" * 10_000_000 + b"\r\n\r\nx", FULL),
    ("B155", b"From: " + b"," * 1_000_000 + b"\r\n\r\nx", FULL),
    ("B156", b"Subject: " + b"=?utf-8?q?a?= " * 20_000 + b"\r\n\r\nx", FULL),
    ("B157", b"From: " + b"(" * 5_000 + b"\r\n\r\nx", FULL),
    ("B158", frm("a@b.test\r\nFrom: c@d.test"), doubt("several_from")),
    ("B158", mail(more="Message-ID: <1@a>\r\nMessage-ID: <2@a>\r\n"),
     lambda r: r["message_id"] == "<1@a>"),
    ("B158", mail(), lambda r: r["message_id"] == ""),
    ("B159", frm("a@bank.example<evil@evil.test>"), doubt("doubtful_from")),
    ("B160", frm('"claims@airline.test" <thief@evil.test>'), doubt("doubtful_from")),
    ("B161", frm("undisclosed:a@b.test, c@d.test;"), doubt("doubtful_from")),
    ("B162", frm("claims@\u0430irline.test"), lambda r: r["sender"] != "claims@airline.test"),
    ("B162", frm("claims@xn--irline-4nf.test"), sender_is("claims@xn--irline-4nf.test")),
    ("B163", frm('"a b"@x.test'), doubt("doubtful_from")),
    ("B163", frm("a@[127.0.0.1]"), doubt("doubtful_from")),
    ("B164", multi(["\r\nx"] * 20_000), FULL),
    ("B164", multi([part("text/plain", "x")] * 2_000), FULL),
    ("B165", mail("".join(
        f"--{n}\r\nContent-Type: multipart/mixed; boundary={n + 1}\r\n\r\n" for n in range(3_000)),
        "Content-Type: multipart/mixed; boundary=0\r\n"), FULL),
    ("B166", b"From: a@b.test\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 500 + b"x", FULL),
    ("B167", mail("--b\r\n\r\nlost words\r\n", "Content-Type: multipart/mixed\r\n"),
     says("lost words")),
    ("B167", mail("--b\r\n\r\nwords\r\n--b--", 'Content-Type: multipart/mixed; boundary=" "\r\n'),
     lambda r: isinstance(r["text"], str)),
    ("B168", mail("--a\r\n\r\none\r\n--ab\r\n\r\ntwo\r\n--a--",
                  "Content-Type: multipart/mixed; boundary=a\r\n"), says("one")),
    ("B169", mail(more="Content-Type: text/plain" + "; a=b" * 20_000 + "\r\n"), FULL),
    ("B170", multi([part("application/pdf", "x", "Content-Disposition: attachment; "
     "filename*2=c; filename*0=a; filename*9=z\r\n")]), attached("application/pdf")),
    *[("B183", charset(name), says("money")) for name in (
        "x-unknown", "hex", "rot13", "idna", "utf-7", "utf-16", '"a\x01b"', "us-ascii")],
    ("B184", encoded("base64", "SGVs=bG8=!!\r\nV29ybGQ"), lambda r: isinstance(r["text"], str)),
    ("B185", encoded("quoted-printable", "=\r\n" * 300_000 + "end"), lambda r: len(r["text"]) < 99),
    ("B186", mail("begin 644 a.exe\r\n#0V%T\r\n`\r\nend"), says("begin 644")),
    ("B187", mail("a \r\nb", "Content-Type: text/plain; format=flowed; delsp=yes\r\n"), says("a ")),
    ("B188", multi([part("application/ms-tnef", "x")]), attached("application/ms-tnef")),
    ("B189", multi([part("application/pgp-encrypted", "Version: 1"),
                    part("application/octet-stream", "-----BEGIN")], "encrypted"), for_a_person),
    ("B189", mail("MIAGCSqG", "Content-Type: application/pkcs7-mime; name=smime.p7m\r\n"),
     for_a_person),
    ("B190", multi([part("text/plain", "Meeting"), part("text/calendar", "BEGIN:VCALENDAR")]),
     attached("text/calendar")),
    ("B192", multi([part("image/png", "x", "Content-Disposition: inline\r\n")]), for_a_person),
    ("B193", multi([part("application/pdf", "x", "Content-Disposition: attachment\r\n")]),
     for_a_person),
    ("B195", mail("Thank you for your patience.\r\n\r\nOn Mon, 2 Nov 2026, A <a@b.test> wrote:\r\n"
                  "> You refused. We will pay EUR 250 in full.\r\n", DATE),
     lambda r: r["reading"]["amount_minor"] is None),
    ("B196", mail("Hylkäämme vaatimuksenne, koska kyseessä oli poikkeuksellinen olosuhde.", DATE),
     lambda r: r["reading"]["language"] == "fi" and r["reading"]["kind"].startswith("deny")),
    *[("B215", mail(words, DATE, f"From: a@b.test\r\nSubject: {subject}\r\n"), machine)
      for subject, words in OOO.items()],
    ("B215", mail("Jestem poza biurem.", "Auto-Submitted: auto-replied\r\n"), machine),
    ("B216", mail("To deliver your message, please confirm that you are not a robot by replying.",
                  "Auto-Submitted: auto-replied\r\nPrecedence: bulk\r\n"), machine),
    ("B218", mail("News of the week", "List-Id: <news.a.test>\r\nPrecedence: list\r\n"), machine),
    ("B220", multi([part("text/plain", "Read"), part("message/disposition-notification",
     "Final-Recipient: rfc822; a@b.test\r\nDisposition: manual-action; displayed")], "report"),
     machine),
    ("B221", multi([part("text/plain", "Abuse"), part("message/feedback-report",
     "Feedback-Type: abuse\r\nUser-Agent: x/1")], "report"), machine),
    ("B222", mail("Anna Muster möchte die Nachricht \"Wir zahlen 250 EUR\" zurückrufen.", DATE),
     lambda r: r["reading"]["kind"] == "unclear" and r["reading"]["amount_minor"] is None),
    ("B222", mail("The sender would like to recall the message, \"We pay EUR 250.00\".", DATE,
                  "From: a@b.test\r\nSubject: Recall: We pay EUR 250.00\r\n"),
     lambda r: r["reading"]["kind"] == "unclear"),
    ("B229", mail("My card is 4111 1111 1111 1111, take it off there.", DATE),
     lambda r: "4111" not in r["text"] and "**** 1111" in r["reading"]["own_text"]),
    ("B224", mail(head="From: a@b.test\r\nSubject: <script>=?utf-8?q?=0D=0ABcc:x?= "
                       + "y" * 10_000 + "\r\n"),
     lambda r: len(r["subject"]) <= 500 and not set(r["subject"]) & {"\r", "\n"}),
    ("B226", multi([part("application/pdf", "x")] * 500), FULL),
    *[("B228", mail("Hello", f"Date: {day}\r\n"), says("Hello")) for day in (
        "Thu, 1 Jan 1970 00:00:00 +0000", "Sat, 31 Dec 2099 23:59:59 +0000", "never", "1e99")],
]  # fmt: skip
