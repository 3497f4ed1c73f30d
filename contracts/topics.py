"""Topics: what must exist, with partitions and settings. They are declared here, and created by ``medlist topics``."""

from collections.abc import Mapping
from typing import Final

import msgspec

FACT: Final = "medlist.fact.v1"
STATE: Final = "medlist.state.v1"
LIST: Final = "medlist.list.v1"
LIST_FHIR: Final = "medlist.list-fhir.v1"
CHANGE: Final = "medlist.change.v1"
QUARANTINE: Final = "medlist.quarantine.v1"
PUBLISH: Final = "medlist.publish.v1"
NLL_WATERMARK: Final = "medlist.nll-watermark.v1"
PUBLISH_REQUEST: Final = "medlist.publish-request.v1"
FORWARD: Final = "medlist.forward.v1"

_DAY_MS = 24 * 3600 * 1000
_FOREVER: Mapping[str, str] = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
_COMPACTED: Mapping[str, str] = {"cleanup.policy": "compact", "max.compaction.lag.ms": str(_DAY_MS)}
_FORTNIGHT: Mapping[str, str] = {
    "cleanup.policy": "delete",
    "retention.ms": str(14 * _DAY_MS),
    "message.timestamp.type": "LogAppendTime",  # else a sender whose clock is behind has its messages deleted unread
}


class TopicSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One topic. ``partitions`` never change once facts are there: a patient's place depends on them."""

    name: str
    partitions: int
    settings: Mapping[str, str]
    purpose: str


def input_topic(system: str, domain: str) -> str:
    """Return the name of a vendor's input topic."""
    return f"in.{system}.{domain}.v1"


def ack_topic(system: str) -> str:
    """Return the name of the topic on which a vendor reads what became of its messages."""
    return f"out.{system}.ack.v1"


def own_topics(partitions: int) -> tuple[TopicSpec, ...]:
    """Return our own topics; all but the quarantine are keyed and partitioned by the patient's pseudonym."""

    def spec(name: str, settings: Mapping[str, str], purpose: str) -> TopicSpec:
        return TopicSpec(name=name, partitions=partitions, settings=settings, purpose=purpose)

    return (
        spec(FACT, _FOREVER, "packed facts, the truth; dense offsets, written by an idempotent producer only"),
        spec(STATE, _COMPACTED, "the reconciler's rows and positions; a cache, rebuilt from facts"),
        spec(LIST, _COMPACTED, "one list per patient, the newest"),
        spec(LIST_FHIR, _COMPACTED, "the same lists as FHIR R4 Bundles"),
        spec(CHANGE, _FOREVER, "what changed on a list, and why"),
        spec(QUARANTINE, _FOREVER, "messages that could not become facts, with every problem named"),
        spec(PUBLISH, _COMPACTED, "per patient: what was last sent toward NLL, or why nothing was"),
        spec(NLL_WATERMARK, _COMPACTED, "per patient: how far what NLL holds has been read; a cache"),
        spec(PUBLISH_REQUEST, _FORTNIGHT, "what a person asks of the publisher: to try a parked patient again"),
    )


def vendor_topics(topics_by_system: Mapping[str, str], partitions: int) -> tuple[TopicSpec, ...]:
    """Return the topics that vendors write to and read their answers from."""
    specs: list[TopicSpec] = []
    for system, topic in sorted(topics_by_system.items()):
        specs.append(
            TopicSpec(
                name=topic, partitions=partitions, settings=_FORTNIGHT, purpose=f"messages from {system}, as sent"
            )
        )
        specs.append(
            TopicSpec(
                name=ack_topic(system), partitions=1, settings=_FORTNIGHT, purpose=f"what became of {system}'s messages"
            )
        )
    return tuple(specs)
