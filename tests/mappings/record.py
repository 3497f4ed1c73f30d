"""Rewrite the goldens of the recordings: ``python -m tests.mappings.record [PART-OF-NAME...]``; review the difference."""

import json
import sys

from mappings.sources.readers import READERS
from tests.mappings.recordings import discover, name_of, outcome


def main(parts: list[str]) -> None:
    """Rewrite ``expected.json`` of every recording whose name contains one of the parts (all, if none is given)."""
    for recording in discover():
        if parts and not any(part in name_of(recording) for part in parts):
            continue
        if recording.source.reader not in READERS:
            print(f"no reader yet: {name_of(recording)}")
            continue
        reading = READERS[recording.source.reader](recording.message, recording.context)
        text = json.dumps(outcome(reading), ensure_ascii=False, indent=2) + "\n"
        recording.expected_path.write_text(text, encoding="utf-8")
        print(f"{len(reading.facts)} facts, {len(reading.problems)} problems: {name_of(recording)}")


if __name__ == "__main__":
    main(sys.argv[1:])
