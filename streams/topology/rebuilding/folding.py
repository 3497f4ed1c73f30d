"""Patients' facts to rows and lists, with the very core that the stream runs. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from contracts.quarantine import CODES_HEADER
from streams.topology.core import Core
from streams.topology.reconciling.core import CLOCK_ROW, tick_record

GROUP_FACTS = 3_000
"""About how many facts are folded at once; what is decoded, 8 kB a fact, is then let go."""


class UnreadableFactsError(ValueError):
    """A record held a fact that cannot be read; the grouping must be made anew, checked."""


class Folded(msgspec.Struct, frozen=True):
    """What one patient's facts become."""

    rows: Mapping[bytes, bytes]
    """State rows by their key in the state topic, the mark among them."""
    medication_list: bytes


def groups(events: Mapping[str, Sequence[bytes]], patients: Sequence[str]) -> Iterator[list[str]]:
    """Cut patients into groups of about `GROUP_FACTS` facts."""
    group: list[str] = []
    facts = 0
    for patient in patients:
        group.append(patient)
        facts += len(events[patient])
        if facts >= GROUP_FACTS:
            yield group
            group, facts = [], 0
    if group:
        yield group


def fold(
    core: Core, list_topic: str, clock: datetime, events: Mapping[str, Sequence[bytes]], group: Sequence[str]
) -> dict[str, Folded]:
    """Return what the facts of each patient of `group` become at `clock`, on a `core` that is empty yet.

    Raises `UnreadableFactsError`.
    """
    core.load({CLOCK_ROW: tick_record(clock)})
    decision = core.apply([b"[" + b",".join(events[patient]) + b"]" for patient in group])
    if any(CODES_HEADER in dict(send.headers) for send in decision.sends):  # what goes to quarantine says why
        raise UnreadableFactsError
    lists = {send.key: send.value for send in decision.sends if send.topic == list_topic}
    rows: dict[bytes, dict[bytes, bytes]] = {patient.encode(): {} for patient in group}
    for key, value in decision.rows.items():
        theirs = rows.get(key.partition(b"|")[0])
        if theirs is not None and value is not None:  # the other end of a link is folded with its own facts
            theirs[key] = value
    return {key.decode(): Folded(theirs, lists.get(key) or b"") for key, theirs in rows.items()}


def patient_of(key: bytes) -> str:
    """The patient of a state row's key."""
    return key.decode().partition("|")[0]
