"""The demo, end to end on the embedded broker: the list, the quarantine, the sandbox; it can fail; it leaves nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.command import main
from streams.command.demo import command, expectation
from streams.command.demo.story import load_story
from tests.streams.command.restoring import telemetry_restored

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]  # one sees the processes of the other

MEDLIST = (sys.executable, "-m", "streams.command")


def processes() -> set[str]:
    """Command lines of the demo's reconcilers that run."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = entry.read_bytes()
        except OSError:
            continue
        if b"streams.command.demo.reconciler" in text:
            found.add(text.decode())
    return found


def test_the_demo_ends_with_the_expected_list_and_leaves_no_process() -> None:
    """One command, no settings: every list is as expected, the broken message is named, the last line is JSON."""
    before = processes()

    ended = subprocess.run(
        [*MEDLIST, "demo", "--json", "--lang", "en"], capture_output=True, text=True, timeout=100, check=False
    )

    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr
    said = json.loads(ended.stdout.splitlines()[-1])
    (one,) = said["lists"]
    assert {item["product"]: item["state"] for item in one["items"]} == {
        "Alvedon 500 mg": "active",
        "Cefotaxim Stragen 1 g": "ended",
        "Metoprolol Sandoz 100 mg": "active",
    }
    assert "stale-pouch" in {finding["code"] for finding in one["findings"]}
    assert [len(message["problems"]) for message in said["quarantined"]] == [4]
    (ours,) = [found for found in said["published"]["prescriptions"] if found["record"] is not None]
    assert (ours["status"], ours["product"]) == ("active", "Metoprolol Sandoz 100 mg")
    assert "Home care gives a dose from the old pouch roll." in ended.stdout
    assert processes() <= before


def test_the_demo_fails_when_the_list_is_not_the_expected_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that is not what a pharmacist expects is told, and ends with status 1."""
    monkeypatch.setattr(command, "load_story", lambda: load_story()[:1])
    monkeypatch.setattr(expectation, "expected", lambda _number: {"lines": [], "findings": []})

    with telemetry_restored():
        ended = CliRunner().invoke(main, ["demo", "--lang", "sv"])

    assert ended.exit_code == 1
    assert "Listan är inte den förväntade" in ended.output
    assert "Seloken ZOC 50 mg" in ended.output
