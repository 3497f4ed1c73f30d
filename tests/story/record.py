"""Rewrite what the list is expected to say after each delivery: ``python -m tests.story.record``; review the difference."""

from pathlib import Path

from streams.command.demo.expectation import brief, written
from streams.command.demo.story import load_story
from tests.story.offline import lists_after_each

FOLDER = Path(__file__).resolve().parents[2] / "contracts" / "recordings" / "story" / "expected"


def main() -> None:
    """Rewrite the goldens."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("[0-9]*.json"):
        old.unlink()
    for delivery, one in lists_after_each(load_story()):
        (FOLDER / f"{delivery.number:02}.json").write_text(written(brief(one)), encoding="utf-8")


if __name__ == "__main__":
    main()
