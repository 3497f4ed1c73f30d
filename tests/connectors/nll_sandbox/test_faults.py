"""Faults strike on purpose, with their probability, from a seed."""

import pytest
from aiohttp import ClientError, ClientSession

from connectors.nll_sandbox.faults import FaultName, FaultPlan, Faults, Switch
from mappings.fhir.exact_json import write_json
from tests.connectors.nll_sandbox.conftest import Api, prescription


async def switch(api: Api, **switches: dict[str, object]) -> None:
    """Turn these faults on, all others off."""
    reply = await api.raw("POST", "/_sandbox/faults", write_json({"seed": 1, "switches": switches}), {})
    assert reply.status == 200, reply.body


async def count(api: Api) -> int:
    """How many prescriptions are stored, without faults."""
    await switch(api)
    return len((await api.send("GET", "/MedicationRequest?patient=p-1")).entries)


@pytest.mark.parametrize(
    ("fault", "details", "status", "code"),
    [
        ("server_error", {}, 503, "unavailable"),
        ("server_error", {"status": 500}, 500, "unavailable"),
        ("too_many_requests", {"retry_after": 7}, 429, "too-many-requests"),
        ("expire_token", {}, 401, "token-expired"),
        ("version_conflict", {}, 412, "version-stale"),
        ("version_conflict", {"status": 409}, 409, "version-stale"),
    ],
)
async def test_a_refusing_fault_stores_nothing(
    api: Api, fault: str, details: dict[str, object], status: int, code: str
) -> None:
    """The client is refused, and nothing was done."""
    await switch(api, **{fault: {"probability": 1, **details}})

    reply = await api.send("POST", "/MedicationRequest", prescription())

    assert (reply.status, reply.codes) == (status, [code])
    assert reply.headers.get("retry-after") == ("7" if status == 429 else None)
    assert await count(api) == 0


async def test_a_late_error_has_stored_the_write(api: Api) -> None:
    """The client cannot know; asking again with the same request id tells, and stores nothing more."""
    await switch(api, error_after_commit={"probability": 1})
    failed = await api.send("POST", "/MedicationRequest", prescription(), x_request_id="once")
    assert failed.status == 502

    await switch(api)
    again = await api.send("POST", "/MedicationRequest", prescription(), x_request_id="once")

    assert (again.status, again.body["id"]) == (201, "f-1")
    assert await count(api) == 1


async def test_a_dropped_answer_has_stored_the_write(api: Api) -> None:
    """The connection closes without an answer; the write is there."""
    await switch(api, drop_after_commit={"probability": 1})

    # A session of its own: aiohttp repeats what it may on a connection that it had kept open.
    async with ClientSession() as session:
        with pytest.raises(ClientError):
            await Api(session, api.base).send("POST", "/MedicationRequest", prescription(), x_request_id="dropped")

    assert await count(api) == 1


async def test_what_was_refused_is_never_lost_on_the_way(api: Api) -> None:
    """Faults after the commit need a commit: a refusal is told."""
    await switch(api, drop_after_commit={"probability": 1}, error_after_commit={"probability": 1})

    assert (await api.send("POST", "/MedicationRequest", prescription(contained=[]))).codes == ["F.001"]


async def test_a_stale_read_shows_the_list_before_the_last_write(api: Api) -> None:
    """Resource, search and list version are those of the moment before."""
    first = await api.prescribe()
    await api.send("PUT", "/MedicationRequest/f-1", first | {"priority": "urgent"})
    await switch(api, stale_read={"probability": 1})

    read = await api.send("GET", "/MedicationRequest/f-1")
    found = await api.send("GET", "/MedicationRequest?patient=p-1")
    info = await api.send("GET", "/Basic/medlistinfo-p-1")

    assert read.body["meta"]["versionId"] == "1"
    assert [one["meta"]["versionId"] for one in found.entries] == ["1"]
    assert info.body["meta"]["versionId"] == "1"


async def test_writes_are_never_stale(api: Api) -> None:
    """A stale read does not make a stale write succeed."""
    first = await api.prescribe()
    await api.send("PUT", "/MedicationRequest/f-1", first)
    await switch(api, stale_read={"probability": 1})
    stale = (await api.send("GET", "/MedicationRequest/f-1")).body

    reply = await api.send("PUT", "/MedicationRequest/f-1", stale)

    assert reply.status == 412


async def test_an_expired_token_must_be_fetched_again(api: Api) -> None:
    """A token from the token endpoint is forgotten for good."""
    form = b"grant_type=client_credentials&client_id=medlist&client_secret=medlist-test-secret"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    api.token = (await api.raw("POST", "/oauth2/token", form, headers)).body["access_token"]
    await switch(api, expire_token={"probability": 1})
    assert (await api.send("GET", "/MedicationRequest?patient=p-1")).status == 401
    await switch(api)

    assert (await api.send("GET", "/MedicationRequest?patient=p-1")).codes == ["token-unknown"]


async def test_latency_waits(api: Api) -> None:
    """The answer comes, later."""
    await switch(api, latency={"probability": 1, "seconds": 0.01})

    assert (await api.send("GET", "/MedicationRequest?patient=p-1")).status == 200
    struck = (await api.raw("GET", "/_sandbox/faults", None, {})).body["struck"]
    assert struck == {"latency": 1}


async def test_a_wrong_plan_is_refused(api: Api) -> None:
    """An unknown switch or an impossible probability changes nothing."""
    for plan in (b'{"switches": {"meteor": {"probability": 1}}}', b'{"switches": {"latency": {"probability": 2}}}'):
        assert (await api.raw("POST", "/_sandbox/faults", plan, {})).status == 400


def test_the_same_seed_strikes_the_same_requests() -> None:
    """A run with faults can be repeated; each switch has a sequence of its own."""

    def struck(*names: FaultName) -> list[tuple[bool, bool]]:
        faults = Faults()
        faults.switch(FaultPlan(seed=7, switches={name: Switch(0.5) for name in names}))
        drawn = [faults.draw(writes=True) for _ in range(200)]
        return [(one.drops, one.late_error is not None) for one in drawn]

    alone = [drops for drops, _ in struck("drop_after_commit")]
    both = struck("drop_after_commit", "error_after_commit")

    assert alone == [drops for drops, _ in both]
    assert 60 < sum(alone) < 140
    assert any(drops != late for drops, late in both)
