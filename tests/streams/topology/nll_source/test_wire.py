"""Reading NLL on the embedded broker against the real sandbox server: lists in, messages of the source ``nll`` out."""

from collections.abc import Iterable, Mapping
from datetime import timedelta

from structlog.testing import capture_logs

from connectors.kafka.newest import newest_values
from connectors.settings import Settings
from contracts.facts.dispense import Dispense
from contracts.facts.prescribing import Prescription
from contracts.systems import PERSONNUMMER
from contracts.topics import NLL_WATERMARK
from contracts.values import Identifier
from mappings.fhir.vocabulary import RECORD
from tests.streams.publish.cases import NOW, PERSON, line, standing, the_list
from tests.streams.topology.nll_source.wire import (
    asked,
    dispense,
    erase,
    facts,
    messages,
    prescription,
    reading,
    seed,
    watermark,
)
from tests.streams.topology.publisher.wire import PARTITIONS, Endpoint, eventually, send

OTHER = Identifier(system=PERSONNUMMER, value="195009072553")


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
    assert whole == 2  # read, and once more to be sure
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
        eventually(lambda: (mark := watermark(settings)) is not None and mark.confirmed, "it is read")
    seen = len(endpoint.door.requests)
    send(settings, the_list(line(standing()), patient="other", person=OTHER))

    with reading(settings.model_copy(update={"nll_look_seconds": 3600.0})):
        eventually(lambda: watermark(settings, "other") is not None, "somebody else is read")
    resting = endpoint.door.requests[seen:]
    looks = asked(endpoint, "/Basic")
    erase(settings, "other")
    with reading(settings, lambda: NOW + timedelta(hours=2)):
        eventually(lambda: asked(endpoint, "/Basic") > looks, "it is looked again")

    assert resting == ["POST /Patient/_search", "GET /Basic", "GET /MedicationRequest", "GET /MedicationDispense"]
    assert len(messages(settings)) == 1
    assert asked(endpoint, "/Patient/_search") == 2  # each of them once


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
        eventually(lambda: asked(endpoint, "$monitoring") > 3, "it is asked about")
        infos = asked(endpoint, "/Basic")
        seed(endpoint, prescription("f-7002"))
        eventually(lambda: len(messages(settings)) == 2, "the new one comes")

    assert infos == 2  # read, and once more to be sure
    assert asked(endpoint, "/Basic") <= 4


def test_an_endpoint_that_is_away_is_left_alone_and_read_when_it_is_back(
    settings: Settings, endpoint: Endpoint
) -> None:
    """That it is away is told once, and so is that it is back; nothing is lost, and nothing comes twice."""
    seed(endpoint, prescription("f-7001"))
    endpoint.door.shut = True
    send(settings, the_list(line(standing())))

    with capture_logs() as lines, reading(settings):
        eventually(lambda: "nll_source.failed" in events(lines), "it is left alone")
        told_before = messages(settings), watermark(settings)
        endpoint.door.shut = False
        eventually(lambda: (mark := watermark(settings)) is not None and mark.confirmed, "it is read")

    told = [one for one in events(lines) if one != "nll_source.failed"]
    assert told_before == ([], None)
    assert told == ["nll_source.recovered"]
    assert [one.source_id for one in facts(settings)] == ["f-7001"]


def events(lines: Iterable[Mapping[str, object]]) -> list[object]:
    """What the process that reads NLL has told of the endpoint."""
    return [one["event"] for one in lines if str(one["event"]).startswith("nll_source.")]


def test_a_patient_without_personnummer_or_list_is_not_asked_for(settings: Settings, endpoint: Endpoint) -> None:
    """Others have no list that can be asked for; whoever is gone is forgotten."""
    send(settings, the_list(line(standing()), person=None))
    erase(settings, "gone")
    send(settings, the_list(line(standing()), patient="known"))

    with reading(settings):
        eventually(lambda: asked(endpoint, "/Basic") >= 1, "the known one is read")

    assert newest_values(settings, NLL_WATERMARK, range(PARTITIONS)).keys() == {"known"}


def test_what_is_known_of_a_patient_goes_with_the_list(settings: Settings, endpoint: Endpoint) -> None:
    """An erased patient leaves no watermark behind."""
    seed(endpoint, prescription("f-7001"))
    send(settings, the_list(line(standing())))

    with reading(settings):
        eventually(lambda: watermark(settings) is not None, "it is marked")
        erase(settings, the_list().patient)
        eventually(lambda: watermark(settings) is None, "the mark goes")
        resting = len(endpoint.door.requests)

    assert len(endpoint.door.requests) == resting
