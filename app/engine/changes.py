"""From a decision to rows: what differs between the case as read and as decided."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app import audit
from app.clock import wall_now
from app.domain.case import Case, OfferState
from app.domain.closing import ended_mandates
from app.domain.decision import CloseTask, Decision, HistoryEntry, OpenTask
from app.domain.effects import AnyEffect
from app.domain.playbook import Reach
from app.engine import codec
from app.engine.write import Rows
from app.ids import new_id
from app.outbox import effect_row


@dataclass(slots=True)
class Outcome:
    """All that one or several decisions in a row did to one case."""

    before: Case | None  # None: the case is new
    case: Case
    actor: str  # whose fact is being decided; each line of history keeps its own
    now: datetime
    reach: Reach = field(default_factory=Reach)
    effects: list[AnyEffect] = field(default_factory=list)
    open_tasks: list[OpenTask] = field(default_factory=list)
    close_tasks: list[tuple[str, CloseTask]] = field(default_factory=list)  # (actor, task)
    history: list[tuple[str, HistoryEntry]] = field(default_factory=list)  # (actor, entry)
    offers: dict[uuid.UUID, tuple[str, datetime]] = field(default_factory=dict)
    _plain: tuple[Case, dict[str, Any]] | None = None

    def plain(self) -> dict[str, Any]:
        """The case as it now is, as JSON values; computed once. Read only."""
        if self._plain is None or self._plain[0] is not self.case:
            self._plain = (self.case, codec.dump(self.case))
        return self._plain[1]

    def add(self, decision: Decision) -> None:
        old, new = self.case.offer, decision.case.offer
        if old is not None and (new is None or new.id != old.id) and old.state is OfferState.OPEN:
            # A newer offer took its place before anybody answered.
            self.offers[old.id] = (OfferState.WITHDRAWN.value, old.answer_by)
        if new is not None and new != old:
            self.offers[new.id] = (new.state.value, new.answer_by)
        # What a later decision closes must not be opened by an earlier one of the same batch.
        for close in decision.close_tasks:
            self.open_tasks = [
                t
                for t in self.open_tasks
                if not (t.kind is close.kind and close.key in (None, t.key))
            ]
        self.case = decision.case
        self.effects += decision.effects
        self.open_tasks += decision.open_tasks
        self.close_tasks += ((self.actor, task) for task in decision.close_tasks)
        self.history += ((self.actor, entry) for entry in decision.history)


def collect(rows: Rows, outcome: Outcome, *, head: audit.Head, version: int = 0) -> audit.Head:
    """Adds every changed row of this case to `rows`; returns the new head of its history.

    `version` is the one the case was read with: no other may be overwritten.
    """
    plain = outcome.plain()
    before = codec.dump(outcome.before) if outcome.before else None
    after_head = _history(rows, outcome, head)
    if before is not None:
        rows["cases"].append(
            {
                **codec.record(outcome.case, plain),
                "version_read": version,
                "audit_seq": after_head.seq,
                "audit_head": after_head.hash.hex(),
            }
        )
        rows["claimants"] += [c for c in plain["claimants"] if c not in before["claimants"]]
        _mandates(rows, outcome)
    _timers(rows, str(outcome.case.id), before["timers"] if before else [], plain["timers"])
    letter = plain["letter"]
    if letter and (before is None or letter != before["letter"]):
        rows["letters"].append(
            {
                **letter,
                "case_id": plain["id"],
                "created_at": outcome.now.isoformat(),
                "prepared_by": outcome.case.prepared_by or outcome.actor,
            }
        )
    _left_letter(rows, outcome, before, plain)
    known = before["others"] if before else []
    rows["letters"] += [
        {
            **one,
            "case_id": plain["id"],
            "created_at": outcome.now.isoformat(),
            "prepared_by": outcome.actor,
        }
        for one in plain["others"]
        if one not in known
    ]
    rows["offers"] += [
        {"id": str(i), "state": state, "answer_by": by.isoformat()}
        for i, (state, by) in outcome.offers.items()
    ]
    _tasks(rows, outcome)
    wall = wall_now()
    for effect in outcome.effects:
        rows["effects"].append(
            effect_row(effect, stream=f"case:{outcome.case.id}", now=outcome.now, wall=wall)
        )
    return after_head


def _mandates(rows: Rows, outcome: Outcome) -> None:
    """A mandate that ended is marked so, and what carries its papers to others opens no more."""
    assert outcome.before is not None, "a new case has no mandates"
    ended = ended_mandates(outcome.before, outcome.case)
    at = outcome.now.isoformat()
    rows["mandates_ended"] += [{"id": str(one), "at": at} for one in ended]
    if ended:
        link = {"case_id": str(outcome.case.id), "at": at, "by": outcome.actor}
        rows["links_ended"].append(link)


def _left_letter(
    rows: Rows, outcome: Outcome, before: dict[str, Any] | None, plain: dict[str, Any]
) -> None:
    """A letter the case moved on from before it left is cancelled, not forgotten."""
    old = before["letter"] if before else None
    if not old or (plain["letter"] and plain["letter"]["id"] == old["id"]):
        return
    if old["state"] in ("rendering", "awaiting_approval", "returned", "released"):
        rows["letters"].append(
            {
                **old,
                "state": "cancelled",
                "case_id": plain["id"],
                "created_at": outcome.now.isoformat(),
                "prepared_by": outcome.case.prepared_by,
            }
        )


def _timers(
    rows: Rows, case_id: str, before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> None:
    kept = {(t["kind"], t["key"]) for t in after}
    rows["timers_gone"] += [
        {"case_id": case_id, "kind": t["kind"], "key": t["key"]}
        for t in before
        if (t["kind"], t["key"]) not in kept
    ]
    rows["timers"] += [{"case_id": case_id, **t} for t in after if t not in before]


def _tasks(rows: Rows, outcome: Outcome) -> None:
    case_id = str(outcome.case.id)
    opened: dict[tuple[str, str], OpenTask] = {(t.kind.value, t.key): t for t in outcome.open_tasks}
    for actor, close in outcome.close_tasks:
        keys = [key for kind, key in opened if kind == close.kind.value]
        if close.key is not None and close.key in keys:
            continue
        rows["tasks_closed"].append(
            {
                "case_id": case_id,
                "kind": close.kind.value,
                "key": close.key,
                "except_keys": keys,
                "state": "done" if close.done else "dropped",
                "closed_at": outcome.now.isoformat(),
                "closed_by": actor,
            }
        )
    for task in opened.values():
        rows["tasks"].append(
            {
                "id": str(new_id()),
                "case_id": case_id,
                "kind": task.kind.value,
                "key": task.key,
                "role": task.role,
                "state": "open",
                "due_at": task.due_at.isoformat(),
                "priority": task.priority,
                "priority_reason": task.priority_reason,
                "subject_id": str(task.subject_id) if task.subject_id else None,
                "assignee_id": str(outcome.case.handler_id)
                if outcome.case.handler_id and task.role == "handler"
                else None,
                "opened_at": outcome.now.isoformat(),
                "closed_at": None,
                "closed_by": None,
            }
        )


def _history(rows: Rows, outcome: Outcome, head: audit.Head) -> audit.Head:
    entries = [
        audit.Entry(
            h.code,
            dict(h.params) | ({} if h.visible_to_consumer else {"internal": "1"}),
            actor,
            outcome.now,
        )
        for actor, h in outcome.history
    ]
    if not entries:
        return head
    written, after = audit.rows_for(f"case:{outcome.case.id}", head, entries)
    rows["audit"] += [
        {**row, "at": row["at"].isoformat(), "hash": row["hash"].hex()} for row in written
    ]
    return after
