"""Bundles: several writes at once, all or nothing, with placeholder ids ``urn:uuid:...`` between the entries.

A transaction bundle (NLLTransactionBundle) says for each entry what to do. A prescription bundle (NLLPrescriptionBundle)
holds prescriptions only, each of them new; its entries need no ``request``.
"""

from typing import Final

from connectors.nll_sandbox.headers import etag
from connectors.nll_sandbox.interactions import Result, body_resource, note_written
from connectors.nll_sandbox.kinds import KINDS
from connectors.nll_sandbox.outcomes import Answer, Issue, Refusal, operation_outcome
from connectors.nll_sandbox.resources import child, objects, text_at
from connectors.nll_sandbox.server import Call, Sandbox
from connectors.nll_sandbox.vocabulary import PLACEHOLDER_PREFIX
from connectors.nll_sandbox.writing import Step, Writer, Written
from mappings.fhir.exact_json import JsonObject

LARGEST: Final = 100
"""Entries of one bundle, at most."""


def transaction(sandbox: Sandbox, call: Call) -> Result:
    """Carry the bundle out: 200 and a transaction-response, or a refusal and nothing stored."""
    steps = _steps(call)
    if isinstance(steps, Refusal):
        return steps
    written = Writer(sandbox, call).write(steps)
    if isinstance(written, Refusal):
        return written
    note_written(call, written)
    return Answer(200, _response(call, steps, written))


def verify(sandbox: Sandbox, call: Call) -> Result:
    """``$verify``: what the bundle would meet. Refused as the bundle would be; else 200 and every warning."""
    steps = _steps(call)
    if isinstance(steps, Refusal):
        return steps
    written = Writer(sandbox, call).write(steps, dry_run=True)
    if isinstance(written, Refusal):
        return written
    warnings = [warning for one in written for warning in one.warnings]
    fine = Issue(code="verified", kind="informational", severity="information", text="The bundle would be stored.")
    return Answer(200, operation_outcome([*warnings, fine]))


def _steps(call: Call) -> list[Step] | Refusal:
    bundle = body_resource(call, "Bundle")
    if isinstance(bundle, Refusal):
        return bundle
    entries = objects(bundle.get("entry"))
    if bundle.get("type") not in {"transaction", "collection"} or not 0 < len(entries) <= LARGEST:
        text = f"Send a transaction (or a collection of new prescriptions) of 1 to {LARGEST} entries."
        return Refusal(400, (Issue(code="bundle-form", kind="structure", text=text, place="Bundle"),))
    found = [_step(entry, f"Bundle.entry[{n}].resource.") for n, entry in enumerate(entries)]
    issues = [issue for one in found if isinstance(one, Issue) for issue in [one]]
    return Refusal(400, tuple(issues)) if issues else [one for one in found if isinstance(one, Step)]


def _step(entry: JsonObject, place: str) -> Step | Issue:
    resource = child(entry.get("resource"))
    kind = text_at(resource, "resourceType") or ""
    request = child(entry.get("request"))
    method = text_at(request, "method") or ("POST" if kind == "MedicationRequest" and not request else "")
    address = (text_at(request, "url") or kind).strip("/").split("/")
    full_url = text_at(entry, "fullUrl")
    match method, address:
        case ("POST", [named]) if named == kind and kind in KINDS:
            placeholder = full_url if full_url and full_url.startswith(PLACEHOLDER_PREFIX) else None
            return Step(action="create", kind=kind, resource=resource, place=place, full_url=placeholder)
        case ("PUT", [named, name]) if named == kind and kind in KINDS:
            told = (text_at(request, "ifMatch") or "").removeprefix("W/").strip('"')
            version = int(told) if told.isascii() and told.isdigit() else None
            return Step(action="update", kind=kind, resource=resource, name=name, if_match=version, place=place)
        case _:
            text = "An entry is POST <kind> or PUT <kind>/<id> of a resource of that kind."
            return Issue(code="entry-form", kind="structure", text=text, place=place.removesuffix(".resource."))


def _response(call: Call, steps: list[Step], written: tuple[Written, ...]) -> JsonObject:
    entries = []
    for step, one in zip(steps, written, strict=True):
        response: JsonObject = {
            "status": "201 Created" if step.action == "create" else "200 OK",
            "location": f"{call.base}/{one.stored.kind}/{one.stored.id}/_history/{one.stored.version}",
            "etag": etag(one.stored.version),
            "lastModified": one.stored.at,
        }
        if one.warnings:
            response["outcome"] = operation_outcome(one.warnings)
        shown = {"resource": one.stored.resource} if call.context.returns == "representation" else {}
        entries.append({"fullUrl": f"{call.base}/{one.stored.kind}/{one.stored.id}", **shown, "response": response})
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}
