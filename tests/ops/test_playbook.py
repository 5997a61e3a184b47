"""`recourse playbook`: files checked with their lines, playbooks listed, explained and compared."""

from __future__ import annotations

import re
from pathlib import Path

from typer.testing import CliRunner

from app.domain.playbook import Playbook
from app.playbooks import loader
from ops.cli import app

AIR = (loader.DATA / "fi" / "air.yaml").read_text("utf-8")
runner = CliRunner()


def test_the_built_in_playbooks_are_sound() -> None:
    done = runner.invoke(app, ["playbook", "check"])
    assert (done.exit_code, "playbooks are sound" in done.stdout) == (0, True)


def test_each_fault_of_a_file_is_a_line_with_its_place(tmp_path: Path) -> None:
    bad = tmp_path / "air.yaml"
    bad.write_text(
        AIR.replace("version: 1", "version: 0").replace("rule: air.eu261.refund", "rule: air.xx")
    )
    done = runner.invoke(app, ["playbook", "check", str(bad)])
    assert done.exit_code == 1
    first, second = done.stderr.splitlines()
    assert first.startswith(f"{bad}:") and ": version: " in first
    assert second.endswith("payment.air.0.rule: Value error, there is no rule air.xx")


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    done = runner.invoke(app, ["playbook", "check", str(tmp_path / "none.yaml")])
    assert (done.exit_code, "none.yaml: cannot be read" in done.stderr) == (1, True)


def test_the_list_names_drafts_as_such() -> None:
    lines = runner.invoke(app, ["playbook", "list"]).stdout.splitlines()
    (draft,) = [line for line in lines if " draft " in line]
    assert draft.startswith("house.eu.air@2")


def test_a_playbook_is_explained_and_an_unknown_one_refused() -> None:
    said = runner.invoke(app, ["playbook", "show", "house.fr.air@1"]).stdout
    assert "opens 2 months after the first written complaint or with a refusal" in said
    unknown = runner.invoke(app, ["playbook", "show", "house.fr.air@9"])
    assert (unknown.exit_code, "there is no playbook" in unknown.stderr) == (1, True)


def test_two_playbooks_are_compared_line_by_line() -> None:
    done = runner.invoke(app, ["playbook", "diff", "house.eu.air@1", "house.eu.air@2"])
    assert "draft: False -> True" in done.stdout.splitlines()


def test_a_named_reviewer_approves_a_version_until_a_record_says_something_else(
    tmp_path: Path,
) -> None:
    file = tmp_path / "air.yaml"
    file.write_text(AIR, "utf-8")

    def review(*more: str) -> tuple[int, str]:
        done = runner.invoke(
            app, ["playbook", "review", "house.fi.air@1", "--file", str(file), *more]
        )
        return done.exit_code, done.output

    def now(text: str) -> tuple[Playbook | None, list[str]]:
        books, faults = loader.check({"air.yaml": text}, beside=loader.texts_of(loader.DATA))
        return books.get("house.fi.air@1"), faults

    assert "air.double_charge: own knowledge" in review()[1]
    for by, note in (("house", "read in the law gazette"), ("A. Lawyer", "ok")):
        assert review("--by", by, "--note", note)[0] == 1 and file.read_text("utf-8") == AIR
    assert review("--by", "A. Lawyer", "--note", "read in Finlex on Friday: 1930/150")[0] == 0
    said = file.read_text("utf-8")
    book, faults = now(said)
    assert book is not None and (book.reviewed_by, faults) == ("A. Lawyer", [])
    assert book.confirmed(False, "air.double_charge") and not book.confirmed(False, "se.arn")
    # Another text of the record, or one more unread record, is nobody's approval.
    changed = re.sub(r"air.double_charge: \S+", f"air.double_charge: {'a' * 16}", said)
    _, faults = now(changed)
    assert len(faults) == 1 and "says something else than what was approved" in faults[0]
    assert faults[0].startswith("air.yaml:") and ": review.covers: " in faults[0]
    _, faults = now(re.sub(r" +lim.int.montreal: .*\n", "", said))
    assert "stands outside the review" in faults[0]
    assert review("--withdraw")[0] == 0
    book, faults = now(file.read_text("utf-8"))
    assert book is not None and (book.reviewed_by, faults) == (None, [])
