"""The publisher on the embedded broker against the real sandbox server: lists in, prescriptions and statuses out."""

import asyncio
import threading

import msgspec
import pytest
from confluent_kafka import Producer

from connectors.kafka.newest import newest_values, records
from connectors.settings import Settings
from contracts.topics import LIST, PUBLISH
from streams.topology.publisher.problems import PublisherCode, PublisherError
from tests.streams.publish.cases import dosage, line, replaced, standing, the_list
from tests.streams.publish.door import after, answers
from tests.streams.publish.population import person
from tests.streams.topology.publisher.wire import (
    PARTITIONS,
    Endpoint,
    ask,
    committed,
    eventually,
    heeded,
    publications,
    publisher,
    send,
)


def test_a_list_is_published_told_and_committed(settings: Settings, endpoint: Endpoint) -> None:
    """The status is there before the offset is committed."""
    send(settings, the_list(line(standing())))

    with publisher(settings) as stop:
        eventually(lambda: committed(settings) == 1, "the list is committed")

    told = publications(settings)
    assert [one.state for one in told] == ["published"]
    assert [done.kind for done in told[0].operations] == ["create"]
    assert [(link.record, link.ours) for link in told[0].links] == [(standing().record, True)]
    assert endpoint.statuses() == ["active"]
    assert stop.causes == []


def test_of_lists_that_wait_only_the_newest_is_published(settings: Settings, endpoint: Endpoint) -> None:
    """A hundred lists of one patient, all there before the publisher starts, are one write."""
    texts = [f"{number} tabletter varje morgon" for number in range(100)]
    send(settings, *(the_list(line(replaced(standing(), dosage=dosage(text, "1")))) for text in texts))

    with publisher(settings):
        eventually(lambda: committed(settings) == 100, "all lists are committed")

    assert len(endpoint.door.writes) <= 2  # the newest, and at most the one that was taken before it came
    assert publications(settings)[-1].state == "published"


def test_an_endpoint_that_is_away_holds_the_offset_until_it_is_back(settings: Settings, endpoint: Endpoint) -> None:
    """Nothing is committed while the endpoint answers 503; afterwards the prescription is there, once."""
    endpoint.door.shut = True
    send(settings, the_list(line(standing())))

    with publisher(settings):
        eventually(lambda: any(one.state == "failing" for one in publications(settings)), "the failure is told")
        held = committed(settings)
        endpoint.door.shut = False
        eventually(lambda: committed(settings) == 1, "the list is committed")

    states = [one.state for one in publications(settings)]
    assert held == 0
    assert (states[0], states[-1]) == ("failing", "published")
    assert endpoint.statuses() == ["active"]


def test_a_refusal_parks_the_patient_until_the_list_changes(settings: Settings, endpoint: Endpoint) -> None:
    """The reason is told by its code; a list that asks for something else is tried, one that asks for the same is not."""
    wrong = the_list(line(replaced(standing(), workplace_code=None)))
    right = the_list(line(standing()))

    with publisher(settings):
        send(settings, wrong)
        eventually(lambda: committed(settings) == 1, "the refused list is committed")
        parked = publications(settings)[-1]
        asked = len(endpoint.door.requests)
        send(settings, msgspec.structs.replace(wrong, rules="r2"))
        eventually(lambda: committed(settings) == 2, "the same wish is committed")
        asked_again = len(endpoint.door.requests)
        send(settings, right)
        eventually(lambda: committed(settings) == 3, "the mended list is committed")

    assert (parked.state, [one.code for one in parked.problems]) == ("parked", ["F.004"])
    assert asked_again == asked
    assert publications(settings)[-1].state == "published"
    assert endpoint.statuses() == ["active"]


def test_a_parked_patient_is_tried_again_when_a_person_says_so(settings: Settings, endpoint: Endpoint) -> None:
    """What was wrong stood at the endpoint, the list is as it was; the request is committed when the patient is settled."""
    endpoint.door.faults.extend([answers(422), answers(422)])
    older = the_list(line(standing()), patient="pseudonym-2", person=person(2))
    send(settings, older, the_list(line(standing())))

    with publisher(settings):
        eventually(lambda: committed(settings) == 2, "both lists are committed")
        parked = publications(settings)
        ask(settings, older.patient)
        eventually(lambda: heeded(settings) == 1, "the request is heeded")

    newest = {one.patient: one.state for one in publications(settings)}
    assert [one.state for one in parked] == ["parked", "parked"]
    assert newest == {"pseudonym-1": "parked", "pseudonym-2": "published"}


