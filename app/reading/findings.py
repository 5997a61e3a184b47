"""What was found in one mail, as the rules of the kinds see it, and what a rule answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.reading.amounts import Amount
from app.reading.clauses import Clause
from app.reading.mail import Evidence

SURE, FAIR, WEAK = 0.9, 0.75, 0.6
UNSURE = 0.3
FACT_CHARS = 45
NEAR_CHARS = 30
LONG_CHARS, SHORT_CHARS = 250, 60
PROMISE_SIGNS = ("pay_future", "transfer_future")


@dataclass(slots=True)
class Found:
    """All that was found in one mail, for the rules. `claimed`: sums of the quoted letter."""

    own: str
    clauses: list[Clause]
    amounts: list[Amount]
    claimed: list[Amount]
    automatic: bool
    is_body: bool
    private_sender: bool
    from_lawyer: bool
    dated: set[int]  # numbers of the clauses that name a day
    past: set[int]  # numbers of those whose day lies before the mail
    coming: set[int]  # and of those whose day lies after it

    def with_sign(self, *names: str) -> list[Clause]:
        return [c for c in self.clauses if c.has(*names)]

    def sums_in(self, clause: Clause) -> list[Amount]:
        return [a for a in self.amounts if clause.start <= a.start < clause.end]

    def is_past(self, clause: Clause) -> bool:
        """Says that it happened: in so many words, or by naming a day that is over."""
        return clause.has("already") or any(self.clauses[n] is clause for n in self.past)

    def is_coming(self, clause: Clause) -> bool:
        """Names a day that is not there yet: nothing in it has happened."""
        return any(self.clauses[n] is clause for n in self.coming)

    def near(self, clause: Clause, *names: str) -> bool:
        """The sign stands in the clause's sentence or the one beside it."""
        return any(c.has(*names) and abs(c.sentence - clause.sentence) <= 1 for c in self.clauses)

    def facts(self) -> list[str]:
        """What the model of kinds is told beside the words."""
        told = {
            "sum": bool(self.amounts), "sums": len(self.amounts) > 1,
            "coming": bool(self.coming), "past": bool(self.past), "ask": "?" in self.own,
            "long": len(self.own) > LONG_CHARS, "short": len(self.own) < SHORT_CHARS,
            "first": bool(self.with_sign("first_person")),
        }  # fmt: skip
        return [name for name, is_so in told.items() if is_so]


@dataclass(slots=True)
class Kind:
    """A kind, how sure, and the clauses that made it so; or, of the second opinion, its words."""

    name: str
    confidence: float
    because: list[Clause]
    signs: tuple[str, ...] = ()
    spoken: list[Evidence] = field(default_factory=list)

    @property
    def by_words(self) -> bool:
        """A company's word that the model read, not a phrase of the lists."""
        return bool(self.spoken) and self.name != "body_decision"

    def evidence(self, own: str) -> list[Evidence]:
        out = list(self.spoken)
        for clause in self.because[:4]:
            for name in self.signs or tuple(clause.signs)[:2]:
                if name in clause.signs:
                    start, end = clause.signs[name]
                    out.append(Evidence(name, own[start:end], start, end))
        return out


UNCLEAR = Kind("unclear", UNSURE, [])
