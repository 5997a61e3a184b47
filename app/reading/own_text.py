"""The sender's own new words: quote, signature, footer and "type above this line" taken away."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from app.reading.html import SIGNATURE_MARK
from app.reading.phrases import LANGUAGES, everywhere, flat, phrases

LINES_MAX = 2_000
CHARS_MAX = 20_000  # of own text; an answer is never longer
INTRO_LINES = 3
HEADER_BLOCK_LINES = 3  # so many "From: Sent: To:" lines in a row are a quoted header
SIGNATURE_LINES_MAX = 7
LINE_CHARS_MAX = 70
SHORT_LINE = 50
_RULE = re.compile(r"^\s*[-_=*–—]{5,}\s*$")
_DASHED = re.compile(r"^[\s\-–—_*>]+|[\s\-–—_*:]+$")
_FIELD = re.compile(r"^\*?([^\W\d][\w \-]{0,18})\*?\s?:\*?(?:\s|$)")
_NAME_WORD = re.compile(
    r"^(?:(?-i:[^\W\d_a-zà-öø-ÿ])[\w'’.-]*|i\.|v\.|a\.|i\.a\.|i\.v\.|af|von|van|de|der|den|du|la|le|&)$"
)
_SENTENCE_END = re.compile(r"[.!?;:,]$")


@dataclass(frozen=True, slots=True)
class OwnText:
    """`written`: every run of white space is one sign, a line end where a sentence cannot go on.
    `quoted`: what was taken away as a quote; `forwarded`: a passed-on mail below own words."""

    written: str
    quoted: str
    forwarded: str

    @property
    def text(self) -> str:
        """For the patterns: sign for sign the written text, with plain apostrophes."""
        return flat(self.written)

    @property
    def folded(self) -> str:
        return self.written.replace("\n", " ")


def own_text(body: str) -> OwnText:
    """The new words in `body`, a plain text whose quotes begin with `>`."""
    lines = [line.rstrip() for line in body.replace("\r\n", "\n").split("\n")[:LINES_MAX]]
    lines = _below_marker(lines)
    own, quoted, forwarded = _without_quotes(lines)
    own = _without_footer(_without_marked_signature(own))
    own = _without_signature(own)
    return OwnText(_joined(own)[:CHARS_MAX], flat("\n".join(quoted)), "\n".join(forwarded))


def _below_marker(lines: list[str]) -> list[str]:
    """ "Type above this line": at the top of a ticket's mail it is dropped, later it ends it."""
    marker = everywhere("above_line")
    seen = 0
    for place, line in enumerate(lines):
        if marker.search(flat(line)) and not line.lstrip().startswith(">"):
            return lines[place + 1 :] if seen == 0 else lines[:place]
        seen += bool(line.strip(" #-=_*"))
    return lines


def _without_quotes(lines: list[str]) -> tuple[list[str], list[str], list[str]]:
    own: list[str] = []
    quoted: list[str] = []
    place = 0
    while place < len(lines):
        line = lines[place]
        if line.lstrip().startswith(">"):
            quoted.append(line.lstrip("> "))
            place += 1
            continue
        taken = _intro(lines, place)
        if taken:
            rest = lines[place + taken :]
            if _next_is_quote(rest) or not any(r.strip() for r in rest):
                quoted.extend(lines[place : place + taken])
                place += taken
                continue
            return own, quoted + lines[place:], []
        if _starts_forwarded(lines, place):
            below = lines[place:]
            return own, quoted + below, below if _is_forward(lines, place) else []
        own.append(line)
        place += 1
    return own, quoted, []


def _intro(lines: list[str], place: int) -> int:
    """How many lines from here are "On Monday, X wrote:"; 0 when none."""
    if not lines[place].strip():
        return 0
    verb = everywhere("quote_verb")
    text = ""
    for count in range(1, INTRO_LINES + 1):
        if place + count > len(lines) or not lines[place + count - 1].strip():
            return 0
        text = flat(f"{text} {lines[place + count - 1].strip()}".strip())
        if len(text) > 300:
            return 0
        found = verb.search(text)
        ends = text.endswith(":") or _next_is_quote(lines[place + count :])
        if found and ends and re.search(r"\d|@", text) and len(text) - found.end() < 120:
            return count
    return 0


def _next_is_quote(rest: list[str]) -> bool:
    first = next((r for r in rest if r.strip()), "")
    return first.lstrip().startswith(">")


def _starts_forwarded(lines: list[str], place: int) -> bool:
    line = lines[place]
    bare = _DASHED.sub("", flat(line))
    if bare and len(bare) < 60 and everywhere("forward_intro").match(bare):
        return True
    if _RULE.match(line):
        rest = [r for r in lines[place + 1 : place + 8] if r.strip()]
        return _fields(rest) >= HEADER_BLOCK_LINES
    return bool(_field_name(line)) and _fields(lines[place : place + 7]) >= HEADER_BLOCK_LINES


