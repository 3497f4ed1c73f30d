"""The publisher and what somebody else changes at the endpoint: over restarts, lost answers and its own writes."""

import asyncio
from datetime import timedelta

import msgspec
from aiohttp import web

from connectors.settings import Settings
from contracts.publication import Publication
from tests.streams.publish.cases import NOW, dosage, line, replaced, standing, the_list
from tests.streams.topology.publisher.wire import (
    Endpoint,
    committed,
    eventually,
    publications,
    publisher,
    send,
)

RX = standing()
OTHER = replaced(RX, purpose="mot kärlkramp")
DOUBLED = replaced(RX, dosage=dosage("2 tabletter varje morgon", "2"))
THEIRS = "3 tabletter varje kväll"


def held(told: Publication) -> list[tuple[str, str]]:
    """What is held back, and why."""
    return [(one.record, one.reason) for one in told.held]


def test_a_list_with_any_difference_does_not_put_the_older_dose_back(settings: Settings, endpoint: Endpoint) -> None:
    """Another region's dose stands, over a restart too, until our source decides anew; then that goes out."""
    newer = msgspec.structs.replace(DOUBLED, recorded_at=NOW + timedelta(milliseconds=500))
    with publisher(settings):
        send(settings, the_list(line(RX)))
        eventually(lambda: committed(settings) == 1, "it is registered")
    with publisher(settings):
        send(settings, the_list(line(DOUBLED)))
        eventually(lambda: committed(settings) == 2, "our second version is there")
    endpoint.another_changes(THEIRS)

    with publisher(settings):
        send(settings, the_list(line(replaced(DOUBLED, purpose="mot kärlkramp"))))
        eventually(lambda: committed(settings) == 3, "the list is settled")
        kept = endpoint.words(), held(publications(settings)[-1])
        send(settings, the_list(line(newer)))
        eventually(lambda: committed(settings) == 4, "the newer decision is settled")

    assert kept == ([THEIRS], [(RX.record, "changed-there")])
    assert endpoint.words() == ["2 tabletter varje morgon"]
    assert held(publications(settings)[-1]) == []


def test_what_is_held_is_looked_at_again_with_every_list(settings: Settings, endpoint: Endpoint) -> None:
    """Though the list asks for the same: the other may have changed it back."""
    with publisher(settings):
        send(settings, the_list(line(RX)))
        eventually(lambda: committed(settings) == 1, "it is registered")
        endpoint.another_changes(THEIRS)
        send(settings, the_list(line(OTHER)))
        eventually(lambda: committed(settings) == 2, "it is held")
        during = held(publications(settings)[-1])
        endpoint.another_changes("1 tablett varje morgon")
        send(settings, the_list(line(OTHER), rules="r2"))
        eventually(lambda: committed(settings) == 3, "it is settled")

    assert during == [(RX.record, "changed-there")]
    assert held(publications(settings)[-1]) == []


def test_a_write_on_what_is_there_is_told_before_it_is_sent(settings: Settings, endpoint: Endpoint) -> None:
    """When it reaches the endpoint, whoever reads the topic can know that the next version is ours."""
    told: list[Publication] = []

    async def look(_request: web.Request) -> None:
        told.append((await asyncio.to_thread(publications, settings))[-1])

    with publisher(settings):
        send(settings, the_list(line(RX)))
        eventually(lambda: committed(settings) == 1, "it is registered")
        endpoint.door.faults.append(look)
        send(settings, the_list(line(DOUBLED)))
        eventually(lambda: committed(settings) == 2, "it is changed")

    after = publications(settings)[-1]
    assert [(one.id, one.onto) for one in told[0].sending] == [("f-1", "1")]
    assert [(one.id, one.version) for one in told[0].written] == [("f-1", "1")]
    assert after.sending == ()
    assert [(one.id, one.version) for one in after.written] == [("f-1", "2")]


def test_a_write_whose_answer_was_lost_with_the_process_is_known_for_ours(
    settings: Settings, endpoint: Endpoint
) -> None:
    """The next process finds it: the list has gone on meanwhile, and what it says goes out."""
    door = endpoint.door

    async def lost(request: web.Request) -> web.Response:
        door.shut = True
        return await door.drop_after(request)

    with publisher(settings):
        send(settings, the_list(line(RX)))
        eventually(lambda: committed(settings) == 1, "it is registered")
        door.faults.append(lost)
        send(settings, the_list(line(DOUBLED)))
        eventually(lambda: publications(settings)[-1].state == "failing", "the answer is lost")
    door.shut = False
    stored = endpoint.words()
    send(settings, the_list(line(replaced(RX, dosage=dosage("4 tabletter", "4")))))

    with publisher(settings):
        eventually(lambda: committed(settings) == 3, "the newest list is settled")

    assert stored == ["2 tabletter varje morgon"]
    assert endpoint.words() == ["4 tabletter"]
    assert held(publications(settings)[-1]) == []
