"""Reading NLL on the embedded broker against the real sandbox server: lists in, messages of the source ``nll`` out."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from confluent_kafka import Producer

from connectors.kafka.embedded import EmbeddedBroker
from connectors.kafka.newest import newest_values, records
from connectors.settings import Settings
from contracts.fact import Fact
from contracts.facts.dispense import Dispense
from contracts.facts.prescribing import Prescription
from contracts.nll_watermark import NllWatermark, decode_watermark
from contracts.sources import DEFAULT_SOURCES, NLL_SOURCE
from contracts.systems import NLL_PRESCRIPTION, PERSONNUMMER
from contracts.topics import LIST, NLL_WATERMARK, PUBLISH, PUBLISH_REQUEST
from mappings.fhir.exact_json import JsonObject
from mappings.fhir.vocabulary import RECORD
from mappings.sources import nll
from mappings.sources.reading import Context, Message
from streams.publish.backoff import Backoff
from streams.publish.breaker import BreakerLimits
from streams.topology.nll_source import NllSourceParts, run_nll_source
from streams.topology.nll_source.limits import NllSourceLimits
from streams.topology.nll_source.stopping import NllSourceStop
from tests.streams.publish.cases import NOW, PERSON, TOKEN, line, standing, the_list
from tests.streams.topology.publisher.wire import PARTITIONS, Ended, Endpoint, eventually, send

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


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A sandbox behind a door; the patient consents that we read."""
    running = Endpoint()
    consent = {
        "resourceType": "Consent",
        "id": "s-9",
        "status": "active",
        "category": [{"coding": [{"code": "accessconsent"}]}],
        "patient": {"reference": "Patient/p-1"},
    }
    running.admin("POST", "seed", [PATIENT, consent])
    yield running
    running.close()


@pytest.fixture
def settings(endpoint: Endpoint) -> Iterator[Settings]:
    """Settings for an embedded broker and the sandbox; everybody is looked at all the time."""
    names = (LIST, PUBLISH, PUBLISH_REQUEST, NLL_WATERMARK, TOPIC)
    with EmbeddedBroker(dict.fromkeys(names, PARTITIONS)) as broker:
        demo = Settings.for_demo(broker.bootstrap, nll_base_url=endpoint.door.base)
        yield demo.model_copy(update={"nll_look_seconds": 0.2, "nll_requests_per_second": 500.0})


@contextlib.contextmanager
def reading(
    settings: Settings, clock: Callable[[], datetime] = lambda: NOW, limits: NllSourceLimits = QUICK
) -> Iterator[StopsNoted]:
    """A process that reads NLL, in a thread."""
    stop, over = StopsNoted(), threading.Event()
    parts = NllSourceParts(isolation="none", token=TOKEN, limits=limits, stop=stop)

    def work() -> None:
        with contextlib.suppress(Ended):
            run_nll_source(settings, DEFAULT_SOURCES, clock, over, parts)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield stop
    finally:
        over.set()
        thread.join(30)
        assert not thread.is_alive()
        assert stop.causes == []


def messages(settings: Settings) -> list[Any]:
    """Every message on the input topic."""
    return list(records(settings, TOPIC, range(PARTITIONS)))


def facts(settings: Settings) -> list[Fact]:
    """What the intake's reader makes of them."""
    context = Context(source=NLL_SOURCE, received_at=NOW + timedelta(days=1), pseudonym=lambda _person: "pseudonym-1")
    readings = [nll.read(Message(value=one.value() or b""), context) for one in messages(settings)]
    assert [problem for one in readings for problem in one.problems] == []
    return [fact for one in readings for fact in one.facts]


def watermark(settings: Settings) -> NllWatermark | None:
    """How far the patient was read."""
    found = newest_values(settings, NLL_WATERMARK, range(PARTITIONS)).get(the_list().patient)
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


def seed(endpoint: Endpoint, *resources: JsonObject) -> None:
    """Another caregiver registers something."""
    endpoint.admin("POST", "seed", [{"owner": OTHER_OWNER, "resource": one} for one in resources])


def asked(endpoint: Endpoint, path: str) -> int:
    """How often the endpoint was asked for something."""
    return sum(path in one for one in endpoint.door.requests)


def test_what_others_registered_comes_once_and_in_every_version(settings: Settings, endpoint: Endpoint) -> None:
    """A prescription, its next version, its dispensing: one message each, whenever it is looked."""
    seed(endpoint, prescription("f-7001"))
    send(settings, the_list(line(standing())))

    with reading(settings):
        eventually(lambda: len(messages(settings)) == 1, "the prescription comes")
        looks = asked(endpoint, "/Basic")
        eventually(lambda: asked(endpoint, "/Basic") > looks + 3, "it is looked again")
        whole = asked(endpoint, "/MedicationDispense")
        seed(endpoint, prescription("f-7001", status="stopped"), dispense("u-1", "f-7001"))
        eventually(lambda: len(messages(settings)) == 3, "version and dispensing come")

    first, *later = facts(settings)
    told = {type(one.content): one for one in later}
    assert (first.source_id, first.version, first.content.status) == ("f-7001", 1, "active")  # type: ignore[attr-defined]
    assert (told[Prescription].source_id, told[Prescription].version) == ("f-7001", 2)
    assert told[Dispense].source_id == "u-1"
    assert whole == 1
    assert {one.key() for one in messages(settings)} == {b"pseudonym-1"}
    assert all(PERSON.value.encode() not in bytes(str(one.headers()), "ascii") for one in messages(settings))


