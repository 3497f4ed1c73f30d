"""The page on the exactly-once effect names a test for every sentence, and every test that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "contracts" / "decisions" / "exactly-once-effect.md"
LOSS_PATHS = (*(f"L{number}" for number in range(1, 12)), "D1", "D2", "Z")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows() -> list[str]:
    """The rows of the page's tables, without their heads."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith("| ") and not line.startswith(("| what holds", "| path of"))]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.split("|")[1].strip()[:60])
def test_every_sentence_names_tests_that_are_there(row: str) -> None:
    """A sentence without a test is a wish, and a test that is gone shows nothing."""
    named = NAMED.findall(row.split("|")[3])

    assert named
    for path, name in named:
        assert re.search(rf"^\s*(async )?def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), name


def test_there_are_sentences() -> None:
    """The page has not lost its tables."""
    assert len(rows()) > 20


@pytest.mark.parametrize("path", LOSS_PATHS)
def test_every_loss_path_has_its_row(path: str) -> None:
    """Eleven ways to lose, two to repeat, and the zombie: none is passed over."""
    assert [row for row in rows() if row.startswith(f"| {path}. ")]
