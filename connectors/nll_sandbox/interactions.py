"""The REST interactions of FHIR R4 that the server offers: read, vread, history, search, create, update."""

from collections.abc import Sequence

import msgspec

from connectors.nll_sandbox.filtering import Viewer
from connectors.nll_sandbox.headers import etag
from connectors.nll_sandbox.kinds import KINDS
from connectors.nll_sandbox.outcomes import Answer, Issue, Refusal, operation_outcome, refuse
from connectors.nll_sandbox.population import look_up
from connectors.nll_sandbox.reading import bundle, list_info, matches, search
from connectors.nll_sandbox.rights import may
from connectors.nll_sandbox.server import Call, Sandbox
from connectors.nll_sandbox.store import Stored
from connectors.nll_sandbox.vocabulary import LIST_INFO_CODE
from connectors.nll_sandbox.writing import Step, Writer, Written
from contracts.systems import PERSONNUMMER
from mappings.fhir.exact_json import JsonObject, read_json

Result = Answer | Refusal
_NOT_FOUND = refuse(404, "unknown-resource", "There is no such resource.", kind="not-found")


def read(sandbox: Sandbox, call: Call) -> Result:
    """The resource in its latest version."""
    return _shown(sandbox, call, sandbox.store.read(call.kind, call.name, call.as_of))


def vread(sandbox: Sandbox, call: Call) -> Result:
    """The resource in one version."""
    version = call.path["version"]
    known = version.isascii() and version.isdigit()
    return _shown(sandbox, call, sandbox.store.vread(call.kind, call.name, int(version)) if known else None)


def history(sandbox: Sandbox, call: Call) -> Result:
    """Every version of a resource, newest first."""
    latest = _shown(sandbox, call, sandbox.store.read(call.kind, call.name))
    if isinstance(latest, Refusal):
        return latest
    viewer = viewer_of(sandbox, call)
    versions = [(one, shown) for one in sandbox.store.history(call.kind, call.name) if (shown := viewer.see(one))]
    entries = [_history_entry(call, stored, shown) for stored, shown in versions]
    return Answer(200, {"resourceType": "Bundle", "type": "history", "total": len(entries), "entry": entries})


def search_kind(sandbox: Sandbox, call: Call) -> Result:
    """The resources that match and that the caller may see, one page of them."""
    forbidden = may(call.caller, "read", call.kind)
    if forbidden is not None:
        return forbidden
    query = dict(call.query)
    token = query.get("identifier", "")
    if call.kind == "Patient" and sandbox.settings.population == "open" and token.startswith(f"{PERSONNUMMER}|"):
        look_up(sandbox.store, token.split("|", 1)[1], call.now)
    found = search(sandbox.store, call.kind, query, call.as_of)
    if isinstance(found, Refusal):
        return found
    patient = _patient(query)
    if patient is not None and call.context.patient not in {None, patient}:
        return refuse(400, "patient-differs", "The patient is not the one that x-patientref names.")
    viewer = viewer_of(sandbox, call)
    of_patient = [one for one in found if _is_asked_for(one, call)]
    resources = [shown for one in of_patient if (shown := viewer.see(one, call.as_of))]
    call.notes.hidden = len(of_patient) - len(resources)
    if call.kind == "Basic" and patient is not None and sandbox.store.read("Patient", patient) is not None:
        info = list_info(sandbox, patient, call.now, call.as_of)
        resources += [info] if matches(info, query) else []
    call.notes.resources += [f"{one['resourceType']}/{one['id']}" for one in resources]
    call.notes.patient = patient
    offset, count = _whole(query.get("_offset"), 0), _whole(query.get("_count"), sandbox.settings.page_size)
    return bundle(call.kind, resources, call.base, (offset, min(count, sandbox.settings.page_size)), query)


def create(sandbox: Sandbox, call: Call) -> Result:
    """A new resource: 201, with what the server filled in."""
    resource = body_resource(call, call.kind)
    if isinstance(resource, Refusal):
        return resource
    return carried_out(sandbox, call, Step(action="create", kind=call.kind, resource=resource), 201)


def update(sandbox: Sandbox, call: Call) -> Result:
    """A new version of a resource that exists: the full resource, never an upsert."""
    resource = body_resource(call, call.kind)
    if isinstance(resource, Refusal):
        return resource
    step = Step(action="update", kind=call.kind, resource=resource, name=call.name, if_match=call.context.if_match)
    return carried_out(sandbox, call, step, 200)


