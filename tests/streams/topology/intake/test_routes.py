"""Sources are checked whole before anything starts."""

import msgspec
import pytest

from contracts.sources import DEFAULT_SOURCES, SourceSystem
from streams.topology.intake.problems import IntakeCode, IntakeError
from streams.topology.intake.routes import routes
from tests.streams.topology.intake.trivial import READERS, SOURCE, read


def changed(**values: str) -> SourceSystem:
    """The test's source with something else about it."""
    return msgspec.structs.replace(SOURCE, **values)


def test_every_source_topic_has_its_route() -> None:
    """Topics and answers bear their names on the cluster."""
    found = routes([SOURCE], READERS, lambda name: f"test.{name}")

    (route,) = found.values()
    assert set(found) == {"test.in.hospital.medication.v1"}
    assert (route.source, route.reader, route.answers) == (SOURCE, read, "test.out.hospital.ack.v1")


def test_everything_that_is_wrong_is_named_at_once() -> None:
    """Unknown reader, unknown zone, an id and a topic used twice: one refusal names them all."""
    sources = [SOURCE, changed(id="a", reader="none"), changed(id="a", topic="in.a.b.v1", zone="Europe/Nowhere")]

    with pytest.raises(IntakeError) as refused:
        routes(sources, READERS, str)

    assert refused.value.reason is IntakeCode.SOURCES_WRONG
    for named in ("no reader is named none", "Europe/Nowhere", "id a", f"topic {SOURCE.topic}"):
        assert named in refused.value.message


def test_no_source_at_all_is_refused() -> None:
    """An intake that reads nothing is a mistake."""
    with pytest.raises(IntakeError, match="no source"):
        routes([], READERS, str)


def test_the_default_sources_contradict_nothing() -> None:
    """A laptop's list of sources passes, given a reader for each."""
    readers = {source.reader: read for source in DEFAULT_SOURCES}

    assert len(routes(DEFAULT_SOURCES, readers, str)) == len(DEFAULT_SOURCES)
