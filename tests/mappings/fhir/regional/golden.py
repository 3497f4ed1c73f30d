"""The Bundle of one made-up list with a resource of every regional profile: ``python -m tests.mappings.fhir.regional.golden``."""

from pathlib import Path
from typing import Final

import msgspec

from mappings.fhir.exact_json import write_json
from tests.contracts.fhir.good import regional

FILE: Final = Path(__file__).with_name("golden.json")


def text() -> str:
    """The Bundle as the mapping makes it now."""
    return msgspec.json.format(write_json(regional()), indent=2).decode() + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
