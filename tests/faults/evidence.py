"""Reading everything back after a run: the facts' log, what was counted, every list, and what NLL holds."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from connectors.kafka.clients import END_OF_PARTITION, reader_config
from connectors.pseudonym import pseudonymiser
from contracts.medication_list import decode_list
from contracts.quarantine import Place
from contracts.sources import DEFAULT_SOURCES
from contracts.topics import FACT, LIST, QUARANTINE
from mappings.fhir.elements import identifiers
from mappings.fhir.vocabulary import RECORD
from mappings.sources.readers import READERS
from streams.command.rebuild import place_of
from streams.topology.intake.interpreting import Edge, Received, interpret
from streams.topology.intake.limits import IntakeLimits
from streams.topology.intake.routes import routes
from streams.topology.rebuilding.comparing import Difference
from streams.topology.rebuilding.partition import verify
from streams.topology.restore import read_back
from tests.faults.counting import Chain, chain_of, counts_of, events_of
from tests.faults.load import Sent
from tests.faults.stage import Stage
from tests.system.medlist import PARTITIONS, Medlist
from tests.system.messages import HOSPITAL_TOPIC, prescription_record


class Written(msgspec.Struct, frozen=True):
    """One list as it was written: the facts that it names."""

    facts: frozenset[str]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a verdict needs, as data.

    ``expected``: message -> the facts it must become. ``log``: partition -> how often each fact stands in the log.
    ``applied``: the same, as counted by the core that is not idempotent. ``lists``: patient -> every list, in order.
    ``differences``: live state and lists against a rebuild in one process. ``wanted``: prescription -> the dosage text
    that NLL must hold; ``held``: what it holds, living prescriptions only.
    """

    expected: Mapping[str, frozenset[str]]
    quarantined: int
    log: Mapping[int, Mapping[str, int]]
    log_chains: Mapping[int, Chain]
    applied: Mapping[int, Mapping[str, int]]
    applied_chains: Mapping[int, Chain]
    lists: Mapping[str, list[Written]]
    differences: list[Difference]
    wanted: Mapping[str, str]
    held: Mapping[str, list[str]]


def gather(stage: Stage) -> Evidence:
    """Read everything; nothing may be running but the broker and the endpoint."""
    medlist, accepted = stage.medlist, stage.vendor.accepted
    log: dict[int, dict[str, int]] = {number: {} for number in range(PARTITIONS)}
    chains = dict.fromkeys(range(PARTITIONS), Chain())
    for message in records(medlist, FACT):
        number, value = message.partition() or 0, message.value() or b""
        chains[number] = chains[number].and_then(value)
        for name in events_of(value):
            log[number][name] = log[number].get(name, 0) + 1
    states = {
        number: restored.rows for number, restored in read_back(medlist.composition.engine, range(PARTITIONS)).items()
    }
    return Evidence(
        expected=expected_facts(medlist, accepted),
        quarantined=sum(1 for _ in records(medlist, QUARANTINE)),
        log=log,
        log_chains=chains,
        applied={number: counts_of(rows) for number, rows in states.items()},
        applied_chains={number: chain_of(rows) for number, rows in states.items()},
        lists=written_lists(medlist),
        differences=differences(medlist),
        wanted=wanted_at_nll(accepted),
        held=held_by_nll(stage),
    )


def expected_facts(medlist: Medlist, accepted: Mapping[str, Sent]) -> dict[str, frozenset[str]]:
    """Message -> ids of the facts it says, read in this process by the pure part of the intake."""
    settings = medlist.settings
    edge = Edge(pseudonym=pseudonymiser(settings.pseudonym_secret()), trust_received_at=False, limits=IntakeLimits())
    route = routes(DEFAULT_SOURCES, READERS, settings.topic)[settings.topic(HOSPITAL_TOPIC)]
    place, now = Place(topic="", partition=0, offset=0), datetime.now(UTC)
    return {
        name: frozenset(
            fact.id for fact in interpret(Received(place=place, value=sent.value, at=now), route, edge).facts
        )
        for name, sent in accepted.items()
    }


def written_lists(medlist: Medlist) -> dict[str, list[Written]]:
    """Every list of every patient, in the order in which they were committed."""
    found: dict[str, list[Written]] = {}
    for message in records(medlist, LIST):
        one = decode_list(message.value() or b"")
        facts = {fact for item in one.items for fact in item.facts} | {left.fact for left in one.unattached}
        found.setdefault(one.patient, []).append(Written(frozenset(facts)))
    return found


def differences(medlist: Medlist) -> list[Difference]:
    """The live state and lists against a rebuild in this process; the counts are no part of it."""
    found = [
        one
        for number in range(PARTITIONS)
        for one in verify(place_of(medlist.settings, number), lambda _step: None).differences
    ]
    return [one for one in found if one.kind != "due" and not one.patient.startswith("\x02")]


def wanted_at_nll(accepted: Mapping[str, Sent]) -> dict[str, str]:
    """Record of a prescription -> the dosage text of its newest version."""
    newest: dict[str, Sent] = {}
    for sent in accepted.values():
        if sent.order not in newest or newest[sent.order].version < sent.version:
            newest[sent.order] = sent
    return {prescription_record(order): sent.text for order, sent in newest.items()}


def held_by_nll(stage: Stage) -> dict[str, list[str]]:
    """Record of a prescription -> the dosage texts of the active prescriptions at NLL that carry it."""
    found: dict[str, list[str]] = {}
    for resources in stage.endpoint.sandbox.ask("contents").values():
        for resource in resources:
            if resource["resourceType"] != "MedicationRequest" or resource["status"] != "active":
                continue
            (record,) = identifiers(resource, RECORD)
            found.setdefault(record, []).append(resource["dosageInstruction"][0]["patientInstruction"])
    return found


def records(medlist: Medlist, topic: str) -> Iterator[Message]:
    """Every committed record of a topic."""
    name = medlist.settings.topic(topic)
    consumer = Consumer(reader_config(medlist.settings, "evidence"))
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    left = set(range(PARTITIONS))
    while left:
        for message in consumer.consume(500, 1.0):
            error = message.error()
            if error is None:
                yield message
            elif error.code() == END_OF_PARTITION:
                left.discard(message.partition() or 0)
            else:
                raise KafkaException(error)
    consumer.close()
