"""What the list is to say after each delivery, in brief: ``contracts/recordings/story/expected``, reviewed as goldens."""

import difflib
import json
from collections.abc import Iterable
from typing import Any

from contracts.medication_list import Layer, LayerName, ListItem, MedicationList
from streams.command.demo.nll import Found
from streams.command.demo.story import ROOT
from streams.command.tables import day, drug_name, last_day
from streams.reconcile.explain_texts import dose_words

LAYERS: tuple[LayerName, ...] = ("intended", "prescribed", "dispensed", "given", "reported")


def brief(one: MedicationList | None) -> dict[str, Any]:
    """Return what a pharmacist checks on a list, without ids: lines by name, and the findings with the line they name."""
    if one is None:
        return {"lines": [], "findings": []}
    names = {item.strand: drug_name(item) for item in one.items}
    findings = [
        f"{finding.code}: {', '.join(names.get(strand, strand) for strand in finding.items)}".rstrip(": ")
        for finding in one.findings
    ]
    lines = sorted((_line(item) for item in one.items), key=lambda line: (str(line["drug"]), str(line["state"])))
    return {"lines": lines, "findings": sorted(findings)}


def brief_of_nll(found: Iterable[Found]) -> list[str]:
    """Return what a pharmacist checks at the endpoint: a prescription's id there, status, product, who registered it."""
    return sorted(
        f"{one.nll_id}: {one.status} {one.product}, {'medlist' if one.record else 'the source itself'}" for one in found
    )


def expected_at_nll() -> list[str]:
    """Return what is expected at the endpoint in the end."""
    found: list[str] = json.loads((ROOT / "expected" / "nll.json").read_text(encoding="utf-8"))
    return found


def expected(number: int) -> dict[str, Any]:
    """Return what is expected after the delivery of this number."""
    found: dict[str, Any] = json.loads((ROOT / "expected" / f"{number:02}.json").read_text(encoding="utf-8"))
    return found


def differences(number: int, found: dict[str, Any]) -> list[str]:
    """Return what the list says otherwise than expected after a delivery, as the lines of a diff; none if it is right."""
    wanted = expected(number)
    if found == wanted:
        return []
    return list(
        difflib.unified_diff(
            written(wanted).splitlines(), written(found).splitlines(), "expected", "found", lineterm="", n=0
        )
    )


def written(brief_list: dict[str, Any]) -> str:
    """Return the text of a golden: a line of text per line of the list."""
    lines = ",\n  ".join(json.dumps(line, ensure_ascii=False) for line in brief_list["lines"])
    findings = json.dumps(brief_list["findings"], ensure_ascii=False)
    return f'{{"lines": [\n  {lines}\n ],\n "findings": {findings}}}\n'


def _line(item: ListItem) -> dict[str, str]:
    line = {
        "drug": drug_name(item),
        "state": item.state,
        "daily": dose_words(item.daily_dose, "en"),
        "from": day(item.start),
        "to": last_day(item.end),
    }
    return line | {name: _layer(name, item.layers[name]) for name in LAYERS if name in item.layers}


def _layer(name: LayerName, layer: Layer) -> str:
    if name == "given":
        return f"{layer.count or 0} given, {layer.not_given or 0} not, last {layer.strength}"
    words = [layer.state, layer.product, dose_words(layer.daily_dose, "en")]
    return " ".join(word for word in words if word)
