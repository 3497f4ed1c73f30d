"""A slow endpoint, or none: what waits, waits in the topic; in memory stands a bounded part of it."""

import msgspec

from connectors.settings import Settings
from contracts.sources import DEFAULT_SOURCES
from streams.topology.publisher import PublisherParts
from streams.topology.publisher.run import Publisher
from tests.streams.publish.cases import NOW, TOKEN, line, standing, the_list
from tests.streams.publish.population import person
from tests.streams.topology.publisher.wire import QUICK, Endpoint, StopsNoted, committed, eventually, send
from tests.streams.topology.threaded import running

PATIENTS = 100
LIMITS = msgspec.structs.replace(QUICK, waiting_patients=20, batch_messages=10)


def test_an_endpoint_that_is_away_grows_the_lag_and_not_the_memory(settings: Settings, endpoint: Endpoint) -> None:
    """Beyond the limit partitions are paused, so that only the lag grows; once the endpoint is back all of it is published."""
    endpoint.door.shut = True
    send(
        settings,
        *(
            the_list(line(standing(person=person(number))), patient=f"patient-{number}", person=person(number))
            for number in range(PATIENTS)
        ),
    )
    parts = PublisherParts(isolation="none", token=TOKEN, limits=LIMITS, stop=StopsNoted())
    publisher = Publisher(settings, DEFAULT_SOURCES, lambda: NOW, parts)
    registry = publisher.loop.metrics.registry
    most = 0.0

    def figure(name: str) -> float:
        return registry.get_sample_value(f"medlist_publisher_{name}") or 0.0

    def looked(*, done: bool) -> bool:
        nonlocal most
        most = max(most, figure("waiting"))
        return done

    with running(publisher.run):
        eventually(
            lambda: looked(done=figure("waiting") >= LIMITS.waiting_patients and figure("lag_records") > 0),
            "as many wait as may, and the others are counted as lag",
        )
        held, lag = committed(settings), figure("lag_records")
        endpoint.door.shut = False
        eventually(lambda: looked(done=committed(settings) == PATIENTS), "all lists are committed")

    assert held == 0
    assert lag >= PATIENTS - LIMITS.waiting_patients - LIMITS.batch_messages - LIMITS.parallel
    assert most <= LIMITS.waiting_patients + LIMITS.batch_messages + LIMITS.parallel
    assert len([one for one in endpoint.door.writes if "MedicationRequest" in one]) == PATIENTS
