"""What is known of our own writes: the publications, followed from their beginning, caught up with whenever it matters.

A write on what is there is told before it is sent. So whoever has seen a version at NLL, and then reads the publications to their
end, finds there that it is ours, if it is.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

import msgspec
from confluent_kafka import Message

from contracts.publication import decode_publication
from streams.publish.writes import Writes, writes_of
from streams.topology.nll_source.problems import NllSourceCode, NllSourceError
from streams.topology.publisher.consuming import place_of

ReadOn = Callable[[Mapping[int, int]], Iterator[Message]]
"""Gives the publications of partitions from these offsets on, up to the ends that they have now."""

_decoder: Final = msgspec.json.Decoder(Writes)


class Publications:
    """Our writes of the patients in partitions that are ours; what is known is dropped with them."""

    def __init__(self, read_on: ReadOn) -> None:
        self._read_on = read_on
        self._next: dict[int, int] = {}
        self._known: dict[int, dict[str, bytes]] = {}

    def of(self, pseudonym: str, partition: int) -> Writes:
        """Return what is known now. Raises ``NllSourceError`` for a record that is no publication."""
        for message in self._read_on({partition: self._next.get(partition, 0)}):
            _, offset = place_of(message)
            self._take(message, self._known.setdefault(partition, {}), partition, offset)
            self._next[partition] = offset + 1
        known = self._known.get(partition, {}).get(pseudonym)
        return Writes() if known is None else _decoder.decode(known)

    def drop(self, partitions: Collection[int]) -> None:
        """Partitions went: their next owner reads them."""
        for number in partitions:
            self._next.pop(number, None)
            self._known.pop(number, None)

    def _take(self, message: Message, known: dict[str, bytes], partition: int, offset: int) -> None:
        patient, value = (message.key() or b"").decode("utf-8", "replace"), message.value()
        known.pop(patient, None)
        if value is None:
            return
        try:
            writes = writes_of(decode_publication(value))
        except msgspec.DecodeError as error:
            place = f"partition {partition} offset {offset}"
            raise NllSourceError(NllSourceCode.PUBLICATION_UNREADABLE, place) from error
        if writes != Writes():
            known[patient] = msgspec.json.encode(writes)