def test_our_own_writes_do_not_come_back_but_what_others_do_with_them_does(
    settings: Settings, endpoint: Endpoint
) -> None:
    """The echo is no message; a dispensing on it, and a prescription that replaces it, name our source's record."""
    rx = standing("rx-1")
    ours = prescription("f-1", identifier=[{"system": RECORD, "value": rx.record}])
    replacing = prescription("f-7002", priorPrescription={"reference": "MedicationRequest/f-1"})
    seed(endpoint, ours, dispense("u-1", "f-1"), replacing)
    send(settings, the_list(line(rx)))

    with reading(settings):
        eventually(lambda: len(messages(settings)) == 2, "what others did comes")
        eventually(lambda: watermark(settings) is not None, "it is marked")

    found = {one.source_id: one.content for one in facts(settings)}
    assert found.keys() == {"u-1", "f-7002"}
    assert [(one.target.system, one.target.value) for one in found["u-1"].references] == [  # type: ignore[attr-defined]
        ("primary-care", "rx-1")
    ]
    assert ("primary-care", "rx-1") in {
        (one.target.system, one.target.value)
        for one in found["f-7002"].references  # type: ignore[attr-defined]
        if one.role == "predecessor"
    }
    mark = watermark(settings)
    assert mark is not None
    assert mark.versions["MedicationRequest/f-1"] == "1"


def test_a_restart_reads_on_where_it_was(settings: Settings, endpoint: Endpoint) -> None:
    """The watermark stands on a topic: what was passed on is not passed on again, and nobody is looked at too soon."""
    seed(endpoint, prescription("f-7001"))
    send(settings, the_list(line(standing())))
    with reading(settings):
        eventually(lambda: watermark(settings) is not None, "it is marked")
    seen = len(endpoint.door.requests)

    with reading(settings.model_copy(update={"nll_look_seconds": 3600.0})):
        eventually(lambda: len(messages(settings)) == 1, "nothing new")
        resting = len(endpoint.door.requests)
    with reading(settings, lambda: NOW + timedelta(hours=2)):
        eventually(lambda: asked(endpoint, "/Basic") >= 2, "it is looked again")

    assert resting == seen
    assert len(messages(settings)) == 1
    assert asked(endpoint, "/Patient/_search") == 1


def test_dose_patients_are_asked_about_together(settings: Settings, endpoint: Endpoint) -> None:
    """After the first reading one question serves many; whoever it names is read."""
    dose_consent = {
        "resourceType": "Consent",
        "id": "s-1",
        "status": "active",
        "category": [{"coding": [{"code": "multidosedispconsent"}]}],
        "patient": {"reference": "Patient/p-1"},
        "organization": [{"identifier": {"system": "urn:oid:1.3.88", "value": "7350045510028"}}],
    }
    endpoint.admin("POST", "seed", [dose_consent])
    seed(endpoint, prescription("f-7001"))
    send(settings, the_list(line(standing(dose_dispensed=True))))

    with reading(settings):
        eventually(lambda: len(messages(settings)) == 1, "the prescription comes")
        infos = asked(endpoint, "/Basic")
        eventually(lambda: asked(endpoint, "$monitoring") > 3, "it is asked about")
        seed(endpoint, prescription("f-7002"))
        eventually(lambda: len(messages(settings)) == 2, "the new one comes")

    assert infos == 1
    assert asked(endpoint, "/Basic") == 2


def test_an_endpoint_that_is_away_is_left_alone_and_read_when_it_is_back(
    settings: Settings, endpoint: Endpoint
) -> None:
    """Failures wait longer and longer; nothing is lost."""
    seed(endpoint, prescription("f-7001"))
    endpoint.door.shut = True
    send(settings, the_list(line(standing())))

    with reading(settings):
        eventually(lambda: len(endpoint.door.requests) >= 3, "it is tried")
        endpoint.door.shut = False
        eventually(lambda: len(messages(settings)) == 1, "the prescription comes")


def test_a_patient_without_personnummer_or_list_is_not_asked_for(settings: Settings, endpoint: Endpoint) -> None:
    """Others have no list that can be asked for; whoever is gone is forgotten."""
    send(settings, the_list(line(standing()), person=None))
    producer = Producer(settings.kafka_client())
    producer.produce(settings.topic(LIST), None, key=b"gone", partition=0)
    assert producer.flush(30) == 0
    send(settings, the_list(line(standing()), patient="known"))

    with reading(settings):
        eventually(lambda: asked(endpoint, "/Basic") >= 1, "the known one is read")

    assert newest_values(settings, NLL_WATERMARK, range(PARTITIONS)).keys() == {"known"}
