"""AFF warnings in the stored resource: contained DetectedIssue that the server puts there and takes away again."""

from collections.abc import Sequence
from typing import Final

from connectors.nll_sandbox.outcomes import Issue
from connectors.nll_sandbox.resources import objects, text_at
from mappings.fhir.exact_json import JsonObject

_PREFIX: Final = "aff-"


def without_warnings(resource: JsonObject) -> JsonObject:
    """The resource without the DetectedIssue the server put into an earlier version."""
    kept = [one for one in objects(resource.get("contained")) if not _is_ours(one)]
    references = [
        one
        for one in objects(resource.get("detectedIssue"))
        if not (text_at(one, "reference") or "").startswith(f"#{_PREFIX}")
    ]
    rest = {name: value for name, value in resource.items() if name not in {"contained", "detectedIssue"}}
    return rest | ({"contained": kept} if kept else {}) | ({"detectedIssue": references} if references else {})


def with_warnings(resource: JsonObject, warnings: Sequence[Issue]) -> JsonObject:
    """The resource with one contained DetectedIssue for each warning."""
    if not warnings:
        return resource
    issues = [_detected(number, one) for number, one in enumerate(warnings, start=1)]
    references = [{"reference": f"#{one['id']}"} for one in issues]
    return resource | {
        "contained": [*objects(resource.get("contained")), *issues],
        "detectedIssue": [*objects(resource.get("detectedIssue")), *references],
    }


def _is_ours(one: JsonObject) -> bool:
    return one.get("resourceType") == "DetectedIssue" and str(one.get("id", "")).startswith(_PREFIX)


def _detected(number: int, warning: Issue) -> JsonObject:
    return {
        "resourceType": "DetectedIssue",
        "id": f"{_PREFIX}{number}",
        "status": "final",
        "code": {"coding": [{"system": warning.system, "code": warning.code}], "text": warning.text},
        "severity": "moderate",
        "detail": warning.text,
    }
