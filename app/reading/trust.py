"""How far a mail's From line may be believed: quarantine, low, medium or high (reliability.md 6.1).

Only `Authentication-Results` of our own mail server count, and of these only the topmost: a
sender may write any line of that name himself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email.utils import getaddresses

from app.reading.mail import ParsedMail

LEVELS = ("quarantine", "low", "medium", "high")
SECOND_LEVELS = frozenset(
    ("ac", "co", "com", "edu", "gov", "ltd", "me", "net", "org", "plc", "gouv")
)
_ADDRESS = re.compile(r"[^\s<>\"(),:;@\[\]\\]+@[^\s<>\"(),:;@\[\]\\]+")
_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"(?:^|;)\s*(dmarc|dkim|spf)\s*=\s*([a-z]+)([^;]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Trust:
    """`level` of LEVELS and the reasons as codes; `sender` only when it is one address."""

    level: str
    sender: str | None
    reasons: tuple[str, ...] = ()


def one_sender(mail: ParsedMail) -> tuple[str | None, str | None]:
    """The address of exactly one From with exactly one address, on which two readings agree;
    else None and why not (`no_from`, `several_from`, `doubtful_from`)."""
    froms = mail.all("from")
    if len(froms) != 1:
        return None, "several_from" if froms else "no_from"
    parsed = [a for _, a in getaddresses([froms[0]]) if a]
    seen = _ADDRESS.findall(froms[0])
    if len(parsed) != 1 or len(seen) != 1 or parsed[0].lower() != seen[0].lower():
        return None, "doubtful_from"
    return parsed[0].lower(), None


def trust_of(mail: ParsedMail, *, authserv_id: str, known_domains: Iterable[str] = ()) -> Trust:
    """Trust by what `authserv_id`, our own server, found: an aligned DMARC or DKIM pass is medium,
    and high when the From domain is one of `known_domains` or below one. All else is low."""
    sender, doubt = one_sender(mail)
    if sender is None:
        return Trust("quarantine", None, (doubt or "doubtful_from",))
    domain = sender.rpartition("@")[2]
    results = _own_results(mail, authserv_id)
    if results is None:
        return Trust("low", sender, ("no_results_of_ours",))
    reasons: list[str] = []
    proven = False
    for method, result, properties in results:
        if method == "dmarc":
            aligned = _property(properties, "header.from") in ("", domain)
            proven |= result == "pass" and aligned
            reasons.append(f"dmarc_{result}" if aligned else "dmarc_of_another_domain")
            if result == "fail":
                return Trust("low", sender, ("dmarc_fail",))
        elif method == "dkim" and result == "pass":
            signer = _property(properties, "header.d") or _property(properties, "header.i")
            aligned = _aligned(signer.rpartition("@")[2], domain)
            limited = re.search(r"body length|\bl=", properties) is not None
            proven |= aligned and not limited
            reasons.append("dkim_aligned" if aligned else "dkim_of_another_domain")
        elif method == "spf" and result == "pass":
            reasons.append("spf_pass")  # says nothing about the From line by itself
    if not proven:
        return Trust("low", sender, tuple(reasons) or ("nothing_passed",))
    known = any(domain == k.lower() or domain.endswith("." + k.lower()) for k in known_domains)
    level = "high" if known else "medium"
    return Trust(level, sender, (*reasons, "known_domain" if known else "unknown_domain"))


def _own_results(mail: ParsedMail, authserv_id: str) -> list[tuple[str, str, str]] | None:
    """The topmost line of our server; None when there is none above all others' ... or at all."""
    if not authserv_id:
        return None
    for value in mail.all("authentication-results"):
        plain = value
        for _ in range(3):
            plain = _COMMENT.sub(" ", plain)
        name, _, rest = plain.partition(";")
        if name.split()[:1] and name.split()[0].lower() == authserv_id.lower():
            return [(m.lower(), r.lower(), p.lower()) for m, r, p in _RESULT.findall(";" + rest)]
        return None  # something else stands on top: our server writes last, so above all others
    return None


def _property(properties: str, name: str) -> str:
    match = re.search(rf"{re.escape(name)}\s*=\s*\"?([^\s\";]+)", properties)
    return match[1].strip(".").lstrip("@") if match else ""


def _aligned(signer: str, domain: str) -> bool:
    """Relaxed alignment: both below the same registered domain."""
    return bool(signer) and _registered(signer) == _registered(domain)


def _registered(domain: str) -> str:
    labels = domain.lower().strip(".").split(".")
    if len(labels) >= 3 and len(labels[-1]) == 2 and labels[-2] in SECOND_LEVELS:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])
