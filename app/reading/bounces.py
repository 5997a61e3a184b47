"""Reports that a mail did not arrive: RFC 3464, and what mail software writes beside it."""

from __future__ import annotations

import re

from app.reading.mail import Bounce, ParsedMail
from app.reading.phrases import common_pattern, flat

TEXT_CHARS_MAX = 30_000
NOTICE_CHARS_MAX = 8_000
CODES_MAX = 20
_ADDRESS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,80}@[A-Za-z0-9.-]{1,120}"
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.:-])([45])\d\d(?:[ :-]|$)")
_FIELD = re.compile(r"(?im)^[> ]*([a-z-]+):[ \t]*(.*(?:\n[ \t]+\S.*)*)")
_ALONE = re.compile(rf"(?m)^[> \t]*<?({_ADDRESS})>?(?::|\s*$|\s+\(|\s*<mailto:|;)")
_IN_TEXT = re.compile(rf"<?({_ADDRESS})>?")
_MESSAGE_ID = re.compile(r"(?im)^message-id:\s*(<[^>\s]{1,300}>)")
FAILURES = ("failed", "delayed")
COMPLAINTS = ("feedback-report", "disposition-notification")


def report_of(mail: ParsedMail) -> Bounce | None:
    """What a report about a mail of ours says, failed or not; None when the mail is none.
    Its `action` tells: `failed`, `delayed`, `delivered`, `relayed`, `expanded`, `complaint`."""
    if is_complaint(mail):
        return Bounce(None, None, False, "complaint", _original(mail))
    report = next((p.text for p in mail.parts if p.type == "message/delivery-status"), None)
    if report is not None:
        return _from_report(mail, report)
    if not _looks_like_bounce(mail):
        return None
    return _from_text(mail)


def is_failure(report: Bounce | None) -> bool:
    """Not delivered, or not yet."""
    return report is not None and report.action in FAILURES


def is_complaint(mail: ParsedMail) -> bool:
    """A mailbox's complaint (ARF), a DMARC report, a receipt of reading: automatic, no bounce."""
    kind = re.search(r"report-type=\"?([\w-]+)", mail.header("content-type"), re.IGNORECASE)
    if kind and kind[1].lower() in COMPLAINTS:
        return True
    if common_pattern("complaint_subjects").search(flat(mail.header("subject"))):
        return True
    return mail.text.lstrip().startswith('{"notificationType":"Complaint"')


def _looks_like_bounce(mail: ParsedMail) -> bool:
    """Two of: sender of mail software, subject, words, null return path, its own header."""
    if mail.has("x-failed-recipients"):
        return True
    words = _body(mail)[:3_000]
    signs = [
        common_pattern("bounce_names").search(mail.header("from")) is not None,
        common_pattern("bounce_subjects").search(flat(mail.header("subject"))) is not None,
        common_pattern("bounce_texts").search(words) is not None,
        mail.header("return-path").strip() in ("<>", "<MAILER-DAEMON>"),
    ]
    report = mail.content_type == "multipart/report"
    quoted_report = re.search(r"(?im)^[> ]*final-recipient:", words) is not None
    return quoted_report or (sum(signs) >= 2 and (signs[1] or signs[2])) or (report and signs[2])


def _from_report(mail: ParsedMail, report: str) -> Bounce:
    """The first failed recipient of a delivery-status part, else its first."""
    blocks = [b for b in re.split(r"\n\s*\n", report.replace("\r\n", "\n")) if b.strip()]
    read = [f for f in map(_fields, blocks) if "final-recipient" in f or "original-recipient" in f]
    failed = [f for f in read if f.get("action", "").lower().startswith("fail")] or read
    if not failed:
        return _from_text(mail)
    fields = failed[0]
    action = (fields.get("action", "").lower().split() or ["failed"])[0]
    status = _status(fields.get("status", "")) or _status(fields.get("diagnostic-code", ""))
    recipient = (
        _typed_address(fields.get("original-recipient", ""))
        or _typed_address(fields.get("final-recipient", ""))
        or _typed_address(mail.header("x-failed-recipients"))
        or _typed_address(fields.get("x-actual-recipient", ""))
    )
    permanent = status[0] == "5" if status else action == "failed"
    return Bounce(recipient, status, permanent, action, _original(mail))


