"""What stands in the sandbox after publishing is valid too: what we sent, what the server made of it, and who did it."""

from collections.abc import AsyncIterator
from importlib.resources import as_file

import aiohttp
import pytest

from connectors.nll_sandbox import SandboxSettings, serve
from contracts.sources import DEFAULT_SOURCES
from mappings.fhir.elements import identifiers, objects
from mappings.fhir.exact_json import JsonObject, read_json, write_json
from mappings.fhir.regional import regional_bundle
from mappings.fhir.vocabulary import RECORD
from streams.command.demo.stage import StoryClock
from streams.command.demo.story import ROOT, load_story
from streams.publish.desired import desired
from streams.publish.execute import Executor, Job
from streams.publish.policy import policy_of
from tests.contracts.fhir.good import CONTAINED_PATIENT, LIST_INFO, MEDICATION, PATIENT, PROVENANCE, REQUEST
from tests.fhir_validator.validator import FhirValidator
from tests.mappings.fhir.regional.lists import edition, story
from tests.story.offline import lists_after_each
from tests.streams.publish.cases import READER, There, job, line, replaced, sandbox, standing, the_list

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PROFILES = {
    "MedicationRequest": REQUEST,
    "Medication": MEDICATION,
    "Patient": PATIENT,
    "Provenance": PROVENANCE,
    "Basic": LIST_INFO,
}


@pytest.fixture
async def there() -> AsyncIterator[There]:
    """A sandbox."""
    async with sandbox() as running:
        yield running


async def found(there: There, place: str) -> list[JsonObject]:
    """The resources that a search answers."""
    async with there.session.get(f"{there.base}/{place}", headers=READER | {"x-request-id": "look"}) as answer:
        assert answer.status == 200, await answer.text()
        return [entry["resource"] for entry in objects(read_json(await answer.read()).get("entry"))]


async def test_what_was_published_stands_there_as_it_should(there: There, fhir_validator: FhirValidator) -> None:
    """A prescription that was created, changed and ended, and the one of the story: every version of them."""
    first = standing()
    executor = there.executor()
    for number, wanted in enumerate(
        (first, replaced(first, purpose="mot annat"), replaced(first, state="ended", status="stopped"))
    ):
        attempt = await executor.attempt(job(the_list(line(wanted)), f"h{number}"))
        assert attempt.state == "published"
    assert (await executor.attempt(job(story(), "story"))).state in {"published", "parked"}

    searches = [
        "MedicationRequest?patient=p-1",
        f"Patient?identifier={_number()}",
        "Basic?patient=p-1&code=medlistinfo",
        "Provenance?patient=p-1",
        "Medication?_count=100",
    ]
    seen = [resource for place in searches for resource in await found(there, place)]
    for request in [one for one in seen if one["resourceType"] == "MedicationRequest"]:
        seen += await found(there, f"MedicationRequest/{request['id']}/_history")
    kinds = {resource["resourceType"] for resource in seen}

    assert kinds == PROFILES.keys()
    for resource in seen:
        assert fhir_validator.errors(resource, PROFILES[resource["resourceType"]]) == []
        for person in [one for one in objects(resource.get("contained")) if one["resourceType"] == "Patient"]:
            assert fhir_validator.errors(person, CONTAINED_PATIENT) == []


async def test_every_list_of_the_story_is_published(fhir_validator: FhirValidator) -> None:
    """One after the other, in the story's time: what stands in the end is valid, and so is each list as a Bundle."""
    story_time = StoryClock(load_story()[0].received_at)
    policy = policy_of(DEFAULT_SOURCES)
    with as_file(ROOT / "nll.json") as seed:
        settings = SandboxSettings(clock=story_time, seed_files=(seed,))
    async with serve(settings) as base, aiohttp.ClientSession() as session:
        there = There(session, base)
        executor = Executor(there.client(), policy, story_time)

        for delivery, one in lists_after_each(load_story()):
            story_time.now = max(story_time.now, delivery.received_at)
            wish = Job(desired=desired(one, policy), list_hash=delivery.message_id, certainty="settled")
            assert (await executor.attempt(wish)).state == "published"
            assert fhir_validator.errors(write_json(regional_bundle(one, edition(one)))) == []

        stored = await found(there, "MedicationRequest?patient=p-1")
    (ours,) = [one for one in stored if identifiers(one, RECORD)]
    assert ours["status"] == "active"
    assert fhir_validator.errors(ours, REQUEST) == []


def _number() -> str:
    return "http%3A%2F%2Felectronichealth.se%2Fidentifier%2Fpersonnummer%7C191212121212"
