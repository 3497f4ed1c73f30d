"""The pages about the rules are what the rules say."""

from pathlib import Path

import pytest

from streams.command.pages import main, pages
from streams.reconcile.lifecycle import TIME
from streams.reconcile.policy import KINDS


def test_the_committed_pages_are_up_to_date() -> None:
    """What stands in the repository is what the tables make; else run python -m streams.command.pages."""
    assert main(["--check"]) == 0


def test_a_stale_page_is_told_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check fails and writes nothing; without it the page is written, and then nothing is stale."""
    (tmp_path / "lifecycle.md").write_text("old")

    assert main(["--check"], tmp_path) == 1
    assert (tmp_path / "lifecycle.md").read_text() == "old"
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    assert "stale: lifecycle.md" in capsys.readouterr().out


def test_the_diagram_has_every_transition() -> None:
    """No step of the table is missing from the picture."""
    page = pages()["lifecycle.md"]

    drawn = [line.strip() for line in page.splitlines() if "-->" in line]
    for step in TIME:
        if step.event != "disagreement":
            assert any(line.startswith(f"{step.before} --> {step.after}: ") and step.event in line for line in drawn)


def test_the_precedence_page_ranks_every_kind() -> None:
    """For the dose the ward comes first, and every kind is either ranked or said to say nothing."""
    page = pages()["precedence.md"]

    dose = page[page.index("## Dos / Dose") : page.index("## Startdatum / Start")]
    assert "1. ordination på avdelning / in-patient order\n" in dose
    assert all(kind in dose for kind in KINDS)
