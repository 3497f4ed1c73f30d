"""Writes the pages that are made from rules: ``python -m streams.command.pages`` (``--check``: only compare)."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from streams.reconcile.lifecycle_page import lifecycle_page
from streams.reconcile.policy import default_rules
from streams.reconcile.precedence_page import precedence_page

FOLDER = Path(__file__).resolve().parents[2] / "contracts"


def pages() -> dict[str, str]:
    """Return file name -> text of every page under ``contracts`` that is made from rules."""
    return {"lifecycle.md": lifecycle_page(), "precedence.md": precedence_page(default_rules())}


def main(arguments: Sequence[str], folder: Path = FOLDER) -> int:
    """Write the pages, or with ``--check`` only tell which are stale; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m streams.command.pages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    check = parser.parse_args(arguments).check
    stale = [name for name, text in pages().items() if not _is(folder / name, text)]
    for name in stale:
        if not check:
            (folder / name).write_text(pages()[name], encoding="utf-8")
        sys.stdout.write(f"{'stale' if check else 'written'}: {name}\n")
    return 1 if check and stale else 0


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
