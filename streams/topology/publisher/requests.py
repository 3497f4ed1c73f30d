"""What persons ask of the publisher: to try a parked patient's newest list again, though nothing of it has changed.

A request names only the patient; the list is read anew from the list topic, up to its end, so that never an older one than the
newest is published. Requests are committed once the patient is settled: one that a crash interrupts is heeded again.
"""

import time
from collections.abc import Collection, Iterable
from typing import Final

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from connectors.kafka.clients import END_OF_PARTITION, PASSING, consumer_config, reader_config
from connectors.kafka.positions import ASK_SECONDS, PATIENCE_SECONDS, committed_offsets
from connectors.settings import Settings
from connectors.telemetry import declare, get_logger
from contracts.publication import decode_request
from contracts.topics import LIST, PUBLISH_REQUEST
from streams.topology.publisher.consuming import place_of
from streams.topology.publisher.limits import PublisherLimits
from streams.topology.publisher.problems import PublisherCode, PublisherError
from streams.topology.settings import Isolation

EVENTS: Final = declare({"publisher.asked": "PBS-107", "publisher.request_unreadable": "PBS-108"})

_log = get_logger()


class Requests:
    """Requests about patients of the partitions that are ours. For one thread.

    Nothing in it waits but one question per turn, while the broker cannot tell where requests about new partitions go on: that is
    never asked inside a rebalance, which has waited for the lists' own offsets (``connectors.kafka.positions``).
    """

    def __init__(self, settings: Settings, limits: PublisherLimits, isolation: Isolation) -> None:
        group = consumer_config(settings, f"{settings.publisher_group}-requests")
        # In the group by name only: partitions follow those of the list topic. What retention took was too old to heed.
        group |= {"auto.offset.reset": "earliest", "enable.partition.eof": True}
        group.pop("group.instance.id", None)
        self._asked = Consumer(group)
        lists = reader_config(settings, "publisher-lists")
        if isolation == "none":
            lists["isolation.level"] = "read_uncommitted"  # the embedded broker shows no committed records as such
        self._lists = Consumer(lists)
        self._request_topic = settings.topic(PUBLISH_REQUEST)
        self._list_topic = settings.topic(LIST)
        self._limits = limits
        self._ours: set[int] = set()
        self._new: dict[int, float] = {}  # to be begun; until when the broker may take to tell where
        self._open: dict[str, int] = {}
        self._reached: dict[int, int] = {}
        self._wanted: dict[str, int] = {}  # to be looked for as soon as their partition is not being read
        self._sought: dict[str, int] = {}  # being looked for
        self._found: dict[str, Message] = {}
        self._searching: set[int] = set()

    @property
    def topic(self) -> str:
        """The topic of the requests, by its name on the cluster."""
        return self._request_topic

    @property
    def searching(self) -> bool:
        """Whether a list is being looked for: then the next turn should come soon."""
        return bool(self._wanted or self._sought)

    def assigned(self, partitions: Collection[int]) -> None:
        """Partitions came: their requests go on after those that were heeded, once the broker has told which."""
        self._new |= dict.fromkeys(partitions, time.monotonic() + PATIENCE_SECONDS)

    def gone(self, partitions: Collection[int]) -> None:
        """Partitions went: their next owner heeds what is open."""
        for number in partitions:
            self._new.pop(number, None)
        ours = [number for number in partitions if number in self._ours]
        self._asked.incremental_unassign([TopicPartition(self._request_topic, number) for number in ours])
        self._ours.difference_update(ours)
        self._open = {patient: number for patient, number in self._open.items() if number not in ours}
        self._wanted = {patient: number for patient, number in self._wanted.items() if number not in ours}
        for number in ours:
            self._reached.pop(number, None)
        self._stop_searching(ours)

    def taken(self) -> list[str]:
        """Return the patients of new requests; their lists are looked for from now on."""
        self._begin()
        patients = []
        for message in self._asked.consume(self._limits.batch_messages, 0) if self._ours else ():
            if not _is_record(message, self._request_topic):
                continue
            partition, offset = place_of(message)
            self._reached[partition] = offset + 1
            patient = _patient_of(message)
            if patient is not None:
                self._open[patient] = self._wanted[patient] = partition
                patients.append(patient)
        self._search()
        return patients

    def found(self) -> list[Message]:
        """Return the newest lists of patients that were asked about; a patient without list is done with."""
        if not self._searching:
            return []
        ended = set()
        for message in self._lists.consume(self._limits.batch_messages, 0):
            if _is_record(message, self._list_topic):
                patient = (message.key() or b"").decode("utf-8", "replace")
                if patient in self._sought:
                    self._found[patient] = message
            elif (error := message.error()) is not None and error.code() == END_OF_PARTITION:
                ended.add(message.partition())
        done = [patient for patient, number in self._sought.items() if number in ended]
        lists = [self._found.pop(patient) for patient in done if patient in self._found]
        without = set(done) - {(one.key() or b"").decode() for one in lists if one.value() is not None}
        self._stop_searching(number for number in ended if number is not None)
        for patient in without:
            self.settled(patient)
        return [one for one in lists if one.value() is not None]

    def overtaken(self, patient: str) -> None:
        """A list of the patient came by itself: that one is tried, whatever an earlier look would find."""
        for known in (self._wanted, self._sought, self._found):
            known.pop(patient, None)

    def settled(self, patient: str) -> None:
        """The patient is settled; commit the requests of a partition when none of it is open."""
        number = self._open.pop(patient, None)
        if number is None or number in self._open.values():
            return
        try:
            self._asked.commit(
                offsets=[TopicPartition(self._request_topic, number, self._reached[number])], asynchronous=False
            )
        except KafkaException as error:
            if error.args[0].code() not in PASSING:
                raise PublisherError(PublisherCode.COMMIT_FAILED, f"requests: {error.args[0].name()}") from error

    def close(self) -> None:
        """Stop reading."""
        self._asked.close()
        self._lists.close()

    def _begin(self) -> None:
        """Ask where the requests about new partitions go on; if the broker cannot tell yet, the next turn asks again."""
        if not self._new:
            return
        asked = [TopicPartition(self._request_topic, number) for number in sorted(self._new)]
        try:
            known = committed_offsets(self._asked, asked, within_seconds=ASK_SECONDS)
        except KafkaException as error:
            if error.args[0].code() in PASSING and time.monotonic() < min(self._new.values()):
                return
            raise PublisherError(PublisherCode.READ_FAILED, f"committed requests: {error.args[0].name()}") from error
        self._asked.incremental_assign(
            [
                TopicPartition(one.topic, one.partition, one.offset if one.offset >= 0 else OFFSET_BEGINNING)
                for one in known
            ]
        )
        self._ours.update(self._new)
        self._new = {}

    def _search(self) -> None:
        """Begin at the beginning of every partition in which a list is wanted, unless it is being read already."""
        new = sorted(set(self._wanted.values()) - self._searching)
        if not new:
            return
        self._lists.incremental_assign([TopicPartition(self._list_topic, one, OFFSET_BEGINNING) for one in new])
        self._searching.update(new)
        self._sought |= {patient: number for patient, number in self._wanted.items() if number in new}
        self._wanted = {patient: number for patient, number in self._wanted.items() if number not in new}

    def _stop_searching(self, partitions: Iterable[int]) -> None:
        over = self._searching & set(partitions)
        self._lists.incremental_unassign([TopicPartition(self._list_topic, number) for number in sorted(over)])
        self._searching -= over
        for patient in [name for name, number in self._sought.items() if number in over]:
            del self._sought[patient]
            self._found.pop(patient, None)


def _is_record(message: Message, topic: str) -> bool:
    error = message.error()
    if error is None:
        return True
    if error.code() not in PASSING | {END_OF_PARTITION}:
        raise PublisherError(PublisherCode.READ_FAILED, f"topic {topic}: {KafkaError(error.code()).name()}")
    return False


def _patient_of(message: Message) -> str | None:
    """The patient of a request; what cannot be read is told and passed over, for it asks nothing that is known here."""
    try:
        request = decode_request(message.value() or b"")
    except msgspec.DecodeError:
        partition, offset = place_of(message)
        _log.warning("publisher.request_unreadable", partition=partition, offset=offset)
        return None
    _log.info("publisher.asked", patient=request.patient, kind=request.kind)
    return request.patient
