"""The REST interactions of FHIR R4 that the server offers: read, vread, history, search, create, update."""

import msgspec

from connectors.nll_sandbox.exact_json import JsonObject, read_json
from connectors.nll_sandbox.headers import etag
from connectors.nll_sandbox.kinds import KINDS
from connectors.nll_sandbox.outcomes import Answer, Issue, Refusal, operation_outcome, refuse
from connectors.nll_sandbox.population import look_up
from connectors.nll_sandbox.reading import bundle, found, search
from connectors.nll_sandbox.server import Call, Sandbox
from connectors.nll_sandbox.store import Stored
from connectors.nll_sandbox.writing import Step, Writer, Written
from contracts.systems import PERSONNUMMER

Result = Answer | Refusal


def read(sandbox: Sandbox, call: Call) -> Result:
    """The resource in its latest version."""
    return _resource_answer(found(sandbox.store.read(call.kind, call.name, call.as_of)))


def vread(sandbox: Sandbox, call: Call) -> Result:
    """The resource in one version."""
    version = call.path["version"]
    return _resource_answer(
        found(sandbox.store.vread(call.kind, call.name, int(version)) if version.isdigit() else None)
    )


def history(sandbox: Sandbox, call: Call) -> Result:
    """Every version of a resource, newest first."""
    versions = sandbox.store.history(call.kind, call.name)
    if not versions:
        return refuse(404, "unknown-resource", "There is no such resource.", kind="not-found")
    entries = [_history_entry(call, one) for one in versions]
    return Answer(200, {"resourceType": "Bundle", "type": "history", "total": len(entries), "entry": entries})


def search_kind(sandbox: Sandbox, call: Call) -> Result:
    """The resources that match, one page of them."""
    query = dict(call.query)
    token = query.get("identifier", "")
    if call.kind == "Patient" and sandbox.settings.population == "open" and token.startswith(f"{PERSONNUMMER}|"):
        look_up(sandbox.store, token.split("|", 1)[1], call.now)
    resources = search(sandbox.store, call.kind, query, call.as_of)
    if isinstance(resources, Refusal):
        return resources
    offset, count = _whole(query.get("_offset"), 0), _whole(query.get("_count"), sandbox.settings.page_size)
    return bundle(call.kind, resources, call.base, (offset, min(count, sandbox.settings.page_size)), query)


def create(sandbox: Sandbox, call: Call) -> Result:
    """A new resource: 201, with what the server filled in."""
    resource = body_resource(call, call.kind)
    if isinstance(resource, Refusal):
        return resource
    return _written(sandbox, call, Step(action="create", kind=call.kind, resource=resource), 201)


def update(sandbox: Sandbox, call: Call) -> Result:
    """A new version of a resource that exists: the full resource, never an upsert."""
    resource = body_resource(call, call.kind)
    if isinstance(resource, Refusal):
        return resource
    step = Step(action="update", kind=call.kind, resource=resource, name=call.name, if_match=call.context.if_match)
    return _written(sandbox, call, step, 200)


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


def writer(sandbox: Sandbox, call: Call) -> Writer:
    """The writer for one request."""
    return Writer(sandbox.store, sandbox.settings, call.now, call.caller, call.context)


def version_headers(base: str, stored: Stored, *, created: bool) -> dict[str, str]:
    """ETag, and where the version stands."""
    headers = {"ETag": etag(stored.version)}
    if created:
        headers["Location"] = f"{base}/{stored.kind}/{stored.id}/_history/{stored.version}"
    return headers


def _written(sandbox: Sandbox, call: Call, step: Step, status: int) -> Result:
    outcome = writer(sandbox, call).write([step])
    if isinstance(outcome, Refusal):
        return outcome
    one = outcome[0]
    headers = version_headers(call.base, one.stored, created=status == 201)  # noqa: PLR2004 - Created
    if one.stored.patient and KINDS[one.stored.kind].changes_list:
        headers[sandbox.settings.list_version_header] = str(sandbox.store.list_version(one.stored.patient))
    return Answer(status, _preferred(call, one), headers)


def _preferred(call: Call, one: Written) -> JsonObject | None:
    match call.context.returns:
        case "minimal":
            return None
        case "outcome":
            told = Issue(code="stored", kind="informational", severity="information", text="The resource was stored.")
            return operation_outcome([told])
        case _:
            return one.stored.resource


def _resource_answer(stored: Stored | Refusal) -> Result:
    if isinstance(stored, Refusal):
        return stored
    return Answer(200, stored.resource, {"ETag": etag(stored.version)})


def _history_entry(call: Call, stored: Stored) -> JsonObject:
    method, status = ("POST", "201") if stored.version == 1 else ("PUT", "200")
    return {
        "fullUrl": f"{call.base}/{stored.kind}/{stored.id}",
        "resource": stored.resource,
        "request": {"method": method, "url": stored.kind if method == "POST" else f"{stored.kind}/{stored.id}"},
        "response": {"status": status, "etag": etag(stored.version), "lastModified": stored.at},
    }


def _whole(value: str | None, otherwise: int) -> int:
    return int(value) if value is not None and value.isascii() and value.isdigit() else otherwise