def _fields(block: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _FIELD.finditer(block):
        found.setdefault(match[1].lower(), re.sub(r"\s+", " ", match[2]).strip())
    return found


def _typed_address(value: str) -> str | None:
    """`rfc822; <a@b>` or a bare list: its first address."""
    bare = value.split(";", 1)[-1]
    match = _IN_TEXT.search(bare)
    if match is None or bare.strip().startswith("/"):
        return None
    return match[1].strip(".").lower()


def _from_text(mail: ParsedMail) -> Bounce:
    """Bounces without a report: the address, code and words of the notice itself."""
    whole = _body(mail)
    notice = _notice(whole)
    fields = _fields(notice) if re.search(r"(?im)^[> ]*final-recipient:", whole) else {}
    if not fields and re.search(r"(?im)^[> ]*final-recipient:", whole):
        fields = _fields(whole)
    status = _status(fields.get("status", "")) or _text_status(notice)
    late = common_pattern("temporary_texts").search(
        flat(f"{mail.header('subject')}\n{notice[:4_000]}")
    )
    lasting = common_pattern("permanent_texts").search(flat(notice[:4_000]))
    permanent = status[0] == "5" if status else not late or bool(lasting)
    recipient = (
        _typed_address(mail.header("x-failed-recipients"))
        or _typed_address(fields.get("original-recipient", ""))
        or _typed_address(fields.get("final-recipient", ""))
        or _notice_address(mail, notice)
        or _returned_to(mail, whole)
    )
    delayed = bool(late) and not lasting and not (status and status[0] == "5")
    return Bounce(
        recipient, status, permanent, "delayed" if delayed else "failed", _original(mail)
    )  # fmt: skip


def _body(mail: ParsedMail) -> str:
    return (mail.text or mail.html_text)[:TEXT_CHARS_MAX]


def _notice(text: str) -> str:
    """The words before the copy of the returned mail."""
    for match in common_pattern("original_starts").finditer(text):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.end() + 80].split("\n")[0]
        if re.match(r"[> ]*[-=_*]{2,}|[> ]*(?:original|below|returned)", line, re.IGNORECASE):
            return text[: match.start()]
    return text


def _status(value: str) -> str | None:
    match = _ENHANCED.search(value)
    return match[1] if match else None


def _text_status(notice: str) -> str | None:
    """The code in the words: 5.1.1 as it stands, a bare 550 as 5.0.0."""
    notice = notice[:NOTICE_CHARS_MAX]
    for status in _ENHANCED.findall(notice)[:CODES_MAX]:
        if not _is_address(notice, status):
            return str(status)
    reply = _REPLY.search(re.sub(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "", notice))
    code = reply or re.search(r"(?i)(?:code|error|status)[ :=]+([45])\d\d\b", notice)
    return f"{code[1]}.0.0" if code else None


def _is_address(notice: str, status: str) -> bool:
    return re.search(rf"{re.escape(status)}\.\d|\d\.{re.escape(status)}", notice) is not None


def _notice_address(mail: ParsedMail, notice: str) -> str | None:
    """The address the notice is about: one on a line of its own, else the first not our own."""
    ours = {
        a.lower() for a in _IN_TEXT.findall(f"{mail.header('to')} {mail.header('delivered-to')}")
    }
    ours |= {a.lower() for a in _IN_TEXT.findall(mail.header("from"))}
    for pattern in (_ALONE, _IN_TEXT):
        for match in pattern.finditer(notice):
            address = match[1].strip(".").lower()
            local = address.partition("@")[0]
            if address not in ours and not re.match(
                r"postmaster|mailer-daemon|abuse|support", local
            ):
                return address
    return None


def _returned_to(mail: ParsedMail, whole: str) -> str | None:
    """The To: of the returned mail, the last resort."""
    copies = [p.text for p in mail.parts if p.type in ("message/rfc822", "text/rfc822-headers")]
    for text in (*copies, whole):
        match = re.search(r"(?im)^[> ]*to:(.*(?:\n[ \t]+\S.*)*)", text)
        if match and (found := _IN_TEXT.search(match[1])):
            return found[1].lower()
    return None


def _original(mail: ParsedMail) -> str:
    """The Message-ID of the mail that came back, empty when it is not there."""
    for part in mail.parts:
        if part.type in ("message/rfc822", "text/rfc822-headers"):
            match = _MESSAGE_ID.search(part.text)
            if match:
                return match[1]
    whole = _body(mail)
    match = _MESSAGE_ID.search(whole[len(_notice(whole)) :])
    return match[1] if match else ""
