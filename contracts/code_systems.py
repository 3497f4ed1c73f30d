"""FHIR code systems of the published language, from the types: ``python -m contracts.code_systems [--check]``.

A CodeSystem, and a ValueSet of all its codes, per set of codes that our FHIR profiles bind. A test and ``--check`` fail when
a file differs from what the types say.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from contracts.facts.administration import AdministrationOutcome
from contracts.findings import FINDINGS
from contracts.medication_list import DailyDose, ItemState, LayerName

FOLDER: Final = Path(__file__).with_name("fhir") / "code-systems"

Codes = Iterable[tuple[str, str | None]]


def generate() -> Mapping[str, str]:
    """Return file name -> text of every code system and its value set."""
    systems: Mapping[str, tuple[str, Codes]] = {
        "item-state": ("States of a line, a layer or a prescription", _codes(ItemState)),
        "layer": ("Layers of a treatment", _codes(LayerName)),
        "daily-dose-status": ("What is known of a daily dose", _codes(DailyDose.__annotations__["status"])),
        "administration-outcome": ("Outcomes of an administration", _codes(AdministrationOutcome)),
        "finding-code": ("What the reconciler notices", sorted((code, kind.en) for code, kind in FINDINGS.items())),
    }
    files: dict[str, str] = {}
    for name, (title, codes) in systems.items():
        files[f"{name}.code-system.json"] = _text(_code_system(name, title, codes))
        files[f"{name}.value-set.json"] = _text(_value_set(name, title))
    return files


def differences(folder: Path = FOLDER) -> list[str]:
    """Return the names of the files that are missing, superfluous, or not what the types say."""
    expected = generate()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def write(folder: Path = FOLDER) -> None:
    """Write every file, and remove those of sets that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    expected = generate()
    for path in folder.glob("*.json"):
        if path.name not in expected:
            path.unlink()
    for name, text in expected.items():
        (folder / name).write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the files, or with ``--check`` only tell which differ; the exit status is 1 if any does."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write("usage: python -m contracts.code_systems [--check]\n")
        return 2
    changed = differences()
    if not arguments:
        write()
    for name in changed:
        sys.stdout.write(f"{'differs' if arguments else 'written'}: {name}\n")
    return 1 if arguments and changed else 0


def _codes(literal: Any) -> Codes:
    return [(code, None) for code in get_args(literal)]


def _head(kind: str, url: str, name: str, title: str) -> dict[str, Any]:
    words = "".join(part.capitalize() for part in name.split("-"))
    return {"resourceType": kind, "url": url, "version": "1", "name": words, "title": title, "status": "active"}


def _code_system(name: str, title: str, codes: Codes) -> dict[str, Any]:
    concepts = [{"code": code} | ({"display": display} if display else {}) for code, display in codes]
    whole = {"caseSensitive": True, "content": "complete", "concept": concepts}
    return _head("CodeSystem", f"urn:medlist:{name}", name, title) | whole


def _value_set(name: str, title: str) -> dict[str, Any]:
    every = {"compose": {"include": [{"system": f"urn:medlist:{name}"}]}}
    return _head("ValueSet", f"urn:medlist:{name}:all", f"all-{name}", title) | every


def _text(resource: dict[str, Any]) -> str:
    return json.dumps(resource, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
