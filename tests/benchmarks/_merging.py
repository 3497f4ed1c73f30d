"""A core with the work of a merge and nothing of medicine: the same for the engine and for the bare loop."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from random import Random

import msgspec

from streams.topology.core import Decision, Send

PATIENTS = 2000
FACTS_PER_RECORD = 100
PAYLOAD = "x" * 290
DRAWN_BITS = 160
"""So much of a fact is like nothing else: packed records of these then compress like those of a region's mix, 15 to 1."""


class Fact(msgspec.Struct):
    """About 440 bytes as JSON."""

    patient: str
    fact_key: str
    version: int
    written_at_ns: int
    payload: msgspec.Raw


_records = msgspec.json.Decoder(list[Fact])
_rows = msgspec.json.Decoder(dict[str, Fact])
_encode = msgspec.json.Encoder().encode


def record(first: int, partition: int, facts: int, written_at_ns: int) -> bytes:
    """A packed record of facts number `first` and on, of patients that belong to the partition."""
    drawn = Random(first)
    return _encode(
        [
            Fact(
                patient=f"{partition}-{number % PATIENTS:032x}",
                fact_key=f"order|vendor|{number % 7:016d}",
                version=number,
                written_at_ns=written_at_ns,
                payload=msgspec.Raw(_encode({"text": f"{drawn.getrandbits(DRAWN_BITS):0{DRAWN_BITS // 4}x}{PAYLOAD}"})),
            )
            for number in range(first, first + facts)
        ]
    )


class MergingCore:
    """Keeps the newest version of each fact per patient; a row and a sent list per patient that changed."""

    def __init__(self, out_topic: str) -> None:
        self._out_topic = out_topic
        self._patients: dict[str, dict[str, Fact]] = {}

    def load(self, rows: Mapping[bytes, bytes]) -> None:
        """Take over the stored rows."""
        self._patients = {key.decode(): _rows.decode(value) for key, value in rows.items()}

    def apply(self, records: Sequence[bytes]) -> Decision:
        """Merge; one row and one list per patient that changed."""
        dirty: dict[str, int] = {}
        for packed in records:
            for fact in _records.decode(packed):
                facts = self._patients.setdefault(fact.patient, {})
                known = facts.get(fact.fact_key)
                if known is None or known.version < fact.version:
                    facts[fact.fact_key] = fact
                dirty[fact.patient] = fact.written_at_ns
        rows: dict[bytes, bytes | None] = {}
        sends = []
        for patient, written_at_ns in dirty.items():
            key = patient.encode()
            rows[key] = _encode(self._patients[patient])
            sends.append(Send(topic=self._out_topic, key=key, value=b"%d" % written_at_ns))
        return Decision(rows=rows, sends=sends)

    def next_wake(self) -> datetime | None:
        """Never."""
        return None
