"""Seeding, resetting, the clock, the audit log, tokens: what tests, the demo and vendors need."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import ClientSession

from connectors.nll_sandbox import SandboxSettings, assumptions
from mappings.fhir.exact_json import JsonObject, write_json
from tests.connectors.nll_sandbox.conftest import NOW, PERSON, PERSONNUMMER, Api, Start, dispense, prescription

README = Path(__file__).parents[3] / "connectors" / "nll_sandbox" / "README.md"


async def audit(api: Api, query: str = "") -> JsonObject:
    """The audit log."""
    found = (await api.raw("GET", f"/_sandbox/audit{query}", None, {})).body
    assert isinstance(found, dict)
    return found


async def token(api: Api, secret: str) -> JsonObject:
    """The answer of the token endpoint."""
    form = f"grant_type=client_credentials&client_id=medlist&client_secret={secret}".encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    found = (await api.raw("POST", "/oauth2/token", form, headers)).body
    assert isinstance(found, dict)
    return found


async def test_a_token_lives_as_long_as_it_says(start: Start) -> None:
    """A fetched token opens the list until it expires, by the sandbox's clock."""
    moments = [NOW]
    async with start(clock=lambda: moments[0], token_seconds=60) as api:
        api.token = (await token(api, "medlist-test-secret"))["access_token"]
        assert (await api.patient()) == "p-1"

        moments[0] = NOW + timedelta(seconds=59)
        assert (await api.send("GET", "/MedicationRequest?patient=p-1")).status == 200
        moments[0] = NOW + timedelta(seconds=60)
        expired = await api.send("GET", "/MedicationRequest?patient=p-1")

    assert (expired.status, expired.codes) == (401, ["token-expired"])


async def test_a_wrong_secret_gets_no_token(api: Api) -> None:
    """The answer is that of OAuth2, and holds no token."""
    assert await token(api, "guess") == {"error": "invalid_client"}


async def test_seeds_from_files_are_there_at_start_and_after_reset(start: Start, tmp_path: Path) -> None:
    """A seed keeps its ids; what another caregiver registered is hidden like any other."""
    patient = {
        "resourceType": "Patient",
        "id": "p-12",
        "identifier": [{"system": PERSONNUMMER, "value": PERSON}],
        "birthDate": "1912-12-12",
    }
    others = {"owner": "2321000016", "resource": prescription("p-12", id="f-1")}
    seed = tmp_path / "seed.json"
    seed.write_bytes(write_json([patient, prescription("p-12", id="f-7"), others]))
    async with start(seed_files=(seed,), population="seeded") as api:
        for _ in range(2):
            assert await api.patient() == "p-12"
            found = await api.send("GET", "/MedicationRequest?patient=p-12", x_patientref="p-12")
            assert [one["id"] for one in found.entries] == ["f-7"]
            assert (await api.prescribe("p-12"))["id"] == "f-2"
            assert (await api.raw("POST", "/_sandbox/reset", b"", {})).status == 200


async def test_a_seed_over_http_is_stored_as_it_is(api: Api) -> None:
    """No rule is applied, and what is no resource is refused with its place."""
    old = prescription(status="completed", authoredOn="2020-01-01T09:00:00+01:00")

    stored = await api.raw("POST", "/_sandbox/seed", write_json([old, dispense()]), {})
    refused = await api.raw("POST", "/_sandbox/seed", write_json([old, {"resourceType": "Spaceship"}]), {})

    assert stored.body == {"stored": 2}
    assert (refused.status, refused.body) == (400, {"error": "no resource that the server holds at [1]"})


async def test_only_the_seeded_exist_when_the_register_is_closed(start: Start) -> None:
    """With an open register everyone with a correct personnummer exists, and nobody with a wrong one."""
    async with start(population="seeded") as api:
        closed = await api.send("GET", f"/Patient?identifier={PERSONNUMMER}|{PERSON}")
    async with start() as api:
        wrong = await api.send("GET", f"/Patient?identifier={PERSONNUMMER}|191212121213")

    assert (closed.entries, wrong.entries) == ([], [])


async def test_the_audit_log_counts_writes_and_those_that_changed_nothing(api: Api) -> None:
    """A version that says the same about the treatment is counted as such; 0.5 for 0.50 too."""
    dose = [{"patientInstruction": "x", "doseAndRate": [{"doseQuantity": {"value": 5}}]}]
    stored = write_json(prescription(dosageInstruction=dose)).replace(b'"value":5', b'"value":0.50')
    await api.send("POST", "/MedicationRequest", stored)
    same = (await api.send("GET", "/MedicationRequest/f-1")).raw.replace(b"0.50", b"0.5")
    await api.send("PUT", "/MedicationRequest/f-1", same, x_request_id="same")
    await api.send("PUT", "/MedicationRequest/f-1", same, x_request_id="same")
    changed = (await api.send("GET", "/MedicationRequest/f-1")).raw.replace(b"0.5", b"1.5")
    await api.send("PUT", "/MedicationRequest/f-1", changed)

    summary = (await audit(api))["summary"]

    assert summary["writes"] == 4 - 1
    assert summary["versions_stored"] == 3
    assert summary["versions_without_clinical_change"] == 1
    assert summary["replays"] == 1
    assert summary["by_interaction"]["update"] == {"200": 3}


