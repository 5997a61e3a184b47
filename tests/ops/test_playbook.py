"""`recourse playbook`: files checked with their lines, playbooks listed, explained and compared."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

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
