"""``medlist whatif``: other rules, the same facts, what would differ."""

import json
import shutil
from importlib.resources import files
from pathlib import Path

import pytest

from contracts.envelope import encode_fact
from tests.streams.command.conftest import Medlist
from tests.streams.reconcile.history import history

TOLD = history(
    "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
    "2026-01-05 hospital orders Furix 40 mg, 2 x 1, as B",
)


@pytest.fixture
def facts_file(tmp_path: Path) -> Path:
    """A file with two sources that disagree on a dose."""
    path = tmp_path / "facts.ndjson"
    path.write_bytes(b"".join(encode_fact(fact) + b"\n" for fact in TOLD.facts))
    return path


@pytest.fixture
def stricter(tmp_path: Path) -> Path:
    """Rules under which two sources' doses are left to a person."""
    folder = tmp_path / "stricter"
    folder.mkdir()
    for name in ("default.toml", "precedence.csv"):
        shutil.copy(str(files("streams.reconcile") / "rules" / name), folder / name)
    table = folder / "precedence.csv"
    pair = "dosage,outpatient_order,outpatient_order"
    table.write_text(table.read_text().replace(f"{pair},latest", f"{pair},undecided"))
    return folder


def test_what_would_differ_is_told_per_patient(medlist: Medlist, facts_file: Path, stricter: Path) -> None:
    """With the dose left to a person, the line would lose its dose and get a finding."""
    ended = medlist("whatif", "--rules", "default", "--rules", stricter, facts_file, "--json")

    difference, totals = [json.loads(line) for line in ended.stdout.splitlines()]
    assert ended.exit_code == 0
    assert {(change["kind"], change.get("before")) for change in difference["changes"]} >= {("dose", "80 mg")}
    assert {change["after"] for change in difference["changes"] if change["kind"] == "finding"} == {"field-undecided"}
    assert {change["cause"] for change in difference["changes"]} == {"rules"}
    assert (totals["patients"], totals["differ"]) == (1, 1)
    assert totals["from"] != totals["to"]


def test_the_same_rules_make_no_difference(medlist: Medlist, facts_file: Path) -> None:
    """Rules compared with themselves change nothing for anybody."""
    ended = medlist("whatif", "--rules", "default", "--rules", "default", facts_file)

    assert "0 of 1 patients would differ." in ended.stdout


def test_it_reads_for_people(medlist: Medlist, facts_file: Path, stricter: Path) -> None:
    """Without --json each change is one line in words."""
    ended = medlist("whatif", "--rules", "default", "--rules", stricter, facts_file)

    assert "dose: Furix 40 mg: 80 mg -> -" in ended.stdout


def test_rules_that_cannot_be_used_name_every_problem(medlist: Medlist, facts_file: Path, stricter: Path) -> None:
    """A missing pair is named, and nothing is compared."""
    table = stricter / "precedence.csv"
    kept = [line for line in table.read_text().splitlines() if not line.startswith("state,prescription,prescription")]
    table.write_text("\n".join(kept))

    ended = medlist("whatif", "--rules", "default", "--rules", stricter, facts_file)

    assert ended.exit_code == 2
    assert "no verdict for state, prescription and prescription" in " ".join(ended.output.split())


def test_a_folder_without_rules_is_refused(medlist: Medlist, facts_file: Path, tmp_path: Path) -> None:
    """The message says what the folder must hold."""
    ended = medlist("whatif", "--rules", "default", "--rules", tmp_path, facts_file)

    assert ended.exit_code == 2
    assert "default.toml" in ended.output


def test_two_sets_of_rules_are_needed(medlist: Medlist, facts_file: Path) -> None:
    """One set of rules cannot be compared."""
    ended = medlist("whatif", "--rules", "default", facts_file)

    assert ended.exit_code == 2
    assert "twice" in ended.output
