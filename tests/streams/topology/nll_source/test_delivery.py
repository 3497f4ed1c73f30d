"""On a real Kafka: whatever happens to the process that reads NLL, everything that stands there comes, and nothing of ours."""

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka.newest import newest_values
from connectors.settings import DEMO_PSEUDONYM_KEY, Settings
from contracts.nll_watermark import decode_watermark
from contracts.quarantine import MESSAGE_ID_HEADER
from contracts.systems import PERSONNUMMER
from contracts.topics import LIST, NLL_WATERMARK, PUBLISH
from mappings.fhir.exact_json import JsonObject, read_json
from mappings.fhir.vocabulary import RECORD
from tests.streams.publish.cases import line, standing, the_list
from tests.streams.publish.population import person
from tests.streams.topology.nll_source.wire import TOPIC, consent, dispense, messages, prescription, seed
from tests.streams.topology.publisher.wire import PARTITIONS, Endpoint, eventually, send

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PATIENTS, ROUNDS, CHANGES, SEED = 12, 5, 10, 20261122
FAULTS = {
    "server_error": {"probability": 0.02},
    "too_many_requests": {"probability": 0.01, "retry_after": 0},
    "latency": {"probability": 0.5, "seconds": 0.01},
}


@pytest.fixture
def settings(
    kafka: str, topic_prefix: str, endpoint: Endpoint, make_topics: Callable[[Mapping[str, int]], dict[str, str]]
) -> Settings:
    """Settings for the shared broker, with topics and a group that no other test uses."""
    make_topics(dict.fromkeys((LIST, NLL_WATERMARK, PUBLISH, TOPIC), PARTITIONS))
    demo = Settings.for_demo(kafka, nll_base_url=endpoint.door.base, topic_prefix=topic_prefix)
    quick = {"nll_look_seconds": 1.0, "nll_requests_per_second": 500.0, "instance_id": "nll-source-1"}
    return demo.model_copy(update=quick | {"nll_source_group": f"{topic_prefix}medlist-nll-source"})


class Elsewhere:
    """What other caregivers, pharmacies and we ourselves do at NLL: the newest version of everything that stands there."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._chance = random.Random(SEED)
        self.theirs: dict[str, int] = {}
        self.ours: set[str] = set()

    def goes_on(self) -> None:
        """Something is registered, changed or handed out."""
        for _ in range(CHANGES):
            number = self._chance.randrange(PATIENTS)
            name = f"f-{number}-{self._chance.randrange(4)}"
            subject = {"reference": f"Patient/p-{100 + number}"}
            own = name.endswith("-0")
            more: dict[str, Any] = {"identifier": [{"system": RECORD, "value": _record(number)}]} if own else {}
            seed(self._endpoint, prescription(name, subject=subject, note=[{"text": str(len(self.theirs))}], **more))
            if own:
                self.ours.add(f"MedicationRequest/{name}")
                handed = f"u-{number}-{self._chance.randrange(100)}"
                seed(self._endpoint, dispense(handed, name) | {"subject": subject})
                self._stands(f"MedicationDispense/{handed}")
            else:
                self._stands(f"MedicationRequest/{name}")

    def _stands(self, name: str) -> None:
        self.theirs[name] = self.theirs.get(name, 0) + 1


def test_killed_again_and_again_everything_of_others_comes_and_nothing_of_ours(
    settings: Settings, endpoint: Endpoint, tmp_path: Path
) -> None:
    """`kill -9` between reads, among faults: each version that stands comes, always as the same message."""
    _population(settings, endpoint)
    elsewhere, chance = Elsewhere(endpoint), random.Random(SEED)
    endpoint.admin("POST", "faults", {"seed": SEED, "switches": FAULTS})

    for _ in range(ROUNDS):
        with _process(settings, tmp_path / "nll-source.log") as running:
            elsewhere.goes_on()
            some = len(endpoint.door.requests) + chance.randrange(5, 60)
            eventually(lambda some=some: len(endpoint.door.requests) > some, "it is in the middle of its work")  # type: ignore[misc]
            running.send_signal(signal.SIGKILL)
    with _process(settings, tmp_path / "nll-source.log") as running:
        eventually(lambda: _newest(settings) == elsewhere.theirs, "everything that stands there comes")
        eventually(lambda: _marked(settings).keys() == elsewhere.theirs.keys() | elsewhere.ours, "it is all marked")
        running.send_signal(signal.SIGTERM)
        status = running.wait(30)

    assert status == 0
    assert elsewhere.ours
    told: dict[tuple[str, int], set[tuple[bytes, bytes]]] = {}
    for one in messages(settings):
        named, resource = _resource(one)
        assert named not in elsewhere.ours
        assert not any(identifier["system"] == RECORD for identifier in resource.get("identifier", []))
        told.setdefault((named, _version(resource)), set()).add((_message_id(one), one.value()))
    assert {len(copies) for copies in told.values()} == {1}


def _population(settings: Settings, endpoint: Endpoint) -> None:
    people: list[JsonObject] = []
    for number in range(PATIENTS):
        identifier = {"system": PERSONNUMMER, "value": person(number).value}
        name = f"p-{100 + number}"
        people += [{"resourceType": "Patient", "id": name, "identifier": [identifier]}, consent(f"s-{number}", name)]
        rx = standing(f"rx-{number}")
        held = the_list(line(rx), patient=f"pseudonym-{number}", person=person(number))
        send(settings, held, partition=number % PARTITIONS)
    endpoint.admin("POST", "seed", people)


def _record(number: int) -> str:
    return standing(f"rx-{number}").record


def _newest(settings: Settings) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in messages(settings):
        named, resource = _resource(one)
        found[named] = max(found.get(named, 0), _version(resource))
    return found


def _resource(message: Any) -> tuple[str, JsonObject]:
    resource = read_json(message.value())["entry"][0]["resource"]
    return f"{resource['resourceType']}/{resource['id']}", resource


def _version(resource: JsonObject) -> int:
    return int(resource["meta"]["versionId"])


def _message_id(message: Any) -> bytes:
    return bytes(dict(message.headers())[MESSAGE_ID_HEADER])


def _marked(settings: Settings) -> Mapping[str, str]:
    found = newest_values(settings, NLL_WATERMARK, range(PARTITIONS)).values()
    marks = [decode_watermark(one) for one in found]
    return {name: version for one in marks if one.confirmed for name, version in one.versions.items()}


@contextmanager
def _process(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    shown = settings.model_dump(mode="json", exclude={"pseudonym_key"}, exclude_defaults=True)
    told = json.dumps(shown | {"pseudonym_key": DEMO_PSEUDONYM_KEY})
    command = [sys.executable, "-m", "tests.streams.topology.nll_source.process", told]
    with log.open("ab") as stream, subprocess.Popen(command, stderr=stream) as running:
        try:
            yield running
        finally:
            running.kill()
