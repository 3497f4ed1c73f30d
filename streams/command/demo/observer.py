"""What an outsider sees on the topics: answers, lists, quarantine, publications, and how far the reconciler has come."""

import time
from collections.abc import Callable

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from connectors.kafka.clients import END_OF_PARTITION, reader_config
from connectors.telemetry import CodedError
from contracts import topics
from contracts.envelope import decode_batch
from contracts.publication import Publication, decode_publication
from contracts.quarantine import Ack, Quarantined, decode_ack, decode_quarantined
from contracts.topics import ack_topic
from streams.command.composition import Composition
from streams.topology.position import POSITION_KEY, decode

POLL_SECONDS = 0.05
ASK_SECONDS = 10.0


class Observer:
    """Reads everything that the system says, from the beginning. For one thread."""

    def __init__(self, composition: Composition) -> None:
        settings = composition.settings
        config = reader_config(settings, "observer")
        if composition.embedded:
            config["isolation.level"] = "read_uncommitted"  # the embedded broker shows no committed records as such
        self._consumer = Consumer(config)
        # Its questions do not wait behind fetches, and what a transaction has written counts before each partition shows it.
        self._asker = Consumer(config | {"isolation.level": "read_uncommitted"})
        self._name = settings.topic
        self._partitions = settings.partitions
        self._kinds = {
            settings.topic(topics.FACT): self._facts,
            settings.topic(topics.LIST): self._list,
            settings.topic(topics.STATE): self._state,
            settings.topic(topics.QUARANTINE): self._quarantined,
            settings.topic(topics.PUBLISH): self._publication,
        }
        self._kinds |= {settings.topic(ack_topic(source.id)): self._ack for source in composition.sources}
        watched = [spec for spec in composition.topics if spec.name in self._kinds]
        self._consumer.assign(
            [
                TopicPartition(spec.name, number, OFFSET_BEGINNING)
                for spec in watched
                for number in range(spec.partitions)
            ]
        )
        self._read: dict[tuple[str, int], int] = {}
        self.acks: dict[str, Ack] = {}
        """The vendor's message id -> the newest answer."""
        self.facts: set[str] = set()
        """The ids of the facts in the log."""
        self.lists: dict[str, bytes] = {}
        """Pseudonym -> the newest list."""
        self.quarantine: dict[str, Quarantined] = {}
        self.publications: dict[str, Publication] = {}
        self.positions: dict[int, int] = {}
        """Partition -> the next offset of the fact topic that is not yet in the state."""

    def wait(self, done: Callable[[], bool], what: str, seconds: float, alive: Callable[[], None]) -> None:
        """Read until ``done``. Raises ``CodedError`` (``DEM-002``) after ``seconds``, and whatever ``alive`` raises."""
        deadline = time.monotonic() + seconds
        while not done():
            alive()
            if time.monotonic() > deadline:
                raise CodedError("DEM-002", f"not within {seconds:.0f} s: {what}", "Run it again; see the log below.")
            self.read()

    def read(self) -> None:
        """Take in what is waiting."""
        for message in self._consumer.consume(500, POLL_SECONDS):
            error, offset = message.error(), message.offset() or 0
            here = message.topic() or "", message.partition() or 0
            if error is None:
                self._read[here] = offset + 1
                self._kinds[here[0]](message)
            elif error.code() == END_OF_PARTITION:
                self._read[here] = offset  # also beyond what transactions leave in the log
            else:
                raise CodedError("DEM-003", f"the broker does not give its records: {error.name()}", "Run it again.")

    def is_caught_up(self) -> bool:
        """Tell whether all facts that senders were told of are in the state, and every list that came of them was read here.

        An answer may be there before its facts are.
        """
        if not all(self.facts.issuperset(ack.facts) for ack in self.acks.values()):
            return False
        numbers = range(self._partitions)
        applied = all(self.positions.get(number, 0) >= self._end(topics.FACT, number) for number in numbers)
        return applied and all(self._has_read(topics.LIST, number) for number in numbers)

    def close(self) -> None:
        """Stop reading."""
        self._consumer.close()
        self._asker.close()

    def _has_read(self, topic: str, number: int) -> bool:
        return self._read.get((self._name(topic), number), 0) >= self._end(topic, number)

    def _end(self, topic: str, number: int) -> int:
        marks = self._asker.get_watermark_offsets(TopicPartition(self._name(topic), number), timeout=ASK_SECONDS)
        return int(marks[1])

    def _ack(self, message: Message) -> None:
        ack = decode_ack(message.value() or b"")
        if ack.message_id is not None:
            self.acks[ack.message_id] = ack

    def _facts(self, message: Message) -> None:
        value = message.value() or b""
        if value.startswith(b"["):  # else it tells the time
            self.facts.update(fact.id for fact in decode_batch(value))

    def _list(self, message: Message) -> None:
        self.lists[(message.key() or b"").decode()] = message.value() or b""

    def _state(self, message: Message) -> None:
        if message.key() == POSITION_KEY:
            self.positions[message.partition() or 0] = decode(message.value() or b"").next_offset

    def _quarantined(self, message: Message) -> None:
        record = decode_quarantined(message.value() or b"")
        self.quarantine[record.id] = record

    def _publication(self, message: Message) -> None:
        value = message.value()
        if value is not None:
            publication = decode_publication(value)
            self.publications[publication.patient] = publication
