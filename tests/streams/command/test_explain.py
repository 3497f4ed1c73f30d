"""``medlist explain``: who is meant, what is answered, and what cannot be."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from contracts.envelope import encode_fact
from streams.command import main
from tests.streams.reconcile.history import history
from tests.streams.reconcile.scribe import PATIENT, PERSON

TOLD = history(
    "2026-01-01 primary care orders Furix 40 mg, 1 x 1, as A",
    "2026-01-05 hospital orders Furix 40 mg, 2 x 1, received 2026-01-20, as B",
)


@pytest.fixture
def facts_file(tmp_path: Path) -> Path:
    """A file with the facts of one patient."""
    path = tmp_path / "facts.ndjson"
    path.write_bytes(b"".join(encode_fact(fact) + b"\n" for fact in TOLD.facts))
    return path


@pytest.mark.parametrize("name", [PATIENT, PERSON.value, "19121212-1212"])
def test_the_patient_is_named_by_pseudonym_or_person_number(facts_file: Path, name: str) -> None:
    """Both lead to the same explanation, in Swedish unless English is asked for."""
    result = CliRunner().invoke(main, ["explain", str(facts_file), "--patient", name])

    assert result.exit_code == 0, result.output
    assert f"# {PATIENT}" in result.output
    assert "Furix 40 mg: pågående" in result.output
    assert PERSON.value not in result.output


def test_what_was_not_known_yet_is_said(facts_file: Path) -> None:
    """As of an earlier time of knowledge the later fact is named as not yet received."""
    arguments = ["explain", str(facts_file), "--patient", PATIENT, "--lang", "en", "--known-at", "2026-01-10T00:00:00Z"]

    result = CliRunner().invoke(main, arguments)

    assert "it was received only at 2026-01-20 00:00" in result.output


def test_an_unknown_patient_is_refused_with_what_to_do(facts_file: Path) -> None:
    """A pseudonym that is not in the file ends the command with status 1 and says what to give."""
    result = CliRunner().invoke(main, ["explain", str(facts_file), "--patient", "nobody"])

    assert result.exit_code == 1
    assert "give a pseudonym" in result.output


def test_a_treatment_that_is_not_there_is_said_not_to_be(facts_file: Path) -> None:
    """Nothing on the list matches what was asked for."""
    result = CliRunner().invoke(main, ["explain", str(facts_file), "--patient", PATIENT, "--treatment", "Eliquis"])

    assert result.exit_code == 0
    assert "Inget sådant finns på listan." in result.output
