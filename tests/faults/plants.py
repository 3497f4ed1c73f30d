"""Faults planted in the reconciler on purpose, each in partitions of its own, to show that the verdict sees them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, get_args

import msgspec

from streams.topology.core import Core, Decision, Send

Plant = Literal["overtake", "lose", "double"]
"""``overtake``: older lists are written last, so that the end is wrong. ``lose``: one record is passed over. ``double``: one is
applied twice."""

PLANTS: tuple[Plant, ...] = get_args(Plant)
AFTER_RECORDS = 5
"""Few: on a busy machine many facts come in one record, and many records at once."""


class PlantedCore:
    """A core that does one wrong thing, and is right otherwise."""

    def __init__(self, core: Core, list_topic: str, plant: Plant) -> None:
        self._core = core
        self._list_topic = list_topic
        self._plant = plant
        self._seen = 0
        self._done = False
        self._lists: dict[bytes | None, Send] = {}

    def load(self, rows: Mapping[bytes, bytes]) -> None:
        """As it is."""
        self._core.load(rows)

    def apply(self, records: Sequence[bytes]) -> Decision:
        """Apply, and do the wrong thing when it is time."""
        self._seen += len(records)
        last = max((place for place, record in enumerate(records) if record.startswith(b"[")), default=None)
        if self._done or self._seen < AFTER_RECORDS or last is None:
            return self._remembered(self._core.apply(records))
        if self._plant == "overtake":
            return self._overtaken(self._core.apply(records))
        self._done = True
        kept = [] if self._plant == "lose" else [records[last], records[last]]
        return self._core.apply([*records[:last], *kept, *records[last + 1 :]])

    def next_wake(self) -> datetime | None:
        """As it is."""
        return self._core.next_wake()

    def _remembered(self, decision: Decision) -> Decision:
        self._lists |= {send.key: send for send in decision.sends if send.topic == self._list_topic}
        return decision

    def _overtaken(self, decision: Decision) -> Decision:
        older = [self._lists[send.key] for send in decision.sends if self._is_newer(send)]
        self._remembered(decision)
        return msgspec.structs.replace(decision, sends=[*decision.sends, *older])

    def _is_newer(self, send: Send) -> bool:
        known = self._lists.get(send.key)
        return send.topic == self._list_topic and known is not None and known.value != send.value