@pytest.mark.usefixtures("short_memory")
def test_a_request_made_while_no_publisher_runs_is_heeded_later(settings: Settings, endpoint: Endpoint) -> None:
    """Of the newest list, though another publisher has committed it; one about nobody is done with at once."""
    endpoint.door.faults.append(answers(422))
    send(settings, the_list(line(replaced(standing(), dosage=dosage("2 tabletter", "2")))))
    with publisher(settings):
        eventually(lambda: committed(settings) == 1, "the list is parked")
    endpoint.door.faults.append(answers(422))
    send(settings, the_list(line(standing())))
    with publisher(settings):
        eventually(lambda: committed(settings) == 2, "the newer list is parked")

    ask(settings, the_list().patient)
    ask(settings, "nobody", partition=1)
    with publisher(settings) as stop:
        eventually(lambda: heeded(settings) == 2, "both requests are heeded")

    assert stop.causes == []
    assert publications(settings)[-1].state == "published"
    assert endpoint.statuses() == ["active"]
    assert endpoint.words() == ["1 tablett varje morgon"]


def test_what_was_not_committed_is_published_again_without_a_second_write(
    settings: Settings, endpoint: Endpoint
) -> None:
    """A publisher that starts from the beginning finds its prescriptions there."""
    send(settings, the_list(line(standing())))
    with publisher(settings):
        eventually(lambda: committed(settings) == 1, "the list is committed")

    other = settings.model_copy(update={"publisher_group": "medlist-publisher-anew"})
    with publisher(other):
        eventually(lambda: committed(other) == 1, "the list is committed by the other group")

    assert len(endpoint.door.writes) == 1
    assert endpoint.statuses() == ["active"]


def test_a_record_that_is_no_list_stops_the_publisher(settings: Settings, endpoint: Endpoint) -> None:
    """Somebody else writes to our topic: nothing of it is skipped, a person must look."""
    producer = Producer(settings.kafka_client())
    producer.produce(settings.topic(LIST), b"no list", key=b"k", partition=2)
    assert producer.flush(30) == 0

    with publisher(settings) as stop:
        eventually(lambda: bool(stop.causes), "the publisher stops")

    cause = stop.causes[0]
    assert isinstance(cause, PublisherError)
    assert cause.reason is PublisherCode.LIST_UNREADABLE
    assert committed(settings) == 0
    assert endpoint.door.requests == []


def test_a_list_that_is_gone_sends_nothing_and_leaves_no_status(settings: Settings, endpoint: Endpoint) -> None:
    """Absence ends nothing at the endpoint."""
    send(settings, the_list(line(standing())))
    with publisher(settings):
        eventually(lambda: committed(settings) == 1, "the list is committed")
        producer = Producer(settings.kafka_client())
        producer.produce(settings.topic(LIST), None, key=the_list().patient.encode(), partition=0)
        assert producer.flush(30) == 0
        eventually(lambda: committed(settings) == 2, "the tombstone is committed")
        send(settings, the_list(line(standing())))
        eventually(lambda: committed(settings) == 3, "the list that came back is committed")

    assert endpoint.statuses() == ["active"]
    assert (
        endpoint.door.requests.count("POST /Patient/_search") == 2
    )  # nothing was kept, so the person is looked up anew


def test_a_list_that_goes_while_it_is_published_leaves_no_status(settings: Settings, endpoint: Endpoint) -> None:
    """What an attempt under way comes to is not told after the removal."""
    patient = the_list().patient
    go_on = threading.Event()

    async def removed() -> None:
        producer = Producer(settings.kafka_client())
        producer.produce(settings.topic(LIST), None, key=patient.encode(), partition=0)
        assert producer.flush(30) == 0
        assert await asyncio.to_thread(go_on.wait, 30)

    endpoint.door.faults.append(after(removed))
    send(settings, the_list(line(standing()), line(standing("rx-2"))))
    with publisher(settings):
        eventually(lambda: told_at_all(settings) > 0, "the removal is told")
        go_on.set()
        eventually(lambda: committed(settings) == 2, "the tombstone is committed")

    assert newest_values(settings, PUBLISH, range(PARTITIONS), "read_uncommitted") == {}


def told_at_all(settings: Settings) -> int:
    """How many records stand on the topic of publications."""
    return len(list(records(settings, PUBLISH, range(PARTITIONS), "read_uncommitted")))
