"""The story without any broker: readers and reconciler only, so that what the stream gives can be compared with it."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from connectors.pseudonym import pseudonymiser
from connectors.settings import DEMO_PSEUDONYM_KEY
from contracts.fact import Fact
from contracts.medication_list import MedicationList
from contracts.sources import DEFAULT_SOURCES
from mappings.sources.readers import READERS
from mappings.sources.reading import Context, Message, Reading
from streams.command.demo.story import Delivery
from streams.command.knowledge import reconciler

_SOURCES = {source.id: source for source in DEFAULT_SOURCES}
PSEUDONYM = pseudonymiser(DEMO_PSEUDONYM_KEY.encode())


def read(delivery: Delivery) -> Reading:
    """What a delivered message becomes."""
    source = _SOURCES[delivery.source]
    headers = {name: value.encode() for name, value in delivery.content_headers.items()}
    context = Context(source=source, received_at=delivery.received_at, pseudonym=PSEUDONYM)
    return READERS[source.reader](Message(value=delivery.value, headers=headers), context)


def facts_of(story: Iterable[Delivery]) -> list[Fact]:
    """The facts of all messages, in the order of delivery."""
    return [fact for delivery in story for fact in read(delivery).facts]


def list_of(facts: Iterable[Fact], when: datetime) -> MedicationList:
    """The list of the story's one patient."""
    known = list(facts)
    return reconciler().derive(known[0].patient, known, when)


def lists_after_each(story: Iterable[Delivery]) -> Iterator[tuple[Delivery, MedicationList]]:
    """The list after each delivery, at the latest time of receipt so far."""
    facts: list[Fact] = []
    now: datetime | None = None
    for delivery in story:
        facts += read(delivery).facts
        now = delivery.received_at if now is None else max(now, delivery.received_at)
        yield delivery, list_of(facts, now)