def _fields(lines: list[str]) -> int:
    count = 0
    for line in lines:
        if line.strip():
            if not _field_name(line):
                break
            count += 1
    return count


def _field_name(line: str) -> str:
    found = _FIELD.match(line.lstrip())
    if not found:
        return ""
    name = found[1].strip().lower()
    return name if name in _field_names() else ""


@functools.cache
def _field_names() -> frozenset[str]:
    from_lists = []
    for language in LANGUAGES:
        fields = phrases(language).lists["header_fields"]
        from_lists += fields["from"] + fields["other"]
    return frozenset(name.lower() for name in from_lists)


def _is_forward(lines: list[str], place: int) -> bool:
    """A passed-on mail and not the quote of an answer: it says so itself."""
    bare = _DASHED.sub("", flat(lines[place]))
    return everywhere("forward_only").match(bare) is not None


def _without_marked_signature(lines: list[str]) -> list[str]:
    for place, line in enumerate(lines):
        if SIGNATURE_MARK in line:
            before = [*lines[:place], line.partition(SIGNATURE_MARK)[0]]
            return before if any(b.strip() for b in before) else [line.replace(SIGNATURE_MARK, "")]
        if line.strip() == "--" and any(b.strip() for b in lines[:place]):
            return lines[:place]
    return lines


def _without_footer(lines: list[str]) -> list[str]:
    footer = everywhere("footer")
    for place, line in enumerate(lines):
        if footer.search(flat(line)) and _own_before(lines, place):
            start = place
            while start > 0 and lines[start - 1].strip() and len(lines[start - 1]) >= SHORT_LINE:
                start -= 1  # the footer is one wrapped paragraph
            kept = lines[:start] if _own_before(lines, start) else lines[:place]
            return kept
    return lines


def _own_before(lines: list[str], place: int) -> bool:
    return sum(len(line.strip()) for line in lines[:place]) > 20


def _without_signature(lines: list[str]) -> list[str]:
    """From the end: a block of name, office and company goes; a first name typed by hand stays."""
    taken_name = False
    for _ in range(4):
        while lines and not lines[-1].strip(" -_=*"):
            lines = lines[:-1]
        start = len(lines)
        while start > 0 and lines[start - 1].strip():
            start -= 1
        block = lines[start:]
        cut = _signature_start(block, alone=start == 0, name_below=taken_name)
        if cut is None or (start == 0 and cut == 0):
            return lines
        taken_name = True
        lines = lines[: start + cut]
    return lines


def _signature_start(block: list[str], *, alone: bool, name_below: bool) -> int | None:
    """The line of a block from which on it is signature."""
    sign_off = everywhere("sign_off")
    for place, line in enumerate(block):
        bare = flat(line).strip().strip(",.!– -")
        found = sign_off.match(bare)
        if found is None or len(bare) > 90:
            continue
        rest = [bare[found.end() :].strip(" ,.-"), *(b.strip() for b in block[place + 1 :])]
        rest = [r for r in rest if r]
        if not rest:
            return place if name_below else None
        if len(rest) > SIGNATURE_LINES_MAX or any(len(r) > LINE_CHARS_MAX for r in rest):
            continue
        if len(rest) == 1 and len(rest[0].split()) == 1:
            return None
        if len(rest) == 1 and len(bare) > found.end() and len(rest[0].split()) > 4:
            continue
        return place
    if not alone and len(block) <= SIGNATURE_LINES_MAX and _is_name(block[0]):
        rest = block[1:]
        if all(len(r) <= LINE_CHARS_MAX and not re.search(r"[.!?]\s+\w+.*[.!?]$", r) for r in rest):
            return 0
    return None


def _is_name(line: str) -> bool:
    words = line.strip().rstrip(",").split()
    if not 2 <= len(words) <= 5 or len(line) > 45 or re.search(r"[!?:;]|\.$|\d", line.strip()):
        return False
    return all(_NAME_WORD.match(w) for w in words) and any(w[:1].isupper() for w in words)


def _joined(lines: list[str]) -> str:
    """One sign for each run of white space; a wrapped line goes on, a short one ends."""
    out: list[str] = []
    fresh = True
    for line in lines:
        words = " ".join(line.replace(SIGNATURE_MARK, " ").split())
        if not words:
            fresh = True
            continue
        if out:
            out.append("\n" if fresh or words[0] in "-*•·–" else " ")
        out.append(words)
        fresh = len(words) < SHORT_LINE
    return "".join(out)
