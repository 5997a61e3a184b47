"""The proof matrix, pure: elements of a family (proof.yaml) against what is tied to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from app.texts import LANGUAGES

KINDS: Final = ("evidence", "letter", "message", "attachment", "delivery")
OPEN: Final = "open"
RULE: Final = "rule"  # who tied it: our own file, no person


@dataclass(frozen=True, slots=True)
class Element:
    """What must be proven. `side`: claim, or the defence that is to be met. `by`: kinds of paper
    that may prove it; `filed`: kinds that prove it without a person, as they are our own file."""

    code: str
    side: str
    by: tuple[str, ...]
    filed: tuple[str, ...]
    text: Mapping[str, str]

    def said(self, language: str) -> str:
        return self.text.get(language) or self.text["en"]


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper of the case. `ref` is `kind:id`; `released` by legal, although its class keeps it
    out."""

    ref: str
    class_: str = OPEN
    released: bool = False

    @property
    def kind(self) -> str:
        return self.ref.partition(":")[0]

    @property
    def may_leave(self) -> bool:
        return self.class_ == OPEN or self.released


@dataclass(frozen=True, slots=True)
class Line:
    """One element with the papers that prove it: (ref, who tied it). None: a gap."""

    element: Element
    proven_by: tuple[tuple[str, str], ...]

    @property
    def gap(self) -> bool:
        return not self.proven_by


def matrix(
    elements: Sequence[Element],
    papers: Sequence[Paper],
    ties: Collection[tuple[str, str, str]],
) -> tuple[Line, ...]:
    """Every element with its proof. `ties` are (element, ref, who). A paper that may not leave
    proves nothing outside, so it fills no gap."""
    leaving = {paper.ref: paper for paper in papers if paper.may_leave}
    lines = []
    for element in elements:
        tied = {ref: who for code, ref, who in sorted(ties) if code == element.code}
        found = [(ref, who) for ref, who in tied.items() if ref in leaving]
        found += [
            (ref, RULE)
            for ref, paper in leaving.items()
            if ref not in tied and paper.kind in element.filed
        ]
        lines.append(Line(element, tuple(found)))
    return tuple(lines)


def gaps(lines: Sequence[Line]) -> tuple[str, ...]:
    """Codes of the elements that nothing proves."""
    return tuple(line.element.code for line in lines if line.gap)


def elements_of(family: str) -> tuple[Element, ...]:
    """What must be proven for a claim of this family: always the same six, then its defences."""
    data = _data()
    codes = [*data["always"], *data["families"].get(family, data["families"]["any"])]
    return tuple(_elements()[code] for code in codes)


def element(code: str) -> Element | None:
    return _elements().get(code)


def classes() -> tuple[str, ...]:
    return tuple(_data()["classes"])


def class_of_answer(read_as: str | None) -> str:
    """The class of a company's message by what a person read it as."""
    return str(_data()["class_of_answer"].get(read_as or "", OPEN))


def bundle_bytes(body: str | None) -> int:
    """How large one file of a bundle may be for this body."""
    limits = _data()["bundle_bytes"]
    return int(limits["bodies"].get(body or "", limits["default"]))


@cache
def _data() -> Mapping[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("proof.yaml").read_text("utf-8")
    )
    return loaded


@cache
def _elements() -> Mapping[str, Element]:
    found = {}
    for code, said in _data()["elements"].items():
        assert set(said["text"]) == set(LANGUAGES), code
        assert set(said["by"]) | set(said.get("filed", ())) <= set(KINDS), code
        found[code] = Element(
            code, said["side"], tuple(said["by"]), tuple(said.get("filed", ())), said["text"]
        )
    return found
