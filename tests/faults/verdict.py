"""What came through and what did not. Pure: from evidence to counts; every count must be 0."""

from collections.abc import Mapping
from itertools import pairwise

import msgspec

from tests.faults.evidence import Evidence


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Faults found, by kind; `examples` names some of each, by id, never by value."""

    messages_lost: int = 0
    """Accepted from the vendor, and a fact of it is nowhere in the log."""
    quarantined: int = 0
    """Messages that could not be read; the vendor sends none such."""
    facts_lost: int = 0
    """In the log, and applied less often than they stand there."""
    facts_twice: int = 0
    """Applied more often than they stand in the log."""
    partitions_out_of_order: int = 0
    """The hash over everything that was applied, in order, is not that of the log."""
    lists_stale: int = 0
    """A list written after one that knew facts that it does not know."""
    lists_wrong: int = 0
    """Patients whose live state or list is not what one process makes of the log."""
    published_wrong: int = 0
    """Prescriptions that NLL holds in another version than the newest, or not at all."""
    published_twice: int = 0
    """Prescriptions that NLL holds more than once."""
    stuck: int = 0
    """Processes that never came to the end of their work, or ended for good."""
    unacknowledged: int = 0
    """Messages whose delivery the vendor's client never learned of."""
    examples: Mapping[str, list[str]] = {}

    @property
    def faults(self) -> int:
        """How many in all."""
        told = msgspec.to_builtins(self)
        return sum(count for name, count in told.items() if name != "examples")


EXAMPLES = 5


def judge(evidence: Evidence, *, stuck: int = 0, unacknowledged: int = 0) -> Verdict:
    """Hold the evidence against what is promised."""
    logged = {name for facts in evidence.log.values() for name in facts}
    lost: list[str] = []
    twice: list[str] = []
    for number, facts in evidence.log.items():
        applied = evidence.applied.get(number, {})
        for name in facts.keys() | applied.keys():
            missing = facts.get(name, 0) - applied.get(name, 0)
            (lost if missing > 0 else twice).extend([name] * abs(missing))
    found = {
        "messages_lost": [message for message, facts in evidence.expected.items() if not facts <= logged],
        "facts_lost": lost,
        "facts_twice": twice,
        "partitions_out_of_order": [
            str(number) for number, chain in evidence.log_chains.items() if evidence.applied_chains.get(number) != chain
        ],
        "lists_stale": _stale(evidence),
        "lists_wrong": sorted({f"{one.patient} {one.kind} {one.place}" for one in evidence.differences}),
        "published_wrong": [
            person for person, text in evidence.wanted.items() if text not in evidence.held.get(person, [])
        ],
        "published_twice": [record for record, texts in evidence.held.items() if len(texts) > 1],
    }
    return Verdict(
        **{name: len(names) for name, names in found.items()},
        quarantined=evidence.quarantined,
        stuck=stuck,
        unacknowledged=unacknowledged,
        examples={name: sorted(names)[:EXAMPLES] for name, names in found.items() if names},
    )


def _stale(evidence: Evidence) -> list[str]:
    """Patients of whom a list knows less than one before it: facts are only ever added."""
    found = []
    for patient, lists in evidence.lists.items():
        if any(not before.facts <= after.facts for before, after in pairwise(lists)):
            found.append(patient)
    return found
