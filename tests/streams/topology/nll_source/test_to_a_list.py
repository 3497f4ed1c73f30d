"""What is read at NLL, all the way: onto the input topic, through the intake, by the reconciler, onto the list."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.kafka.newest import newest_values
from connectors.pseudonym import pseudonymiser
from connectors.settings import DEMO_PSEUDONYM_KEY, Settings
from contracts.fact import Fact, Origin, make_fact
from contracts.medication_list import MedicationList
from contracts.nll_watermark import decode_watermark
from contracts.sources import NLL_SOURCE
from contracts.topics import FACT, LIST, NLL_WATERMARK, PUBLISH, PUBLISH_REQUEST, QUARANTINE, ack_topic
from mappings.fhir.vocabulary import RECORD
from streams.command.knowledge import reconciler
from streams.publish.actual import Actual
from streams.publish.desired import desired
from streams.publish.plan import plan
from streams.topology.intake import IntakeParts
from tests.streams.publish.cases import NOW, PERSON, POLICY, content, dosage, line, replaced, standing, the_list
from tests.streams.publish.test_plan_properties import SUBJECT
from tests.streams.topology.intake.wire import StopsNoted, facts, intake, quarantined
from tests.streams.topology.nll_source.wire import TOPIC, dispense, on_a_broker, prescription, reading, seed
from tests.streams.topology.publisher.wire import PARTITIONS, Endpoint, committed, eventually, publisher, send

LATER = NOW + timedelta(days=1)
PSEUDONYM = pseudonymiser(DEMO_PSEUDONYM_KEY.encode())(PERSON)
TOPICS = dict.fromkeys((LIST, NLL_WATERMARK, PUBLISH, PUBLISH_REQUEST, TOPIC, FACT, QUARANTINE), PARTITIONS) | {
    ack_topic(NLL_SOURCE.id): 1
}


@pytest.fixture
def settings(endpoint: Endpoint) -> Iterator[Settings]:
    """With the topics of the intake too."""
    with on_a_broker(endpoint, TOPICS) as made:
        yield made


@contextlib.contextmanager
def taking_in(settings: Settings) -> Iterator[None]:
    """An intake of the source ``nll``, in a thread."""
    stop = StopsNoted()
    with intake(settings, IntakeParts(stop=stop), NLL_SOURCE, LATER):
        yield
    assert stop.causes == []


def list_of(known: list[Fact]) -> MedicationList:
    """What the reconciler makes of facts."""
    return reconciler().derive(PSEUDONYM, known, LATER)


def test_what_others_registered_stands_on_the_list_and_is_not_registered_again(
    settings: Settings, endpoint: Endpoint
) -> None:
    """A prescription of elsewhere becomes a line with its dispensing; an end of it ends the line; ours is no second line."""
    rx = standing("rx-1")
    ours = prescription("f-1", identifier=[{"system": RECORD, "value": rx.record}])
    seed(endpoint, ours, prescription("f-7001"), dispense("u-1", "f-7001"))
    send(settings, the_list(line(rx), patient=PSEUDONYM))

    with reading(settings), taking_in(settings):
        eventually(lambda: len(facts(settings)) == 2, "prescription and dispensing are facts")
        before = list_of(facts(settings))
        seed(endpoint, prescription("f-7001", status="stopped"))
        eventually(lambda: len(facts(settings)) == 3, "so is its end")
        after = list_of(facts(settings))
    assert quarantined(settings) == []

    assert {before.patient, after.patient} == {PSEUDONYM}
    assert [(one.state, sorted(one.layers)) for one in before.items] == [("active", ["dispensed", "prescribed"])]
    assert [one.state for one in after.items] == ["ended"]
    for made in (before, after):
        asked = desired(made, POLICY)
        assert [one.reason for one in asked.held] == ["publishes-itself"]
        assert plan(asked, Actual(subject=SUBJECT, read_on=NOW.date()), POLICY) == ()


def test_what_another_changed_of_ours_stands_on_the_line_of_our_record(settings: Settings, endpoint: Endpoint) -> None:
    """The list shows the other's dose, also when another process reads on; our own writes never come back."""
    rx = standing("rx-1")
    origin = Origin(
        source="primary-care",
        source_id="rx-1",
        patient=PSEUDONYM,
        version=1,
        occurred_at=rx.occurred_at,
        recorded_at=rx.recorded_at,
    )
    ours = make_fact(origin, content(), NOW)

    with reading(settings), taking_in(settings), publisher(settings):
        send(settings, the_list(line(rx), patient=PSEUDONYM))
        eventually(lambda: committed(settings) == 1, "it is registered")
        doubled = replaced(rx, dosage=dosage("2 tabletter varje morgon", "2"))
        send(settings, the_list(line(doubled), patient=PSEUDONYM))
        eventually(lambda: committed(settings) == 2, "our second version is there")
        eventually(lambda: watermark_of(settings) == "2", "and was seen")
    echoes = facts(settings)
    endpoint.another_changes("3 tabletter varje kväll")
    with reading(settings), taking_in(settings):
        eventually(lambda: len(facts(settings)) == 1, "the other's change is a fact")
    assert quarantined(settings) == []
    made = list_of([ours, *facts(settings)])

    (item,) = made.items
    assert echoes == []
    assert {one.source for one in item.prescriptions} == {"primary-care", "nll"}
    assert "3 tabletter varje kväll" in {one.content.dosage.text for one in item.prescriptions}
    assert (item.dosage_text, item.because["dosage"].rule) == ("3 tabletter varje kväll", "LATEST_DECISION")


def watermark_of(settings: Settings) -> str | None:
    """Which version of the one prescription was seen."""
    found = newest_values(settings, NLL_WATERMARK, range(PARTITIONS)).get(PSEUDONYM)
    return None if found is None else decode_watermark(found).versions.get("MedicationRequest/f-1")
