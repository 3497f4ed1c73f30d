"""The FHIR code systems are what the types say."""

from pathlib import Path

import pytest

from contracts.code_systems import differences, generate, main, write


def test_the_committed_files_are_what_the_types_say() -> None:
    """Else: ``python -m contracts.code_systems``."""
    assert differences() == []


def test_a_stale_a_superfluous_and_a_missing_file_are_seen(tmp_path: Path) -> None:
    """And writing mends all three."""
    write(tmp_path)
    names = sorted(generate())
    (tmp_path / names[0]).write_text("{}")
    (tmp_path / names[1]).unlink()
    (tmp_path / "old.json").write_text("{}")

    assert differences(tmp_path) == sorted([names[0], names[1], "old.json"])

    write(tmp_path)
    assert differences(tmp_path) == []


def test_the_check_tells_and_unknown_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 0, and 2."""
    assert main(["--check"]) == 0
    assert main(["--what"]) == 2
    assert "usage" in capsys.readouterr().err
