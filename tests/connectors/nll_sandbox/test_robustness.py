"""Whatever is sent, the server answers with a refusal, never with a bug."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.nll_sandbox.bundles import transaction
from connectors.nll_sandbox.headers import RequestContext
from connectors.nll_sandbox.interactions import create, update
from connectors.nll_sandbox.outcomes import Answer
from connectors.nll_sandbox.population import look_up
from connectors.nll_sandbox.server import Call, Notes, Sandbox
from connectors.nll_sandbox.settings import TEST_TOKENS, SandboxSettings
from mappings.fhir.exact_json import JsonObject, write_json
from tests.connectors.nll_sandbox.conftest import NOW, PERSON, Api, dispense, prescription
from tests.examples import examples

ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["value", "code", "url"]), inner),
    max_leaves=4,
)
SEEDED = [prescription(), dispense(), prescription(priorPrescription={"reference": "MedicationRequest/f-1"})]


def places(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def put(document: Any, path: tuple[str | int, ...], value: object) -> Any:
    """The document with another value at one place."""
    if not path:
        return value
    copied = document.copy()
    copied[path[0]] = put(document[path[0]], path[1:], value)
    return copied


@st.composite
def damaged(draw: st.DrawFn) -> JsonObject:
    """A resource with something odd at one or two places."""
    document: Any = draw(st.sampled_from(SEEDED))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from([path for path in places(document) if path and path != ("resourceType",)]))
        document = put(document, path, draw(ODD))
    assert isinstance(document, dict)
    return document


def call(resource: object, role: str, name: str = "") -> Call:
    """A request with this body."""
    kind = "MedicationDispense" if role == "pharmacist" else "MedicationRequest"
    return Call(
        base="http://sandbox",
        path={"kind": kind, "name": name},
        query={},
        body=write_json(resource),
        caller=TEST_TOKENS[f"test-{role}"],
        context=RequestContext(request_id="r", purpose="VARD", access="EGEN"),
        now=NOW,
        notes=Notes(),
    )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A sandbox with one person and one prescription."""
    running = Sandbox(SandboxSettings(clock=lambda: NOW, version_required_on_update=False))
    look_up(running.store, PERSON, NOW)
    assert isinstance(create(running, call(prescription(), "prescriber")), Answer)
    yield running
    running.close()


@given(resource=damaged())
@settings(max_examples=examples(4), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_odd_resources_are_refused_or_stored(sandbox: Sandbox, resource: JsonObject) -> None:
    """A damaged resource gets an answer or coded reasons on create, on update and in a bundle."""
    role = "pharmacist" if resource.get("resourceType") == "MedicationDispense" else "prescriber"
    entry = {"fullUrl": "urn:uuid:1", "resource": resource}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}

    for result in (
        create(sandbox, call(resource, role)),
        update(sandbox, call(resource | {"id": "f-1"}, role, "f-1")),
        transaction(sandbox, call(bundle, role)),
    ):
        assert isinstance(result, Answer) or result.issues


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere/at/all", 404),
        ("GET", "/Observation/1", 404),
        ("PATCH", "/MedicationRequest/f-1", 405),
        ("GET", "/MedicationRequest?colour=red", 400),
        ("GET", "/MedicationRequest", 400),
        ("GET", "/MedicationRequest/f-1/_history/x", 404),
    ],
)
async def test_what_is_not_there_is_told_as_an_outcome(api: Api, method: str, path: str, status: int) -> None:
    """Unknown addresses, methods and parameters are refused with an OperationOutcome."""
    reply = await api.send(method, path)

    assert (reply.status, reply.body["resourceType"]) == (status, "OperationOutcome")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"resourceType": "Patient"}'])
async def test_a_body_that_is_no_such_resource_is_refused(api: Api, body: bytes) -> None:
    """A body that is not the resource of the address is 400."""
    reply = await api.send("POST", "/MedicationRequest", body)

    assert reply.status == 400
    assert reply.codes[0] in {"body-unreadable", "body-kind"}


async def test_no_person_stands_in_the_logs(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """Neither what is asked for, nor what is refused, nor what is unknown is logged with its person."""
    caplog.set_level("DEBUG")

    await api.patient()
    await api.send("GET", f"/nowhere/{PERSON}")
    await api.send("POST", "/MedicationRequest", prescription(note=[{"text": PERSON}], contained=[]))

    assert PERSON not in caplog.text
