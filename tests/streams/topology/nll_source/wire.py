"""Reading NLL in tests: what stands there, a process that reads it, what it passed on and how far it came."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from confluent_kafka import Producer

from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.newest import newest_values, records
from connectors.settings import Settings
from contracts.fact import Fact
from contracts.nll_watermark import NllWatermark, decode_watermark
from contracts.sources import DEFAULT_SOURCES, NLL_SOURCE
from contracts.systems import NLL_PRESCRIPTION, PERSONNUMMER
from contracts.topics import LIST, NLL_WATERMARK
from mappings.fhir.exact_json import JsonObject
from mappings.sources import nll
from mappings.sources.reading import Context, Message
from streams.publish.backoff import Backoff
from streams.publish.breaker import BreakerLimits
from streams.topology.nll_source import NllSourceParts, run_nll_source
from streams.topology.nll_source.limits import NllSourceLimits
from streams.topology.nll_source.stopping import NllSourceStop
from tests.streams.publish.cases import NOW, PERSON, TOKEN, the_list
from tests.streams.topology.publisher.wire import PARTITIONS, Endpoint
from tests.streams.topology.threaded import Ended, running

TOPIC = NLL_SOURCE.topic
QUICK = NllSourceLimits(
    idle_seconds=0.02,
    backoff=Backoff(first_seconds=0.02, most_seconds=0.1),
    breaker=BreakerLimits(failures_to_open=3),
    breaker_backoff=Backoff(first_seconds=0.05, most_seconds=0.2),
)
PATIENT = {"resourceType": "Patient", "id": "p-1", "identifier": [{"system": PERSONNUMMER, "value": PERSON.value}]}
OTHER_OWNER = "2321000131"


class StopsNoted(NllSourceStop):
    """Notes a fail-stop and ends the thread."""

    def __init__(self) -> None:
        super().__init__()
        self.causes: list[BaseException] = []

    def __call__(self, cause: BaseException) -> Any:
        """Note the cause."""
        self.causes.append(cause)
        raise Ended


@contextlib.contextmanager
def reading(
    settings: Settings, clock: Callable[[], datetime] = lambda: NOW, token: str | None = TOKEN
) -> Iterator[StopsNoted]:
    """A process that reads NLL, in a thread."""
    stop = StopsNoted()
    parts = NllSourceParts(isolation="none", token=token, limits=QUICK, stop=stop)
    with running(lambda over: run_nll_source(settings, DEFAULT_SOURCES, clock, over, parts)):
        yield stop
    assert stop.causes == []


@contextlib.contextmanager
def on_a_broker(endpoint: Endpoint, topics: Mapping[str, int]) -> Iterator[Settings]:
    """Settings for an embedded broker with these topics and the sandbox; everybody is looked at all the time."""
    with EmbeddedBroker(topics) as broker:
        demo = Settings.for_demo(broker.bootstrap, nll_base_url=endpoint.door.base)
        yield demo.model_copy(update={"nll_look_seconds": 0.2, "nll_requests_per_second": 500.0})


def messages(settings: Settings) -> list[Any]:
    """Every message on the input topic."""
    return list(records(settings, TOPIC, range(PARTITIONS)))


def facts(settings: Settings) -> list[Fact]:
    """What the intake's reader makes of them."""
    context = Context(source=NLL_SOURCE, received_at=NOW + timedelta(days=1), pseudonym=lambda _person: "pseudonym-1")
    readings = [nll.read(Message(value=one.value() or b""), context) for one in messages(settings)]
    assert [problem for one in readings for problem in one.problems] == []
    return [fact for one in readings for fact in one.facts]


def watermark(settings: Settings, patient: str = the_list().patient) -> NllWatermark | None:
    """How far the patient was read."""
    found = newest_values(settings, NLL_WATERMARK, range(PARTITIONS)).get(patient)
    return None if found is None else decode_watermark(found)


def prescription(name: str, **more: Any) -> JsonObject:
    """A prescription that another caregiver registered."""
    dosage = {
        "sequence": 1,
        "patientInstruction": "1 tablett varje morgon",
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett", "code": "{tablet}"}}],
    }
    resource: JsonObject = {
        "resourceType": "MedicationRequest",
        "id": name,
        "identifier": [{"system": NLL_PRESCRIPTION, "value": name}],
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "C07AB02"}]},
        "subject": {"reference": "Patient/p-1"},
        "authoredOn": "2026-03-02T09:00:00+01:00",
        "dosageInstruction": [dosage],
        "dispenseRequest": {"validityPeriod": {"end": "2027-03-01"}},
    }
    return resource | more


def dispense(name: str, of: str) -> JsonObject:
    """What a pharmacy handed out on a prescription."""
    return {
        "resourceType": "MedicationDispense",
        "id": name,
        "status": "completed",
        "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "C07AB02"}]},
        "subject": {"reference": "Patient/p-1"},
        "authorizingPrescription": [{"reference": f"MedicationRequest/{of}"}],
        "quantity": {"value": 98, "unit": "tablett", "code": "{tablet}"},
        "whenHandedOver": "2026-03-02T09:30:00+01:00",
    }


def consent(name: str, patient: str) -> JsonObject:
    """A patient consents that we read what others registered."""
    return {
        "resourceType": "Consent",
        "id": name,
        "status": "active",
        "category": [{"coding": [{"code": "accessconsent"}]}],
        "patient": {"reference": f"Patient/{patient}"},
    }


def seed(endpoint: Endpoint, *resources: JsonObject) -> None:
    """Another caregiver registers something."""
    endpoint.admin("POST", "seed", [{"owner": OTHER_OWNER, "resource": one} for one in resources])


def erase(settings: Settings, patient: str) -> None:
    """The patient's list is removed for good."""
    producer = Producer(settings.kafka_client())
    producer.produce(settings.topic(LIST), None, key=patient.encode(), partition=0)
    assert producer.flush(30) == 0


def asked(endpoint: Endpoint, path: str) -> int:
    """How often the endpoint was asked for something."""
    return sum(path in one for one in endpoint.door.requests)
