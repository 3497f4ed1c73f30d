"""Which topic is read by which reader, for whom. Checked whole before anything starts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from contracts.sources import SourceSystem
from contracts.topics import ack_topic
from mappings.sources.reading import Reader
from streams.topology.intake.problems import IntakeCode, IntakeError


class Route(msgspec.Struct, frozen=True):
    """One source: its system, who reads its messages, and where its answers go."""

    source: SourceSystem
    reader: Reader
    answers: str


def routes(
    sources: Sequence[SourceSystem], readers: Mapping[str, Reader], topic_name: Callable[[str], str]
) -> Mapping[str, Route]:
    """Return the route of every source topic, by its name on the cluster.

    Raises one `IntakeError` that names every source without reader or known zone, and every id or topic used twice.
    """
    wrong = wrong_sources(sources, readers)
    if wrong:
        raise IntakeError(IntakeCode.SOURCES_WRONG, "; ".join(wrong))
    return {
        topic_name(source.topic): Route(source, readers[source.reader], topic_name(ack_topic(source.id)))
        for source in sources
    }


def wrong_sources(sources: Sequence[SourceSystem], readers: Mapping[str, Reader]) -> list[str]:
    """Return what is wrong with the list of sources as a whole, a sentence each; empty when it can be used."""
    wrong = [] if sources else ["there is no source"]
    wrong += [
        f"source {source.id}: no reader is named {source.reader}" for source in sources if source.reader not in readers
    ]
    wrong += [
        f"source {source.id}: no time zone is named {source.zone}" for source in sources if not _known(source.zone)
    ]
    wrong += [f"id {name}: several sources" for name in _repeated([source.id for source in sources])]
    wrong += [f"topic {name}: several sources" for name in _repeated([source.topic for source in sources])]
    return wrong


def _known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return False
    return True


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