def no_such_method(_sandbox: Sandbox, _call: Call) -> Result:
    """Nothing is ever deleted."""
    return refuse(405, "not-allowed", "NLL has no delete; end or cancel instead.", kind="not-supported")


def body_resource(call: Call, kind: str) -> JsonObject | Refusal:
    """The resource in the body, of the kind that the address names."""
    try:
        resource = read_json(call.body)
    except msgspec.DecodeError:
        return refuse(400, "body-unreadable", "The body is no JSON document.", kind="structure")
    if not isinstance(resource, dict) or resource.get("resourceType") != kind:
        return refuse(400, "body-kind", "The body is not the resource that the address names.", kind="structure")
    return resource


def carried_out(sandbox: Sandbox, call: Call, step: Step, status: int) -> Result:
    """The answer to a write of one step, in the form the client prefers."""
    outcome = Writer(sandbox, call).write([step])
    if isinstance(outcome, Refusal):
        return outcome
    note_written(call, outcome)
    one = outcome[0]
    headers = {"ETag": etag(one.stored.version)}
    if step.action == "create":
        headers["Location"] = f"{call.base}/{one.stored.kind}/{one.stored.id}/_history/{one.stored.version}"
    if one.stored.patient and KINDS[one.stored.kind].changes_list:
        headers[sandbox.settings.list_version_header] = str(sandbox.store.list_version(one.stored.patient))
    return Answer(status, _preferred(call, one), headers)


def note_written(call: Call, written: Sequence[Written]) -> None:
    """Tell the audit log what was stored."""
    call.notes.stored = len(written)
    call.notes.unchanged = sum(one.changed_nothing for one in written)
    call.notes.resources += [f"{one.stored.kind}/{one.stored.id}/_history/{one.stored.version}" for one in written]
    call.notes.patient = next((one.stored.patient for one in written if one.stored.patient), None)


def viewer_of(sandbox: Sandbox, call: Call) -> Viewer:
    """What the caller may see."""
    return Viewer(sandbox.store, sandbox.settings, call.now, call.caller, call.context)


def _shown(sandbox: Sandbox, call: Call, stored: Stored | None) -> Result:
    forbidden = may(call.caller, "read", call.kind)
    if forbidden is not None:
        return forbidden
    prefix, _, patient = call.name.partition("-")
    if stored is None and call.kind == "Basic" and prefix == LIST_INFO_CODE and sandbox.store.read("Patient", patient):
        return Answer(200, list_info(sandbox, patient, call.now, call.as_of))
    if stored is None:
        return _NOT_FOUND
    call.notes.patient = stored.patient
    if call.context.patient is not None and stored.patient not in {None, call.context.patient}:
        return refuse(400, "patient-differs", "The patient is not the one that x-patientref names.")
    resource = viewer_of(sandbox, call).see(stored, call.as_of)
    if resource is None:
        call.notes.hidden = 1
        text = "The resource is hidden from this caller."
        return refuse(sandbox.settings.hidden_status, "hidden", text, kind="suppressed")
    call.notes.resources.append(f"{stored.kind}/{stored.id}/_history/{stored.version}")
    return Answer(200, resource, {"ETag": etag(stored.version)})


def _is_asked_for(stored: Stored, call: Call) -> bool:
    """Whether a resource is the asked-for patient's; people and articles are looked up for anyone."""
    return call.kind in {"Patient", "Medication"} or call.context.patient in {None, stored.patient}


def _preferred(call: Call, one: Written) -> JsonObject | None:
    match call.context.returns:
        case "minimal":
            return None
        case "outcome":
            told = Issue(code="stored", kind="informational", severity="information", text="The resource was stored.")
            return operation_outcome([*one.warnings, told])
        case _:
            return one.stored.resource


def _history_entry(call: Call, stored: Stored, shown: JsonObject) -> JsonObject:
    method, status = ("POST", "201") if stored.version == 1 else ("PUT", "200")
    return {
        "fullUrl": f"{call.base}/{stored.kind}/{stored.id}",
        "resource": shown,
        "request": {"method": method, "url": stored.kind if method == "POST" else f"{stored.kind}/{stored.id}"},
        "response": {"status": status, "etag": etag(stored.version), "lastModified": stored.at},
    }


def _patient(query: dict[str, str]) -> str | None:
    value = query.get("patient") or query.get("subject")
    return value.removeprefix("Patient/") if value else None


def _whole(value: str | None, otherwise: int) -> int:
    return int(value) if value is not None and value.isascii() and value.isdigit() else otherwise
