"""Which facts go together into which record of the fact topic. Pure."""

from collections.abc import Iterable

from connectors.pseudonym import partition_of
from streams.topology.intake.interpreting import EncodedFact
from streams.topology.intake.limits import IntakeLimits

_Copy = tuple[str, tuple[str, ...]]
"""A fact, and whom this copy of it is for: a forwarded copy stands beside the fact itself."""

_FRAME_BYTES = len("[]")
_COMMA_BYTES = len(",")


def pack(facts: Iterable[EncodedFact], partitions: int, limits: IntakeLimits) -> dict[int, list[bytes]]:
    """Return the record values per partition: JSON batches as `contracts.envelope.encode_batch` writes them.

    A fact stands once in each of its patients' partitions. Of facts with equal ids the one received first is kept. A
    record holds at most `pack_facts` facts and `record_bytes` bytes; each fact alone fits (`interpreting` saw to it).
    """
    waiting: dict[int, dict[_Copy, EncodedFact]] = {}
    for fact in facts:
        for partition in {partition_of(patient, partitions) for patient in fact.patients}:
            _keep_first_received(waiting.setdefault(partition, {}), fact)
    return {partition: _records(waiting[partition].values(), limits) for partition in sorted(waiting)}


def _keep_first_received(kept: dict[_Copy, EncodedFact], fact: EncodedFact) -> None:
    copy = (fact.id, fact.patients)
    other = kept.get(copy)
    if other is None or fact.received_at < other.received_at:
        kept[copy] = fact


def _records(facts: Iterable[EncodedFact], limits: IntakeLimits) -> list[bytes]:
    records: list[bytes] = []
    group: list[bytes] = []
    size_bytes = _FRAME_BYTES
    for fact in facts:
        added_bytes = len(fact.data) + _COMMA_BYTES
        if group and (len(group) == limits.pack_facts or size_bytes + added_bytes > limits.record_bytes):
            records.append(_batch(group))
            group, size_bytes = [], _FRAME_BYTES
        group.append(fact.data)
        size_bytes += added_bytes
    return [*records, _batch(group)]


def _batch(events: list[bytes]) -> bytes:
    return b"[" + b",".join(events) + b"]"
