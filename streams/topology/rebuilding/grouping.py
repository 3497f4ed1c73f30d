"""The facts of a partition, by patient, as bytes. Pure.

Folding a patient's facts at once costs one list instead of one per batch: that is where a rebuild's speed comes from.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from contracts.envelope import UnreadableEventError, decode_batch
from contracts.fact import FACT_TYPES
from contracts.facts.person import IdentityLink
from streams.reconcile.records import EARLIEST
from streams.topology.reconciling.core import Tick

_LINK_TYPE: Final = next(name for name, kind in FACT_TYPES.items() if kind is IdentityLink)


class _Head(msgspec.Struct):
    """As much of an event as tells whose it is and when it came."""

    subject: str
    type: str
    receivedat: datetime
    data: msgspec.Raw
    forwardedto: str | None = None


class _Link(msgspec.Struct):
    other_patient: str


_batch = msgspec.json.Decoder(list[msgspec.Raw])
_head = msgspec.json.Decoder(_Head)
_link = msgspec.json.Decoder(_Link)
_tick = msgspec.json.Decoder(Tick)


class Grouping:
    """Everything that a partition's records say, by patient; takes them in order.

    ``checked``: read every fact in full first, and pass over a record of which one cannot be read, as the stream does. That
    is slow, and needed only when folding meets such a fact.
    """

    def __init__(self, is_mine: Callable[[str], bool], *, checked: bool = False) -> None:
        self._is_mine = is_mine
        self._checked = checked
        self.events: dict[str, list[bytes]] = {}
        """Patient -> structured-mode events."""
        self.clock = EARLIEST
        self.facts = 0

    def add(self, record: bytes) -> None:
        """Take a record of the fact topic in: packed facts, or a tick. What is neither says nothing, as in the stream."""
        if record.startswith(b"["):
            self._add_batch(record)
        elif record.startswith(b"{"):
            self._add_tick(record)

    def _add_batch(self, record: bytes) -> None:
        try:
            if self._checked:
                decode_batch(record)
            found = [(bytes(event), _head.decode(event)) for event in _batch.decode(record)]
        except (msgspec.DecodeError, UnreadableEventError):
            return
        self.facts += len(found)
        for event, head in found:
            self.clock = max(self.clock, head.receivedat)
            for patient in _concerned(head):
                known = self.events.get(patient)
                if known is not None:
                    known.append(event)
                elif self._is_mine(patient):
                    self.events[patient] = [event]

    def _add_tick(self, record: bytes) -> None:
        try:
            self.clock = max(self.clock, _tick.decode(record).tick)
        except msgspec.DecodeError:
            return


def _concerned(head: _Head) -> tuple[str, ...]:
    """The patients whose lists an event concerns: both ends of a link, or the one it was forwarded to."""
    if head.forwardedto is not None:
        return (head.forwardedto,)
    if head.type == _LINK_TYPE:
        return (head.subject, _link.decode(head.data).other_patient)
    return (head.subject,)
