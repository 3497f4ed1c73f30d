"""Why the list says what it says: findings as DetectedIssue, and per line a Provenance with facts and rules."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from contracts.findings import FINDINGS
from contracts.medication_list import Finding, ListItem, MedicationList
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.regional import names
from mappings.fhir.regional.elements import UNKNOWN, coded, extensions, nested, reference, resource

_TEXT_LANGUAGE: Final = "en"
_ASSEMBLER: Final[Mapping[str, object]] = MappingProxyType(coded(names.PARTICIPANTS, "assembler"))


def finding(found: Finding, patient: JsonObject) -> JsonObject:
    """Return a finding: its code with Swedish and English words, the lines it concerns, the facts that show it.

    Raises ``KeyError`` for a code that is not in the catalogue.
    """
    kind = FINDINGS[found.code]
    english = nested(names.TRANSLATION, (("lang", "valueCode", _TEXT_LANGUAGE), ("content", "valueString", kind.en)))
    details = [
        part
        for name, value in sorted(found.detail.items())
        for part in nested(names.FINDING_DETAIL, (("name", "valueString", name), ("value", "valueString", value)))
    ]
    evidence = {"detail": [fact_reference(fact) for fact in found.facts]}
    return resource(
        "DetectedIssue",
        names.FINDING,
        {
            "extension": [*extensions(names.NEEDS_DECISION, "valueBoolean", (found.conflict,)), *details],
            "identifier": [{"system": names.FINDING_KEY, "value": found.key}],
            "status": "final",
            "code": coded(names.FINDINGS, found.code, kind.sv) | {"_text": {"extension": english}},
            "severity": names.FINDING_SEVERITY[found.severity],
            "patient": patient,
            "implicated": [reference(strand, "line") for strand in found.items],
            "evidence": [evidence] if found.facts else [],
        },
    )


def line_provenance(item: ListItem, targets: Iterable[str], rules: str, recorded: JsonObject) -> JsonObject:
    """Return where a line and its layers come from: every fact that it names, and per field the rule that chose."""
    reasons = [
        {
            "url": names.BECAUSE,
            "extension": [
                {"url": "field", "valueCode": field},
                {"url": "rule", "valueCode": because.rule},
                *extensions("fact", "valueId", because.facts),
            ],
        }
        for field, because in sorted(item.because.items())
    ]
    content = {"extension": reasons, "target": [{"reference": target} for target in targets]}
    return _provenance(content, item.facts, rules, recorded)


def list_provenance(one: MedicationList, list_reference: JsonObject, recorded: JsonObject) -> JsonObject:
    """Return where the list as a whole comes from: the rules, and the facts that belong to no line, each with why."""
    content = {"target": [list_reference]}
    unattached = [
        {
            "url": names.UNATTACHED,
            "extension": [{"url": "fact", "valueId": u.fact}, {"url": "reason", "valueCode": u.reason}],
        }
        for u in one.unattached
    ]
    return _provenance({"extension": unattached, **content}, (), one.rules, recorded)


def recorded_at(written: str | None) -> JsonObject:
    """Return when the list was put out, as R4 demands of every Provenance; marked as unknown where it is."""
    return {"recorded": written} if written is not None else {"_recorded": {"extension": UNKNOWN}}


def fact_reference(fact: str) -> JsonObject:
    """Return a logical reference to a fact: it is no resource, and stands in ``medlist.fact.v1``."""
    return {"identifier": {"system": names.FACT_ID, "value": fact}}


def _provenance(content: JsonObject, facts: Iterable[str], rules: str, recorded: JsonObject) -> JsonObject:
    agent = {"type": dict(_ASSEMBLER), "who": {"identifier": {"system": names.RULES, "value": rules}}}
    entities = [{"role": "source", "what": fact_reference(fact)} for fact in facts]
    return resource("Provenance", names.PROVENANCE, {**content, **recorded, "agent": [agent], "entity": entities})