async def test_every_access_is_logged_with_who_and_why(api: Api) -> None:
    """Also refused ones, with their codes; the log can be asked for one patient."""
    await api.send("POST", "/MedicationRequest", prescription(contained=[]), x_context_id="task-1", x_request_id="q")

    (entry,) = (await audit(api, "?patient=p-1&interaction=create"))["entries"]

    assert entry == {
        "seq": entry["seq"],
        "at": "2026-03-02T09:00:00+01:00",
        "interaction": "create",
        "status": 422,
        "kind": "MedicationRequest",
        "patient": "p-1",
        "role": "prescriber",
        "caregiver": "2321000065",
        "subject": "test-prescriber",
        "purpose": "VARD",
        "access": "EGEN",
        "request_id": "q",
        "context_id": "task-1",
        "activity": "REGISTRERA_FORSKRIVNING",
        "codes": ["F.001"],
    }


async def test_duplicated_prescriptions_are_counted(api: Api) -> None:
    """Two prescriptions that carry the same identifier of the client are a duplicate, the more so while both live."""
    mine = [{"system": "urn:example:order", "value": "o-1"}]
    await api.prescribe(identifier=mine)
    assert (await audit(api))["summary"]["duplicates"] == {"living": 0, "ever": 0}

    await api.prescribe(identifier=mine)

    assert (await audit(api))["summary"]["duplicates"] == {"living": 1, "ever": 1}


async def test_each_write_leaves_its_event(api: Api) -> None:
    """The händelse of the header is stored with time and target, and found by both."""
    await api.prescribe()

    by_patient = await api.send("GET", "/Provenance?patient=p-1")
    by_target = await api.send("GET", "/Provenance?target=MedicationRequest/f-1")

    (event,) = by_patient.entries
    assert by_target.entries == [event]
    assert event["target"] == [{"reference": "MedicationRequest/f-1/_history/1"}]
    assert event["recorded"] == "2026-03-02T09:00:00+01:00"
    assert event["activity"]["coding"][0]["code"] == "REGISTRERA_FORSKRIVNING"


async def test_an_activity_that_is_not_what_the_request_does_is_refused(api: Api) -> None:
    """The client states the function it asks for; a create is not an end."""
    reply = await api.send("POST", "/MedicationRequest", prescription(), activity="AVSLUTA_FORSKRIVNING")

    assert (reply.status, reply.codes) == (400, ["activity-differs"])


async def test_admin_is_guarded_when_a_token_is_set(start: Start) -> None:
    """All but health."""
    async with start(admin_token="key") as api:
        closed = await api.raw("POST", "/_sandbox/reset", b"", {})
        opened = await api.raw("POST", "/_sandbox/reset", b"", {"authorization": "Bearer key"})
        health = await api.raw("GET", "/_sandbox/health", None, {})

    assert [closed.status, opened.status, health.status] == [401, 200, 200]


async def test_a_database_file_outlives_the_server(start: Start, tmp_path: Path) -> None:
    """Prescriptions, list versions and given answers are there after a restart; the seed is not stored again."""
    path = str(tmp_path / "nll.sqlite")
    async with start(database=path) as api:
        await api.patient()
        first = await api.send("POST", "/MedicationRequest", prescription(), x_request_id="once")
    async with start(database=path) as api:
        again = await api.send("POST", "/MedicationRequest", prescription(), x_request_id="once")
        found = await api.send("GET", "/MedicationRequest?patient=p-1")
        article = "http://electronichealth.se/fhir/NamingSystem/nplpackid|20990101100019"
        articles = await api.send("GET", f"/Medication?identifier={article}")

    assert again.raw == first.raw
    assert len(found.entries) == 1
    assert len(articles.entries) == 1


async def test_contents_tell_what_is_stored_for_comparison(api: Api) -> None:
    """The latest version of each prescription, by patient."""
    await api.prescribe()

    contents = (await api.raw("GET", "/_sandbox/contents", None, {})).body

    assert [one["id"] for one in contents["p-1"]] == ["f-1"]


async def test_the_command_serves(tmp_path: Path) -> None:
    """``python -m connectors.nll_sandbox`` tells its address and stands still at the given time."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "connectors.nll_sandbox",
        *("--port", "0", "--clock", "2026-03-01T09:00:00+01:00", "--database", str(tmp_path / "nll.sqlite")),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        async with ClientSession() as session, session.get(f"{ready['url']}/_sandbox/health") as answer:
            health = json.loads(await answer.read())
    finally:
        process.terminate()
        await process.wait()

    assert health == {"status": "ok", "now": "2026-03-01T09:00:00+01:00"}
    assert process.returncode == 0


def test_the_readme_tells_every_assumption() -> None:
    """Each setting that stands for unknown behaviour has its row, marked as an assumption."""
    rows = [line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    told = {name for name in SandboxSettings.__struct_fields__ for row in rows if f"`{name}`" in row and "assum" in row}

    assert set(assumptions()) <= told


def test_the_usual_clock_has_a_zone() -> None:
    """The machine's time is a moment, not a wall clock reading."""
    assert SandboxSettings().clock().tzinfo is UTC
    assert SandboxSettings().clock() > datetime(2026, 1, 1, tzinfo=UTC)
